"""Weighted figures agree with scikit-learn, statsmodels and dcurves, and a weight of 0 is an absent row."""

import json
import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from dcurves import dca
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import logit
from sklearn import metrics as sk
from statsmodels.nonparametric.smoothers_lowess import lowess
from statsmodels.stats.weightstats import DescrStatsW

from medcore.evaluation import (
    Confusion,
    Evaluation,
    calibration_curve,
    confusion,
    decision_curve,
    evaluate,
    net_benefit,
)
from medcore.evaluation.figures.weighting import degrees_of_freedom

CLASSES = ("no", "yes")
TABLES = ["breast", "wine", "tied"]
Z95 = 1.959963984540054


def two_columns(risk):
    return np.column_stack([1 - risk, risk])


def judged(outcome, risk, weights, **options):
    return evaluate(outcome, two_columns(risk), CLASSES, weights=weights, **{"n_boot": 50} | options).metrics


def satterthwaite(pulls):
    """Degrees of freedom of the sum of squares: twice its square over its variance."""
    squares = np.square(pulls)
    variance = len(squares) * squares.var()
    return 2 * squares.sum() ** 2 / variance if variance > 0 else math.inf


def hc3_pulls(linear):
    """What leaving each row out of a least squares fit changes, row by row."""
    hat = linear.get_influence().hat_matrix_diag
    return (linear.model.pinv_wexog * (linear.resid / (1 - hat))).T


def uneven(n, seed=1):
    """Weights between 0.2 and 5, one in ten of them 0."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(n) < 0.1, 0.0, np.exp(rng.uniform(np.log(0.2), np.log(5), n)))


@pytest.mark.parametrize("name", TABLES)
def test_weighted_discrimination_and_overall_figures_agree_with_scikit_learn(tables, name):
    y, p = tables[name]
    w = uneven(len(y))
    found, share = judged(y, p, w), np.average(y, weights=w)
    brier = sk.brier_score_loss(y, p, sample_weight=w)
    assert found["auroc"].value == pytest.approx(sk.roc_auc_score(y, p, sample_weight=w), abs=1e-12)
    assert found["auprc"].value == pytest.approx(sk.average_precision_score(y, p, sample_weight=w), abs=1e-12)
    assert found["brier"].value == pytest.approx(brier, abs=1e-12)
    assert found["log_loss"].value == pytest.approx(sk.log_loss(y, p, sample_weight=w), abs=1e-12)
    assert found["scaled_brier"].value == pytest.approx(1 - brier / (share * (1 - share)), abs=1e-12)
    assert found["o_e_ratio"].value == pytest.approx((w @ y) / (w @ p), abs=1e-12)


@pytest.mark.parametrize("name", TABLES)
def test_weighted_calibration_and_its_robust_interval_agree_with_statsmodels(tables, name):
    y, p = tables[name]
    w = uneven(len(y))
    found, x = judged(y, p, w), np.log(p / (1 - p))
    design, ones = sm.add_constant(x), np.ones((len(y), 1))
    kept, family = w > 0, sm.families.Binomial()
    slope = sm.GLM(y[kept], design[kept], family=family, var_weights=w[kept])
    large = sm.GLM(y[kept], ones[kept], offset=x[kept], family=family, var_weights=w[kept])
    for figure, model, place in (("calibration_slope", slope, 1), ("calibration_intercept", large, 0)):
        fit = model.fit(tol=1e-12)
        assert found[figure].value == pytest.approx(fit.params[place], abs=1e-7)
        # At its solution the fit is least squares of the working response, of which statsmodels knows HC3.
        fitted = fit.fittedvalues
        spread = fitted * (1 - fitted)
        response = model.exog @ fit.params + (y[kept] - fitted) / spread
        root = np.sqrt(w[kept] * spread)
        linear = sm.OLS(root * response, root[:, None] * model.exog).fit()
        degrees = satterthwaite(hc3_pulls(linear)[:, place])
        half = stats.t.ppf(0.975, degrees) * linear.HC3_se[place]
        assert found[figure].high - found[figure].value == pytest.approx(half, abs=1e-6)
        assert found[figure].value - found[figure].low == pytest.approx(half, abs=1e-6)
        assert found[figure].method == "weighted"


@pytest.mark.parametrize("name", TABLES)
def test_the_weighted_aurocs_interval_is_that_of_leaving_each_patient_out(tables, name):
    y, p = (column[::3] for column in tables[name])
    w = uneven(len(y)) + 0.01
    found, everyone = judged(y, p, w)["auroc"], np.arange(len(y))
    without = [sk.roc_auc_score(y[rest], p[rest], sample_weight=w[rest]) for rest in (everyone != i for i in everyone)]
    change = sk.roc_auc_score(y, p, sample_weight=w) - np.array(without)
    half = stats.t.ppf(0.975, satterthwaite(change)) * math.sqrt(change @ change)
    half /= found.value * (1 - found.value)  # on the log-odds scale
    assert logit(found.value) - logit(found.low) == pytest.approx(half, rel=1e-6)
    assert logit(found.high) - logit(found.value) == pytest.approx(half, rel=1e-6)


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("repeats", [1, 3])
def test_weights_that_hardly_differ_give_nearly_the_unweighted_intervals(tables, name, repeats):
    y, p = tables[name]
    groups = None if repeats == 1 else np.arange(len(y)) // repeats
    w = 1 + 1e-6 * np.arange(len(y)) / len(y)
    plain, weighted = judged(y, p, None, groups=groups), judged(y, p, w, groups=groups)
    for figure in ("auroc", "calibration_slope", "calibration_intercept"):
        before, after = (e.high - e.low for e in (plain[figure], weighted[figure]))
        # The model's variance (Wald) is not the robust one, even where all count alike.
        assert after == pytest.approx(before, rel=0.1 if figure == "auroc" else 0.35), figure
        assert weighted[figure].value == pytest.approx(plain[figure].value, abs=1e-6), figure


@settings(deadline=None)
@given(st.lists(st.floats(-10, 10), min_size=2, max_size=60).filter(lambda x: max(map(abs, x)) > 1e-3))
def test_degrees_of_freedom_are_those_of_the_spread_of_squares_and_at_least_two(values):
    influence = np.array(values)
    found = degrees_of_freedom(influence)
    assert found == pytest.approx(min(satterthwaite(influence), 1e6), rel=1e-6)
    assert found >= 2
    assert degrees_of_freedom(3 * influence) == pytest.approx(found, rel=1e-6)


@pytest.mark.parametrize("name", TABLES)
def test_whole_weights_are_repeated_patients_for_every_point_estimate(tables, name):
    y, p = tables[name]
    w = np.random.default_rng(4).integers(0, 4, len(y))
    weighted, repeated = judged(y, p, w.astype(float)), judged(np.repeat(y, w), np.repeat(p, w), None)
    assert {f for f in repeated if f not in weighted} == {f for f in repeated if f.endswith("_chance")}
    for figure in weighted:
        estimate = repeated[figure]
        # A curve's windows, and quantiles, are rounded to whole patients: the two differ by less than one of them.
        near = 3e-3 if figure in ("ici", "e50", "e90") else 1e-9
        assert weighted[figure].value == pytest.approx(estimate.value, abs=near), figure


@pytest.mark.parametrize("name", TABLES)
def test_weighted_calibration_curve_is_loess_over_repeated_patients(tables, name):
    y, p = tables[name]
    w = np.random.default_rng(4).integers(0, 4, len(y))
    curve = calibration_curve(y.astype(float), p, weights=w.astype(float), n_boot=40)
    yy, pp = np.repeat(y, w), np.repeat(p, w)
    smooth = lowess(yy, pp, frac=2 / 3, it=0, delta=0)
    expected = np.interp(curve.risk, smooth[:, 0], smooth[:, 1])
    drawn = ~np.isnan(curve.observed)  # where fewer than five patients are near, there is no curve
    assert drawn.mean() > 0.9
    assert curve.observed[drawn] == pytest.approx(np.clip(expected, 0, 1)[drawn], abs=0.02)
    assert sum(g.n for g in curve.groups) == (w > 0).sum()


@pytest.mark.parametrize("name", TABLES)
def test_weighted_calls_agree_with_scikit_learn(tables, name):
    y, p = tables[name]
    w = uneven(len(y))
    found, called = confusion(y.astype(float), p, 0.4, weights=w), p >= 0.4
    assert found.n == (w > 0).sum()
    assert found.sensitivity.value == pytest.approx(sk.recall_score(y, called, sample_weight=w), abs=1e-12)
    assert found.specificity.value == pytest.approx(sk.recall_score(y == 0, ~called, sample_weight=w), abs=1e-12)
    assert found.ppv.value == pytest.approx(sk.precision_score(y, called, sample_weight=w), abs=1e-12)
    assert found.npv.value == pytest.approx(sk.precision_score(y == 0, ~called, sample_weight=w), abs=1e-12)
    assert found.accuracy.value == pytest.approx(sk.accuracy_score(y, called, sample_weight=w), abs=1e-12)
    assert found.f1 == pytest.approx(sk.f1_score(y, called, sample_weight=w), abs=1e-12)
    assert found.study_prevalence == pytest.approx(np.average(y, weights=w), abs=1e-12)
    assert Confusion.from_dict(json.loads(json.dumps(found.to_dict()))).to_dict() == found.to_dict()


@pytest.mark.parametrize("name", TABLES)
def test_weighted_net_benefit_agrees_with_dcurves_on_repeated_patients(tables, name):
    y, p = tables[name]
    w = np.random.default_rng(4).integers(0, 4, len(y))
    grid = np.array([0.05, 0.1, 0.2, 0.4, 0.7])
    table = pd.DataFrame({"y": np.repeat(y, w), "model": np.repeat(p, w)})
    theirs = dca(data=table, outcome="y", modelnames=["model"], thresholds=grid).set_index(["model", "threshold"])
    curve = decision_curve(y.astype(float), p, thresholds=grid, weights=w.astype(float))
    for i, t in enumerate(grid):
        assert curve.net_benefit[i] == pytest.approx(theirs.loc[("model", t), "net_benefit"], abs=1e-9)
        assert curve.treat_all[i] == pytest.approx(theirs.loc[("all", t), "net_benefit"], abs=1e-9)
        one = net_benefit(y.astype(float), p, t, weights=w.astype(float))
        assert (one.value, one.low, one.high) == pytest.approx((curve.net_benefit[i], curve.low[i], curve.high[i]))
        assert confusion(y.astype(float), p, t, weights=w.astype(float)).net_benefit == pytest.approx(one.value)


@pytest.mark.parametrize("name", TABLES)
def test_a_weight_of_zero_is_exactly_an_absent_row(tables, name):
    y, p = tables[name]
    w = uneven(len(y))
    kept = w > 0
    options = {"threshold": 0.3, "n_boot": 60}
    whole = evaluate(y, two_columns(p), CLASSES, weights=w, groups=np.arange(len(y)) // 3, **options)
    groups = (np.arange(len(y)) // 3)[kept]
    without = evaluate(y[kept], two_columns(p)[kept], CLASSES, weights=w[kept], groups=groups, **options)
    assert whole.to_dict() == without.to_dict()


@pytest.mark.parametrize("factor", [1e-6, 7.0])
def test_only_the_ratios_of_weights_matter(tables, factor):
    y, p = tables["breast"]
    w = uneven(len(y))
    once, scaled = judged(y, p, w), judged(y, p, factor * w)
    for figure in once:
        assert scaled[figure].to_dict()["value"] == pytest.approx(once[figure].value, abs=1e-9), figure
        assert scaled[figure].high == pytest.approx(once[figure].high, abs=1e-9, nan_ok=True), figure


def test_equal_weights_are_no_weights(tables):
    y, p = tables["wine"]
    options = {"threshold": 0.3, "n_boot": 60}
    weighted = evaluate(y, two_columns(p), CLASSES, weights=np.full(len(y), 2.5), **options)
    assert weighted.to_dict() == evaluate(y, two_columns(p), CLASSES, **options).to_dict()


def test_weighted_intervals_are_as_wide_as_a_plain_bootstrap_of_scikit_learns_figures(tables):
    y, p = tables["breast"]
    w = uneven(len(y))
    found, calls = judged(y, p, w, n_boot=400), confusion(y.astype(float), p, 0.4, weights=w)
    rng, drawn = np.random.default_rng(0), []
    for _ in range(800):
        i = rng.integers(0, len(y), len(y))
        a, b, c = y[i], p[i], w[i]
        drawn.append(
            [
                sk.roc_auc_score(a, b, sample_weight=c),
                sk.average_precision_score(a, b, sample_weight=c),
                sk.brier_score_loss(a, b, sample_weight=c),
                net_benefit(a.astype(float), b, 0.4, weights=c).value,
                sk.recall_score(a, b >= 0.4, sample_weight=c),
            ]
        )
    benefit = net_benefit(y.astype(float), p, 0.4, weights=w)
    estimates = [found["auroc"], found["auprc"], found["brier"], benefit, calls.sensitivity]
    for estimate, spread in zip(estimates, np.std(drawn, axis=0), strict=True):
        assert (estimate.high - estimate.low) / (2 * Z95) == pytest.approx(spread, rel=0.15)


def test_the_interval_of_a_weighted_share_has_the_linearised_width(tables):
    y, p = tables["breast"]
    w = uneven(len(y)) + 0.01
    found = confusion(y.astype(float), p, 0.4, weights=w).accuracy
    hit = ((p >= 0.4) == (y == 1)).astype(float)
    by_statsmodels = DescrStatsW(hit, weights=w)
    error = math.sqrt(w**2 @ (hit - by_statsmodels.mean) ** 2) / w.sum()
    assert found.value == pytest.approx(by_statsmodels.mean, abs=1e-12)
    assert (found.high - found.low) / (2 * Z95) == pytest.approx(error, rel=0.02)


def test_weighted_multiclass_figures_agree_with_scikit_learn(three_classes):
    y, risk = three_classes
    w = uneven(len(y))
    found = evaluate(y, risk, ("a", "b", "c"), weights=w, n_boot=60)
    aurocs = [sk.roc_auc_score(y == k, risk[:, k], sample_weight=w) for k in range(3)]
    assert found.metrics["auroc"].value == pytest.approx(np.mean(aurocs), abs=1e-12)
    assert found.metrics["log_loss"].value == pytest.approx(sk.log_loss(y, risk, sample_weight=w), abs=1e-12)
    brier = np.average(((risk - np.eye(3)[y]) ** 2).sum(1), weights=w)
    assert found.metrics["brier"].value == pytest.approx(brier, abs=1e-12)
    right = sk.accuracy_score(y, risk.argmax(1), sample_weight=w)
    assert found.metrics["accuracy"].value == pytest.approx(right, abs=1e-12)
    assert np.sum(found.table) == (w > 0).sum()


AWKWARD = {
    "ties": (np.tile([0, 1, 1, 0], 10), np.tile([0.2, 0.2, 0.6, 0.6], 10)),
    "one event": (np.eye(1, 30, 4, dtype=np.int64)[0], np.linspace(0.1, 0.9, 30)),
    "perfect separation": (np.repeat([0, 1], 20), np.repeat([0.2, 0.8], 20) + np.linspace(0, 0.1, 40)),
    "one class only": (np.zeros(30, np.int64), np.linspace(0.1, 0.9, 30)),
}


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_weighted_data_give_a_reason_not_a_crash(name):
    y, p = AWKWARD[name]
    w = np.linspace(0, 3, len(y))
    result = evaluate(y, two_columns(p), CLASSES, weights=w, threshold=0.5, n_boot=60)
    assert Evaluation.from_dict(json.loads(json.dumps(result.to_dict(), allow_nan=False))).to_dict() == result.to_dict()
    for metric, estimate in result.metrics.items():
        assert math.isfinite(estimate.low) or estimate.reason is not None, metric
    if name != "one class only":
        expected = sk.roc_auc_score(y, p, sample_weight=w)
        assert result.metrics["auroc"].value == pytest.approx(expected, abs=1e-12)


def test_events_that_all_weigh_nothing_leave_one_class():
    y, p = np.tile([0, 1], 20), np.linspace(0.1, 0.9, 40)
    found = evaluate(y, two_columns(p), CLASSES, weights=(y == 0) * 1.0, n_boot=60)
    assert found.n_events == 0
    assert not found.metrics["auroc"].exists


@pytest.mark.parametrize("bad", [[1.0, -1.0], [1.0, math.nan], [1.0, math.inf], [0.0, 0.0], [1.0]])
def test_weights_that_cannot_be_are_refused(bad):
    with pytest.raises(ValueError, match="weights"):
        evaluate(np.array([0, 1]), two_columns(np.array([0.1, 0.9])), CLASSES, weights=np.array(bad))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4), st.integers(0, 3)), min_size=2, max_size=40))
def test_weighted_auroc_is_that_of_repeated_patients(rows):
    y, p, w = (np.array(column) for column in zip(*rows, strict=True))
    repeated = np.repeat(y, w)
    if repeated.all() or not repeated.any():
        return
    found = evaluate(y.astype(np.int64), two_columns(p / 4), CLASSES, weights=w.astype(float), n_boot=20)
    assert found.metrics["auroc"].value == pytest.approx(sk.roc_auc_score(repeated, np.repeat(p, w)), abs=1e-12)


def test_calls_at_a_threshold_leave_rows_of_weight_zero_out_too():
    rng = np.random.default_rng(3)
    outcome, risk, weights = rng.integers(0, 2, 60), rng.random(60), uneven(60)
    assert (weights == 0).any()
    found = evaluate(outcome, two_columns(risk), CLASSES, weights=weights, threshold=0.4, n_boot=20).confusion
    expected = confusion(outcome.astype(float), risk, 0.4, weights=weights)
    assert (found.tp, found.fp, found.fn, found.tn) == (expected.tp, expected.fp, expected.fn, expected.tn)
    np.testing.assert_allclose(found.weights, expected.weights, rtol=1e-12)
