import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss as sklearn_log_loss

from medcore.data.splitting.split import SplitSettings, make_split
from medcore.models.selection.calibration import (
    EVENT_METHODS,
    MANY_CLASS_METHODS,
    NO_SHIFT,
    Calibrator,
    choose_calibrator,
    fit_calibrator,
)
from medcore.statistics.calibration import slope_fit
from medcore.statistics.scores import class_log_loss


def overconfident(n=2000, seed=0):
    rng = np.random.default_rng(seed)
    true = rng.normal(-1, 1.2, n)
    outcome = (rng.random(n) < expit(true)).astype(np.int64)
    p = expit(2.5 * true + 0.5)
    return np.column_stack([1 - p, p]), outcome, rng.integers(0, 5, n)


def slope(risk, outcome):
    return slope_fit(outcome.astype(float), risk[:, 1]).coefficients[1]


def test_log_loss_is_scikit_learns():
    risk, outcome, _folds = overconfident()
    assert class_log_loss(outcome, risk) == pytest.approx(sklearn_log_loss(outcome, risk), abs=1e-9)


def test_platt_is_a_logistic_regression_on_the_log_odds():
    risk, outcome, _folds = overconfident()
    ours = fit_calibrator("platt", risk, outcome).apply(risk)[:, 1]
    scores = logit(risk[:, [1]])
    theirs = LogisticRegression(C=np.inf, tol=1e-8).fit(scores, outcome).predict_proba(scores)[:, 1]
    np.testing.assert_allclose(ours, theirs, atol=2e-3)  # Platt's targets stop a little short of 0 and 1


def test_isotonic_is_scikit_learns_halfway_to_platts_line():
    risk, outcome, _folds = overconfident()
    calibrator = fit_calibrator("isotonic_and_platt", risk, outcome)
    edges = np.array(calibrator.parameters["x"][1:-1])  # of the steps; between two of them it is a line
    n1, n0 = outcome.sum(), (1 - outcome).sum()
    soft = np.where(outcome == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    theirs = IsotonicRegression().fit(risk[:, 1], soft).predict(edges)
    at_edges = np.column_stack([1 - edges, edges])
    line = fit_calibrator("platt", risk, outcome).apply(at_edges)[:, 1]
    halfway = expit((logit(theirs) + logit(line)) / 2)
    np.testing.assert_allclose(calibrator.apply(at_edges)[:, 1], halfway, atol=1e-9)


def test_venn_abers_agrees_with_refitting_isotonic_regression_for_one_patient():
    risk, outcome, _folds = overconfident(300)
    p = float(np.median(risk[:, 1]))
    bounds = []
    for label in (0, 1):
        x, y = np.append(risk[:, 1], p), np.append(outcome, label)
        bounds.append(IsotonicRegression().fit(x, y).predict([p])[0])
    expected = bounds[1] / (1 - bounds[0] + bounds[1])
    got = fit_calibrator("venn_abers_and_platt", risk, outcome).apply(np.array([[1 - p, p]]))[0, 1]
    platt = fit_calibrator("platt", risk, outcome).apply(np.array([[1 - p, p]]))[0, 1]
    assert got == pytest.approx(expit((logit(expected) + logit(platt)) / 2), abs=0.03)


@pytest.mark.parametrize("method", EVENT_METHODS)
def test_every_binary_method_keeps_the_order_of_patients_and_survives_json(method):
    risk, outcome, _folds = overconfident()
    calibrator = fit_calibrator(method, risk, outcome)
    grid = np.linspace(0.001, 0.999, 200)
    applied = calibrator.apply(np.column_stack([1 - grid, grid]))
    assert (np.diff(applied[:, 1]) >= -1e-9).all()
    of_patients = calibrator.apply(risk)[np.argsort(risk[:, 1]), 1]
    assert (np.diff(of_patients) > 0).all()  # no two of the patients it was learnt from become alike
    np.testing.assert_allclose(applied.sum(axis=1), 1.0)
    again = Calibrator.from_dict(json.loads(json.dumps(calibrator.to_dict())))
    np.testing.assert_array_equal(again.apply(risk), calibrator.apply(risk))


@pytest.mark.parametrize("method", ["platt", "beta", "temperature"])
def test_an_order_worse_than_chance_is_kept_too_and_never_becomes_a_tie(method):
    # In noise the half of tables whose order is luckily right would else be the only ones with an AUROC (decision 78).
    risk, outcome, folds = overconfident(n=200)
    applied = fit_calibrator(method, risk[:, ::-1], outcome).apply(risk[:, ::-1])
    order = np.argsort(risk[:, 0])
    assert (np.diff(applied[order, 1]) > 0).all()
    assert choose_calibrator(risk[:, ::-1], outcome, folds).calibrator.method != "none"


def test_overconfident_risks_are_brought_to_a_slope_of_one():
    risk, outcome, folds = overconfident()
    choice = choose_calibrator(risk, outcome, folds)
    assert slope(risk, outcome) < 0.5
    assert choice.calibrator.method != "none"
    assert slope(choice.oof, outcome) == pytest.approx(1.0, abs=0.1)
    assert choice.log_loss[choice.calibrator.method] < choice.log_loss["none"]


def test_perfect_separation_keeps_risks_inside_zero_and_one():
    p = np.where(np.arange(60) < 30, 0.01, 0.99)
    outcome = (p > 0.5).astype(np.int64)
    for method in EVENT_METHODS:
        risk = fit_calibrator(method, np.column_stack([1 - p, p]), outcome).apply(np.column_stack([1 - p, p]))
        assert np.isfinite(risk).all()
        assert ((risk > 0) & (risk < 1)).all()


def test_three_classes_are_recalibrated_too():
    rng = np.random.default_rng(1)
    scores = rng.normal(size=(1500, 3))
    true = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    outcome = np.array([rng.choice(3, p=row) for row in true])
    sharp = true**3 / (true**3).sum(axis=1, keepdims=True)
    choice = choose_calibrator(sharp, outcome, rng.integers(0, 5, 1500))
    assert set(choice.log_loss) == set(MANY_CLASS_METHODS)
    assert choice.calibrator.parameters["power"][0] == pytest.approx(1 / 3, abs=0.04)


def test_weighted_classes_are_never_left_uncalibrated():
    risk, outcome, folds = overconfident()
    assert "none" not in choose_calibrator(risk, outcome, folds, enforced=True).log_loss


def test_a_better_slope_is_not_bought_with_log_loss():
    """Outliers whose risk is wrong flatten the slope; a method may mend it and still predict worse."""
    rng = np.random.default_rng(3)
    for seed in range(6):
        risk, outcome, folds = overconfident(600, seed)
        risk = np.clip(risk + 0.15 * rng.normal(size=(600, 1)) * [[1, -1]], 0.01, 0.99)
        choice = choose_calibrator(risk / risk.sum(axis=1, keepdims=True), outcome, folds)
        assert choice.log_loss[choice.calibrator.method] == min(choice.log_loss.values())


def test_the_honest_risks_of_a_fold_come_from_what_the_other_folds_chose():
    risk, outcome, folds = overconfident(400)
    turned = np.where(folds == 0, 1 - outcome, outcome)  # fold 0 alone wants the order turned round
    choice = choose_calibrator(risk, turned, folds, methods=("none", "platt"))
    own = fit_calibrator("platt", risk[folds != 0], turned[folds != 0]).apply(risk[folds == 0])
    np.testing.assert_array_equal(choice.oof[folds == 0], own)


@pytest.mark.parametrize("seed", range(4))
def test_a_recalibration_that_does_not_pay_on_folds_without_a_say_is_left(seed):
    """Three folds choose what the odd one is harmed by: the risks stay, and are judged as they are."""
    rng = np.random.default_rng(seed)
    folds = np.repeat(np.arange(4), 250)
    score = rng.normal(size=1000)
    outcome = (rng.random(1000) < expit(score + np.array([-1.5, 0.5, 0.5, 0.5])[folds])).astype(np.int64)
    risk = np.column_stack([1 - expit(0.9 * score), expit(0.9 * score)])
    choice = choose_calibrator(risk, outcome, folds, methods=("none", "platt", "beta"))
    assert choice.calibrator.method == "none"
    np.testing.assert_array_equal(choice.oof, risk)


def test_what_is_not_recalibrated_is_judged_as_it_is():
    for seed in range(6):
        risk, outcome, folds = overconfident(150, seed)
        choice = choose_calibrator(risk**0.4 / (risk**0.4).sum(axis=1, keepdims=True), outcome, folds)
        assert class_log_loss(outcome, choice.oof) <= choice.log_loss["none"]


def test_risks_of_whole_sites_are_stretched_or_left_and_not_shifted(ward):
    """The reference network is overconfident enough that at random folds it is shifted too."""
    sites = np.array(list("ABCD") * 60, dtype=object)
    prepared = replace(ward.prepared, sites=sites)
    by_site = replace(ward, prepared=prepared, split=make_split(prepared, SplitSettings(kind="site", test_size=0.0)))
    assert ward.train("seed", epochs=20).bundle.calibrator.method not in NO_SHIFT
    assert by_site.train("seed", epochs=20).bundle.calibrator.method in NO_SHIFT
