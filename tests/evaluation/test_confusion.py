"""Rates at a threshold: Wilson intervals, predictive values at any prevalence."""

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
