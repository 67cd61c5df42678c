"""What if one value were another: the model's risk along a column, and where real patients are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.explanation.patient.reference import Reference
from medcore.explanation.shapley.game import Floats, Risk

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


@dataclass(frozen=True, slots=True)
class Axis:
    """Other values of one column: their codes, what they are called, how many training patients are near each."""

    codes: Floats
    values: tuple[float, ...] | tuple[str, ...]
    support: Floats


def axis(reference: Reference, column: str, *, current: float | None = None, n_points: int = N_POINTS) -> Axis:
    """Lay out the plausible values of a column: numbers from the 1st to the 99th centile, or all categories.

    The patient's own number is among them, also when it lies outside.
    """
    place = reference.columns.index(column)
    known = reference.codes[:, place]
    known = known[~np.isnan(known)]
    if reference.codebook.kinds[place] == "category":
        names = reference.codebook.categories[place]
        codes = np.arange(len(names), dtype=np.float64)
        return Axis(codes, tuple(names), np.array([np.mean(known == c) if known.size else 0.0 for c in codes]))
    codes = _grid(known, current, n_points)
    return Axis(codes, tuple(float(c) for c in codes), _near(known, codes))


def bounds(reference: Reference, column: str, *, current: float) -> tuple[float, float, float]:
    """Return the least and the largest plausible number of a column, and a step between them.

    They are what training patients had (1st to 99th centile), the patient's own number
    included; a step is a round number, fine enough for the middle half of them, a whole one
    where all training values are whole.
    """
    known = reference.codes[:, reference.columns.index(column)]
    known = known[~np.isnan(known)]
    points = known if known.size else np.zeros(1)
    low, high = (float(v) for v in np.quantile(points, [TRIM, 1 - TRIM], method="nearest"))
    if not np.isnan(current):
        low, high = min(low, current), max(high, current)
    middle = float(np.subtract(*np.quantile(points, [0.75, 0.25]))) or high - low
    fine = 10.0 ** np.floor(np.log10(max(middle / 20, (high - low) / 10_000, 1e-12)))
    whole = bool(np.all(points == np.round(points)))
    return low, high, max(1.0, fine) if whole else float(fine)


def curve(
    risk: Risk, codes: Floats, reference: Reference, column: str, *, class_index: int, unit: str | None = None
) -> WhatIfCurve:
    """Return one patient's (codes (P,)) risk along a column."""
    place = reference.columns.index(column)
    own = None if np.isnan(codes[place]) else float(codes[place])
    along = axis(reference, column, current=own)
    rows = np.tile(codes, (len(along.codes) + 1, 1))
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
    risk: Risk, codes: Floats, reference: Reference, x_column: str, y_column: str, *, class_index: int
) -> WhatIfMap:
    """Return one patient's (codes (P,)) risk over two columns at once."""
    places = [reference.columns.index(c) for c in (x_column, y_column)]
    own = [None if np.isnan(codes[p]) else float(codes[p]) for p in places]
    x, y = (axis(reference, c, current=v, n_points=N_CELLS) for c, v in zip((x_column, y_column), own, strict=True))
    rows = np.tile(codes, (len(x.codes) * len(y.codes), 1))
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


def _grid(known: Floats, current: float | None, n_points: int) -> Floats:
    if not known.size:
        return np.array([current if current is not None else 0.0])
    low, high = np.quantile(known, [TRIM, 1 - TRIM])
    distinct = np.unique(known[(known >= low) & (known <= high)])
    points = distinct if len(distinct) <= n_points // 2 else np.linspace(low, high, n_points)
    return np.unique(np.append(points, current)) if current is not None else points


def _near(known: Floats, codes: Floats) -> Floats:
    """Return the share of patients nearest to each point, smoothed over neighbouring points of a fine grid."""
    if not known.size:
        return np.zeros(len(codes))
    middles = (codes[1:] + codes[:-1]) / 2
    counts = np.bincount(np.searchsorted(middles, known), minlength=len(codes)) / len(known)
    if len(codes) <= N_POINTS // 2:
        return counts
    kernel = np.exp(-0.5 * (np.arange(-6, 7) / 2) ** 2)
    return np.asarray(np.convolve(counts, kernel, mode="same") / np.convolve(np.ones(len(codes)), kernel, mode="same"))


def _pairs(reference: Reference, places: list[int], x: Floats, y: Floats) -> NDArray[np.bool_]:
    pairs = reference.codes[:, places]
    pairs = pairs[~np.isnan(pairs).any(axis=1)]
    scale = np.array([max(np.ptp(x), 1e-12), max(np.ptp(y), 1e-12)]) if len(x) and len(y) else np.ones(2)
    grid = np.column_stack([np.tile(x, len(y)), np.repeat(y, len(x))])
    apart = np.abs(grid[:, None] / scale - pairs[None] / scale).max(axis=2)
    return np.asarray((apart <= 0.06).any(axis=1).reshape(len(y), len(x)))


def _shown(reference: Reference, place: int, code: float | None) -> float | str | None:
    if code is None or reference.codebook.kinds[place] == "numeric":
        return code
    names = reference.codebook.categories[place]
    return names[int(code)] if 0 <= code < len(names) else None
