"""How much each candidate's curve counts: weights with the lowest integrated Brier score out of fold, drawn towards equal ones.

The incidence alone then takes the share with which that score is lowest: risks that are too extreme out of fold are
drawn towards the mean, as a calibration slope below 1 does it (Copas 1983, J R Stat Soc B 45:311).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medcore.models.contract.timed import Curves
from medcore.models.selection.ensemble import LEAST_WEIGHT, square_weights
from medcore.statistics.survival.censoring import Censoring

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class CurveBlend:
    """Weights of the candidates (summing to 1), and honest curves ``(n, causes, T)``: each fold's weights come from the others."""

    weights: Mapping[str, float]
    curves: Curves


def blend_curves(
    candidates: Mapping[str, Curves], duration: Floats, event: Ints, times: Floats, folds: Ints, *, alone: str
) -> CurveBlend:
    """Choose weights for candidates' out-of-fold curves by ``times`` (T,), by the event in question.

    ``alone`` is the candidate that gives everybody the incidence.
    """
    names = [*(name for name in candidates if name != alone), alone]
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
    """Each row's part in the integrated Brier score of a mean of curves, the incidence last: wᵀ A w − 2 bᵀ w + c."""

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
        """Return the weights (m,) that serve these rows best."""
        products, ours = self.products[rows].sum(axis=0), self.ours[rows].sum(axis=0)
        own, n = float(self.own[rows].sum()), int(rows.sum())
        models = np.append(square_weights(products[:-1, :-1], ours[:-1], own, n), 0.0)
        towards = np.eye(len(ours))[-1] - models
        bent = float(towards @ products @ towards)
        share = float(towards @ (ours - products @ models)) / bent if bent > 0 else 0.0
        return np.asarray(models + towards * (min(share, 1.0) if share >= LEAST_WEIGHT else 0.0))
