"""How sure the coefficients of a penalised logistic regression are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from medcore.models.contract.task import Task
from medcore.models.learners.equation import Equation
from medcore.targets import Target

Floats = NDArray[np.float64]
MOST_NUMBERS = 400
"""Coefficients beyond which no errors are given: their matrix would be larger than it is worth."""
_CHUNK = 20_000


def standard_errors(equation: Equation, task: Task, inverse_penalty: float) -> Floats | None:
    """Return standard errors of the intercepts and coefficients, ``(1 + T, K)``; None for a very large model.

    The sandwich of White (1982) for the penalised likelihood, summed over patients where
    they repeat (Liang & Zeger 1986, with G/(G − 1)): H⁻¹ B H⁻¹, H being the information with the
    ridge penalty on every coefficient but the intercept, B the sum of the squared scores. It
    says how much the shrunken coefficients would vary from sample to sample with this
    penalty, these knots and this centring; it does not undo the shrinkage.
    """
    n_classes = len(equation.intercepts)
    free = list(Target(n_classes).told)
    width = 1 + len(equation.terms)
    if width * len(free) > MOST_NUMBERS:
        return None
    bread = np.diag(np.tile(np.r_[0.0, np.full(width - 1, 1.0 / inverse_penalty)], len(free)))
    groups = np.arange(task.n) if task.groups is None else np.unique(task.groups, return_inverse=True)[1]
    by_group = np.zeros((int(groups.max()) + 1, width * len(free)))
    weights = task.weights(np.arange(task.n))
    for start in range(0, task.n, _CHUNK):
        rows = np.arange(start, min(start + _CHUNK, task.n))
        codes, weight = task.codes[rows], np.ones(len(rows)) if weights is None else weights[rows]
        design = np.column_stack([np.ones(len(rows)), *(term.value(codes) for term in equation.terms)])
        risk = equation.risk(codes)[:, free]
        miss = (task.outcome[rows, None] == np.asarray(free)) - risk
        scores = (weight[:, None, None] * miss[:, :, None] * design[:, None, :]).reshape(len(rows), -1)
        np.add.at(by_group, groups[rows], scores)
        for a in range(len(free)):
            for b in range(len(free)):
                w = weight * risk[:, a] * ((a == b) - risk[:, b])
                bread[a * width : (a + 1) * width, b * width : (b + 1) * width] += design.T @ (design * w[:, None])
    inverse = np.linalg.pinv(bread, rcond=1e-10, hermitian=True)  # all intercepts may shift together
    n_groups = len(by_group)
    spread = inverse @ (by_group.T @ by_group) @ inverse * n_groups / max(n_groups - 1, 1)
    errors = np.zeros((width, n_classes))
    errors[:, free] = np.sqrt(np.clip(np.diag(spread), 0.0, None)).reshape(len(free), width).T
    return errors
