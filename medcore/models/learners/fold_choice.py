"""Choosing among options by held-out folds, so that a fold has no say in its own choice."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from medcore.models.contract.task import Indices, Risk
from medcore.statistics.scores import class_log_loss_terms


def choices(losses: NDArray[np.float64]) -> tuple[list[int], int]:
    """Choose among options by their loss, shape ``(folds, options)``: for each fold, and for the final model.

    A fold's own held-out rows have no say in what is chosen for it, so that its
    predictions stay honest.
    """
    total = losses.sum(axis=0)
    others = total - losses if len(losses) > 1 else losses
    return [int(i) for i in others.argmin(axis=1)], int(total.argmin())


def total_loss(risk: Risk, outcome: Indices) -> float:
    """Return the summed negative log of the risk given to what happened."""
    return float(class_log_loss_terms(outcome, risk).sum())
