"""What if one value were another: the model's risk along a column, and where real patients are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.explanation.patient.reference import Reference
from medcore.explanation.shapley.game import Floats, RiskFunction
from medcore.features import AnyRows, CodedColumn, Rows
from medcore.features.kind import Alternatives

N_POINTS = 61
N_CELLS = 25
TRIM = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIfCurve:
    """One patient's risk (0–1) at other values of one column, all else unchanged.

    ``values`` are numbers, or the category's names; ``support`` is the share of
    training patients near each value. ``current`` is the patient's own value,
    None when missing, with its ``current_risk``.
    """

    column: str
    values: tuple[float, ...] | tuple[str, ...]
    risk: Floats = field(repr=False)
    support: Floats = field(repr=False)
    current: float | str | None
    current_risk: float
    unit: str | None = None

    @property
    def numeric(self) -> bool:
        """Whether the values are numbers."""
        return bool(self.values) and not isinstance(self.values[0], str)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {
            "column": self.column,
            "values": list(self.values),
            "risk": self.risk.tolist(),
            "support": self.support.tolist(),
            "current": self.current,
            "current_risk": self.current_risk,
            "unit": self.unit,
        }


def axis(
    reference: Reference, column: str, *, own: CodedColumn | None = None, n_points: int = N_POINTS
) -> Alternatives:
    """Lay out the plausible values of a column, the patient's own known one among them, also when it is not usual."""
    place = reference.columns.index(column)
    return reference.codebook.encoders[place].alternatives(reference.patients.column(place), own, n_points=n_points)


def curve(
    risk: RiskFunction,
    patient: AnyRows,
    reference: Reference,
    column: str,
    *,
    class_index: int,
    unit: str | None = None,
) -> WhatIfCurve:
    """Return one patient's (1, P) risk along a column."""
    place, patient = reference.columns.index(column), Rows.of(patient)
    own = _own(patient, place)
    along = axis(reference, column, own=own)
    rows = np.tile(patient.codes, (len(along.codes) + 1, 1))
    rows[1:, place] = along.codes
    risks = np.asarray(risk(rows), dtype=np.float64)[:, class_index]
    return WhatIfCurve(
        column=column,
        values=along.values,
        risk=risks[1:],
        support=along.support,
        current=_shown(reference, place, own),
        current_risk=float(risks[0]),
        unit=unit,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIfMap:
    """One patient's risk (0–1) at other values of two columns: ``risk[i, j]`` at ``y_values[i]``, ``x_values[j]``.

    ``near`` says where training patients have such pairs of values.
    """

    x_column: str
    y_column: str
    x_values: tuple[float, ...] | tuple[str, ...]
    y_values: tuple[float, ...] | tuple[str, ...]
    risk: Floats = field(repr=False)
    near: NDArray[np.bool_] = field(repr=False)
    current: tuple[float | str | None, float | str | None]

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {
            "x_column": self.x_column,
            "y_column": self.y_column,
            "x_values": list(self.x_values),
            "y_values": list(self.y_values),
            "risk": self.risk.tolist(),
            "near": self.near.tolist(),
            "current": list(self.current),
        }


def risk_map(
    risk: RiskFunction, patient: AnyRows, reference: Reference, x_column: str, y_column: str, *, class_index: int
) -> WhatIfMap:
    """Return one patient's (1, P) risk over two columns at once."""
    places, patient = [reference.columns.index(c) for c in (x_column, y_column)], Rows.of(patient)
    own = [_own(patient, place) for place in places]
    x, y = (axis(reference, c, own=v, n_points=N_CELLS) for c, v in zip((x_column, y_column), own, strict=True))
    rows = np.tile(patient.codes, (len(x.codes) * len(y.codes), 1))
    rows[:, places[0]] = np.tile(x.codes, len(y.codes))
    rows[:, places[1]] = np.repeat(y.codes, len(x.codes))
    risks = np.asarray(risk(rows), dtype=np.float64)[:, class_index]
    return WhatIfMap(
        x_column=x_column,
        y_column=y_column,
        x_values=x.values,
        y_values=y.values,
        risk=risks.reshape(len(y.codes), len(x.codes)),
        near=_pairs(reference, places, x.codes, y.codes),
        current=(_shown(reference, places[0], own[0]), _shown(reference, places[1], own[1])),
    )


def _pairs(reference: Reference, places: list[int], x: Floats, y: Floats) -> NDArray[np.bool_]:
    pairs = reference.codes[:, places]
    pairs = pairs[~np.isnan(pairs).any(axis=1)]
    scale = np.array([max(np.ptp(x), 1e-12), max(np.ptp(y), 1e-12)]) if len(x) and len(y) else np.ones(2)
    grid = np.column_stack([np.tile(x, len(y)), np.repeat(y, len(x))])
    apart = np.abs(grid[:, None] / scale - pairs[None] / scale).max(axis=2)
    return np.asarray((apart <= 0.06).any(axis=1).reshape(len(y), len(x)))


def _own(patient: Rows, place: int) -> CodedColumn | None:
    """Return the patient's value in a column, None where it is missing."""
    return None if np.isnan(patient.codes[0, place]) else patient.column(place)


def _shown(reference: Reference, place: int, own: CodedColumn | None) -> float | str | None:
    return None if own is None else reference.codebook.encoders[place].values(own)[0]
