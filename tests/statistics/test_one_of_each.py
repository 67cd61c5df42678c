"""Each statistic has one function, and that one agrees with scikit-learn, statsmodels and scipy."""

import ast
from pathlib import Path

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import logit as scipy_logit
from scipy.stats import binomtest, chi2_contingency
from sklearn.metrics import log_loss, roc_auc_score

from medcore.models.trainer.metrics import batch_auroc
from medcore.statistics.calibration import in_the_large_fit, slope_fit
from medcore.statistics.logistic import logit
from medcore.statistics.proportions import equal_proportions_p, wilson_bounds
from medcore.statistics.ranking import auroc_of_counts, auroc_with_influence
from medcore.statistics.scores import class_log_loss, log_loss_terms

ROOMS = Path(__file__).parents[2] / "medcore"


@pytest.fixture(scope="module")
def judged():
    rng = np.random.default_rng(0)
    risk = np.round(rng.uniform(0.02, 0.98, 400), 2)
    return (rng.random(400) < risk).astype(float), risk


def test_a_risk_of_0_costs_the_same_wherever_the_log_loss_is_asked_for(judged) -> None:
    outcome, risk = judged[0], judged[1].copy()
    risk[np.flatnonzero(outcome)[0]] = 0.0
    two = np.column_stack([1 - risk, risk])
    assert class_log_loss(outcome.astype(int), two) == pytest.approx(log_loss(outcome, two), rel=1e-9)
    assert log_loss_terms(outcome, risk).mean() == pytest.approx(log_loss(outcome, two), rel=1e-9)


def test_the_auroc_is_one_number_by_rows_by_counts_and_for_a_batch_in_training(judged) -> None:
    outcome, risk = judged
    expected = roc_auc_score(outcome, risk)
    values, place = np.unique(risk, return_inverse=True)
    events, others = (np.bincount(place, weights=mask, minlength=len(values)) for mask in (outcome, 1 - outcome))
    assert auroc_with_influence(outcome, risk)[0] == pytest.approx(expected, abs=1e-12)
    assert auroc_of_counts(events[None, :], others[None, :])[0] == pytest.approx(expected, abs=1e-12)
    assert batch_auroc(outcome[None, :].astype(int), risk[None, :, None])[0] == pytest.approx(expected, abs=1e-12)


def test_slope_and_intercept_are_those_of_statsmodels(judged) -> None:
    outcome, risk = judged
    x = scipy_logit(risk)
    slope = sm.GLM(outcome, sm.add_constant(x), family=sm.families.Binomial()).fit()
    large = sm.GLM(outcome, np.ones(len(x)), offset=x, family=sm.families.Binomial()).fit()
    assert slope_fit(outcome, risk).coefficients[1] == pytest.approx(slope.params[1], abs=1e-8)
    assert in_the_large_fit(outcome, risk).coefficients[0] == pytest.approx(large.params[0], abs=1e-8)


def test_what_has_no_slope_has_none() -> None:
    outcome = np.array([0, 0, 1, 1.0])
    assert slope_fit(outcome, np.full(4, 0.3)) is None
    assert slope_fit(outcome, np.array([0.1, 0.2, 0.3, 0.4])) is None
    assert slope_fit(np.ones(4), np.array([0.1, 0.2, 0.3, 0.4])) is None
    assert in_the_large_fit(np.ones(4), np.full(4, 0.3)) is None


@pytest.mark.parametrize(("successes", "n"), [(0, 7), (3, 10), (10, 10), (37, 400)])
def test_wilson_bounds_are_scipys(successes, n) -> None:
    theirs = binomtest(successes, n).proportion_ci(method="wilson")
    low, high = wilson_bounds(successes, n)
    assert (float(low), float(high)) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_the_logit_is_finite_at_the_ends() -> None:
    assert np.isfinite(logit(np.array([0.0, 1.0]))).all()
    np.testing.assert_allclose(logit(np.array([0.2, 0.7])), scipy_logit([0.2, 0.7]), rtol=1e-14)


def test_no_other_room_writes_its_own_auroc_log_loss_or_wilson() -> None:
    names = {"weighted_auroc", "log_loss", "log_loss_terms", "wilson_bounds", "logit"}
    found = {
        f"{path.name}:{node.name}"
        for path in ROOMS.rglob("*.py")
        if "statistics" not in path.parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.strip("_") in names
    }
    assert found == set()


def test_equal_proportions_are_tested_as_scipy_tests_a_contingency_table() -> None:
    rng = np.random.default_rng(3)
    for groups in (2, 2, 2, 3, 8):
        totals = rng.integers(10, 400, groups).astype(float)
        successes = np.floor(totals * rng.uniform(0.05, 0.9, groups))
        expected = chi2_contingency(np.stack([successes, totals - successes])).pvalue
        assert equal_proportions_p(successes, totals) == pytest.approx(expected, rel=1e-9)
