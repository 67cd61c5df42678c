"""How well risks put patients in the order of their classes: ordinal c-indices and the ranked probability score."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from medcore.statistics.arrays import Floats
from medcore.statistics.ranking import auroc_with_influence


def expected_class(risk: Floats) -> Floats:
    """Return each patient's mean class (n,), the classes counted 0, 1, …: by it patients are put in order.

    For proportional odds it ranks as the model's score does.
    """
    return np.asarray(risk @ np.arange(risk.shape[1]))


def ordinal_c(outcome: NDArray[np.integer], risk: Floats) -> tuple[float, Floats]:
    """Return the mean over all pairs of classes of how often the higher one's patient is put higher; and its influences (n,).

    Van Calster's ORC (2012, Biom J 54:674), with patients ordered by :func:`expected_class`.
    Every pair of classes counts the same, however common. Chance is 0.5. NaN where a class is absent.
    """
    pairs = list(combinations(range(risk.shape[1]), 2))
    total, influence = 0.0, np.zeros(len(outcome))
    for here, _sizes, area, pull in _pairs(outcome, risk):
        total += area / len(pairs)
        influence[here] += pull / len(pairs)
    return total, influence


def generalised_c(outcome: NDArray[np.integer], risk: Floats) -> tuple[float, Floats]:
    """Return how often, of two patients of different classes, the one of the higher class is put higher; and its influences (n,).

    Harrell's c for an ordered outcome, (1 + Somers' D) / 2: every pair of patients counts
    the same, so that common classes weigh more (Harrell 2015, *Regression Modeling
    Strategies*, § 13.3). Classes without a patient have no part in it.
    """
    found = [p for p in _pairs(outcome, risk) if not np.isnan(p[2])]
    compared = sum(m * n for _here, (m, n), _area, _pull in found)
    if not compared:
        return float("nan"), np.full(len(outcome), np.nan)
    value = sum(m * n * area for _here, (m, n), area, _pull in found) / compared
    influence = np.zeros(len(outcome))
    for here, (m, n), area, pull in found:
        others = np.where(outcome[here] == outcome[here].min(), n, m)
        influence[here] += (m * n * pull + others * (area - value)) / compared
    return value, influence


def ranked_probability_terms(outcome: NDArray[np.integer], risk: Floats) -> Floats:
    """Return each patient's ranked probability score (n,): the mean over the cuts between classes of their Brier scores.

    Epstein 1969 (J Appl Meteorol 8:985), divided by the number of cuts K − 1: from 0,
    perfect, to 1. Risk given to a class far off costs more than to a neighbour; with two
    classes it is the Brier score.

    >>> ranked_probability_terms(np.array([2, 0]), np.array([[0.0, 0.5, 0.5], [0.0, 0.0, 1.0]])).tolist()
    [0.125, 1.0]
    """
    below = np.cumsum(risk, axis=1)[:, :-1]
    was_below = outcome[:, None] <= np.arange(risk.shape[1] - 1)
    return np.asarray(((below - was_below) ** 2).mean(axis=1))


def _pairs(
    outcome: NDArray[np.integer], risk: Floats
) -> list[tuple[NDArray[np.bool_], tuple[int, int], float, Floats]]:
    """Judge each pair of classes: whose rows, how many of the lower and higher one, the area, and the influences."""
    score = expected_class(risk)
    found = []
    for low, high in combinations(range(risk.shape[1]), 2):
        here = (outcome == low) | (outcome == high)
        event = (outcome[here] == high).astype(np.float64)
        area, pull = auroc_with_influence(event, score[here])
        found.append((here, (int(len(event) - event.sum()), int(event.sum())), area, pull))
    return found
