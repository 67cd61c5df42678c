"""What is not said where nobody can know it: intervals of few events, areas of constant risks, sentences beside their figures."""

import numpy as np
import pytest
from scipy.special import expit

from medcore.errors import InputError
from medcore.evaluation import compare, evaluate
from medcore.evaluation.curves.calls import calls
from medcore.evaluation.survival.horizon import Horizon, observed
from medcore.evaluation.survival.performance import evaluate_at_horizons
from medcore.models.deployed.recalibration import _fit
from medcore.statistics.survival.incidence import Incidence

RESAMPLED = ("auprc", "brier", "scaled_brier", "log_loss")


def two(risk):
    return np.column_stack([1 - risk, risk])


@pytest.mark.parametrize("n_events", [0, 1, 4, 196, 200])
def test_figures_of_few_events_have_no_resampled_interval_and_their_ratio_holds_the_truth(n_events):
    risk = np.full(200, 0.5) + np.linspace(-0.1, 0.1, 200)
    risk *= max(n_events, 2) / 200 / risk.mean() if n_events < 100 else 1
    outcome = np.zeros(200, dtype=np.int64)
    outcome[np.linspace(0, 199, n_events).astype(int)] = 1
    found = evaluate(outcome, two(np.clip(risk, 0, 1)), ("no", "yes"), n_boot=50).metrics
    for name in RESAMPLED:
        assert np.isnan(found[name].low), name
    ratio = found["o_e_ratio"]
    assert ratio.low <= ratio.value <= ratio.high
    assert n_events >= 100 or ratio.low < 1 < ratio.high


def test_the_mean_over_classes_has_no_interval_where_one_class_is_rare():
    rng = np.random.default_rng(0)
    outcome = np.repeat([0, 1, 2], [100, 97, 3])
    risk = rng.dirichlet([2, 2, 2], 200) + 0.3 * np.eye(3)[outcome]
    risk /= risk.sum(axis=1, keepdims=True)
    found = evaluate(outcome, risk, ("a", "b", "c"), n_boot=50).metrics
    for name in ("auroc", "auprc", "hand_till", "pdi"):
        assert 0 < found[name].value < 1
        assert np.isnan(found[name].low), name
    assert not np.isnan(found["log_loss"].low)
    called = calls(outcome, risk, "likeliest", shares=np.full(3, 1 / 3))
    assert np.isnan(called.mean_sensitivity.low)
    assert not np.isnan(called.accuracy.low)
    enough = evaluate(np.repeat([0, 1, 2], [100, 90, 10]), risk, ("a", "b", "c"), n_boot=50).metrics
    assert not np.isnan(enough["auroc"].low)


def test_the_verdict_is_by_the_figure_that_decides():
    rng = np.random.default_rng(1)
    score = rng.normal(-2, 1, 1000)
    outcome = (rng.random(1000) < expit(score)).astype(float)
    same_order = str(compare(outcome, expit(score), expit(score + 3), n_boot=20).verdict("A", "B"))
    assert "The risks of A come closer" in same_order
    assert "hardly matters" not in same_order
    nearly = str(compare(outcome, expit(score), expit(1.02 * score + 0.02), n_boot=20).verdict("A", "B"))
    assert "hardly matters" in nearly or "cannot be shown" in nearly
    ranks = str(compare(outcome, expit(score), rng.random(1000), n_boot=20).verdict("A", "B"))
    assert ranks.startswith("A is better than B")


def test_nothing_is_better_by_four_events():
    outcome = np.zeros(200)
    outcome[:4] = 1
    found = compare(outcome, np.linspace(0.9, 0.1, 200), np.linspace(0.1, 0.9, 200), n_boot=20)
    assert np.isnan(found.differences["auroc"].low)
    assert "too few" in str(found.verdict("A", "B"))


def test_who_tells_nobody_apart_has_no_area_to_differ_from():
    rng = np.random.default_rng(2)
    folds, score = np.repeat(np.arange(4), 100), rng.normal(-1, 1, 400)
    outcome = (rng.random(400) < expit(score)).astype(float)
    prevalence = np.array([outcome[folds != k].mean() for k in range(4)])[folds]
    found = compare(outcome, expit(score), prevalence, folds=folds, n_boot=20)
    assert not found.differences["auroc"].exists
    assert "one of the two tells nobody apart" in str(found.verdict("A", "Prevalence"))
    assert found.differences["log_loss"].high < 0


def test_no_recalibration_turns_the_order_of_patients_round():
    rng = np.random.default_rng(3)
    risk = rng.uniform(0.05, 0.9, 300)
    outcome = (rng.random(300) < 1 - risk).astype(np.int64)
    with pytest.raises(InputError, match="turn their order round"):
        _fit("slope", two(risk), outcome, np.zeros(300, dtype=np.int64))
    assert _fit("intercept", two(risk), outcome, np.zeros(300, dtype=np.int64)).method == "platt"


def test_where_everybody_had_the_event_nothing_is_scaled_by_who_had_not():
    rng = np.random.default_rng(3)
    for n in range(25, 60):
        duration, event = rng.uniform(1, 10, n), np.ones(n, dtype=np.int64)
        risk = np.clip(rng.normal(0.9, 0.02, (n, 1)), 0.5, 0.99)
        (at,) = evaluate_at_horizons(duration, event, risk, (11.0,)).at
        assert not at.metrics["scaled_brier"].exists
        assert not at.metrics["calibration_intercept"].exists
        ratio = at.metrics["o_e_ratio"]
        assert ratio.low < ratio.value - 0.01


def test_patients_who_repeat_are_counted_once_where_nobody_had_the_event():
    groups = np.repeat(np.arange(5), 10)
    duration, event = np.full(50, 9.0), np.zeros(50, dtype=np.int64)
    rows = observed(Incidence.of(duration, event), 5.0, None)
    patients = observed(Incidence.of(duration, event), 5.0, groups)
    alone = observed(Incidence.of(duration[:5], event[:5]), 5.0, None)
    assert patients.high == pytest.approx(alone.high)
    assert patients.high > rows.high
    assert not Horizon.of(duration, event, 5.0).some_had_it
