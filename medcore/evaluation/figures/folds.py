"""What out-of-fold risks say of the model that is delivered, and fold by fold where pooling them says something else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from scipy.special import expit, logit, stdtrit

from medcore.evaluation.figures.auroc import TOO_FEW_EVENTS, auroc_estimate, on_logit_scale, patients_of_each
from medcore.evaluation.figures.estimates import CONSTANT_RISK, Estimate, Floats, missing
from medcore.evaluation.figures.resampling import Ints, by_patient
from medcore.evaluation.figures.weighting import degrees_of_freedom
from medcore.i18n import Message
from medcore.statistics.calibration import slope_fit
from medcore.statistics.proportions import Z95
from medcore.statistics.ranking import auroc_with_influence

#: A mean over folds that differs by less from the pooled AUROC tells a reader nothing more.
NOTABLE = 0.01
#: With fewer patients with (or without) the outcome no out-of-fold AUROC or slope has an interval: in simulation it
#: held the delivered model's in 90 and 82 % of tables of 5 to 9 events, in 92 % of those of 10 to 14 (decision 0049).
FEWEST_EVENTS = 10
#: The figures that a model without discrimination does not have.
NO_DISCRIMINATION: Mapping[str, Estimate] = {
    name: missing(CONSTANT_RISK) for name in ("auroc", "auprc", "calibration_slope")
}
#: Areas and their like: their intervals are widened on the log-odds scale.
_AREAS = ("auroc", "hand_till", "pdi", "orc", "generalised_c", "uno_c", "harrell_c")
#: The half width, as a share of a slope, up to which its lower and its upper bound are taken on the reciprocal scale.
_LOWER_SHARE, _UPPER_SHARE = 1 / 3, 2 / 3
#: Between which values the others lie.
_LIMITS: Mapping[str, tuple[float, float]] = {
    "auprc": (0.0, 1.0),
    "brier": (0.0, np.inf),
    "scaled_brier": (-np.inf, 1.0),
    "integrated_brier": (0.0, np.inf),
    "integrated_scaled_brier": (-np.inf, 1.0),
    "log_loss": (0.0, np.inf),
    "rps": (0.0, np.inf),
    "o_e_ratio": (0.0, np.inf),
    "r2": (-np.inf, 1.0),
    "rmse": (0.0, np.inf),
    "mae": (0.0, np.inf),
    "median_ae": (0.0, np.inf),
    "coverage": (0.0, 1.0),
    "accuracy": (0.0, 1.0),
}


def tells_nobody_apart(risk: Floats, folds: Ints) -> bool:
    """Whether every model gave all of its patients one risk: ``risk`` (n,) or (n, K), ``folds`` (n,)."""
    return all(bool(np.all(np.ptp(risk[folds == fold], axis=0) < 1e-9)) for fold in np.unique(folds))


def told_share(folds: Ints) -> float:
    """Return which share of the patients tells as much of the delivered model as all of them tell of their folds' models.

    (k − 1)/k of k folds, as many as each model learnt from: variances are multiplied by
    k/(k − 1). An out-of-fold figure varies more between tables than one of a fixed model, for
    the same patients teach and judge, and the delivered model's truth varies too. Found by
    simulation (decision 0049, ``benchmarks/coverage_truth.py``), not derived.
    """
    k = len(np.unique(folds))
    return (k - 1) / k if k > 1 else 1.0


def by_fold(
    event: Floats,
    risk: Floats,
    folds: Ints,
    groups: Ints | None,
    pooled: Mapping[str, Estimate],
    *,
    restarted: bool = False,
) -> dict[str, Estimate]:
    """Return the ``pooled`` figures with intervals for the delivered model, and the mean AUROC over folds where it is another.

    ``restarted`` says that the delivered model began from another random start than its folds' models.
    """
    found = widened(pooled, folds)
    if not restarted:
        # What models learn of the outcome's share is wrong by as much as these patients are unlike others: by Wald's
        # error. One that was trained from another start than those it was recalibrated by has its own luck beside.
        found["calibration_intercept"] = pooled["calibration_intercept"]
    if tells_nobody_apart(risk, folds):
        return {**found, **NO_DISCRIMINATION}
    if min(patients_of_each(event, groups)) < FEWEST_EVENTS:
        few = Message(TOO_FEW_EVENTS, {"n": FEWEST_EVENTS})
        named = ((name, found[name]) for name in ("auroc", "calibration_slope"))
        return found | {name: Estimate(e.value, reason=e.reason or few) for name, e in named}
    degrees = _degrees_of_the_slope(event, risk, groups)
    found["calibration_slope"] = of_the_final_model(pooled["calibration_slope"], folds, degrees=degrees)
    mean = mean_over_folds(event, risk, folds, groups)
    if not np.isnan(found["auroc"].high):
        found["auroc"] = _area(event, risk, folds, groups, mean.value)
    apart = mean.exists and abs(mean.value - pooled["auroc"].value) >= NOTABLE
    return found | ({"auroc_mean_of_folds": widened({"auroc": mean}, folds)["auroc"]} if apart else {})


def widened(pooled: Mapping[str, Estimate], folds: Ints) -> dict[str, Estimate]:
    """Give out-of-fold figures intervals for the model that learnt from all patients; values stay."""
    return {
        name: of_the_final_model(e, folds) if name == "calibration_slope" else _stretched(name, e, told_share(folds))
        for name, e in pooled.items()
    }


def _stretched(name: str, estimate: Estimate, told: float) -> Estimate:
    """Stretch an interval about its value to that of a share ``told`` of the patients."""
    value, low, high = estimate.value, estimate.low, estimate.high
    if np.isnan(low) or np.isnan(high):
        return estimate
    if name in _AREAS and low > 0 and high < 1:
        middle, bounds = float(logit(value)), logit([low, high])
        low, high = (float(x) for x in expit(middle + (bounds - middle) / np.sqrt(told)))
    else:
        least, most = _LIMITS.get(name, (-np.inf, np.inf))
        low, high = (value + (bound - value) / float(np.sqrt(told)) for bound in (low, high))
        low, high = max(low, least), min(high, most)
    return replace(estimate, low=low, high=high)


def _area(event: Floats, risk: Floats, folds: Ints, groups: Ints | None, mean: float) -> Estimate:
    """Return the pooled AUROC with the delivered model's interval.

    Pooling lowers an AUROC, for it compares patients of different models, and the mean over
    folds does not: where it is higher, the upper bound is as far above it as it would be above the pooled area.
    """
    area, influence = auroc_with_influence(event, risk)
    told = told_share(folds)
    found = auroc_estimate(area, influence, event, groups, told=told)
    if not mean > area:
        return found
    scale = mean * (1 - mean) / (area * (1 - area)) if 0 < area < 1 else 1.0
    above = auroc_estimate(mean, scale * influence, event, groups, told=told) if mean < 1 else Estimate(1.0, high=1.0)
    return replace(found, high=max(found.high, above.high))


def _degrees_of_the_slope(event: Floats, risk: Floats, groups: Ints | None) -> float | None:
    """Return of how many degrees of freedom a slope's variance is: of few where a few patients carry it."""
    fit = slope_fit(event, risk)
    return None if fit is None else degrees_of_freedom(by_patient(fit.influence[:, -1], groups))


def of_the_final_model(slope: Estimate, folds: Ints, *, degrees: float | None = None) -> Estimate:
    """Give an out-of-fold calibration slope an interval for the slope of the model that learnt from all patients.

    The out-of-fold slope hardly varies between samples: a sample that makes the models too
    steep makes its held-out patients steep too. The true slope of the final model is the reciprocal
    of how much too steep it is, which varies by Wald's standard error, by more with few patients. So its
    bounds are as far away as Wald's of (k − 1)/k of the patients on the reciprocal scale, by Student's t with the
    variance's own ``degrees`` of freedom; where they are not known √((k + 1)/(k − 1)) times as far as Wald's.
    Where the slope is hardly known that scale says too little below and too much above: the lower bound
    goes back to Wald's, the upper one lies as far beyond three times the slope as the log scale says. The skew
    vanishes with more patients. Found by simulation (decisions 0031, 0049, 0063, 0069, 0118), not derived.
    """
    k = len(np.unique(folds))
    if not slope.exists or np.isnan(slope.low) or k < 2:
        return slope
    wider = float(np.sqrt((k + 1) / (k - 1)))
    if degrees is not None:
        wider = float(stdtrit(degrees, 0.975) / Z95 / np.sqrt(told_share(folds)))
    value, half = slope.value, wider * (slope.high - slope.low) / 2
    method = "final_cluster" if slope.method.endswith("cluster") else "final"
    lower = value - half
    if lower > 0:
        lower /= 1 - min(half / value, _LOWER_SHARE) ** 2
    if half <= _UPPER_SHARE * value:
        upper = value / (1 - half / value)
    else:
        upper = max(value / (1 - _UPPER_SHARE), value + wider * half * float(np.expm1(1)))
    return Estimate(value, lower, upper, method)


def mean_over_folds(event: Floats, risk: Floats, folds: Ints, groups: Ints | None) -> Estimate:
    """Return the mean of the folds' AUROCs, each of patients judged by one model; folds with one outcome are left out."""
    areas, influence = [], np.zeros(len(risk))
    for fold in np.unique(folds):
        here = folds == fold
        area, pull = auroc_with_influence(event[here], risk[here])
        if not np.isnan(pull).any():
            areas.append(area)
            influence[here] = pull
    if len(areas) < 2 or not 0 < np.mean(areas) < 1:
        return missing(CONSTANT_RISK)
    method = "delong_logit" if groups is None else "delong_logit_cluster"
    return on_logit_scale(float(np.mean(areas)), influence / len(areas), groups, method)
