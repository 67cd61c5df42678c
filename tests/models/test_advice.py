"""What a run says when its model is not worth having."""

from dataclasses import replace

import numpy as np
import pytest

from medcore.models.contract.settings import TrainSettings
from medcore.models.run.advice import advise


@pytest.fixture(scope="module")
def judged(ward):
    return ward.train("boosting").results


def said(results, risk, model="boosting"):
    """Return what is said of a model that predicts these risks."""
    changed = replace(results, training=replace(results.training, risk=risk))
    found = advise(changed, TrainSettings.preset(model), {model: 1.0}, "none")
    return {f.code: (f.severity, str(f.message)) for f in found}


def certain(results, sharpness):
    """Make logistic regression's risks more certain than they have a right to be."""
    odds = (results.candidate("logistic").oof[:, 1] / results.candidate("logistic").oof[:, 0]) ** sharpness
    return np.column_stack([1 / (1 + odds), odds / (1 + odds)])


def test_a_model_clearly_worse_than_logistic_regression_is_a_warning(judged):
    severity, message = said(judged, certain(judged, 8.0))["model.worse_than_simple"]
    assert severity == "warning"
    assert "worse than logistic regression" in message
    assert "−" not in message


def test_a_model_as_good_as_logistic_regression_is_none(judged):
    found = said(judged, judged.candidate("logistic").oof)
    assert found["model.simple_is_as_good"][0] == "info"
    assert set(found) == {"model.simple_is_as_good"}


@pytest.mark.parametrize(
    ("beside", "odds", "words"),
    [
        ("logistic", 0.1, "is even lower by 0."),
        ("logistic", 10.0, "is higher by 0."),
        ("prevalence", 0.1, "is higher by 0."),
        ("prevalence", 10.0, "is lower by only 0."),
    ],
)
def test_a_difference_is_said_to_the_side_on_which_it_lies(judged, beside, odds, words):
    risk = judged.candidate(beside).oof.copy()
    risk[0, judged.training.outcome[0]] *= odds  # one patient predicted worse or better is no more than chance
    found = said(judged, risk / risk.sum(axis=1, keepdims=True))
    code = {"logistic": "model.simple_is_as_good", "prevalence": "model.no_better_than_prevalence"}[beside]
    assert words in found[code][1]


def test_a_model_no_better_than_the_prevalence_is_a_warning_also_when_it_is_the_simple_one(judged):
    prevalence = judged.candidate("prevalence").oof
    for model in ("boosting", "logistic"):
        severity, message = said(judged, prevalence, model)["model.no_better_than_prevalence"]
        assert severity == "warning"
        assert "cannot be shown to predict better than the prevalence" in message


def test_a_model_worse_than_the_prevalence_is_said_to_be_worse(judged):
    turned = judged.candidate("logistic").oof[:, ::-1]
    assert "worse than the prevalence" in said(judged, turned)["model.no_better_than_prevalence"][1]


def test_a_model_that_predicts_is_not_warned_of(judged):
    assert "model.no_better_than_prevalence" not in said(judged, judged.candidate("logistic").oof)
