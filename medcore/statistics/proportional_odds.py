"""The proportional odds model of an ordered outcome, with a ridge penalty, by Newton's method."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from medcore.statistics.arrays import Floats

Ints = NDArray[np.integer]
_TOLERANCE = 1e-9
_FARTHEST = 50.0
"""A threshold this far out stands for none: nobody is beyond it."""


@dataclass(frozen=True, slots=True)
class ProportionalOdds:
    """P(class ≤ k) = 1 / (1 + exp(−(``thresholds``[k] − x · ``coefficients``))): a larger score, a higher class.

    ``thresholds`` (K − 1,) rise, ``coefficients`` (F,) are the log odds ratios of being in a
    higher class, the same at every threshold (McCullagh 1980, J R Stat Soc B 42:109).
    """

    thresholds: Floats
    coefficients: Floats


def class_probabilities(score: Floats, thresholds: Floats) -> Floats:
    """Return the probability of every class (n, K) from scores (n,) and the rising thresholds (K − 1,)."""
    below = expit(thresholds[None, :] - score[:, None])
    ends = np.zeros(len(score)), np.ones(len(score))
    return np.asarray(np.diff(np.column_stack([ends[0], below, ends[1]]), axis=1))


def fit_proportional_odds(
    outcome: Ints, design: Floats, *, penalty: float = 0.0, weights: Floats | None = None
) -> ProportionalOdds:
    """Fit by maximum likelihood less ``penalty``/2 · Σ coefficient²; the thresholds are free.

    ``outcome`` (n,) are class indices of which each from 0 to K − 1 occurs, ``design``
    (n, F) has no column of ones. The log likelihood is concave (Pratt 1981, JASA 76:103):
    Newton's steps are halved until it rises.
    """
    k = int(outcome.max()) + 1
    weight = np.ones(len(outcome)) if weights is None else weights
    shares = np.cumsum(np.bincount(outcome, weights=weight, minlength=k))[:-1] / weight.sum()
    beta = np.concatenate([np.log(shares) - np.log1p(-shares), np.zeros(design.shape[1])])
    value = _objective(beta, outcome, design, weight, penalty, k)
    ridge = np.concatenate([np.zeros(k - 1), np.full(design.shape[1], penalty)])
    for _step in range(100):
        scores, information = scores_and_information(beta, outcome, design, weight, k)
        gradient, hessian = scores.sum(axis=0) - ridge * beta, information + np.diag(ridge)
        move = np.linalg.lstsq(hessian, gradient, rcond=None)[0]
        for _half in range(40):
            trial = beta + move
            there = _objective(trial, outcome, design, weight, penalty, k)
            if there >= value:
                break
            move = move / 2
        else:
            break
        beta, value = trial, there
        if np.max(np.abs(move)) < _TOLERANCE * (1 + np.max(np.abs(beta))) or np.max(np.abs(beta)) > 1e4:
            break
    return ProportionalOdds(np.clip(beta[: k - 1], -_FARTHEST, _FARTHEST), beta[k - 1 :])


def _ends(beta: Floats, outcome: Ints, design: Floats, k: int) -> tuple[Floats, Floats]:
    """Return the upper and lower end of each row's class on the score's scale; beyond the last class infinite."""
    score = design @ beta[k - 1 :]
    ends = np.concatenate([[-np.inf], beta[: k - 1], [np.inf]])
    return ends[outcome + 1] - score, ends[outcome] - score


def _objective(beta: Floats, outcome: Ints, design: Floats, weight: Floats, penalty: float, k: int) -> float:
    if np.any(np.diff(beta[: k - 1]) <= 0):
        return -np.inf
    upper, lower = _ends(beta, outcome, design, k)
    # log(F(u) − F(l)) = log(1 − exp(l − u)) − log(1 + exp(−u)) − log(1 + exp(l)), without cancelling
    logs = np.log(-np.expm1(lower - upper)) - np.logaddexp(0, -upper) - np.logaddexp(0, lower)
    return float(weight @ logs - penalty / 2 * np.sum(beta[k - 1 :] ** 2))


def scores_and_information(
    beta: Floats, outcome: Ints, design: Floats, weight: Floats, k: int
) -> tuple[Floats, Floats]:
    """Return each row's gradient of the log likelihood ``(n, K − 1 + F)`` and minus the Hessian of its sum.

    ``beta`` are the thresholds of ``k`` classes and then the coefficients, ``weight`` ``(n,)`` counts the rows.
    """
    upper, lower = _ends(beta, outcome, design, k)
    above, below = expit(upper), expit(lower)
    with np.errstate(over="ignore", invalid="ignore"):
        gap = np.exp(lower - upper)  # e(u), e(l): d log(F(u) − F(l)) / du and −/dl
    cut = np.where(np.isfinite(gap), gap / -np.expm1(lower - upper), 0.0)
    by_upper, by_lower = 1 - above + cut, below + cut
    by_upper, by_lower = np.where(np.isinf(upper), 0.0, by_upper), np.where(np.isinf(lower), 0.0, by_lower)
    curve = cut * (1 + cut)
    inner = np.isfinite(upper) & np.isfinite(lower)
    curve = np.where(inner, curve, 0.0)
    hot_upper = (outcome[:, None] == np.arange(k - 1)).astype(float)
    hot_lower = (outcome[:, None] == np.arange(1, k)).astype(float)
    # second derivatives of the row's log likelihood in u, in l, and mixed
    uu, ll, ul = above * (1 - above) + curve, below * (1 - below) + curve, -curve
    towards_upper, towards_lower = np.hstack([hot_upper, -design]), np.hstack([hot_lower, -design])
    scores = weight[:, None] * (towards_upper * by_upper[:, None] - towards_lower * by_lower[:, None])
    mixed = towards_upper.T @ (towards_lower * (weight * ul)[:, None])
    information = (
        towards_upper.T @ (towards_upper * (weight * uu)[:, None])
        + towards_lower.T @ (towards_lower * (weight * ll)[:, None])
        + mixed
        + mixed.T
    )
    return scores, information
