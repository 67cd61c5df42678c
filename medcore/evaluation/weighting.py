"""Weights of patients: how many each row stands for, and what follows for proportions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from medcore.evaluation.estimates import Estimate, Floats, wilson, wilson_weighted


def weighed(weights: Floats | None, n_rows: int) -> tuple[NDArray[np.bool_], Floats | None]:
    """Return which rows count at all, and the weights of those with mean 1; None where all count alike.

    Raises ValueError for weights that are not one a row, are missing, infinite or
    negative, or are all 0.

    >>> kept, weight = weighed(np.array([2.0, 0.0, 6.0]), 3)
    >>> kept.tolist(), weight.tolist()
    ([True, False, True], [0.5, 1.5])
    """
    if weights is None:
        return np.ones(n_rows, dtype=bool), None
    given = np.asarray(weights, dtype=np.float64)
    if given.shape != (n_rows,):
        raise ValueError(f"weights has shape {given.shape}; expected ({n_rows},): a weight a patient")
    if not np.isfinite(given).all() or given.min() < 0:
        raise ValueError("weights holds values that are missing, infinite or negative")
    kept = given > 0
    if not kept.any():
        raise ValueError("weights are all 0; at least one patient must count")
    positive = given[kept]
    if positive.min() == positive.max():
        return kept, None
    return kept, positive / positive.mean()


def effective_number(weights: Floats) -> float:
    """Return how many equally weighted patients would tell as much (Kish 1965): (Σw)²/Σw²."""
    return float(weights.sum() ** 2 / (weights @ weights))


def proportion(hit: NDArray[np.bool_], weights: Floats | None) -> Estimate:
    """Return the (weighted) share of patients who are a ``hit`` (n,), with its Wilson interval."""
    if weights is None:
        return wilson(int(hit.sum()), len(hit))
    yes, no = weights[hit], weights[~hit]
    return wilson_weighted((float(yes.sum()), float(yes @ yes)), (float(no.sum()), float(no @ no)))
