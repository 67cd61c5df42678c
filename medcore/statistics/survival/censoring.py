"""Whose outcome is known by a time, and for how many each of them stands: weights by the inverse of censoring."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medcore.statistics.arrays import Floats
from medcore.statistics.survival.life_table import Ints, LifeTable, shares


@dataclass(frozen=True, slots=True, eq=False)
class Censoring:
    """How likely it is to be still under observation, by the reverse Kaplan–Meier estimator.

    ``uncensored`` (T,) is that share after each time of the ``table``. Patients with an event at a
    time are no longer at risk of being censored at it. Censoring is taken to tell nothing of what would
    have come, nor to depend on the risk.
    """

    table: LifeTable
    uncensored: Floats

    @classmethod
    def of(cls, duration: Floats, event: Ints) -> Censoring:
        """Estimate from ``duration`` and ``event`` (n,); errors as :meth:`LifeTable.of`."""
        table = LifeTable.of(duration, event)
        left = 1 - shares(table.censored, table.at_risk - table.any_event)
        return cls(table, np.cumprod(left).astype(np.float64))

    @property
    def before(self) -> Floats:
        """The share under observation just before each patient's own time (n,)."""
        return np.concatenate([[1.0], self.uncensored[:-1]])[self.table.place]

    def median_follow_up(self) -> float:
        """Return the median time of follow-up had nobody had an event (Schemper & Smith 1996); NaN if not reached.

        >>> Censoring.of(np.array([1.0, 2.0, 3.0, 4.0]), np.array([0, 1, 0, 0])).median_follow_up()
        3.0
        """
        reached = np.flatnonzero(self.uncensored <= 0.5 + 1e-12)
        return float(self.table.times[reached[0]]) if reached.size else float("nan")

    def free(self, horizon: float) -> NDArray[np.bool_]:
        """Say who (n,) was followed to ``horizon`` without an event: longer, or censored just then."""
        times = self.table.times[self.table.place]
        return np.asarray((times > horizon) | ((times == horizon) & (self.table.event == 0)))

    def weights(self, horizon: float) -> Floats:
        """Return for how many patients each (n,) stands by ``horizon``; 0 whose outcome by then is unknown.

        Who had an event counts 1 over the share still under observation just before it, who was followed to the
        horizon without one 1 over the share just before that (Graf 1999, Stat Med 18:2529). They sum to n where
        anyone is known at the horizon, and the weighted share of events is Aalen–Johansen's.
        """
        return np.where(self.free(horizon) | self._had(horizon), 1 / self._under_observation(horizon), 0.0)

    def through_weights(self, pull: Floats, horizon: float) -> Floats:
        """Return what each patient (n,) adds to an error by way of the weights of all.

        ``pull`` (n,) is the derivative of a figure with respect to the logarithm of each patient's weight by the
        ``horizon``. Who is censored, or is not while at risk of it, moves the estimated share under observation.
        """
        return self.through(np.where(self._had(horizon) | self.free(horizon), pull, 0.0), self._last(horizon))

    def through(self, pull: Floats, last: Ints) -> Floats:
        """Do the same for weights that take the share under observation after the ``last`` time (n,), −1 before any."""
        table = self.table
        size = len(table.times)
        met = np.bincount(
            last + 1, weights=pull, minlength=size + 1
        )  # a time's censoring moves all weights that met it
        moved: Floats = np.cumsum(met[::-1])[::-1][1:].astype(np.float64)
        at_risk = table.at_risk - table.any_event
        effect = shares(moved, np.maximum(at_risk - table.censored, 0.0))
        drift = np.concatenate([[0.0], np.cumsum(effect * shares(table.censored, at_risk))])
        censored = table.event == 0
        out = np.where(censored, effect[table.place], 0.0) - drift[table.place + censored]
        return np.asarray(out)

    def _had(self, horizon: float) -> NDArray[np.bool_]:
        return np.asarray((self.table.event > 0) & (self.table.times[self.table.place] <= horizon))

    def _last(self, horizon: float) -> NDArray[np.int64]:
        """Return the last time (n,) whose censoring each patient's weight takes in; −1 for none."""
        own = self.table.place - 1
        before = np.searchsorted(self.table.times, horizon, side="left") - 1
        return np.minimum(own, before).astype(np.int64)

    def _under_observation(self, horizon: float) -> Floats:
        return np.concatenate([[1.0], self.uncensored])[self._last(horizon) + 1]
