"""Paired differences: DeLong from the paper's covariance, the bootstrap, reclassification, the verdict."""

import json
import math

import numpy as np
import pytest
from sklearn import metrics as sk

from medcore.evaluation.comparison.instability import instability
from medcore.evaluation.comparison.paired import benefit_difference, compare, net_benefit_difference, reclassification
from medcore.evaluation.curves.utility import decision_curve


@pytest.fixture
def pair():
    rng = np.random.default_rng(11)
    x = rng.normal(size=400)
    y = (rng.random(400) < 1 / (1 + np.exp(-(1.5 * x - 1)))).astype(float)
    a = 1 / (1 + np.exp(-(1.5 * x - 1)))
    b = 1 / (1 + np.exp(-(0.8 * x + rng.normal(size=400) - 1)))
    return y, a, b


def delong_covariance(y, a, b):
    """Variance of the difference from the full matrices of pairs, as in DeLong 1988."""
    kernels = []
    for p in (a, b):
        x, z = p[y == 1], p[y == 0]
        kernels.append((x[:, None] > z[None, :]) + 0.5 * (x[:, None] == z[None, :]))
    s10 = np.cov(np.array([k.mean(1) for k in kernels]))
    s01 = np.cov(np.array([k.mean(0) for k in kernels]))
    s = s10 / kernels[0].shape[0] + s01 / kernels[0].shape[1]
    return s[0, 0] + s[1, 1] - 2 * s[0, 1]


def test_the_difference_in_auroc_is_delongs(pair):
    y, a, b = pair
    found = compare(y, a, b, n_boot=400).differences
    expected = sk.roc_auc_score(y, a) - sk.roc_auc_score(y, b)
    half = 1.959963984540054 * math.sqrt(delong_covariance(y, a, b))
    assert found["auroc"].value == pytest.approx(expected, abs=1e-12)
    assert found["auroc"].high - found["auroc"].value == pytest.approx(half, abs=1e-12)
    assert found["auroc_bootstrap"].low == pytest.approx(found["auroc"].low, abs=0.01)


def test_the_difference_in_brier_score_agrees_with_the_central_limit(pair):
    y, a, b = pair
    gap = (a - y) ** 2 - (b - y) ** 2
    found = compare(y, a, b).differences["brier"]
    assert found.value == pytest.approx(gap.mean())
    assert (found.high - found.low) / 3.92 == pytest.approx(gap.std() / math.sqrt(len(y)), rel=0.1)


def test_the_difference_in_net_benefit_is_that_of_the_curves(pair):
    y, a, b = pair
    at = np.array([0.3])
    found = net_benefit_difference(y, a, b, 0.3)
    expected = decision_curve(y, a, thresholds=at).net_benefit - decision_curve(y, b, thresholds=at).net_benefit
    assert found.value == pytest.approx(expected[0], abs=1e-12)


def test_a_model_against_itself_differs_by_nothing(pair):
    y, a, _ = pair
    found = compare(y, a, a, threshold=0.3, n_boot=50)
    assert all(e.value == 0 and e.low == 0 and e.high == 0 for e in found.differences.values())
    assert "cannot be shown" in str(found.verdict("A", "A"))


def test_swapping_the_models_turns_every_sign(pair):
    y, a, b = pair
    forth, back = (compare(y, *p, threshold=0.3, n_boot=100).differences for p in ((a, b), (b, a)))
    for name in forth:
        assert forth[name].value == pytest.approx(-back[name].value, abs=1e-12), name


def test_the_verdict_names_the_better_model(pair):
    y, a, b = pair
    verdict = str(compare(y, a, b, n_boot=200).verdict("Logistic regression", "Network"))
    assert verdict.startswith("Logistic regression is better than Network")


def test_reclassification_counts_by_hand():
    y = np.array([1, 1, 1, 0, 0, 0, 0.0])
    a = np.array([0.9, 0.9, 0.1, 0.9, 0.1, 0.1, 0.1])
    b = np.array([0.1, 0.9, 0.9, 0.1, 0.9, 0.9, 0.1])
    found = reclassification(y, a, b, 0.5)
    assert (found.events_up, found.events_down, found.non_events_up, found.non_events_down) == (1, 1, 1, 2)
    assert found.nri_events.value == 0
    assert found.nri_non_events.value == pytest.approx(0.25)


@pytest.mark.parametrize("y", [np.zeros(6), np.array([0, 0, 1, 0, 0, 0.0])])
def test_too_few_patients_give_a_verdict_that_says_so(y):
    p = np.linspace(0.1, 0.6, 6)
    found = compare(y, p, p[::-1].copy(), threshold=0.3, n_boot=40)
    json.dumps(found.to_dict(), allow_nan=False)
    assert "too few" in str(found.verdict("A", "B"))


def test_the_difference_of_decision_curves_is_that_at_each_threshold(pair):
    y, a, b = pair
    found = benefit_difference(y, a, b)
    curves = decision_curve(y, a).net_benefit - decision_curve(y, b).net_benefit
    assert np.abs(found.difference - curves).max() < 1e-12
    assert (found.low <= found.difference).all() and (found.difference <= found.high).all()
    assert benefit_difference(y, a, a).better() == (0, 0)


def test_instability_summarises_the_spread_of_each_patient():
    rng = np.random.default_rng(0)
    risk = rng.random(500)
    spread = 0.02 + 0.1 * risk
    found = instability(risk, spread)
    assert found.mean == pytest.approx(spread.mean())
    assert found.ninth_decile == pytest.approx(np.quantile(spread, 0.9))
    assert found.middle[0] < found.middle[-1] and (found.high >= found.middle).all()
    json.dumps(found.to_dict(), allow_nan=False)
