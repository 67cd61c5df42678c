"""One column of numbers: its range in training, plausible other numbers, and how new patients' numbers differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medcore.features.kind import Alternatives, Value
from medcore.features.rows import CodedColumn, Codes
from medcore.statistics.differences import standardised_difference

TRIM = 0.01
"""Plausible numbers lie between this quantile of the training patients' and its opposite."""
N_SMOOTHED = 30
"""The shares of patients near each of more points than these are smoothed over neighbouring points."""


@dataclass(frozen=True, slots=True)
class NumberEncoder:
    """A column of numbers; ``low`` and ``high`` are the smallest and largest training value, NaN without any."""

    low: float
    high: float

    kind = "numeric"
    levels: tuple[str, ...] = ()

    @classmethod
    def fit(cls, values: pd.Series[Any]) -> NumberEncoder:
        """Learn the range of the training rows."""
        numbers = to_numbers(values)
        known = numbers[~np.isnan(numbers)]
        return cls(float(known.min()), float(known.max())) if known.size else cls(np.nan, np.nan)

    def encode(self, values: pd.Series[Any], /) -> CodedColumn:
        """Write numbers as they are; what is infinite counts as missing."""
        return CodedColumn(to_numbers(values))

    def values(self, column: CodedColumn, /) -> tuple[Value, ...]:
        """Return the numbers, None where missing."""
        return tuple(None if np.isnan(code) else float(code) for code in column.codes)

    def known(self, codes: Codes, /) -> NDArray[np.bool_]:
        """Say which numbers are not missing."""
        return np.asarray(~np.isnan(codes))

    def flags(self, column: CodedColumn, /) -> Mapping[str, NDArray[np.bool_]]:
        """Say which numbers lie outside the range of the training rows."""
        with np.errstate(invalid="ignore"):
            return {"out_of_range": (column.codes < self.low) | (column.codes > self.high)}

    def alternatives(self, patients: CodedColumn, own: CodedColumn | None, /, *, n_points: int) -> Alternatives:
        """Return the training patients' numbers from the 1st to the 99th centile, or a grid where they are many."""
        known = patients.codes[~np.isnan(patients.codes)]
        codes = _grid(known, None if own is None else float(own.codes[0]), n_points)
        return Alternatives(CodedColumn(codes), tuple(float(c) for c in codes), _near(known, codes))

    def between(self, patients: CodedColumn, own: float, other: float, /) -> Codes:
        """Return the training patients' numbers between two, nearest to ``own`` first."""
        known = np.unique(patients.codes)
        low, high = min(own, other), max(own, other)
        between = known[(known >= low) & (known <= high) & (known != own)]
        return np.asarray(between if other > own else between[::-1])

    def difference(self, training: CodedColumn, new: CodedColumn, /) -> float | None:
        """Return the standardised mean difference, in pooled standard deviations."""
        old, now = (side.codes[~np.isnan(side.codes)] for side in (training, new))
        if not len(old) or not len(now):
            return None
        means, deviations = ([float(f(side)) for side in (old, now)] for f in (np.mean, _deviation))
        found = standardised_difference(means[0], deviations[0], means[1], deviations[1])
        return 0.0 if found is None and means[0] == means[1] else found

    def parts(self, own: CodedColumn, shown: str | None, /) -> None:  # noqa: ARG002 - part of the protocol
        """Return nothing: a number has no parts."""
        return

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form; null where no training row had a number."""
        return {"low": None if np.isnan(self.low) else self.low, "high": None if np.isnan(self.high) else self.high}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> NumberEncoder:
        """Read what :meth:`to_dict` wrote."""
        low, high = (np.nan if data[side] is None else float(data[side]) for side in ("low", "high"))
        return cls(low, high)


def to_numbers(values: pd.Series[Any]) -> Codes:
    """Return the finite numbers of a column (n,), NaN elsewhere."""
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def slider_range(known: Codes, *, current: float) -> tuple[float, float, float]:
    """Return the least and the largest plausible number of a column, and a step between them; ``known`` are the patients'.

    They are what training patients had (1st to 99th centile), the patient's own number
    included; a step is a round number, fine enough for the middle half of them, a whole one
    where all training values are whole.
    """
    points = known if known.size else np.zeros(1)
    low, high = (float(v) for v in np.quantile(points, [TRIM, 1 - TRIM], method="nearest"))
    if not np.isnan(current):
        low, high = min(low, current), max(high, current)
    middle = float(np.subtract(*np.quantile(points, [0.75, 0.25]))) or high - low
    fine = 10.0 ** np.floor(np.log10(max(middle / 20, (high - low) / 10_000, 1e-12)))
    whole = bool(np.all(points == np.round(points)))
    return low, high, max(1.0, fine) if whole else float(fine)


def _deviation(values: Codes) -> float:
    return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0


def _grid(known: Codes, current: float | None, n_points: int) -> Codes:
    if not known.size:
        return np.array([current if current is not None else 0.0])
    low, high = np.quantile(known, [TRIM, 1 - TRIM])
    distinct = np.unique(known[(known >= low) & (known <= high)])
    points = distinct if len(distinct) <= n_points // 2 else np.linspace(low, high, n_points)
    return np.unique(np.append(points, current)) if current is not None else points


def _near(known: Codes, codes: Codes) -> Codes:
    """Return the share of patients nearest to each point, smoothed over neighbouring points of a fine grid."""
    if not known.size:
        return np.zeros(len(codes))
    middles = (codes[1:] + codes[:-1]) / 2
    counts = np.bincount(np.searchsorted(middles, known), minlength=len(codes)) / len(known)
    if len(codes) <= N_SMOOTHED:
        return counts
    kernel = np.exp(-0.5 * (np.arange(-6, 7) / 2) ** 2)
    return np.asarray(np.convolve(counts, kernel, mode="same") / np.convolve(np.ones(len(codes)), kernel, mode="same"))
