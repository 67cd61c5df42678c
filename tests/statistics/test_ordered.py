"""Ordered outcomes: MASS::polr, rms::lrm with a penalty, Hmisc's concordance, statsmodels, and sums written out."""

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from statsmodels.miscmodels.ordinal_model import OrderedModel

from medcore.statistics.ordered_classes import expected_class, generalised_c, ordinal_c, ranked_probability_terms
from medcore.statistics.proportional_odds import class_probabilities, fit_proportional_odds

GOLDEN = json.loads((Path(__file__).parent.parent / "golden" / "ordinal.json").read_text())


@pytest.fixture(scope="module")
def housing():
    return np.array(GOLDEN["outcome"]), np.array(GOLDEN["design"], dtype=float), np.array(GOLDEN["count"], dtype=float)


def patients(n=300, seed=0):
    rng = np.random.default_rng(seed)
    design = rng.normal(size=(n, 3))
    score = design @ [1.0, -0.5, 0.2]
    outcome = np.digitize(score + rng.logistic(size=n), [-1.0, 0.5, 2.0])
    return outcome, design, class_probabilities(score, np.array([-1.0, 0.5, 2.0]))


def test_proportional_odds_are_those_of_polr(housing):
    outcome, design, count = housing
    fit = fit_proportional_odds(outcome, design, weights=count)
    assert fit.coefficients == pytest.approx(GOLDEN["coefficients"], abs=1e-5)
    assert fit.thresholds == pytest.approx(GOLDEN["thresholds"], abs=1e-5)
    risk = class_probabilities(design @ fit.coefficients, fit.thresholds)
    likelihood = count @ np.log(risk[np.arange(len(outcome)), outcome])
    assert likelihood == pytest.approx(GOLDEN["log_likelihood"], abs=1e-8)


def test_the_penalty_is_that_of_lrm(housing):
    outcome, design, count = housing
    fit = fit_proportional_odds(outcome, design, weights=count, penalty=5.0)
    assert fit.coefficients == pytest.approx(GOLDEN["ridge_coefficients"], abs=1e-6)
    assert fit.thresholds == pytest.approx(GOLDEN["ridge_thresholds"], abs=1e-6)


def test_they_are_those_of_statsmodels():
    outcome, design, _risk = patients()
    theirs = OrderedModel(outcome, design, distr="logit").fit(method="bfgs", gtol=1e-9, disp=False)
    ours = fit_proportional_odds(outcome, design)
    assert ours.coefficients == pytest.approx(theirs.params[:3], abs=1e-5)
    assert ours.thresholds == pytest.approx(theirs.model.transform_threshold_params(theirs.params)[1:-1], abs=1e-5)


def test_a_perfectly_ordered_table_is_kept_finite_by_the_penalty():
    fit = fit_proportional_odds(np.repeat([0, 1, 2], 20), np.arange(60.0)[:, None] / 60, penalty=0.01)
    assert np.isfinite(fit.coefficients).all() and (np.diff(fit.thresholds) > 0).all()


def test_concordance_over_patients_is_hmiscs_and_over_classes_the_mean_of_its_pairs(housing):
    outcome, design, count = housing
    fit = fit_proportional_odds(outcome, design, weights=count)
    rows = np.repeat(np.arange(len(outcome)), count.astype(int))
    risk = class_probabilities((design @ fit.coefficients)[rows], fit.thresholds)
    value, influence = generalised_c(outcome[rows], risk)
    assert value == pytest.approx(GOLDEN["generalised_c"], abs=1e-9)
    # the error of Somers' D, which is 2c − 1; Hmisc's is by pairs of patients, within a per cent of ours
    assert 2 * np.sqrt(influence @ influence) == pytest.approx(GOLDEN["somers_error"], rel=0.01)
    assert ordinal_c(outcome[rows], risk)[0] == pytest.approx(GOLDEN["ordinal_c"], abs=1e-9)


@pytest.mark.parametrize("figure", [ordinal_c, generalised_c])
def test_influences_are_by_how_much_the_figure_changes_without_a_patient(figure):
    outcome, _design, risk = patients(200)
    value, influence = figure(outcome, risk)
    without = [figure(np.delete(outcome, i), np.delete(risk, i, axis=0))[0] for i in range(40)]
    assert np.corrcoef(influence[:40], value - np.array(without))[0, 1] > 0.999


def test_the_ordinal_c_index_is_the_mean_of_the_pairs_areas():
    outcome, _design, risk = patients()
    score = expected_class(risk)
    areas = [
        roc_auc_score(outcome[w] == b, score[w])
        for a, b in combinations(range(4), 2)
        if (w := np.isin(outcome, (a, b))) is not None
    ]
    assert ordinal_c(outcome, risk)[0] == pytest.approx(np.mean(areas), abs=1e-12)


def test_the_ranked_probability_score_is_the_mean_brier_score_of_the_cuts():
    outcome, _design, risk = patients()
    cuts = [np.mean((risk[:, k:].sum(axis=1) - (outcome >= k)) ** 2) for k in (1, 2, 3)]
    assert ranked_probability_terms(outcome, risk).mean() == pytest.approx(np.mean(cuts), abs=1e-12)
    both = np.column_stack([risk[:, 0], 1 - risk[:, 0]])
    event = outcome > 0
    assert ranked_probability_terms(event.astype(int), both).mean() == pytest.approx(np.mean((both[:, 1] - event) ** 2))


def test_chance_is_a_half():
    outcome, _design, risk = patients(4000)
    shuffled = np.random.default_rng(1).permutation(risk)
    assert ordinal_c(outcome, shuffled)[0] == pytest.approx(0.5, abs=0.03)
    assert generalised_c(outcome, shuffled)[0] == pytest.approx(0.5, abs=0.02)
