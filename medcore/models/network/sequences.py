"""From measurements in the order of time to what a tower reads; what is estimated comes from the training rows of one fold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.features import Rows, steps_of
from medcore.models.network.parts import Floats

_RARE = 0.005
"""Results below this quantile of the training rows', or above its opposite, count as it: they are mostly slips."""


@dataclass(frozen=True, slots=True, eq=False)
class SequenceScaler:
    """The measurements in the columns ``places`` (V,), each with ``low`` and ``high`` limits, ``centre`` and ``scale`` (V,)."""

    places: NDArray[np.intp]
    low: Floats
    high: Floats
    centre: Floats
    scale: Floats

    @classmethod
    def fit(cls, rows: Rows, places: NDArray[np.intp]) -> SequenceScaler:
        """Learn from training rows; a measurement that none of them has is told as never taken."""
        learnt = np.zeros((4, len(places)), np.float32)
        learnt[3] = 1.0
        for at, place in enumerate(places):
            steps = steps_of(rows.column(int(place)))
            known = steps[~np.isnan(steps)].astype(np.float64)
            if known.size:
                low, high = np.quantile(known, [_RARE, 1.0 - _RARE])
                kept = np.clip(known, low, high)
                learnt[:, at] = low, high, kept.mean(), kept.std() or 1.0
        return cls(places, *learnt)

    def only(self, at: int) -> SequenceScaler:
        """Return the one of the measurement that is the ``at``-th."""
        own = slice(at, at + 1)
        return SequenceScaler(self.places[own], self.low[own], self.high[own], self.centre[own], self.scale[own])

    def transform(self, rows: Rows) -> Floats:
        """Tell rows (n, P) as each measurement's last value in every step and how many steps ago it was, (n, 2 · T · V).

        Values are in standard deviations from the training mean, which is 0, and 0 before the first; steps ago are
        then the steps since the beginning and before, all of them where nothing came.
        """
        steps = np.stack([steps_of(rows.column(int(place))) for place in self.places], axis=2)
        n, n_steps, _ = steps.shape
        scaled = (np.clip(steps, self.low, self.high) - self.centre) / self.scale
        told = np.empty((n, 2, *steps.shape[1:]), np.float32)
        last, since = np.zeros_like(scaled[:, 0]), np.full_like(scaled[:, 0], n_steps)
        for step in range(n_steps):
            there = ~np.isnan(scaled[:, step])
            last = np.where(there, scaled[:, step], last)
            since = np.where(there, 0.0, np.minimum(since + 1.0, n_steps))
            told[:, 0, step], told[:, 1, step] = last, since
        return told.reshape(n, -1)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`from_dict` reads back."""
        names = ("places", "low", "high", "centre", "scale")
        return {name: getattr(self, name).tolist() for name in names}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SequenceScaler:
        """Read what :meth:`to_dict` wrote; every array has the length of ``places``."""
        places = np.asarray(data["places"], np.intp)
        learnt = [np.asarray(data[name], np.float32) for name in ("low", "high", "centre", "scale")]
        if any(array.shape != places.shape for array in learnt):
            raise ValueError("the limits and scales of a tower's measurements are of another number of them")
        return cls(places, *learnt)
