"""All columns of numbers in a matrix: filled with their median and scaled, by the training rows of one model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.features.kind import Scaling
from medcore.features.rows import Codes, Rows

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class NumberScaler:
    """Medians, centres and scales (Q,) of the columns at ``places``; ``varies`` (Q,) says which have an entry."""

    places: NDArray[np.intp]
    varies: NDArray[np.bool_]
    medians: Floats
    centres: Floats
    scales: Floats

    @classmethod
    def fit(
        cls, rows: Rows, places: NDArray[np.intp], entries: Sequence[tuple[int, ...]], *, scaling: Scaling
    ) -> NumberScaler:
        """Estimate them from training rows."""
        varies = np.array([bool(entry) for entry in entries], dtype=bool)
        if not len(rows):
            return cls(places, varies, *np.zeros((3, len(places))))
        values = rows.codes[:, places]
        medians = _column_medians(values)
        return cls(
            places, varies, medians, *_centre_and_scale(np.where(np.isnan(values), medians, values), scaling=scaling)
        )

    def write(self, rows: Rows, matrix: NDArray[Any], starts: NDArray[np.intp], /) -> None:
        """Write the scaled numbers; the median where missing, 0 for what is constant in these training rows only."""
        if not self.varies.any():
            return
        values = rows.codes[:, self.places[self.varies]]
        values = np.where(np.isnan(values), self.medians[self.varies], values)
        scales = self.scales[self.varies]
        inverse = np.divide(1.0, scales, out=np.zeros_like(scales), where=scales > 0)
        matrix[:, starts[self.varies]] = (values - self.centres[self.varies]) * inverse

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {"medians": self.medians.tolist(), "centres": self.centres.tolist(), "scales": self.scales.tolist()}

    @classmethod
    def from_dict(
        cls, data: Mapping[str, Any], places: NDArray[np.intp], entries: Sequence[tuple[int, ...]]
    ) -> NumberScaler:
        """Read what :meth:`to_dict` wrote."""
        varies = np.array([bool(entry) for entry in entries], dtype=bool)
        return cls(places, varies, *(np.asarray(data[name], float) for name in ("medians", "centres", "scales")))


def _column_medians(values: Codes) -> Floats:
    """Median of each column without its missing values; 0 for a column with no value."""
    medians = np.zeros(values.shape[1])
    for place in range(values.shape[1]):
        known = values[~np.isnan(values[:, place]), place]
        medians[place] = np.median(known) if known.size else 0.0
    return medians


def _centre_and_scale(values: Floats, *, scaling: Scaling) -> tuple[Floats, Floats]:
    """Mean and standard deviation, or median and a robust scale (quartiles, else the range)."""
    deviation = values.std(axis=0)
    deviation[deviation < 1e-12 * np.maximum(np.abs(values).max(axis=0), 1e-300)] = 0.0
    if scaling == "standard":
        return values.mean(axis=0), deviation
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75], axis=0)
    spread = (high - low) / 1.349  # the quartiles of a normal distribution are 1.349 deviations apart
    return middle, np.where(spread > 0, spread, deviation)
