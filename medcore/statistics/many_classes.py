"""How well risks tell several classes apart: Hand and Till's AUROC and the polytomous discrimination index."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from medcore.statistics.arrays import Floats
from medcore.statistics.ranking import auroc_with_influence


def hand_till(outcome: NDArray[np.integer], risk: Floats) -> tuple[float, Floats]:
    """Return the mean AUROC over all pairs of classes, and each row's influence on it (n,).

    ``outcome`` (n,) of class indices, ``risk`` (n, K). Of each pair both classes' risks
    are taken in turn, among the patients of the two (Hand & Till 2001, Mach Learn
    45:171). Chance is 0.5, whatever K and the classes' shares. NaN where a class is absent.
    """
    pairs = list(combinations(range(risk.shape[1]), 2))
    total, influence = 0.0, np.zeros(len(outcome))
    for pair in pairs:
        here = np.isin(outcome, pair)
        for one in pair:
            area, pull = auroc_with_influence((outcome[here] == one).astype(float), risk[here, one])
            total += area / (2 * len(pairs))
            influence[here] += pull / (2 * len(pairs))
    return total, influence


def polytomous_discrimination(outcome: NDArray[np.integer], risk: Floats) -> tuple[float, Floats]:
    """Return the polytomous discrimination index and each row's influence on it (n,).

    Draw one patient of each class: the index is the mean over classes of how often
    the patient of that class has the highest risk of it, a tie of m shared by all m
    (Van Calster 2012, Eur J Epidemiol 27:761; Dover 2021, Stat Med 40:4900). Chance is 1/K.
    NaN where a class is absent.
    """
    k = risk.shape[1]
    if len(np.unique(outcome)) < k:
        return float("nan"), np.full(len(outcome), np.nan)
    # 1/m, the share of one of m who tie, is the integral of u^(m − 1) over 0 to 1: Gauss and Legendre's is exact.
    points, weights = np.polynomial.legendre.leggauss((k + 1) // 2)
    total, influence = 0.0, np.zeros(len(outcome))
    for u, weight in zip((points + 1) / 2, weights / 2, strict=True):
        value, own = _with_ties_of(outcome, risk, float(u))
        total, influence = total + weight * value, influence + weight * own
    return float(total), influence


def _with_ties_of(outcome: NDArray[np.integer], risk: Floats, u: float) -> tuple[float, Floats]:
    """Return the index and the influences where each of those who tie with the patient counts ``u`` as beaten."""
    k = risk.shape[1]
    total, influence = 0.0, np.zeros(len(outcome))
    for one in range(k):
        own = np.flatnonzero(outcome == one)
        score = risk[:, one]
        beaten = {j: _beaten(score[own], score[outcome == j], u) for j in range(k) if j != one}
        product = np.prod(list(beaten.values()), axis=0)
        share = float(product.mean())
        total += share / k
        influence[own] += (product - share) / (len(own) * k)
        for j in beaten:
            others = np.flatnonzero(outcome == j)
            rest = np.prod([b for other, b in beaten.items() if other != j], axis=0) * np.ones(len(own))
            influence[others] += (_beating(score[own], rest, score[others], u) - share) / (len(others) * k)
    return total, influence


def _beaten(own: Floats, others: Floats, u: float) -> Floats:
    """Return which share of the others each of ``own`` (m,) lies above, a tie counting ``u``."""
    ordered = np.sort(others)
    below, up_to = (np.searchsorted(ordered, own, side=side) for side in ("left", "right"))
    return np.asarray(((1 - u) * below + u * up_to) / len(others))


def _beating(own: Floats, weight: Floats, others: Floats, u: float) -> Floats:
    """Return for each of the ``others`` the mean weight of ``own`` that lie above it, a tie counting ``u``."""
    order = np.argsort(own, kind="stable")
    above = np.concatenate([np.cumsum(weight[order][::-1])[::-1], [0.0]])
    left, right = (np.searchsorted(own[order], others, side=side) for side in ("left", "right"))
    return np.asarray((u * above[left] + (1 - u) * above[right]) / len(own))
