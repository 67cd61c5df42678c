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
    mean = mean_over_folds(event, risk, folds, groups)
    apart = mean.exists and abs(mean.value - pooled["auroc"].value) >= NOTABLE
    return {"auroc_mean_of_folds": mean} if apart else {}


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
