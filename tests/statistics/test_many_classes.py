"""Discrimination between several classes: scikit-learn's Hand-Till, and the index by its own definition."""

from itertools import product

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from medcore.statistics.many_classes import hand_till, polytomous_discrimination


def ranked(n, seed=0):
    rng = np.random.default_rng(seed)
    outcome = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    score = rng.normal(size=(n, 3)) + 1.2 * np.eye(3)[outcome]
    risk = np.exp(score)
    return outcome, risk / risk.sum(1, keepdims=True)


def index_by_sets(outcome, risk):
    """Go through every set of one patient of each class, as Van Calster 2012 writes it."""
    members = [np.flatnonzero(outcome == k) for k in range(3)]
    hits = [
        sum(risk[chosen[k], k] == max(risk[i, k] for i in chosen) for k in range(3)) / 3 for chosen in product(*members)
    ]
    return np.mean(hits)


def test_hand_and_till_is_scikit_learns() -> None:
    outcome, risk = ranked(300)
    expected = roc_auc_score(outcome, risk, multi_class="ovo", average="macro")
    assert hand_till(outcome, risk)[0] == pytest.approx(expected, abs=1e-12)


def test_the_index_is_the_share_of_sets_in_which_the_right_patient_is_highest() -> None:
    outcome, risk = ranked(45)
    assert polytomous_discrimination(outcome, risk)[0] == pytest.approx(index_by_sets(outcome, risk), abs=1e-12)


def test_chance_is_a_half_and_one_over_the_number_of_classes() -> None:
    outcome, risk = ranked(6000)
    shuffled = np.random.default_rng(1).permutation(risk)
    assert hand_till(outcome, shuffled)[0] == pytest.approx(0.5, abs=0.02)
    assert polytomous_discrimination(outcome, shuffled)[0] == pytest.approx(1 / 3, abs=0.02)


@pytest.mark.parametrize("figure", [hand_till, polytomous_discrimination])
def test_the_influences_give_the_spread_over_tables(figure) -> None:
    found = [figure(*ranked(200, seed)) for seed in range(200)]
    spread = np.std([value for value, _influence in found], ddof=1)
    errors = [np.sqrt(influence @ influence) for _value, influence in found]
    assert np.mean(errors) == pytest.approx(spread, rel=0.15)
