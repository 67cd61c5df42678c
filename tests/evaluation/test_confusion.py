"""Rates at a threshold: Wilson intervals, predictive values at any prevalence."""

import json
import math

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from medcore.evaluation import Confusion, confusion
from medcore.evaluation.figures.estimates import wilson


@pytest.mark.parametrize(("k", "n"), [(0, 10), (1, 10), (8, 10), (10, 10), (81, 263), (1, 1)])
def test_wilson_intervals_agree_with_statsmodels(k, n):
    low, high = proportion_confint(k, n, method="wilson")
    assert (wilson(k, n).low, wilson(k, n).high) == pytest.approx((low, high), abs=1e-12)


def test_wilson_gives_the_published_interval():
    # Newcombe 1998, Statistics in Medicine 17:857, table I: 81 of 263, method 3.
    found = wilson(81, 263)
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)


def test_predictive_values_at_the_study_prevalence_are_bayes_rule():
    c = Confusion(threshold=0.3, tp=40, fp=30, fn=10, tn=120)
    at_study = Confusion(threshold=0.3, tp=40, fp=30, fn=10, tn=120, prevalence=0.25)
    assert at_study.ppv.value == pytest.approx(c.ppv.value)
    assert at_study.npv.value == pytest.approx(c.npv.value)


def test_predictive_values_at_a_rarer_outcome():
    # Sensitivity 80 %, specificity 80 %, prevalence 1 %: PPV = 0.008 / (0.008 + 0.198).
    c = Confusion(threshold=0.3, tp=40, fp=30, fn=10, tn=120, prevalence=0.01)
    assert c.ppv.value == pytest.approx(0.008 / 0.206)
    assert c.npv.value == pytest.approx(0.792 / 0.794)
    assert c.ppv.low < c.ppv.value < c.ppv.high


def test_alerts_and_number_needed_to_evaluate():
    c = Confusion(threshold=0.3, tp=40, fp=60, fn=10, tn=90)
    assert c.alert_rate.value == 0.5
    assert c.number_needed_to_evaluate == pytest.approx(2.5)
    assert c.no_skill_accuracy == 0.75


def test_nobody_called_positive_gives_a_reason_and_no_number():
    c = confusion(np.array([0, 1.0]), np.array([0.1, 0.2]), 0.9)
    assert math.isnan(c.ppv.value) and c.ppv.reason is not None
    assert math.isnan(c.number_needed_to_evaluate)
    assert Confusion.from_dict(c.to_dict()) == c


def test_predictive_values_elsewhere_cover_the_truth():
    rng, true = np.random.default_rng(0), 0.8 * 0.05 / (0.8 * 0.05 + 0.1 * 0.95)
    held = 0
    for _table in range(500):
        tp, tn = rng.binomial(60, 0.8), rng.binomial(120, 0.9)
        ppv = Confusion(threshold=0.3, tp=tp, fp=120 - tn, fn=60 - tp, tn=tn, prevalence=0.05).ppv
        held += ppv.low <= true <= ppv.high
    assert 0.93 <= held / 500 <= 0.98


def test_predictive_values_elsewhere_have_an_interval_without_false_alarms_too():
    ppv = Confusion(threshold=0.3, tp=40, fp=0, fn=10, tn=150, prevalence=0.01).ppv
    assert ppv.value == 1.0 == ppv.high and 0.01 < ppv.low < 0.7 and ppv.method == "mercaldo"


def test_a_patients_rows_do_not_make_a_share_surer():
    rng = np.random.default_rng(1)
    outcome, risk = (rng.random(80) < 0.4).astype(float), rng.random(80)
    once = confusion(outcome, risk, 0.5)
    three = np.repeat(np.arange(80), 3)
    repeated = confusion(outcome[three], risk[three], 0.5, groups=three)
    for rate in ("sensitivity", "specificity", "ppv", "npv", "accuracy", "alert_rate"):
        a, b = getattr(once, rate), getattr(repeated, rate)
        assert b.value == pytest.approx(a.value) and b.method == "wilson_cluster"
        assert b.high - b.low == pytest.approx(a.high - a.low, rel=0.03), rate
    again = Confusion.from_dict(json.loads(json.dumps(repeated.to_dict())))
    assert again == repeated
