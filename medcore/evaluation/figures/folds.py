"""What out-of-fold risks say fold by fold, where pooling them would say something else."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from medcore.evaluation.figures.auroc import on_logit_scale
from medcore.evaluation.figures.estimates import CONSTANT_RISK, Estimate, Floats, missing
from medcore.evaluation.figures.resampling import Ints
from medcore.statistics.ranking import auroc_with_influence

#: A mean over folds that differs by less from the pooled AUROC tells a reader nothing more.
NOTABLE = 0.01
#: The figures that a model without discrimination does not have.
NO_DISCRIMINATION: Mapping[str, Estimate] = {
    name: missing(CONSTANT_RISK) for name in ("auroc", "auprc", "calibration_slope")
}


def tells_nobody_apart(risk: Floats, folds: Ints) -> bool:
    """Whether every model gave all of its patients one risk: ``risk`` (n,) or (n, K), ``folds`` (n,)."""
    return all(bool(np.all(np.ptp(risk[folds == fold], axis=0) < 1e-9)) for fold in np.unique(folds))


def by_fold(
    event: Floats, risk: Floats, folds: Ints, groups: Ints | None, pooled: Mapping[str, Estimate]
) -> dict[str, Estimate]:
    """Return what the folds change in the ``pooled`` figures: dashes, or the mean AUROC over folds beside it."""
    if tells_nobody_apart(risk, folds):
        return dict(NO_DISCRIMINATION)
    slope = {"calibration_slope": of_the_final_model(pooled["calibration_slope"], folds)}
    mean = mean_over_folds(event, risk, folds, groups)
    apart = mean.exists and abs(mean.value - pooled["auroc"].value) >= NOTABLE
    return slope | ({"auroc_mean_of_folds": mean} if apart else {})


def of_the_final_model(slope: Estimate, folds: Ints) -> Estimate:
    """Give an out-of-fold calibration slope an interval for the slope of the model that learnt from all patients.

    The out-of-fold slope hardly varies between samples: a sample that makes the models too
    steep makes its held-out patients steep too. The true slope of the final model varies by
    about Wald's standard error, more for what was chosen on the way, and is skewed upwards.
    The standard error is therefore multiplied by √((k + 1)/(k − 1)) for k folds, and the upper
    bound is on the log scale. Found by simulation (decision 0031), not derived: Wald's own interval
    held the final model's slope in 76–85 of 100 simulated tables, most of the others above it, this
    one in 96 of those tables, and in 88–97 of 100 in whole runs (``benchmarks/coverage_truth.py``).
    """
    k = len(np.unique(folds))
    if not slope.exists or np.isnan(slope.low) or k < 2:
        return slope
    half = (slope.high - slope.low) / 2 * float(np.sqrt((k + 1) / (k - 1)))
    method = "final_cluster" if slope.method.endswith("cluster") else "final"
    relative = half / slope.value if slope.value > half else 1.0  # no skew beyond that of a slope that may be 0
    upper = half * float(np.expm1(relative)) / relative
    return Estimate(slope.value, slope.value - half, slope.value + upper, method)


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
