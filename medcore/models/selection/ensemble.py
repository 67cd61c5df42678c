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


def square_weights(products: Floats, ours: Floats, own: float, n: int) -> Floats:
    """Return the weights w ``(m,)`` with the lowest square loss wᵀ A w − 2 bᵀ w + c, drawn towards equal ones.

    ``products`` is A (m, m), ``ours`` b (m,), ``own`` c, summed over ``n`` rows. The loss is put in units of a log
    likelihood by what the equal weights leave, as of a normal error; the pull is as for classes.
    """
    m = len(ours)
    even = np.full(m, 1.0 / m)
    scale = n / (2.0 * max(float(even @ products @ even - 2.0 * ours @ even + own), 1e-9))

    def cost(free: Floats) -> tuple[float, Floats]:
        w = _shares(free)
        value = scale * (w @ products @ w - 2.0 * ours @ w) + PULL * m**2 / 2.0 * ((w - even) ** 2).sum()
        slope = scale * 2.0 * (products @ w - ours) + PULL * m**2 * (w - even)
        return float(value), np.asarray(w * (slope - w @ slope))

    found = _shares(minimize(cost, np.zeros(m), jac=True, method="L-BFGS-B", options={"maxiter": 500}).x)
    found = np.where(found >= LEAST_WEIGHT, found, 0.0)
    return np.asarray(found / found.sum())


def blend_numbers(candidates: Mapping[str, Risk], value: Floats, folds: Indices) -> Blend:
    """Choose weights for candidates' out-of-fold numbers ``(n, 1)`` by their squared error; what is honest is as in :func:`blend`."""
    names = list(candidates)
    spread = max(float(value.std()), 1e-300)  # so that nothing depends on the unit
    stack = np.stack([candidates[name][:, 0] for name in names]) / spread
    wanted = value / spread

    def best(rows: NDArray[np.bool_]) -> Floats:
        own, ours = wanted[rows] - wanted.mean(), stack[:, rows] - wanted.mean()
        return square_weights(ours @ ours.T, ours @ own, float(own @ own), int(rows.sum()))

    oof = np.empty((len(value), 1))
    for fold in np.unique(folds):
        held = folds == fold
        oof[held, 0] = spread * (best(~held) @ stack[:, held])
    weights = best(np.ones(len(value), dtype=bool))
    return Blend({name: float(w) for name, w in zip(names, weights, strict=True) if w > 0}, oof)


def _shares(free: Floats) -> Floats:
    odds = np.exp(free - free.max())
    return np.asarray(odds / odds.sum())
