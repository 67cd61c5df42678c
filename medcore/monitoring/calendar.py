"""The months that are watched: which are the reference, and whose predictions each holds."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from medcore.monitoring.watched import Mask, Watched
from medcore.statistics.arrays import Floats

COMPLETE = 0.9
"""Share of a month's outcomes from which it is judged: events are often known earlier than that nothing happened."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calendar:
    """The ``months`` (M,), the month (n,) of each prediction as its place among them, and the first ``reference`` of them.

    ``n_predictions`` (M,) counts each month's predictions, and ``share`` (M,) is how many of them are looked at: 1 but where they are too many.
    """

    months: NDArray[np.datetime64]
    of: NDArray[np.int64] = field(repr=False)
    reference: int
    complete: Mask = field(repr=False)
    n_predictions: NDArray[np.int64] = field(repr=False)
    share: Floats = field(repr=False)

    @classmethod
    def over(cls, watched: Watched, reference: int) -> Calendar:
        """Return the calendar of predictions in order of time."""
        months = watched.months
        of = (watched.time.astype("datetime64[M]") - months[0]).astype(np.int64)
        n = np.bincount(of, minlength=len(months))
        known = np.bincount(of[watched.is_known], minlength=len(months))
        complete = (known >= COMPLETE * n) & (n > 0)
        whole = n
        if watched.n_of_month is not None:
            whole = np.maximum([watched.n_of_month.get(str(month), 0) for month in months], n)
        share = np.where(n > 0, n / np.maximum(whole, 1), 1.0)
        return cls(months=months, of=of, reference=reference, complete=complete, n_predictions=whole, share=share)

    @property
    def n(self) -> int:
        """Number of months."""
        return len(self.months)

    @property
    def judged(self) -> Mask:
        """Which months (M,) are not of the reference."""
        return np.arange(self.n) >= self.reference

    @property
    def days(self) -> NDArray[np.int64]:
        """How many days each month (M,) has."""
        return (self.months + 1).astype("datetime64[D]").astype(np.int64) - self.months.astype("datetime64[D]").astype(
            np.int64
        )

    def name(self, place: int) -> str:
        """Return a month as it is written, such as 2026-05."""
        return str(self.months[place])
