"""How far risks by a horizon are from what happened: the Brier score, by a horizon and over time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medcore.evaluation.figures.estimates import ONE_CLASS, Estimate, Floats, missing
from medcore.evaluation.figures.resampling import Ints
from medcore.evaluation.survival.horizon import ALL, Horizon
from medcore.statistics.survival.censoring import Censoring
from medcore.statistics.survival.incidence import Incidence


def brier_at(at: Horizon, risk: Floats) -> Estimate:
    """Return the Brier score by the horizon, weighted by the inverse of censoring (Graf 1999); ``risk`` (n,)."""
    value, influence = _brier(at, risk)
    return at.estimate(value, influence, (0.0, 1.0))


def brier_difference(at: Horizon, risk_a: Floats, risk_b: Floats) -> Estimate:
    """Return the Brier score by the horizon of risks A (n,) less that of risks B, of the same patients, with its paired interval."""
    (value_a, influence_a), (value_b, influence_b) = _brier(at, risk_a), _brier(at, risk_b)
    return at.estimate(value_a - value_b, influence_a - influence_b)


def scaled_brier_at(at: Horizon, risk: Floats) -> Estimate:
    """Return 1 minus the Brier score over that of giving everyone the observed incidence (the null model).

    That incidence F is Kaplan–Meier's or Aalen–Johansen's, and its Brier score F (1 − F) (index of
    prediction accuracy; Kattan & Gerds 2018, Diagn Progn Res 2:7).
    """
    value, influence = _brier(at, risk)
    share = at.incidence.at(at.time)
    null = share * (1 - share)
    if not at.some_had_it:
        return missing(ONE_CLASS)
    through_null = value * (1 - 2 * share) / null**2 * at.incidence.influence(at.time)
    return at.estimate(1 - value / null, through_null - influence / null, (-np.inf, 1.0))


def _brier(at: Horizon, risk: Floats) -> tuple[float, Floats]:
    terms = at.weight * (risk - at.event) ** 2 / at.n
    value = float(terms.sum())
    return value, at.through_weights(terms) - value / at.n


@dataclass(frozen=True, slots=True)
class IntegratedBrier:
    """The mean Brier score over times ``start`` to ``end``, of the risks and of the null model, and 1 minus their ratio."""

    brier: Estimate
    null: float
    scaled: Estimate
    start: float
    end: float


def integrated_brier(
    duration: Floats, event: Ints, times: Floats, risk: Floats, *, groups: Ints | None = None
) -> IntegratedBrier:
    """Integrate the Brier score over ``times`` (M,), ascending, by the trapezoid rule, and divide by their span.

    ``risk`` (n, M) are the risks of cause 1 by each time. Times beyond the follow-up are left out, for
    nothing is known there; with fewer than two left the figures are NaN. Other errors as ``LifeTable.of``.
    """
    censoring, incidence = Censoring.of(duration, event), Incidence.of(duration, event)
    inside = np.array([incidence.known_until(float(t)) for t in times])
    times, risk = times[inside], risk[:, inside]
    if len(times) < 2:
        none = missing(ONE_CLASS)
        return IntegratedBrier(none, none.value, none, float("nan"), float("nan"))
    gaps = np.diff(times)
    shares = (np.append(gaps, 0) + np.insert(gaps, 0, 0)) / 2 / (times[-1] - times[0])
    value, null = 0.0, 0.0
    influence, null_influence = np.zeros(len(duration)), np.zeros(len(duration))
    for share, time, by_then in zip(shares, times, risk.T, strict=True):
        at = Horizon.after(censoring, incidence, float(time), groups)
        score, pull = _brier(at, by_then)
        observed = incidence.at(float(time))
        value, influence = value + float(share) * score, influence + share * pull
        null += float(share) * observed * (1 - observed)
        null_influence += share * (1 - 2 * observed) * incidence.influence(float(time))
    brier = at.estimate(value, influence, (0.0, 1.0))
    if not null > ALL:
        return IntegratedBrier(brier, null, missing(ONE_CLASS), float(times[0]), float(times[-1]))
    scaled = at.estimate(1 - value / null, value / null**2 * null_influence - influence / null, (-np.inf, 1.0))
    return IntegratedBrier(brier, null, scaled, float(times[0]), float(times[-1]))
