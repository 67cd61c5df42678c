"""Weights of patients: how many each row stands for, and what follows for proportions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from medcore.evaluation.figures.estimates import Estimate, Floats, normal, wilson, wilson_weighted
from medcore.evaluation.figures.resampling import Ints, by_patient, clustered_variance

#: As many degrees of freedom as make Student's t the normal distribution.
MANY_DEGREES = 1e6


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


def linearised(
    value: float,
    influence: Floats,
    groups: Ints | None,
    method: str,
    *,
    weighted: bool,
    bounds: tuple[float, float] | None = None,
) -> Estimate:
    """Return a value with the interval that follows from what each row adds to its error.

    Where patients are weighted a few of them carry the variance, so its own error is
    not small: Student's t takes the place of the normal distribution, with the
    variance's own degrees of freedom.
    """
    variance = clustered_variance(influence, groups)
    if not weighted:
        return normal(value, variance, method, bounds=bounds)
    quantile = float(stdtrit(degrees_of_freedom(by_patient(influence, groups)), 0.975))
    return normal(value, variance, method, bounds=bounds, quantile=quantile)


def degrees_of_freedom(influence: Floats) -> float:
    """Return Satterthwaite's degrees of freedom of the variance Σψ², from the spread of the ψ² themselves.

    Twice the square of the variance over the variance of it (Satterthwaite 1946,
    Biometrics Bull 2:110): about n for n patients with normal influences ψ, few where
    a few patients carry all, never less than 2.

    >>> degrees_of_freedom(np.array([1.0, 0.0, 0.0, 0.0])), degrees_of_freedom(np.array([1.0, -1.0]))
    (2.6666666666666665, 1000000.0)
    """
    squares = influence**2
    total = float(squares.sum())
    spread = float(squares @ squares) - total**2 / len(squares)
    return min(2 * total**2 / spread, MANY_DEGREES) if spread > 2 * total**2 / MANY_DEGREES else MANY_DEGREES
