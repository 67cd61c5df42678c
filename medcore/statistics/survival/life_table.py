"""The life table: how many are at risk, have an event and are censored at every time that occurs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medcore.statistics.arrays import Floats

Ints = NDArray[np.integer]


@dataclass(frozen=True, slots=True, eq=False)
class LifeTable:
    """Counts at each distinct time.

    ``times`` (T,) ascend; ``at_risk``, ``events`` (of cause 1), ``competing`` and ``censored`` (T,)
    count patients; ``place`` (n,) is where each patient's own time stands among them, ``event`` (n,) what ended it.

    >>> table = LifeTable.of(np.array([1.0, 2.0, 2.0, 3.0]), np.array([1, 0, 2, 0]))
    >>> table.at_risk.tolist(), table.censored.tolist()
    ([4.0, 3.0, 1.0], [0.0, 1.0, 1.0])
    """

    times: Floats
    at_risk: Floats
    events: Floats
    competing: Floats
    censored: Floats
    place: NDArray[np.intp]
    event: Ints

    @classmethod
    def of(cls, duration: Floats, event: Ints) -> LifeTable:
        """Count patients with these ``duration`` and ``event`` (n,).

        Raises ValueError when there are none, or when the arrays do not fit each other, or hold times that are
        missing, infinite or negative, or negative codes.
        """
        checked(duration, event)
        times, place = np.unique(duration, return_inverse=True)
        counts = [
            np.bincount(place, weights=mask, minlength=len(times)).astype(np.float64)
            for mask in (event == 1, event > 1, event == 0)
        ]
        leaving = np.sum(counts, axis=0)
        at_risk = len(duration) - np.concatenate([[0.0], np.cumsum(leaving)[:-1]])
        return cls(times, at_risk, counts[0], counts[1], counts[2], place, event)

    @property
    def n(self) -> int:
        """Patients."""
        return len(self.place)

    @property
    def any_event(self) -> Floats:
        """Events of whatever cause at each time (T,)."""
        return self.events + self.competing

    def index(self, time: float) -> int:
        """Return how many of the times are at or before ``time``."""
        return int(np.searchsorted(self.times, time, side="right"))

    def remaining(self, times: Floats) -> NDArray[np.int64]:
        """Return how many are at risk just before each of ``times``: followed so long, without an event before."""
        where = np.searchsorted(self.times, times, side="left")
        return np.concatenate([self.at_risk, [0.0]])[where].astype(np.int64)


def checked(duration: Floats, event: Ints) -> None:
    """Raise ValueError unless ``duration`` and ``event`` are of one length and hold what they should."""
    if duration.ndim != 1 or duration.shape != event.shape:
        raise ValueError(f"duration and event have shapes {duration.shape} and {event.shape}; expected (n,) for both")
    if not len(duration):
        raise ValueError("there are no patients")
    if not np.isfinite(duration).all() or duration.min() < 0:
        raise ValueError("duration holds values that are missing, infinite or negative")
    if event.min() < 0:
        raise ValueError("event holds negative codes; expected 0 censored, 1 the event, 2 and above competing events")


def shares(part: Floats, whole: Floats) -> Floats:
    """Return part / whole, 0 where the whole is 0 (which happens only where the part is 0)."""
    out: Floats = np.divide(part, whole, out=np.zeros(len(whole)), where=whole > 0)
    return out
