"""Is acting on risks by a horizon better than treating everyone or no one? With follow-up censored."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from medcore.evaluation.curves.utility import THRESHOLDS, DecisionCurve, benefit_bounds, worth
from medcore.evaluation.figures.estimates import NAN, Estimate, Floats, missing
from medcore.evaluation.figures.folds import told_share
from medcore.evaluation.figures.resampling import Ints, clustered_variance
from medcore.evaluation.survival.horizon import BEYOND
from medcore.i18n import N_
from medcore.statistics.survival.incidence import Incidence

NOT_FOLLOWED = N_("Nobody with a risk above this threshold was followed to the horizon, so this cannot be computed.")


def decision_curve_at_horizon(
    duration: Floats,
    event: Ints,
    risk: Floats,
    horizon: float,
    *,
    thresholds: Floats | None = None,
    groups: Ints | None = None,
    folds: Ints | None = None,
) -> DecisionCurve:
    """Return the net benefit by a horizon at each threshold with 95 % intervals; arrays (n,), ``thresholds`` (T,) in [0, 1).

    Of those at or above a threshold the share with the event is Kaplan–Meier's or Aalen–Johansen's of them alone
    (Vickers 2008, BMC Med Inform Decis Mak 8:53). NaN where none of them was followed to the horizon.
    ``folds`` (n,) widen the intervals as in :func:`~medcore.evaluation.curves.utility.decision_curve`.
    """
    grid = THRESHOLDS if thresholds is None else np.asarray(thresholds, dtype=float)
    whole = Incidence.of(duration, event)
    share, pull = whole.at(horizon), whole.influence(horizon)
    told = 1.0 if folds is None else told_share(folds)
    tp, fp, variance, gain_variance = np.zeros((4, len(grid)))
    odds, n = grid / (1 - grid), len(risk)
    for i, t in enumerate(grid):
        tp[i], fp[i], influence = _benefit(duration, event, risk >= t, horizon, float(t))
        gain = influence - (1 + odds[i]) * pull
        variance[i], gain_variance[i] = (clustered_variance(x, groups) for x in (influence, gain))
    fn, tn = share - tp, (1 - share) - fp
    worse, better = benefit_bounds(fn, tn, odds, told * worth(fn, tn, odds, gain_variance, n))
    return DecisionCurve.of(
        grid,
        tp - fp * odds,
        share - (1 - share) * odds,
        bounds=benefit_bounds(tp, fp, odds, told * worth(tp, fp, odds, variance, n)),
        gain_bounds=(-better, -worse),
        prevalence=share,
        n=n,
    )


def net_benefit_at_horizon(
    duration: Floats,
    event: Ints,
    risk: Floats,
    horizon: float,
    threshold: float,
    *,
    groups: Ints | None = None,
    folds: Ints | None = None,
) -> Estimate:
    """Return the net benefit by a horizon at one threshold with its interval; arguments as :func:`decision_curve_at_horizon`."""
    grid = np.array([threshold])
    curve = decision_curve_at_horizon(duration, event, risk, horizon, thresholds=grid, groups=groups, folds=folds)
    if np.isnan(curve.net_benefit[0]):
        return missing(BEYOND if np.isnan(curve.prevalence) else NOT_FOLLOWED)
    return Estimate(float(curve.net_benefit[0]), float(curve.low[0]), float(curve.high[0]), "recovered_weighted")


def _benefit(
    duration: Floats, event: Ints, called: NDArray[np.bool_], horizon: float, threshold: float
) -> tuple[float, float, Floats]:
    """Return who of all is ``called`` (n,) with and without the event, as shares, and each patient's influence on the net benefit."""
    n, odds = len(called), threshold / (1 - threshold)
    influence = np.zeros(n)
    if not called.any():
        return 0.0, 0.0, influence
    theirs = Incidence.of(duration[called], event[called])
    share = theirs.at(horizon)
    if np.isnan(share):
        return NAN, NAN, np.full(n, NAN)
    each, part = share * (1 + odds) - odds, float(called.mean())  # what one of them is worth, and how many they are
    influence[called] = each / n + (1 + odds) * part * theirs.influence(horizon)
    return share * part, (1 - share) * part, influence - each * part / n
