"""How well risks rank patients: AUROC with DeLong's variance, and average precision."""

from __future__ import annotations

import numpy as np

from medcore.evaluation.estimates import NAN, Floats


def auroc_with_influence(outcome: Floats, risk: Floats) -> tuple[float, Floats]:
    """Return the area under the ROC curve and what each row adds to its error.

    The squares of the influences sum to DeLong's variance (DeLong 1988, Biometrics
    44:837), found from mid-ranks (Sun & Xu 2014). ``outcome`` (n,) of 0 and 1.
    The influences are NaN with fewer than two events or non-events.
    """
    event = outcome == 1
    m, n = int(event.sum()), int((~event).sum())
    if not m or not n:
        return NAN, np.full(len(risk), NAN)
    all_ranks = mid_ranks(risk)
    share_below = np.empty(len(risk))
    share_below[event] = (all_ranks[event] - mid_ranks(risk[event])) / n
    share_below[~event] = 1 - (all_ranks[~event] - mid_ranks(risk[~event])) / m
    area = float(share_below[event].mean())
    if m < 2 or n < 2:
        return area, np.full(len(risk), NAN)
    scale = np.where(event, np.sqrt(m * (m - 1.0)), np.sqrt(n * (n - 1.0)))
    return area, (share_below - area) / scale


def mid_ranks(values: Floats) -> Floats:
    """Return ranks from 1, equal values sharing their middle rank.

    >>> mid_ranks(np.array([3.0, 1.0, 3.0])).tolist()
    [2.5, 1.0, 2.5]
    """
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks: Floats = (ends - (counts - 1) / 2.0)[inverse]
    return ranks


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


def weighted_auroc(events: Floats, others: Floats) -> Floats:
    """Return the AUROC of tables given as counts in bins of ascending risk, both (B, bins); returns (B,)."""
    below = np.cumsum(others, axis=1) - others / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        out: Floats = (events * below).sum(1) / (events.sum(1) * others.sum(1))
    return out
