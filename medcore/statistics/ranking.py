"""How well risks rank patients: AUROC with DeLong's variance, and average precision."""

from __future__ import annotations

import numpy as np

from medcore.statistics.arrays import Floats
from medcore.statistics.proportions import Z95

NAN = float("nan")


def auroc_with_influence(outcome: Floats, risk: Floats, weights: Floats | None = None) -> tuple[float, Floats]:
    """Return the area under the ROC curve and what each row adds to its error.

    The squares of the influences sum to DeLong's variance (DeLong 1988, Biometrics
    44:837). With ``weights`` (n,), each above 0, they are by how much the weighted area
    changes when the row is left out. ``outcome`` (n,) of 0 and 1. The influences are NaN
    with fewer than two events or non-events.

    >>> auroc_with_influence(np.array([0, 1, 1.0]), np.array([0.2, 0.1, 0.3]), np.array([1, 1, 3.0]))[0]
    0.75
    """
    event = outcome == 1
    m, n = int(event.sum()), int((~event).sum())
    if not m or not n:
        return NAN, np.full(len(risk), NAN)
    weight = np.ones(len(risk)) if weights is None else weights
    _, place = np.unique(risk, return_inverse=True)
    events, others = (np.bincount(place, weights=weight * mask) for mask in (event, ~event))
    all_events, all_others = float(events.sum()), float(others.sum())
    # How much of the other outcome each patient is on the right side of, ties counting half.
    beaten = (np.cumsum(others) - others / 2) / all_others
    beating = 1 - (np.cumsum(events) - events / 2) / all_events
    share = np.where(event, beaten[place], beating[place])
    area = float(events @ beaten) / all_events
    if m < 2 or n < 2:
        return area, np.full(len(risk), NAN)
    if weights is not None:
        rest = np.where(event, all_events, all_others) - weight
        return area, (share - area) * weight / rest
    few = np.where(event, np.sqrt(m / (m - 1)) / all_events, np.sqrt(n / (n - 1)) / all_others)
    return area, (share - area) * few


def average_precision(events: Floats, others: Floats) -> Floats:
    """Return the area under the precision–recall curve by steps, as scikit-learn does.

    ``events`` and ``others`` (B, bins) count the patients with and without the
    outcome in bins of ascending risk; returns (B,).
    """
    tp = np.cumsum(events[:, ::-1], axis=1)
    called = tp + np.cumsum(others[:, ::-1], axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(called > 0, tp / called, 0.0)
        out: Floats = (events[:, ::-1] * precision).sum(1) / tp[:, -1]
    return out


def auroc_of_counts(events: Floats, others: Floats) -> Floats:
    """Return the AUROC of tables given as counts in bins of ascending risk, both (B, bins); returns (B,)."""
    below = np.cumsum(others, axis=1) - others / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        out: Floats = (events * below).sum(1) / (events.sum(1) * others.sum(1))
    return out


def newcombe_bounds(area: float, n_events: float, n_others: float) -> tuple[float, float]:
    """Return the 95 % bounds of an AUROC by Newcombe's score method 5 (2006, Stat Med 25:559), 0 or 1 included.

    The bounds are the areas θ whose distance from the observed one is 1.96 of their
    own standard errors, the variance of θ being Hanley & McNeil's with the mean of
    both numbers in place of each.

    >>> tuple(round(bound, 3) for bound in newcombe_bounds(1.0, 8, 40))
    (0.851, 1.0)
    """
    half_total = (n_events + n_others) / 2 - 1

    from scipy.optimize import brentq

    def distance(theta: float) -> float:
        spread = 1 + half_total * ((1 - theta) / (2 - theta) + theta / (1 + theta))
        return abs(area - theta) - Z95 * float(np.sqrt(theta * (1 - theta) * spread / (n_events * n_others)))

    edge = 1e-9  # so near 0 or 1 the standard error is above the distance, and the root lies between
    low = float(brentq(distance, edge, min(area, 1 - edge), xtol=1e-12)) if area > edge else 0.0
    high = float(brentq(distance, max(area, edge), 1 - edge, xtol=1e-12)) if area < 1 - edge else 1.0
    return low, high
