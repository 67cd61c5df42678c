"""How good risks must be if they are right: what performance is expected before any outcome is known."""

from __future__ import annotations

import numpy as np

from medcore.statistics.arrays import Floats


def expected_auroc(risk: Floats) -> float:
    """Return the AUROC that calibrated risks (n,) have on average: the model-based concordance.

    Of every pair, the chance that the one with the higher risk alone has the event, over the chance that just one
    has it (van Klaveren et al. 2016, Stat Med 35:4136). NaN with fewer than two patients, or no doubt about any.

    >>> round(expected_auroc(np.array([0.2, 0.8])), 3)
    0.941
    """
    p = np.sort(risk)
    others = 1 - p
    _, place = np.unique(p, return_inverse=True)
    tied_events, tied_others = np.bincount(place, weights=p), np.bincount(place, weights=others)
    below = np.cumsum(tied_others) - tied_others
    ties = float((tied_events * tied_others).sum() - (p * others).sum()) / 2
    pairs = float(p.sum() * others.sum() - (p * others).sum())
    return (float((tied_events * below).sum()) + ties) / pairs if pairs > 0 else float("nan")


def expected_brier(risk: Floats) -> float:
    """Return the Brier score that calibrated risks (n,) have on average: mean p(1 − p)."""
    return float((risk * (1 - risk)).mean()) if len(risk) else float("nan")


def expected_net_benefit(risk: Floats, called: Floats, threshold: float) -> float:
    """Return the net benefit that calibrated risks (n,) promise for those ``called`` (n,) at a threshold below 1."""
    if not len(risk):
        return float("nan")
    called_risk = risk[called.astype(bool)]
    odds = threshold / (1 - threshold)
    return float(called_risk.sum() - odds * (1 - called_risk).sum()) / len(risk)
