"""The logit with its one clip, and logistic regression by Newton's method."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medcore.statistics.arrays import Floats

#: Risks are kept this far from 0 and 1 before the logit is taken (as in CalibrationCurves::val.prob.ci.2).
EDGE = 1e-8
#: No model of ours gives a smaller risk, nor one nearer 1; its log odds are told with this clip.
MODEL_EDGE = 1e-7


def logit(risk: Floats, *, edge: float = EDGE) -> Floats:
    """Return log(p/(1−p)), with p kept ``edge`` away from 0 and 1."""
    p = np.clip(risk, edge, 1 - edge)
    out: Floats = np.log(p) - np.log1p(-p)
    return out


@dataclass(frozen=True, slots=True)
class LogisticFit:
    """Coefficients, their model-based covariance, and each row's influence on them (n, p).

    The ``leverage`` (n,) is each row's share of its own fitted value, 0 to 1.
    """

    coefficients: Floats
    covariance: Floats
    influence: Floats
    leverage: Floats

    @property
    def left_out(self) -> Floats:
        """By how much the coefficients change when a row is left out, to first order (HC3, MacKinnon & White 1985)."""
        out: Floats = self.influence / np.maximum(1 - self.leverage, np.finfo(np.float64).eps)[:, None]
        return out


def fit_logistic(
    outcome: Floats, design: Floats, offset: Floats | None = None, weights: Floats | None = None
) -> LogisticFit | None:
    """Fit a logistic regression by maximum likelihood; None when it has no finite solution.

    ``outcome`` (n,) of 0 and 1, ``design`` (n, p), ``weights`` (n,) of the rows if
    they do not count alike. Newton's method with halving of steps that would lower
    the likelihood.
    """
    from scipy.special import expit  # its import takes 0.1 s, which reading a table need not wait for

    start = np.zeros(len(outcome)) if offset is None else offset
    weight = np.ones(len(outcome)) if weights is None else weights
    beta = np.zeros(design.shape[1])
    best = _log_likelihood(outcome, start, weight)
    for _step in range(60):
        p = expit(start + design @ beta)
        hessian = design.T @ (design * (weight * p * (1 - p))[:, None])
        score = design.T @ (weight * (outcome - p))
        if not np.all(np.isfinite(hessian)) or np.linalg.cond(hessian) > 1e14:
            return None
        move = np.linalg.solve(hessian, score)
        if np.max(np.abs(move)) < 1e-10 * (1 + np.max(np.abs(beta))):
            inverse = np.linalg.inv(hessian)
            influence = (design * (weight * (outcome - p))[:, None]) @ inverse
            leverage = ((design @ inverse) * design).sum(axis=1) * weight * p * (1 - p)
            return LogisticFit(beta, inverse, influence, leverage)
        for _half in range(30):
            value = _log_likelihood(outcome, start + design @ (beta + move), weight)
            if value >= best - 1e-12 * abs(best):
                break
            move = move / 2
        beta, best = beta + move, max(best, value)
        if np.max(np.abs(beta)) > 1e4:
            return None
    return None


def _log_likelihood(outcome: Floats, eta: Floats, weight: Floats) -> float:
    return float(weight @ (outcome * eta - np.logaddexp(0, eta)))
