"""How much each candidate counts: weights that predict best out of fold, drawn towards equal ones.

On a few dozen events the best weights are mostly luck, and equal ones are hard to
beat (Clemen 1989); on thousands of them the data decide. A penalty in units of the
log likelihood lets one rule do for both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from medcore.models.contract.task import Indices, Risk

Floats = NDArray[np.float64]
PULL = 1.0
"""Strength of the pull: to give one of m candidates all the weight costs m(m − 1)/2 times this log likelihood."""
LEAST_WEIGHT = 0.02
"""Candidates below are left out, for they would cost more time than they bring."""


@dataclass(frozen=True, slots=True)
class Blend:
    """Weights of the candidates (summing to 1), and honest risks: each fold's weights come from the others."""

    weights: Mapping[str, float]
    oof: Risk


def blend(candidates: Mapping[str, Risk], outcome: Indices, folds: Indices) -> Blend:
    """Choose weights for candidates' out-of-fold risks ``(n, K)``."""
    names = list(candidates)
    stack = np.stack([candidates[name] for name in names])
    true = stack[:, np.arange(len(outcome)), outcome]
    oof = np.empty_like(stack[0])
    for fold in np.unique(folds):
        held = folds == fold
        oof[held] = np.tensordot(choose_weights(true[:, ~held]), stack[:, held], axes=1)
    weights = choose_weights(true)
    return Blend({name: float(w) for name, w in zip(names, weights, strict=True) if w > 0}, oof)


def choose_weights(true: Floats) -> Floats:
    """Return weights ``(m,)`` for the risks ``(m, n)`` that each candidate gave to what happened.

    They minimise −Σ log(wᵀr) + ``PULL`` · m²/2 · Σ(w − 1/m)², which is convex.
    """
    m = len(true)
    true = np.clip(true, 1e-6, 1.0)

    def cost(free: Floats) -> tuple[float, Floats]:
        w = _shares(free)
        mean = w @ true
        value = -np.log(mean).sum() + PULL * m**2 / 2.0 * ((w - 1.0 / m) ** 2).sum()
        slope = -(true / mean).sum(axis=1) + PULL * m**2 * (w - 1.0 / m)
        return float(value), np.asarray(w * (slope - w @ slope))

    weights = _shares(minimize(cost, np.zeros(m), jac=True, method="L-BFGS-B", options={"maxiter": 200}).x)
    weights = np.where(weights >= LEAST_WEIGHT, weights, 0.0)
    return np.asarray(weights / weights.sum())


def _shares(free: Floats) -> Floats:
    odds = np.exp(free - free.max())
    return np.asarray(odds / odds.sum())
