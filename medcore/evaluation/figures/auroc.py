"""The interval of an AUROC: on the log-odds scale, by a score method with few patients, and none with very few."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit, stdtrit

from medcore.evaluation.figures.estimates import CONSTANT_RISK, NAN, ONE_CLASS, SEPARATED, Estimate, Floats, missing
from medcore.evaluation.figures.resampling import Ints, by_patient, clustered_variance
from medcore.evaluation.figures.weighting import degrees_of_freedom
from medcore.i18n import N_, Message
from medcore.statistics.ranking import auroc_with_influence, newcombe_bounds

#: Fewer patients with (or without) the outcome give no interval at all (docs/statistics.md: coverage by events).
FEWEST_EVENTS = 5
#: With fewer than these DeLong's variance is itself too uncertain; Newcombe's score interval keeps its coverage.
FEW_EVENTS = 20
TOO_FEW_EVENTS = N_("Fewer than {n} patients have (or lack) the outcome, so no interval can be given.")


def auroc(outcome: Floats, risk: Floats, *, groups: Ints | None = None) -> Estimate:
    """Return the AUROC of 0/1 ``outcome`` and ``risk`` (n,), its interval clustered by patient where ``groups`` are given."""
    area, influence = auroc_with_influence(outcome, risk)
    if np.isnan(area):
        return missing(ONE_CLASS)
    return auroc_estimate(area, influence, outcome, groups)


def auroc_estimate(
    area: float, influence: Floats, outcome: Floats, groups: Ints | None, *, weighted: bool = False, told: float = 1.0
) -> Estimate:
    """Return an area with its interval from each row's ``influence`` on it, all (n,).

    DeLong's variance is taken to the log-odds scale, with Student's t and the
    variance's own degrees of freedom (Satterthwaite); with fewer than 20 events or
    others Newcombe's method 5 takes its place where rows are patients and count alike.
    ``told`` is the share of the patients that the interval is as wide as of (1: all of them).
    """
    events, others = patients_of_each(outcome, groups)
    if min(events, others) < FEWEST_EVENTS:
        return Estimate(area, reason=Message(TOO_FEW_EVENTS, {"n": FEWEST_EVENTS}))
    variance = clustered_variance(influence, groups)
    if variance == 0 and area not in (0.0, 1.0):
        return missing(CONSTANT_RISK, area)
    plain = groups is None and not weighted
    if plain and (min(events, others) < FEW_EVENTS or variance == 0):
        low, high = newcombe_bounds(area, told * events, told * others)
        return Estimate(area, low, high, "newcombe")
    if variance == 0:
        return missing(SEPARATED, area)
    name = "weighted" if weighted else "delong_logit"
    pull = influence / np.sqrt(told)
    return on_logit_scale(area, pull, groups, name if groups is None else f"{name}_cluster")


def patients_of_each(outcome: Floats, groups: Ints | None) -> tuple[int, int]:
    """Count the patients with and those without the outcome, each once."""
    patients = np.arange(len(outcome)) if groups is None else groups
    events, others = (len(np.unique(patients[outcome == k])) for k in (1, 0))
    return events, others


def on_logit_scale(area: float, influence: Floats, groups: Ints | None, method: str) -> Estimate:
    """Return an area strictly between 0 and 1 with its interval on the log-odds scale."""
    half = float(stdtrit(degrees_of_freedom(by_patient(influence, groups)), 0.975)) * logit_error(
        area, clustered_variance(influence, groups)
    )
    if not np.isfinite(half):
        return Estimate(area, NAN, NAN)
    middle = float(logit(area))
    return Estimate(area, float(expit(middle - half)), float(expit(middle + half)), method)


def logit_error(area: float, variance: float) -> float:
    """Return the standard error of logit(area) by the delta method."""
    return float(np.sqrt(variance)) / (area * (1 - area)) if 0 < area < 1 else NAN
