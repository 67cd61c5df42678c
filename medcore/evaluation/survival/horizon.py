"""One horizon: who had the event by then, and for how many patients each one whose outcome is known stands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medcore.evaluation.figures.estimates import Estimate, Floats, wilson
from medcore.evaluation.figures.resampling import Ints, clustered_variance
from medcore.evaluation.figures.weighting import linearised
from medcore.i18n import N_, Message
from medcore.statistics.survival.censoring import Censoring
from medcore.statistics.survival.incidence import Incidence, complementary_bounds

BEYOND = N_("Nobody was followed to this horizon, so what had happened by then is not known.")
ALL = 1e-12
"""Shares nearer to 0 or 1 are nobody and everybody: sums of steps are rounded."""


@dataclass(frozen=True, slots=True, eq=False)
class Horizon:
    """What is known of n patients by ``time``.

    ``event`` (n,) says who is known to have had the event; ``weight`` (n,) for how many a patient
    stands, 0 where the outcome by then is unknown. Who had a competing event did not have the event.
    """

    time: float
    event: NDArray[np.bool_]
    weight: Floats
    censoring: Censoring
    incidence: Incidence
    groups: Ints | None

    @classmethod
    def of(cls, duration: Floats, event: Ints, time: float, groups: Ints | None = None) -> Horizon:
        """Look at patients with ``duration``, ``event`` and perhaps patient codes ``groups`` (n,) at one ``time``."""
        return cls.after(Censoring.of(duration, event), Incidence.of(duration, event), time, groups)

    @classmethod
    def after(cls, censoring: Censoring, incidence: Incidence, time: float, groups: Ints | None) -> Horizon:
        """Do the same with estimates that serve several horizons."""
        table = censoring.table
        had = (table.event == 1) & (table.place < table.index(time))
        return cls(time, np.asarray(had), censoring.weights(time), censoring, incidence, groups)

    @property
    def n(self) -> int:
        """Patients (rows)."""
        return len(self.event)

    @property
    def within_follow_up(self) -> bool:
        """Whether anyone tells what had happened by then to those without an event."""
        return self.incidence.known_until(self.time)

    @property
    def known(self) -> NDArray[np.bool_]:
        """Whose outcome by then is known (n,)."""
        return np.asarray(self.weight > 0)

    @property
    def some_had_it(self) -> bool:
        """Whether some had the event by then and some had not."""
        return bool(ALL < self.incidence.at(self.time) < 1 - ALL)

    def through_weights(self, pull: Floats) -> Floats:
        """Add to each patient's direct ``pull`` (n,) on a weighted figure what comes by way of the weights of all."""
        return np.asarray(pull + self.censoring.through_weights(pull, self.time))

    def estimate(self, value: float, influence: Floats, bounds: tuple[float, float] | None = None) -> Estimate:
        """Return a figure with the interval that its ``influence`` (n,) gives, Student's t with its degrees of freedom."""
        method = "influence" if self.groups is None else "influence_cluster"
        return linearised(value, influence, self.groups, method, weighted=True, bounds=bounds)

    def ratio(self, value: float, influence: Floats) -> Estimate:
        """Return a figure above 0 with its interval on the log scale; ``influence`` (n,) is on the figure itself."""
        log = self.estimate(float(np.log(value)), influence / value)
        return Estimate(value, float(np.exp(log.low)), float(np.exp(log.high)), log.method)

    def observed(self) -> Estimate:
        """Return how many had the event by then, by Kaplan–Meier or Aalen–Johansen, with its interval."""
        return observed(self.incidence, self.time, self.groups)


def observed(incidence: Incidence, time: float, groups: Ints | None) -> Estimate:
    """Return the share with the event by ``time`` and its interval, by patient where ``groups`` (n,) tell who repeats."""
    value = incidence.at(time)
    if np.isnan(value):
        return Estimate(value, reason=Message(BEYOND))
    variance = incidence.variance_at(time)
    if groups is not None:
        variance = clustered_variance(incidence.influence(time), groups)
    low, high = complementary_bounds(value, float(np.sqrt(variance)))
    if np.isnan(low) or not ALL < value < 1 - ALL:  # 0 or 1: an interval of those whose outcome is known
        n = known_by(incidence, time, groups)
        return wilson(0.0 if value <= ALL else n, n)
    return Estimate(value, low, high, "complementary" if groups is None else "complementary_cluster")


def known_by(incidence: Incidence, time: float, groups: Ints | None = None) -> int:
    """Count those whose outcome by ``time`` is known: with an event of any cause by then, or followed to it.

    They are rows, or patients where ``groups`` (n,) tell who repeats.
    """
    table = incidence.table
    known = (table.times[table.place] >= time) | (table.event > 0)
    return int(known.sum()) if groups is None else len(np.unique(groups[known]))
