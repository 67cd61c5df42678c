"""How many have had the event by a time: Kaplan–Meier for one cause, Aalen–Johansen where others compete."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medcore.statistics.arrays import Floats
from medcore.statistics.proportions import Z95
from medcore.statistics.survival.life_table import Ints, LifeTable, shares

NAN = float("nan")
#: Beyond this many steps of e an interval spans all of 0 to 1 anyhow.
_WIDEST = 50.0


@dataclass(frozen=True, slots=True, eq=False)
class Incidence:
    """Steps of the cumulative incidence of cause 1 by the Aalen–Johansen estimator (1978, Scand J Stat 5:141).

    ``incidence``, its ``variance`` and ``event_free``, Kaplan–Meier's estimate of being without an event of
    any cause, have one value a time of the ``table`` (T,). Where nothing competes the incidence is 1 minus
    Kaplan–Meier, and the variance Greenwood's.
    """

    table: LifeTable
    incidence: Floats
    event_free: Floats
    variance: Floats

    @classmethod
    def of(cls, duration: Floats, event: Ints) -> Incidence:
        """Estimate from ``duration`` and ``event`` (n,); errors as :meth:`LifeTable.of`."""
        table = LifeTable.of(duration, event)
        event_free: Floats = np.cumprod(1 - table.any_event / table.at_risk).astype(np.float64)
        incidence: Floats = np.cumsum(_before(event_free) * table.events / table.at_risk)
        return cls(table, incidence, event_free, _variance(table, incidence, event_free))

    def known_until(self, time: float) -> bool:
        """Whether someone was followed to ``time``, or nobody was left without an event before."""
        return bool(time <= self.table.times[-1] or self.event_free[-1] <= 0)

    def at(self, time: float) -> float:
        """Return the incidence by ``time``; NaN beyond the follow-up."""
        return self._step(self.incidence, time, 0.0)

    def event_free_at(self, time: float) -> float:
        """Return the share without an event of any cause by ``time``; NaN beyond the follow-up."""
        return self._step(self.event_free, time, 1.0)

    def variance_at(self, time: float) -> float:
        """Return the variance of the incidence by ``time``; NaN beyond the follow-up."""
        return self._step(self.variance, time, 0.0)

    def _step(self, values: Floats, time: float, start: float) -> float:
        k = self.table.index(time)
        return NAN if not self.known_until(time) else float(values[k - 1]) if k else start

    def influence(self, time: float) -> Floats:
        """Return what each patient (n,) adds to the error of the incidence by ``time``: the infinitesimal jackknife.

        The derivative with respect to the patient's weight, the weights being 1; its squares sum to a variance
        that holds also where patients repeat and are added up first.
        """
        table, k = self.table, self.table.index(time)
        if not k:
            return np.zeros(table.n)
        at_risk, any_event = table.at_risk[:k], table.any_event[:k]
        gain = _before(self.event_free)[:k] / at_risk  # by an event of cause 1
        loss = shares(self.incidence[k - 1] - self.incidence[:k], at_risk - any_event)  # by leaving those at risk
        drift = np.cumsum((gain * table.events[:k] - loss * any_event) / at_risk)
        own, by_then = np.minimum(table.place, k - 1), table.place < k
        ended = gain[own] * (by_then & (table.event == 1)) - loss[own] * (by_then & (table.event > 0))
        return np.asarray(ended - drift[own])

    def pseudo_values(self, time: float) -> Floats:
        """Return each patient's pseudo-value (n,) of the incidence by ``time``: what stands for the outcome where it is unknown.

        The incidence plus n times the patient's influence on it (Andersen, Klein & Rosthøj 2003, Biometrika 90:15, by the
        infinitesimal jackknife as in R's ``survival::pseudo``); without censoring 0 or 1.
        """
        return np.asarray(self.at(time) + self.table.n * self.influence(time))


def complementary_bounds(incidence: float, error: float, quantile: float = Z95) -> tuple[float, float]:
    """Return the bounds of an incidence with standard ``error`` on the scale of log(−log(1 − incidence)).

    Kalbfleisch & Prentice 1980; they stay within 0 and 1. NaN where the incidence is 0 or 1 or the error unknown.

    >>> [round(bound, 4) for bound in complementary_bounds(0.3, 0.05)]
    [0.2141, 0.4103]
    """
    if not 0 < incidence < 1 or not error > 0:
        return NAN, NAN
    hazard = -np.log1p(-incidence)
    factor = np.exp(min(quantile * error / ((1 - incidence) * hazard), _WIDEST))
    return float(-np.expm1(-hazard / factor)), float(-np.expm1(-hazard * factor))


def _variance(table: LifeTable, incidence: Floats, event_free: Floats) -> Floats:
    """Return the variance by the delta method at every time (Marubini & Valsecchi 1995, § 10.3; Greenwood's for one cause).

    With Y at risk, d events of any cause, d₁ of cause 1 and S just before each time v up to t:
    Σ (F(t) − F(v))² d / (Y (Y − d)) + S² d₁ (Y − d₁) / Y³ − 2 (F(t) − F(v)) S d₁ / Y².
    """
    y, d, free = table.at_risk, table.any_event, _before(event_free)
    leaving = shares(d, y * (y - d))
    own = free**2 * table.events * (y - table.events) / y**3
    both = free * table.events / y**2
    s0, s1, s2 = (np.cumsum(leaving * incidence**power) for power in (0, 1, 2))
    variance = incidence**2 * s0 - 2 * incidence * s1 + s2 + np.cumsum(own)
    variance -= 2 * (incidence * np.cumsum(both) - np.cumsum(both * incidence))
    return np.maximum(variance, 0.0)


def _before(values: Floats) -> Floats:
    """Return the values just before each time, 1 before the first."""
    return np.concatenate([[1.0], values[:-1]])
