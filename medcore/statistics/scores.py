"""Log loss: minus the logarithm of the probability that was given to what happened."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from medcore.statistics.arrays import Floats

#: Risks are kept this far from 0 and 1 before the logarithm is taken, as scikit-learn's log_loss does.
TINY = float(np.finfo(np.float64).eps)


def log_loss_terms(outcome: Floats, risk: Floats) -> Floats:
    """Return each patient's log loss (n,) for 0/1 ``outcome`` (n,) and the event's ``risk`` (n,)."""
    p = np.clip(risk, TINY, 1 - TINY)
    out: Floats = -(outcome * np.log(p) + (1 - outcome) * np.log1p(-p))
    return out


def class_log_loss_terms(outcome: NDArray[np.integer], risk: Floats) -> Floats:
    """Return each patient's log loss (n,) for class indices (n,) and the ``risk`` (n, K) of every class."""
    chosen = risk[np.arange(len(outcome)), outcome]
    out: Floats = -np.log(np.clip(chosen, TINY, 1 - TINY))
    return out


def class_log_loss(outcome: NDArray[np.integer], risk: Floats) -> float:
    """Return the mean log loss for class indices (n,) and the ``risk`` (n, K) of every class.

    >>> round(class_log_loss(np.array([0, 1]), np.array([[0.5, 0.5], [0.75, 0.25]])), 4)
    1.0397
    """
    return float(class_log_loss_terms(outcome, risk).mean())
