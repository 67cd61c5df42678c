"""The calibration curve agrees with lowess, and its band holds the truth."""

import json

import numpy as np
import pytest
from sklearn.calibration import calibration_curve as sk_calibration_curve
from statsmodels.nonparametric.smoothers_lowess import lowess

from medcore.evaluation import evaluate
from medcore.evaluation.curves.calibration import calibration_curve, risk_groups


@pytest.mark.parametrize("name", ["breast", "wine", "tied"])
def test_the_curve_is_lowess_without_robustness_steps(tables, name):
    y, p = tables[name]
    found = calibration_curve(y, p, n_boot=50)
    smooth = lowess(y, p, frac=2 / 3, it=0, delta=0, return_sorted=False, xvals=found.risk)
    assert np.nanmax(np.abs(found.observed - np.clip(smooth, 0, 1))) < 0.002


def test_the_band_covers_the_truth_and_the_curve_follows_it():
    rng = np.random.default_rng(4)
    p = rng.uniform(0.05, 0.95, 4000)
    y = (rng.random(4000) < p**1.5).astype(float)
    found = calibration_curve(y, p)
    truth = found.risk**1.5
    assert np.abs(found.observed - truth).max() < 0.06
    assert np.mean((found.low <= truth) & (truth <= found.high)) > 0.8
    assert len(found.risk) <= 100


def test_tenths_of_patients_are_scikit_learns(tables):
    y, p = tables["breast"]
    observed, predicted = sk_calibration_curve(y, p, n_bins=10, strategy="quantile")
    found = risk_groups(y, p)
    assert len(found) == 10 and sum(g.n for g in found) == len(y)
    assert [g.mean_risk for g in found] == pytest.approx(predicted.tolist(), abs=0.01)
    assert [g.observed.value for g in found] == pytest.approx(observed.tolist(), abs=0.04)


@pytest.mark.parametrize("p", [np.full(30, 0.3), np.repeat([0.1, 0.6], 15), np.linspace(0, 1, 30)])
@pytest.mark.parametrize("y", [np.zeros(30), np.tile([0.0, 1.0], 15)])
def test_few_distinct_risks_and_one_class_do_not_break_the_curve(y, p):
    found = calibration_curve(y, p, n_boot=40)
    json.dumps(found.to_dict(), allow_nan=False)
    assert sum(g.n for g in found.groups) == 30
    assert found.counts.sum() == 30


def test_no_curve_is_drawn_where_there_are_no_patients():
    rng = np.random.default_rng(2)
    p = np.concatenate([rng.uniform(0.01, 0.2, 400), [0.5, 0.72, 0.9]])
    y = (rng.random(403) < p).astype(float)
    found = calibration_curve(y, p, n_boot=40)
    drawn = found.risk[np.isfinite(found.observed)]
    assert drawn.max() < 0.3 and drawn.min() < 0.02
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["observed"][-1] is None


def test_one_patients_many_rows_draw_no_curve_and_make_no_interval_narrow():
    rng = np.random.default_rng(2)
    p = np.concatenate([rng.uniform(0.01, 0.2, 400), rng.uniform(0.7, 0.72, 12)])
    y = np.concatenate([(rng.random(400) < 0.1), np.ones(12)]).astype(float)
    rows, patients = (calibration_curve(y, p, groups=g, n_boot=40) for g in (None, np.r_[np.arange(400), [400] * 12]))
    assert np.nanmax(np.where(np.isfinite(rows.observed), rows.risk, 0)) > 0.7
    assert patients.risk[np.isfinite(patients.observed)].max() < 0.3
    twice = calibration_curve(np.repeat(y, 2), np.repeat(p, 2), groups=np.repeat(np.arange(412), 2), n_boot=40)
    for one, two in zip(rows.groups[:9], twice.groups[:9], strict=True):
        assert two.observed.high - two.observed.low == pytest.approx(one.observed.high - one.observed.low, rel=0.06)


def test_a_perfectly_calibrated_model_errs_no_more_than_chance_in_95_of_100_tables():
    rng, below = np.random.default_rng(3), 0
    for _table in range(120):
        p = rng.beta(2, 4, 250)
        y = (rng.random(250) < p).astype(int)
        found = evaluate(y, np.column_stack([1 - p, p]), ("no", "yes"), n_boot=20).metrics
        below += found["ici"].value <= found["ici_chance"].value
    assert below / 120 >= 0.9
    assert np.isnan(found["ici"].low) and "never hold 0" in str(found["ici"].reason)


def test_copies_of_every_patient_leave_what_chance_gives_as_it_is():
    rng = np.random.default_rng(4)
    p = rng.beta(2, 4, 250)
    y = (rng.random(250) < p).astype(int)
    once, thrice = (
        evaluate(y[rows], np.column_stack([1 - p, p])[rows], ("no", "yes"), groups=groups, n_boot=20).metrics
        for rows, groups in ((np.arange(250), None), (np.repeat(np.arange(250), 3), np.repeat(np.arange(250), 3)))
    )
    assert thrice["ici_chance"].value == pytest.approx(once["ici_chance"].value, rel=0.1)
    assert (once["ici_chance"].method, thrice["ici_chance"].method) == ("chance", "chance_cluster")
