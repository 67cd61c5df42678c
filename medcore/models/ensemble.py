"""Ensemble selection: which candidates count how much (Caruana 2004), decided on out-of-fold risks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medcore.models.calibration import log_loss
from medcore.models.task import Indices, Risk

ROUNDS = 40
"""Draws with replacement; a weight is a multiple of one fortieth."""


@dataclass(frozen=True, slots=True)
class Blend:
    """Weights of the candidates (summing to 1), and honest risks: each fold's weights come from the others."""

    weights: Mapping[str, float]
    oof: Risk


def blend(candidates: Mapping[str, Risk], outcome: Indices, folds: Indices) -> Blend:
    """Choose weights for candidates' out-of-fold risks ``(n, K)``."""
    names = list(candidates)
    stack = np.stack([candidates[name] for name in names])
    oof = np.empty_like(stack[0])
    for fold in np.unique(folds):
        held = folds == fold
        oof[held] = np.tensordot(_select(stack[:, ~held], outcome[~held]), stack[:, held], axes=1)
    weights = _select(stack, outcome)
    return Blend({name: float(w) for name, w in zip(names, weights, strict=True) if w > 0}, oof)


def _select(stack: NDArray[np.float64], outcome: Indices) -> NDArray[np.float64]:
    """Add, again and again, the candidate that lowers the mean log loss of the average most."""
    true = stack[:, np.arange(len(outcome)), outcome]
    counts = np.zeros(len(stack))
    best = int(np.argmin([log_loss(risk, outcome) for risk in stack]))
    counts[best] = 1.0
    total = true[best].copy()
    for _round in range(ROUNDS - 1):
        trial = -np.log(np.clip((total + true) / (counts.sum() + 1.0), 1e-12, 1.0)).mean(axis=1)
        chosen = int(np.argmin(trial))
        counts[chosen] += 1.0
        total += true[chosen]
    return np.asarray(counts / counts.sum())
