"""One column of results in steps of time: which values training patients had, and a patient's own as a content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medcore.data.values.sequences import STEPS, read_sequences
from medcore.features.kind import Alternatives, Value
from medcore.features.rows import CodedColumn, Codes, Payload
from medcore.statistics.differences import standardised_difference

BLOCK = 8
"""Steps in a part of the time, for an explanation inside the column: eight hours of two days."""
Steps = NDArray[np.float32]


@dataclass(frozen=True)
class SeriesEncoder:
    """A column of results; ``low`` and ``high`` are the extremes in training, NaN without any, ``hours`` a step's length."""

    low: float
    high: float
    hours: float

    kind = "series"
    levels: tuple[str, ...] = ()

    @classmethod
    def fit(cls, values: pd.Series[Any]) -> SeriesEncoder:
        """Learn the range of the training rows."""
        steps, hours = read_sequences(values.tolist())
        known = steps[~np.isnan(steps)]
        return cls(float(known.min()), float(known.max()), hours) if known.size else cls(np.nan, np.nan, hours)

    def encode(self, values: pd.Series[Any], /) -> CodedColumn:
        """Write results as the keys of their steps; NaN where nothing was measured."""
        return coded(read_sequences(values.tolist())[0])

    def values(self, column: CodedColumn, /) -> tuple[Value, ...]:
        """Return the first and the last result, and in how many steps there is one."""
        return tuple(_told(own) for own in steps_of(column))

    def known(self, codes: Codes, /) -> NDArray[np.bool_]:
        """Say which rows have a result."""
        return np.asarray(~np.isnan(codes))

    def flags(self, column: CodedColumn, /) -> Mapping[str, NDArray[np.bool_]]:
        """Say which have a result outside the range of the training rows."""
        steps = steps_of(column)
        with np.errstate(invalid="ignore"):
            return {"series_out_of_range": np.asarray(((steps < self.low) | (steps > self.high)).any(axis=1))}

    def alternatives(self, patients: CodedColumn, own: CodedColumn | None, /, *, n_points: int) -> Alternatives:
        """Return results of training patients, at most ``n_points``, in the order of their keys, which is that of chance."""
        known = patients.codes[~np.isnan(patients.codes)]
        codes, counts = np.unique(known, return_counts=True)
        codes, counts = codes[:n_points], counts[:n_points]
        payload = patients.payload
        if own is not None and own.payload is not None and own.codes[0] not in codes:
            codes, counts = np.append(codes, own.codes), np.append(counts, (known == own.codes[0]).sum())
            payload = own.payload if payload is None else payload.union(own.payload)
        column = CodedColumn(codes, payload)
        return Alternatives(column, tuple(str(v) for v in self.values(column)), counts / max(1, len(known)))

    def between(self, patients: CodedColumn, own: float, other: float, /) -> Codes:  # noqa: ARG002
        """Return the other results: there is nothing between two."""
        return np.array([other])

    def difference(self, training: CodedColumn, new: CodedColumn, /) -> float | None:
        """Return the standardised difference of the patients' means, in pooled standard deviations."""
        old, now = (means_of(side.take(~np.isnan(side.codes))) for side in (training, new))
        if not len(old) or not len(now):
            return None
        spreads = [float(side.std(ddof=1)) if len(side) > 1 else 0.0 for side in (old, now)]
        found = standardised_difference(float(old.mean()), spreads[0], float(now.mean()), spreads[1])
        return 0.0 if found is None and old.mean() == now.mean() else found

    def parts(self, own: CodedColumn, shown: str | None, /) -> SeriesParts | None:  # noqa: ARG002
        """Return the parts of the time; None where nothing was measured."""
        steps = steps_of(own)[0]
        return SeriesParts(steps, self._names()) if not np.isnan(steps).all() else None

    def _names(self) -> tuple[str, ...]:
        ends = [0.0 if np.isnan(self.hours) else self.hours * end for end in range(0, STEPS + 1, BLOCK)]
        return tuple(f"{low:.3g}–{high:.3g} h" for low, high in pairwise(ends))

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form; null where no training row had a result."""
        return {
            k: None if np.isnan(v) else v for k, v in (("low", self.low), ("high", self.high), ("hours", self.hours))
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SeriesEncoder:
        """Read what :meth:`to_dict` wrote."""
        low, high, hours = (np.nan if data[k] is None else float(data[k]) for k in ("low", "high", "hours"))
        return cls(low, high, hours)


@dataclass(frozen=True, slots=True, eq=False)
class SeriesParts:
    """Parts of the time as players: in each, the patient's results, or the gap that there is, or another patient's."""

    steps: Steps
    names: tuple[str, ...]

    def mixed(self, present: NDArray[np.bool_], others: CodedColumn, /) -> CodedColumn:
        """Return results that have the parts ``present`` (n, Q) from the patient and the others from ``others`` (n,)."""
        return coded(np.where(np.repeat(present, BLOCK, axis=1), self.steps, steps_of(others)))


def steps_of(column: CodedColumn) -> Steps:
    """Return the results of every row (n, STEPS), NaN where nothing was measured."""
    there = ~np.isnan(column.codes)
    found = np.full((len(column), STEPS), np.nan, dtype=np.float32)
    if there.any():
        found[there] = column.take(there).contents()
    return found


def means_of(column: CodedColumn) -> NDArray[np.float64]:
    """Return the mean of each row's steps (n,), NaN without any."""
    steps = steps_of(column).astype(np.float64)
    n = (~np.isnan(steps)).sum(axis=1)
    return np.asarray(np.divide(np.nansum(steps, axis=1), n, out=np.full(len(n), np.nan), where=n > 0))


def coded(steps: Steps) -> CodedColumn:
    """Give results (n, STEPS) their codes; NaN where there is none."""
    return CodedColumn(*Payload.of(steps.astype(np.float32), np.asarray(~np.isnan(steps).all(axis=1))))


def told(cell: object) -> str | None:
    """Say of a cell what is most telling, as of a patient's own; None where nothing was measured."""
    return _told(read_sequences([cell])[0][0])


def _told(steps: Steps) -> str | None:
    known = steps[~np.isnan(steps)]
    return f"{known[0]:.4g} … {known[-1]:.4g} ({len(known)}/{STEPS})" if len(known) else None
