"""Cox's proportional hazards: penalised partial likelihood with Efron's ties, and the baseline that goes with it.

Sources: Cox 1972; Efron 1977 (ties); Therneau & Grambsch 2000, § 3.3 and 10.2 (the baseline, as
``survfit`` of R's ``survival`` computes it after ``coxph``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medcore.statistics.arrays import Floats

_MOST_STEPS, _SMALL = 60, 1e-16
_MOST_SCORE = 30.0
"""Scores beyond are not exponentiated: hazards then differ by more than can be told."""


@dataclass(frozen=True, slots=True, eq=False)
class RiskSets:
    """Who is at risk at each event, worked out once for patients ordered by falling time.

    ``order`` (n,) puts patients so; ``first`` and ``last`` (E,) say for each event which of the ordered
    patients are at risk (those before ``last``) and which of them had their event then; ``share`` (E,)
    is how much of the tied patients has left already by Efron's rule: 0, 1/d, 2/d and so on.
    """

    order: NDArray[np.intp]
    event: NDArray[np.bool_]
    tie: NDArray[np.intp]
    n_at_risk: NDArray[np.intp]
    share: Floats
    times: Floats
    n_times: int

    @classmethod
    def of(cls, duration: Floats, event: NDArray[np.bool_]) -> RiskSets:
        """Order patients of these ``duration`` and ``event`` (n,)."""
        order = np.lexsort((event, -duration))  # at equal times censored ones first: they are at risk too
        ordered, happened = duration[order], event[order]
        own = ordered[happened]
        times, tie = np.unique(own, return_inverse=True)
        n_tied = np.bincount(tie, minlength=len(times))
        starts = np.concatenate([[0], np.cumsum(n_tied)[:-1]])
        rank = np.empty(len(own), dtype=np.intp)
        by_tie = np.argsort(tie, kind="stable")
        rank[by_tie] = np.arange(len(own)) - starts[tie[by_tie]]
        n_at_risk = np.searchsorted(-ordered, -times, side="right")
        return cls(order, happened, tie, n_at_risk, rank / n_tied[tie], times, len(times))


@dataclass(frozen=True, slots=True, eq=False)
class Cox:
    """``coefficients`` (F,), and the rises of the cumulative baseline hazard at ``times`` (U,), of a patient whose score is 0."""

    coefficients: Floats
    times: Floats
    rises: Floats

    def cumulative(self, times: Floats) -> Floats:
        """Return the cumulative baseline hazard by ``times`` (T,).

        >>> Cox(np.zeros(1), np.array([1.0, 2.0]), np.array([0.1, 0.2])).cumulative(np.array([0.5, 1.0, 3.0])).round(6).tolist()
        [0.0, 0.1, 0.3]
        """
        total = np.concatenate([[0.0], np.cumsum(self.rises)])
        return np.asarray(total[np.searchsorted(self.times, times, side="right")])


def fit_cox(
    matrix: Floats,
    duration: Floats,
    event: NDArray[np.bool_],
    *,
    penalty: float = 0.0,
    start: Floats | None = None,
    sets: RiskSets | None = None,
) -> Cox:
    """Fit a Cox regression by Newton's method.

    Minimises −log L(β) + ``penalty`` / 2 · |β|², L being Efron's partial likelihood of ``matrix`` (n, F),
    ``duration`` and ``event`` (n,). Without a penalty a direction along which patients are told
    apart completely has no finite coefficient: what was reached after 60 steps is returned.
    """
    sets = sets or RiskSets.of(duration, event)
    ordered = np.ascontiguousarray(matrix[sets.order])
    beta = np.zeros(matrix.shape[1]) if start is None else start.copy()
    loss, slope, curvature = _likelihood(ordered, sets, beta, penalty)
    for _step in range(_MOST_STEPS if matrix.shape[1] else 0):
        curvature[np.diag_indices_from(curvature)] += 1e-10 * max(1.0, float(np.trace(curvature)) / len(beta))
        move = np.linalg.solve(curvature, slope)
        if float(move @ slope) < _SMALL:
            break
        for _half in range(30):
            tried = _likelihood(ordered, sets, beta - move, penalty)
            if np.isfinite(tried[0]) and tried[0] <= loss + 1e-12 * abs(loss):
                break
            move = move / 2
        beta = beta - move
        loss, slope, curvature = tried
    weight = np.exp(np.clip(ordered @ beta, -_MOST_SCORE, _MOST_SCORE))
    rises = _by_time(1.0 / _denominators(weight, sets)[0], sets)
    return Cox(beta, sets.times, rises)


def cox_loss(score: Floats, sets: RiskSets) -> float:
    """Return the negative log partial likelihood (Efron) of scores (n,)."""
    ordered = np.clip(score[sets.order], -_MOST_SCORE, _MOST_SCORE)
    denominators = _denominators(np.exp(ordered), sets)[0]
    return float(np.log(denominators).sum() - ordered[sets.event].sum())


def _denominators(weight: Floats, sets: RiskSets) -> tuple[Floats, Floats, Floats]:
    """Return Efron's denominators (E,), and at each time the weight at risk and of those who have the event then (U,)."""
    at_risk = np.cumsum(weight)[sets.n_at_risk - 1]
    tied = _by_time(weight[sets.event], sets)
    return at_risk[sets.tie] - sets.share * tied[sets.tie], at_risk, tied


def _by_time(values: Floats, sets: RiskSets) -> Floats:
    """Add up values (E,) of the events at each time (U,)."""
    sums: Floats = np.bincount(sets.tie, weights=values, minlength=sets.n_times).astype(np.float64)
    return sums


def _likelihood(ordered: Floats, sets: RiskSets, beta: Floats, penalty: float) -> tuple[float, Floats, Floats]:
    """Return the penalised loss, its slope (F,) and its curvature (F, F)."""
    score = np.clip(ordered @ beta, -_MOST_SCORE, _MOST_SCORE)
    weight = np.exp(score)
    below, _at_risk, _tied = _denominators(weight, sets)
    own = ordered[sets.event]
    weighted = ordered * weight[:, None]
    sums = np.cumsum(weighted, axis=0)[sets.n_at_risk - 1]
    tied = np.zeros((sets.n_times, ordered.shape[1]))
    np.add.at(tied, sets.tie, weighted[sets.event])
    means = (sums[sets.tie] - sets.share[:, None] * tied[sets.tie]) / below[:, None]
    loss = float(np.log(below).sum() - score[sets.event].sum()) + penalty / 2 * float(beta @ beta)
    slope = means.sum(axis=0) - own.sum(axis=0) + penalty * beta
    met = _hazard_met(below, sets, len(score))
    curvature = weighted.T @ (ordered * met[:, None]) - means.T @ means
    curvature[np.diag_indices_from(curvature)] += penalty
    return loss, np.asarray(slope), np.asarray(curvature)


def _hazard_met(below: Floats, sets: RiskSets, n: int) -> Floats:
    """Return the sum of 1 over the denominators that each ordered patient (n,) is part of, by how far."""
    full, less = _by_time(1.0 / below, sets), _by_time(sets.share / below, sets)
    entered = np.zeros(n)
    np.add.at(entered, sets.n_at_risk - 1, full)  # all before this place are at risk then
    met = np.cumsum(entered[::-1])[::-1]
    met[np.flatnonzero(sets.event)] -= less[sets.tie]
    return np.asarray(met)


def score_gains(
    matrix: Floats, further: Floats, blocks: list[NDArray[np.int64]], sets: RiskSets, fitted: Cox
) -> Floats:
    """Return Rao's efficient score statistic of each block of ``further`` columns (n, S) beside those of a fitted model (n, F).

    About twice what the block would add to the log partial likelihood.
    """
    n = matrix.shape[1]
    ordered = np.hstack([matrix, further])[sets.order]
    beta = np.concatenate([fitted.coefficients, np.zeros(further.shape[1])])
    _loss, slope, curvature = _likelihood(ordered, sets, beta, 0.0)
    own = curvature[:n, :n] + 1e-6 * max(float(np.trace(curvature[:n, :n])) / max(n, 1), 1e-12) * np.eye(n)
    projected = np.linalg.solve(own, curvature[:n, n:])
    score = -(slope[n:] - projected.T @ slope[:n])
    information = curvature[n:, n:] - projected.T @ curvature[:n, n:]
    inverses = (np.linalg.pinv(information[np.ix_(at, at)], rcond=1e-8) for at in blocks)
    return np.array([float(score[at] @ inverse @ score[at]) for at, inverse in zip(blocks, inverses, strict=True)])
