"""Of several classes, who is called what: against scikit-learn, and what each rule is the best of."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix, f1_score

from medcore.evaluation.curves.calls import CALL_RULES, called, calls

SHARES = np.array([0.7, 0.2, 0.1])


@pytest.fixture(scope="module")
def told():
    """Outcomes that come true as their risks say, whose mean is near ``SHARES``."""
    random = np.random.default_rng(0)
    risk = random.dirichlet(4 * SHARES, 3000)
    return (random.random((3000, 1)) > risk.cumsum(axis=1)).sum(axis=1).clip(0, 2), risk


@pytest.mark.parametrize("rule", CALL_RULES)
def test_figures_are_those_of_scikit_learn(told, rule):
    outcome, risk = told
    said, found = called(risk, rule, SHARES), calls(outcome, risk, rule, shares=SHARES)
    assert found.table == tuple(map(tuple, confusion_matrix(outcome, said).tolist()))
    assert found.accuracy.value == pytest.approx(accuracy_score(outcome, said))
    assert found.mean_sensitivity.value == pytest.approx(balanced_accuracy_score(outcome, said))
    assert found.macro_f1.value == pytest.approx(f1_score(outcome, said, average="macro"))
    assert found.macro_f1.low < found.macro_f1.value < found.macro_f1.high


def test_each_rule_is_the_best_of_what_it_is_for(told):
    outcome, risk = told
    likeliest, beside = (calls(outcome, risk, rule, shares=SHARES) for rule in CALL_RULES)
    assert likeliest.accuracy.value > beside.accuracy.value + 0.02
    assert beside.mean_sensitivity.value > likeliest.mean_sensitivity.value + 0.02


def test_patients_with_several_rows_are_drawn_whole(told):
    outcome, risk = (values[:300].repeat(4, axis=0) for values in told)
    apart = calls(outcome, risk, "likeliest", shares=SHARES)
    whole = calls(outcome, risk, "likeliest", shares=SHARES, groups=np.arange(300).repeat(4))
    assert whole.accuracy.high - whole.accuracy.low > 1.5 * (apart.accuracy.high - apart.accuracy.low)
    assert calls(outcome, risk[:, [0, 1, 2]], "likeliest", shares=SHARES).to_dict()["rule"] == "likeliest"


def test_a_class_that_nobody_has_is_in_no_mean():
    risk = np.array([[0.5, 0.3, 0.2], [0.2, 0.6, 0.2], [0.1, 0.8, 0.1]])
    found = calls(np.array([0, 1, 1]), risk, "likeliest", shares=np.array([0.5, 0.5, 0.0]))
    assert found.mean_sensitivity.value == found.macro_f1.value == 1.0
