"""How well risks by a horizon tell apart who has the event by then: time-dependent AUROC, and C by the order of events."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from medcore.evaluation.figures.auroc import FEWEST_EVENTS, TOO_FEW_EVENTS, on_logit_scale, patients_of_each
from medcore.evaluation.figures.estimates import CONSTANT_RISK, ONE_CLASS, SEPARATED, Estimate, Floats, missing
from medcore.evaluation.figures.resampling import Ints
from medcore.evaluation.survival.horizon import Horizon
from medcore.i18n import Message
from medcore.statistics.ranking import auroc_with_influence
from medcore.statistics.survival.concordance import Concordance


def auroc_at(at: Horizon, risk: Floats) -> Estimate:
    """Return the cumulative/dynamic AUROC: who has the event by the horizon against who has not, a competing event included.

    Weighted by the inverse of censoring (Blanche 2013, Stat Med 32:5381, second definition where events
    compete); its interval takes in that the weights are estimated. ``risk`` (n,).
    """
    area, influence = _area(at, risk)
    if np.isnan(area):
        return missing(ONE_CLASS)
    if _too_few(at):
        return Estimate(area, reason=Message(TOO_FEW_EVENTS, {"n": FEWEST_EVENTS}))
    return _on_logit_scale(area, influence, at.groups)


def auroc_difference(at: Horizon, risk_a: Floats, risk_b: Floats) -> Estimate:
    """Return the AUROC by the horizon of risks A (n,) less that of risks B, of the same patients, with its paired interval."""
    (area_a, pull_a), (area_b, pull_b) = _area(at, risk_a), _area(at, risk_b)
    if np.isnan(area_a) or np.isnan(area_b):
        return missing(ONE_CLASS)
    if _too_few(at):
        return Estimate(area_a - area_b, reason=Message(TOO_FEW_EVENTS, {"n": FEWEST_EVENTS}))
    return at.estimate(area_a - area_b, pull_a - pull_b)


def _area(at: Horizon, risk: Floats) -> tuple[float, Floats]:
    """Return the AUROC and each patient's influence on it (n,), by way of the weights of censoring too."""
    known, direct = at.known, np.zeros(at.n)
    area, direct[known] = auroc_with_influence(at.event[known].astype(np.float64), risk[known], at.weight[known])
    return area, at.through_weights(direct)


def _too_few(at: Horizon) -> bool:
    known = at.known
    patients = None if at.groups is None else at.groups[known]
    return min(patients_of_each(at.event[known].astype(np.float64), patients)) < FEWEST_EVENTS


def concordance_at(
    figure: Callable[..., Concordance], duration: Floats, event: Ints, risk: Floats, until: float, groups: Ints | None
) -> Estimate:
    """Return Harrell's or Uno's C (``figure``) of events by a horizon, with its interval; arrays (n,)."""
    found = figure(duration, event, risk, until=until)
    if np.isnan(found.value):
        return missing(ONE_CLASS)
    events = (event == 1) & (duration <= until)
    patients = np.flatnonzero(events) if groups is None else np.unique(groups[events])
    if len(patients) < FEWEST_EVENTS:
        return Estimate(found.value, reason=Message(TOO_FEW_EVENTS, {"n": FEWEST_EVENTS}))
    return _on_logit_scale(found.value, found.influence, groups)


def _on_logit_scale(value: float, influence: Floats, groups: Ints | None) -> Estimate:
    if not influence.any():
        return missing(CONSTANT_RISK if 0 < value < 1 else SEPARATED, value)
    if not 0 < value < 1:
        return missing(SEPARATED, value)
    return on_logit_scale(value, influence, groups, "influence_logit" if groups is None else "influence_logit_cluster")
