"""How sure the coefficients of a penalised regression are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from medcore.features import Codes
from medcore.models.contract.task import Indices, Task
from medcore.models.learners.equation import Equation
from medcore.statistics.proportional_odds import scores_and_information

Floats = NDArray[np.float64]
MOST_NUMBERS = 400
"""Coefficients beyond which no errors are given: their matrix would be larger than it is worth."""
_CHUNK = 20_000


def standard_errors(equation: Equation, task: Task, inverse_penalty: float) -> Floats | None:
    """Return standard errors of the intercepts and coefficients, ``(1 + T, K)``, a column a score; None for a very large model.

    The sandwich of White (1982) for the penalised likelihood, summed over patients where
    they repeat (Liang & Zeger 1986, with G/(G − 1)): H⁻¹ B H⁻¹, H being the information with the
    ridge penalty on every coefficient but the intercept, B the sum of the squared scores. It
    says how much the shrunken coefficients would vary from sample to sample with this
    penalty, these knots and this centring; it does not undo the shrinkage.
    """
    free = list(equation.told)
    n_terms = len(equation.terms)
    n_numbers = len(free) + n_terms * (1 if equation.ordered else len(free))
    if n_numbers > MOST_NUMBERS or (equation.ordered and len(np.unique(task.outcome)) < equation.n_classes):
        return None  # also where a class is nobody's: its threshold is none
    ridge = np.full(n_terms, 1.0 / inverse_penalty)
    once = np.r_[np.zeros(len(free)), ridge] if equation.ordered else np.tile(np.r_[0.0, ridge], len(free))
    groups = np.arange(task.n) if task.groups is None else np.unique(task.groups, return_inverse=True)[1]
    bread, by_group = np.diag(once), np.zeros((int(groups.max()) + 1, n_numbers))
    weights = task.weights(np.arange(task.n))
    for start in range(0, task.n, _CHUNK):
        rows = np.arange(start, min(start + _CHUNK, task.n))
        weight = np.ones(len(rows)) if weights is None else weights[rows]
        derivatives = _ordered if equation.ordered else _softmax
        scores, information = derivatives(equation, task.codes[rows], task.outcome[rows], weight)
        np.add.at(by_group, groups[rows], scores)
        bread += information
    inverse = np.linalg.pinv(bread, rcond=1e-10, hermitian=True)  # all intercepts may shift together
    n_groups = len(by_group)
    spread = inverse @ (by_group.T @ by_group) @ inverse * n_groups / max(n_groups - 1, 1)
    found = np.sqrt(np.clip(np.diag(spread), 0.0, None))
    errors = np.zeros((1 + n_terms, len(equation.intercepts)))
    if equation.ordered:
        errors[0], errors[1:] = found[: len(free)], found[len(free) :, None]
    else:
        errors[:, free] = found.reshape(len(free), 1 + n_terms).T
    return errors


def _values(equation: Equation, codes: Codes) -> Floats:
    return np.column_stack([np.empty((len(codes), 0)), *(term.value(codes) for term in equation.terms)])


def _softmax(equation: Equation, codes: Codes, outcome: Indices, weight: Floats) -> tuple[Floats, Floats]:
    """Return each row's gradient ``(n, Q)`` and the information ``(Q, Q)`` of intercept and coefficients, class after class."""
    free = list(equation.told)
    design = np.column_stack([np.ones(len(codes)), _values(equation, codes)])
    width, risk = design.shape[1], equation.risk(codes)[:, free]
    miss = (outcome[:, None] == np.asarray(free)) - risk
    scores = (weight[:, None, None] * miss[:, :, None] * design[:, None, :]).reshape(len(codes), -1)
    information = np.empty((width * len(free), width * len(free)))
    for a in range(len(free)):
        for b in range(len(free)):
            w = weight * risk[:, a] * ((a == b) - risk[:, b])
            information[a * width : (a + 1) * width, b * width : (b + 1) * width] = design.T @ (design * w[:, None])
    return scores, information


def _ordered(equation: Equation, codes: Codes, outcome: Indices, weight: Floats) -> tuple[Floats, Floats]:
    """Return the same of proportional odds: its thresholds, then its coefficients."""
    beta = np.r_[-np.asarray(equation.intercepts), [term.coefficients[0] for term in equation.terms]]
    return scores_and_information(beta, outcome, _values(equation, codes), weight, equation.n_classes)
