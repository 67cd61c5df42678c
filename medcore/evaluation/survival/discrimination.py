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
    known = at.known
    outcome = at.event[known].astype(np.float64)
    area, pull = auroc_with_influence(outcome, risk[known], at.weight[known])
    if np.isnan(area):
        return missing(ONE_CLASS)
    patients = None if at.groups is None else at.groups[known]
    if min(patients_of_each(outcome, patients)) < FEWEST_EVENTS:
        return Estimate(area, reason=Message(TOO_FEW_EVENTS, {"n": FEWEST_EVENTS}))
    direct = np.zeros(at.n)
    direct[known] = pull
    return _on_logit_scale(area, at.through_weights(direct), at.groups)


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
