"""What each measure is called, and what a reader needs to know of it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from medcore.evaluation.figures.estimates import Estimate
from medcore.i18n import N_

METRICS: Mapping[str, str] = {
    "r2": N_("R², explained variance (1 is perfect, 0 is the mean alone)"),
    "rmse": N_("Root mean squared error, RMSE (0 is perfect)"),
    "mae": N_("Mean absolute error, MAE (0 is perfect)"),
    "median_ae": N_("Median absolute error (0 is perfect)"),
    "auroc": N_("AUROC (1 is perfect, 0.5 is chance)"),
    "auroc_mean_of_folds": N_("Mean over folds of the AUROC (each of one model's patients)"),
    "hand_till": N_("Hand–Till AUROC, mean over pairs of classes (0.5 is chance)"),
    "pdi": N_("Polytomous discrimination index (chance: 1 over the number of classes)"),
    "orc": N_("Ordinal c-index ORC, mean over pairs of classes (0.5 is chance)"),
    "generalised_c": N_("Generalised c-index (Harrell), over pairs of patients of different classes (0.5 is chance)"),
    "uno_c": N_("Uno’s C, order of events, weighted for censoring (0.5 is chance)"),
    "harrell_c": N_("Harrell’s C, order of events, as far as it is known (0.5 is chance)"),
    "auprc": N_("Area under the precision–recall curve"),
    "brier": N_("Brier score (0 is perfect)"),
    "integrated_brier": N_("Integrated Brier score, mean over time (0 is perfect)"),
    "integrated_scaled_brier": N_("Integrated scaled Brier score (1 is perfect)"),
    "scaled_brier": N_("Scaled Brier score (1 is perfect)"),
    "log_loss": N_("Log loss (0 is perfect)"),
    "rps": N_("Ranked probability score, of 0 to 1 (0 is perfect)"),
    "calibration_slope": N_("Calibration slope (1 is perfect)"),
    "calibration_intercept": N_("Calibration in the large (0 is perfect)"),
    "o_e_ratio": N_("Observed : expected (1 is perfect)"),
    "mean_calibration_error": N_("Mean calibration error (0 is perfect; loess, span 2/3)"),
    "coverage": N_("Patients inside their 90 % prediction interval"),
    "interval_width": N_("Mean width of the 90 % prediction intervals"),
    "ici": N_("Mean calibration error, ICI (0 is perfect; loess, span 2/3)"),
    "ici_chance": N_("… what chance alone gives: below this in 95 of 100 perfectly calibrated models"),
}
"""The measures in the order of reading."""

IN_ITS_UNIT = ("rmse", "mae", "median_ae", "calibration_intercept", "mean_calibration_error", "interval_width")
"""Measures of predicted numbers that are in the number's own unit."""


def short(label: str) -> str:
    """Return a measure's name without what stands in brackets after it.

    >>> short("Brier score (0 is perfect)")
    'Brier score'
    """
    return re.split(r"\s*[(（]", label, maxsplit=1)[0]


def with_interval(estimate: Estimate, *, digits: int = 3) -> str:
    """Write an estimate with its interval; a dash where it could not be computed."""
    return f"{estimate:.{digits}f}" if estimate.exists else "–"
