import numpy as np
import pytest
from scipy.special import expit

from medcore.evaluation.figures.estimates import Estimate
from medcore.evaluation.figures.folds import of_the_final_model
from medcore.evaluation.figures.performance import evaluate
from medcore.statistics.calibration import slope_fit
from medcore.statistics.logistic import fit_logistic, logit

EFFECTS = np.array([-0.4, 0.9, -0.6, 0.4, 0.0, 0.0, 0.0])


def sample(n, rng):
    design = np.column_stack([np.ones(n), rng.normal(size=(n, 6))])
    return design, expit(design @ EFFECTS)


def cross_fitted(design, outcome, folds):
    risk = np.empty(len(outcome))
    for fold in np.unique(folds):
        fit = fit_logistic(outcome[folds != fold], design[folds != fold])
        risk[folds == fold] = expit(design[folds == fold] @ fit.coefficients)
    return risk


def test_the_interval_of_an_out_of_fold_slope_holds_the_slope_of_the_model_that_is_delivered():
    rng = np.random.default_rng(0)
    new, chance = sample(2000, rng)
    held, naive, repeats = 0, 0, 120
    for _repeat in range(repeats):
        design, p = sample(200, rng)
        outcome = (rng.random(200) < p).astype(float)
        folds = np.arange(200) % 5
        risk = cross_fitted(design, outcome, folds)
        delivered = expit(new @ fit_logistic(outcome, design).coefficients)
        true = fit_logistic(chance, np.column_stack([np.ones(2000), logit(delivered)])).coefficients[1]
        fit = slope_fit(outcome, risk)
        half = 1.96 * np.sqrt(fit.covariance[1, 1])
        wald = Estimate(fit.coefficients[1], fit.coefficients[1] - half, fit.coefficients[1] + half, "wald")
        final = of_the_final_model(wald, folds)
        held += final.low <= true <= final.high
        naive += wald.low <= true <= wald.high
    assert held / repeats > 0.92
    assert held > naive


def test_the_value_stays_and_only_folds_widen_the_interval():
    rng = np.random.default_rng(1)
    _design, p = sample(300, rng)
    outcome, folds = (rng.random(300) < p).astype(np.int64), np.arange(300) % 5
    risk = np.column_stack([1 - p, p])
    plain = evaluate(outcome, risk, ("no", "yes"), n_boot=20).metrics["calibration_slope"]
    final = evaluate(outcome, risk, ("no", "yes"), folds=folds, n_boot=20).metrics["calibration_slope"]
    assert final.value == plain.value
    assert plain.value - final.low == pytest.approx(np.sqrt(1.5) * (plain.value - plain.low))
    assert final.high > plain.high
    assert (plain.method, final.method) == ("wald", "final")


@pytest.mark.parametrize("value", [-0.2, 0.0, 0.01, 0.3])
def test_a_slope_near_zero_has_bounds_that_a_reader_can_use(value):
    final = of_the_final_model(Estimate(value, value - 0.4, value + 0.4, "wald"), np.arange(50) % 5)
    assert -1 < final.low < value < final.high < 1.5


def test_more_than_two_classes_and_repeated_patients_are_treated_alike():
    rng = np.random.default_rng(2)
    risk = rng.dirichlet([2, 2, 2], 300)
    outcome = np.array([rng.choice(3, p=row) for row in risk])
    judged = evaluate(outcome, risk, ("a", "b", "c"), folds=np.arange(300) % 5, groups=np.arange(300) // 3, n_boot=20)
    slopes = [judged.metrics["calibration_slope"], *(m["calibration_slope"] for m in judged.per_class.values())]
    assert {s.method for s in slopes} == {"final_cluster"}
