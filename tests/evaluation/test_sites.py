"""Sites are judged each and summed up as metafor does; none is dropped without a word."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from medcore.evaluation import evaluate
from medcore.evaluation.groups.sites import compare_sites
from medcore.statistics.meta_analysis import random_effects

METAFOR = json.loads((Path(__file__).parents[1] / "golden" / "metafor_reml.json").read_text())["tables"]


@pytest.mark.parametrize("table", METAFOR.values(), ids=METAFOR.keys())
def test_random_effects_are_those_of_metafor(table) -> None:
    fit = random_effects(np.array(table["y"], dtype=float), np.array(table["se"], dtype=float))
    assert fit.mean == pytest.approx(table["mean"], abs=1e-10)
    assert fit.tau2 == pytest.approx(table["tau2"], abs=1e-10)
    assert fit.i2 == pytest.approx(table["i2"], abs=1e-10)
    # Hartung-Knapp, but never narrower than the ordinary interval.
    assert fit.error == pytest.approx(max(table["se_hartung_knapp"], table["se_ordinary"]), abs=1e-10)


def hospitals(n_sites: int, *, spread: float, n: int = 400, seed: int = 0):
    """Sites whose outcomes are all more, or all less, common than predicted, by a normal shift."""
    rng = np.random.default_rng(seed)
    site = np.repeat([f"site {k:02d}" for k in range(n_sites)], n)
    shift = np.repeat(rng.normal(0, spread, n_sites), n)
    score = rng.normal(-1, 1, len(site))
    outcome = (rng.random(len(site)) < expit(score + shift)).astype(float)
    return outcome, expit(score), pd.Series(site)


def test_sites_that_differ_by_chance_only_have_little_heterogeneity() -> None:
    found = compare_sites(*hospitals(10, spread=0.0)).means["calibration_intercept"]
    assert found.i2 < 0.4
    assert found.expected.low < 0 < found.expected.high


def test_sites_that_differ_widen_the_prediction_interval_and_not_only_the_mean() -> None:
    means = compare_sites(*hospitals(10, spread=1.0)).means
    intercept, area = means["calibration_intercept"], means["auroc"]
    assert intercept.i2 > 0.8
    assert intercept.expected.high - intercept.expected.low > 2 * (intercept.mean.high - intercept.mean.low)
    assert 0.5 < area.expected.low < area.mean.low < area.mean.value < area.mean.high < 1
    assert "10 sites" in str(area.sentence("AUROC"))


def test_every_site_counts_also_beyond_the_twelve_commonest() -> None:
    found = compare_sites(*hospitals(20, spread=0.3, n=60))
    assert len(found.sites) == 20 and found.means["calibration_intercept"].n_sites == 20
    assert json.dumps(found.to_dict(), allow_nan=False)


def test_a_site_without_a_figure_is_named_and_an_unknown_site_is_counted() -> None:
    outcome, risk, site = hospitals(4, spread=0.3)
    outcome[site == "site 02"] = 0
    site[:7] = None
    found = compare_sites(outcome, risk, site)
    assert [str(key) for key in found.means["auroc"].left_out] == ["site 02"]
    assert "site 02" in str(found.means["auroc"].without()) and found.n_unknown == 7
    assert found.means["auroc"].n_sites == 3


def test_two_sites_have_a_mean_and_no_prediction_interval_and_one_has_neither() -> None:
    found = compare_sites(*hospitals(2, spread=0.5)).means["auroc"]
    assert np.isnan(found.expected.low) and found.to_dict()["prediction_interval"]["low"] is None
    assert "too few sites" in str(found.sentence("AUROC"))
    assert compare_sites(*hospitals(1, spread=0.5)).means == {}


def test_a_model_that_tells_nobody_apart_within_a_fold_has_no_auroc() -> None:
    outcome, _risk, site = hospitals(4, spread=1.5)
    folds = pd.factorize(site)[0]
    prevalence = np.array([outcome[folds != f].mean() for f in range(4)])[folds]
    assert roc_auc_score(outcome, prevalence) < 0.4  # the artefact: rarer elsewhere where it is commoner here
    two = np.column_stack([1 - prevalence, prevalence])
    found = evaluate(outcome.astype(int), two, ("no", "yes"), folds=folds, n_boot=50).metrics
    assert not found["auroc"].exists and not found["calibration_slope"].exists and found["log_loss"].exists


def test_the_mean_over_folds_stands_beside_a_pooled_auroc_that_differs() -> None:
    outcome, risk, site = hospitals(4, spread=0.0)
    folds = pd.factorize(site)[0]
    shifted = expit(np.log(risk / (1 - risk)) + np.array([0, 2.0, -2.0, 1.0])[folds])
    each = [roc_auc_score(outcome[folds == f], shifted[folds == f]) for f in range(4)]
    found = evaluate(outcome.astype(int), np.column_stack([1 - shifted, shifted]), ("a", "b"), folds=folds, n_boot=50)
    assert found.metrics["auroc_mean_of_folds"].value == pytest.approx(np.mean(each), abs=1e-12)
    same = evaluate(outcome.astype(int), np.column_stack([1 - risk, risk]), ("a", "b"), folds=folds, n_boot=50)
    assert "auroc_mean_of_folds" not in same.metrics
