"""How much each candidate's curve counts: weights with the lowest integrated Brier score out of fold, drawn towards equal ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from medcore.models.contract.timed import Curves
from medcore.models.selection.ensemble import LEAST_WEIGHT, PULL
from medcore.statistics.survival.censoring import Censoring

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class CurveBlend:
    """Weights of the candidates (summing to 1), and honest curves ``(n, causes, T)``: each fold's weights come from the others."""

    weights: Mapping[str, float]
    curves: Curves


def blend_curves(
    candidates: Mapping[str, Curves], duration: Floats, event: Ints, times: Floats, folds: Ints
) -> CurveBlend:
    """Choose weights for candidates' out-of-fold curves by ``times`` (T,), by the event in question."""
    names = list(candidates)
    stack = np.stack([candidates[name] for name in names])
    sums = _Sums.of(stack[:, :, 0], duration, event, times)
    curves = np.empty_like(stack[0])
    for fold in np.unique(folds):
        held = folds == fold
        curves[held] = np.tensordot(sums.weights(~held), stack[:, held], axes=1)
    weights = sums.weights(np.ones(len(duration), dtype=bool))
    return CurveBlend({name: float(w) for name, w in zip(names, weights, strict=True) if w > 0}, curves)


@dataclass(frozen=True, slots=True)
class _Sums:
    """Each row's part in the integrated Brier score of a mean of curves: wᵀ A w − 2 bᵀ w + c."""

    products: Floats
    ours: Floats
    own: Floats

    @classmethod
    def of(cls, risk: Floats, duration: Floats, event: Ints, times: Floats) -> _Sums:
        """Add up over ``times`` (T,) the weighted squares of risks (m, n, T), by Graf's weights."""
        censoring = Censoring.of(duration, event)
        gaps = np.diff(np.concatenate([[0.0], times])) / times[-1]
        m, n, _ = risk.shape
        products, ours, own = np.zeros((n, m, m)), np.zeros((n, m)), np.zeros(n)
        for place, (time, share) in enumerate(zip(times, gaps, strict=True)):
            weight = share * censoring.weights(float(time))
            happened = ((event == 1) & (duration <= time)).astype(np.float64)
            at = risk[:, :, place].T
            products += weight[:, None, None] * at[:, :, None] * at[:, None, :]
            ours += (weight * happened)[:, None] * at
            own += weight * happened
        return cls(products, ours, own)

    def weights(self, rows: NDArray[np.bool_]) -> Floats:
        """Return the weights (m,) that serve these rows best.

        The score is put in units of a log likelihood by what the equal weights leave, as of a
        normal error; the pull is as for classes.
        """
        products, ours, own = self.products[rows].sum(axis=0), self.ours[rows].sum(axis=0), float(self.own[rows].sum())
        m, n = len(ours), int(rows.sum())
        even = np.full(m, 1.0 / m)
        scale = n / (2.0 * max(float(even @ products @ even - 2.0 * ours @ even + own), 1e-9))

        def cost(free: Floats) -> tuple[float, Floats]:
            odds = np.exp(free - free.max())
            w = odds / odds.sum()
            value = scale * (w @ products @ w - 2.0 * ours @ w) + PULL * m**2 / 2.0 * ((w - even) ** 2).sum()
            slope = scale * 2.0 * (products @ w - ours) + PULL * m**2 * (w - even)
            return float(value), np.asarray(w * (slope - w @ slope))

        free = minimize(cost, np.zeros(m), jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
        odds = np.exp(free - free.max())
        found = odds / odds.sum()
        found = np.where(found >= LEAST_WEIGHT, found, 0.0)
        return np.asarray(found / found.sum())
