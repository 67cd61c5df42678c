"""A chosen threshold does what its rule says, and says why."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics as sk

from medcore.errors import SettingsError
from medcore.evaluation import confusion
from medcore.evaluation.curves.thresholds import (
    across_folds,
    choose_threshold,
    harm_ratio_threshold,
    knowing_the_choice,
)


def test_a_harm_ratio_of_nineteen_is_a_threshold_of_five_per_cent(tables):
    choice = choose_threshold(*tables["breast"], "harm_ratio", target=19)
    assert choice.threshold == pytest.approx(0.05)
    assert "treating 19 patients without need" in str(choice.rationale)


@pytest.mark.parametrize("name", ["breast", "wine", "tied"])
def test_youden_is_the_best_point_of_scikit_learns_roc(tables, name):
    y, p = tables[name]
    fpr, tpr, _ = sk.roc_curve(y, p, drop_intermediate=False)
    found = confusion(y, p, choose_threshold(y, p, "youden").threshold)
    assert found.sensitivity.value + found.specificity.value - 1 == pytest.approx((tpr - fpr).max())


@pytest.mark.parametrize("share", [0.5, 0.8, 0.95, 1.0])
@pytest.mark.parametrize("name", ["breast", "wine", "tied"])
def test_a_target_is_met_and_no_better_threshold_meets_it(tables, name, share):
    y, p = tables[name]
    at = choose_threshold(y, p, "sensitivity", target=share).threshold
    assert confusion(y, p, at).sensitivity.value >= share
    higher = p[p > at]
    assert not len(higher) or confusion(y, p, higher.min()).sensitivity.value < share
    at = choose_threshold(y, p, "specificity", target=min(share, 0.95)).threshold
    assert confusion(y, p, at).specificity.value >= min(share, 0.95)


def test_net_benefit_is_largest_at_the_chosen_threshold(tables):
    y, p = tables["breast"]
    choice = choose_threshold(y, p, "net_benefit", target=4)
    c = [confusion(y, p, t) for t in np.unique(p)]
    best = max((k.tp - k.fp / 4) / k.n for k in c)
    chosen = confusion(y, p, choice.threshold)
    assert (chosen.tp - chosen.fp / 4) / chosen.n == pytest.approx(best)


def test_a_specificity_that_cannot_be_reached_is_said():
    y, p = np.array([0, 0, 1.0]), np.array([0.9, 0.9, 0.2])
    choice = choose_threshold(y, p, "specificity", target=0.9)
    assert not choice.reached
    assert "No threshold reaches it" in str(choice.rationale)


@pytest.mark.parametrize(
    ("rule", "target"),
    [("harm_ratio", 0), ("harm_ratio", None), ("sensitivity", 1.2), ("by_hand", -0.1), ("net_benefit", float("nan"))],
)
def test_impossible_targets_are_refused(tables, rule, target):
    with pytest.raises(SettingsError):
        choose_threshold(*tables["wine"], rule, target=target)


def test_one_class_has_no_best_threshold():
    with pytest.raises(SettingsError):
        choose_threshold(np.zeros(4), np.linspace(0, 1, 4), "youden")
    assert harm_ratio_threshold(1) == 0.5


def test_a_threshold_from_noise_has_no_youden_index_across_folds():
    honest, flattered = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        y, p, folds = (rng.random(100) < 0.4).astype(float), rng.random(100), rng.integers(0, 5, 100)
        chosen = choose_threshold(y, p, "youden")
        same = confusion(y, p, chosen.threshold)
        flattered.append(same.sensitivity.value + same.specificity.value - 1)
        found = across_folds(y, p, folds, "youden")
        assert found.threshold == chosen.threshold and found.n == 100
        honest.append(found.sensitivity.value + found.specificity.value - 1)
    assert np.mean(flattered) > 0.1
    assert abs(np.mean(honest)) < 0.05


def test_bounds_that_know_of_the_choice_hold_the_truth_of_a_threshold_from_noise():
    held, naive = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        y, p = (rng.random(100) < 0.4).astype(float), rng.random(100)
        chosen = choose_threshold(y, p, "youden").threshold
        low, high = knowing_the_choice(y, p, "youden")["sensitivity"]
        seen = confusion(y, p, chosen).sensitivity
        held.append(low <= 1 - chosen <= high)  # the risk is uniform: so many of any patients are called positive
        naive.append(seen.low <= 1 - chosen <= seen.high)
    assert np.mean(held) > 0.9 > np.mean(naive)


@pytest.mark.parametrize(("rule", "target"), [("net_benefit", 3.0), ("sensitivity", 0.9), ("specificity", 0.8)])
def test_bounds_that_know_of_the_choice_hold_what_is_seen_of_many_patients(rule, target):
    rng = np.random.default_rng(0)
    p = rng.beta(2, 5, 4000)
    y, patient = (rng.random(4000) < p).astype(float), np.arange(4000) // 2
    seen = confusion(y, p, choose_threshold(y, p, rule, target=target).threshold)
    for name, (low, high) in knowing_the_choice(y, p, rule, target=target, groups=patient).items():
        share = getattr(seen, name).value
        assert low - 0.005 < share < high + 0.005 and 0 < high - low < 0.2
        told = getattr(replace(seen, bounds={name: (low, high)}), name)
        assert told.value == share and told.method == "choice" and told.low <= min(low, share)


def test_rules_that_look_at_no_outcome_need_no_folds():
    y, p = np.tile([0.0, 1.0], 10), np.linspace(0.1, 0.9, 20)
    assert across_folds(y, p, np.arange(20) % 5, "harm_ratio", target=4.0) is None
