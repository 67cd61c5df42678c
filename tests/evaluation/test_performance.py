"""Summary figures agree with independent implementations and survive awkward data."""

import json
import math

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import logit
from sklearn import metrics as sk
from statsmodels.nonparametric.smoothers_lowess import lowess

from medcore.evaluation import Evaluation, evaluate

CLASSES = ("no", "yes")


def two_columns(risk):
    return np.column_stack([1 - risk, risk])


def judged(outcome, risk, **options):
    return evaluate(outcome, two_columns(risk), CLASSES, **{"n_boot": 50} | options).metrics


@pytest.mark.parametrize("name", ["breast", "wine", "tied"])
def test_discrimination_and_overall_figures_agree_with_scikit_learn(tables, name):
    y, p = tables[name]
    found = judged(y, p)
    assert found["auroc"].value == pytest.approx(sk.roc_auc_score(y, p), abs=1e-12)
    assert found["auprc"].value == pytest.approx(sk.average_precision_score(y, p), abs=1e-12)
    assert found["brier"].value == pytest.approx(sk.brier_score_loss(y, p), abs=1e-12)
    assert found["log_loss"].value == pytest.approx(sk.log_loss(y, p), abs=1e-12)
    assert found["scaled_brier"].value == pytest.approx(1 - sk.brier_score_loss(y, p) / np.var(y), abs=1e-12)
    assert found["o_e_ratio"].value == pytest.approx(y.sum() / p.sum(), abs=1e-12)


def delong_by_pairs(y, p):
    """DeLong's variance from every pair of patients, as the 1988 paper writes it."""
    x, z = p[y == 1], p[y == 0]
    kernel = (x[:, None] > z[None, :]) + 0.5 * (x[:, None] == z[None, :])
    return kernel.mean(1).var(ddof=1) / len(x) + kernel.mean(0).var(ddof=1) / len(z)


@pytest.mark.parametrize("name", ["breast", "wine", "tied"])
def test_auroc_interval_is_delongs(tables, name):
    y, p = tables[name]
    auroc = judged(y, p)["auroc"]
    error = math.sqrt(delong_by_pairs(y, p)) / (auroc.value * (1 - auroc.value))
    low, high = (abs(logit(bound) - logit(auroc.value)) / error for bound in (auroc.low, auroc.high))
    assert low == pytest.approx(high) and 1.96 <= low < 2.2  # Student's t of DeLong's own degrees of freedom
    assert auroc.method == "delong_logit"


@pytest.mark.parametrize("name", ["breast", "wine", "tied"])
def test_calibration_slope_and_intercept_agree_with_statsmodels(tables, name):
    y, p = tables[name]
    found = judged(y, p)
    x = np.log(p / (1 - p))
    slope = sm.GLM(y, sm.add_constant(x), family=sm.families.Binomial()).fit(tol=1e-12)
    large = sm.GLM(y, np.ones((len(y), 1)), offset=x, family=sm.families.Binomial()).fit(tol=1e-12)
    for name_, fit, i in (("calibration_slope", slope, 1), ("calibration_intercept", large, 0)):
        low, high = fit.conf_int()[i]
        assert found[name_].value == pytest.approx(fit.params[i], abs=1e-7)
        assert (found[name_].low, found[name_].high) == pytest.approx((low, high), abs=1e-6)


@pytest.mark.parametrize("name", ["breast", "wine", "tied"])
def test_ici_e50_e90_agree_with_statsmodels_lowess(tables, name):
    y, p = tables[name]
    found = judged(y, p)
    smooth = lowess(y, p, frac=2 / 3, it=0, delta=0, return_sorted=False)
    gap = np.abs(smooth - p)
    tolerance = 1e-4 if name == "tied" else 1e-3
    assert found["ici"].value == pytest.approx(gap.mean(), abs=tolerance)
    assert found["e50"].value == pytest.approx(np.median(gap), abs=tolerance)
    assert found["e90"].value == pytest.approx(np.quantile(gap, 0.9), abs=2 * tolerance)


def test_slope_interval_with_repeated_patients_is_the_cluster_robust_one(tables):
    y, p = tables["breast"]
    groups = np.arange(len(y)) // 4
    found = judged(y, p, groups=groups)["calibration_slope"]
    design = sm.add_constant(np.log(p / (1 - p)))
    fit = sm.GLM(y, design, family=sm.families.Binomial()).fit(
        tol=1e-12, cov_type="cluster", cov_kwds={"groups": groups}
    )
    n_groups = groups.max() + 1
    statsmodels_factor = (n_groups / (n_groups - 1)) * (len(y) - 1) / (len(y) - 2)
    expected = fit.bse[1] ** 2 / statsmodels_factor * n_groups / (n_groups - 1)
    assert ((found.high - found.low) / (2 * 1.959963984540054)) ** 2 == pytest.approx(expected, rel=1e-6)


def test_repeating_every_patient_does_not_narrow_clustered_intervals(tables):
    y, p = tables["wine"]
    once = judged(y, p, n_boot=400)
    thrice = judged(np.repeat(y, 3), np.repeat(p, 3), groups=np.repeat(np.arange(len(y)), 3), n_boot=400)
    for name in ("auroc", "brier", "auprc", "calibration_slope"):
        width = once[name].high - once[name].low
        assert thrice[name].high - thrice[name].low == pytest.approx(width, rel=0.2), name
        assert thrice[name].value == pytest.approx(once[name].value, abs=1e-9)


def test_auroc_is_unchanged_by_monotone_rescaling(tables):
    y, p = tables["breast"]
    before, after = judged(y, p)["auroc"], judged(y, p**3)["auroc"]
    assert before.to_dict() == after.to_dict()


def test_perfect_risks_of_a_perfectly_calibrated_model_have_slope_near_one():
    rng = np.random.default_rng(5)
    p = rng.uniform(0.02, 0.9, 20_000)
    found = judged((rng.random(20_000) < p).astype(np.int64), p)
    assert found["calibration_slope"].low < 1 < found["calibration_slope"].high
    assert found["calibration_intercept"].low < 0 < found["calibration_intercept"].high
    assert found["ici"].value < 0.01


def test_multiclass_figures_agree_with_scikit_learn(three_classes):
    y, risk = three_classes
    result = evaluate(y, risk, ("a", "b", "c"), n_boot=100)
    assert result.metrics["auroc"].value == pytest.approx(sk.roc_auc_score(y, risk, multi_class="ovr"), abs=1e-12)
    assert result.metrics["log_loss"].value == pytest.approx(sk.log_loss(y, risk), abs=1e-12)
    one_hot = np.eye(3)[y]
    assert result.metrics["brier"].value == pytest.approx(((risk - one_hot) ** 2).sum(1).mean(), abs=1e-12)
    assert np.array(result.table).tolist() == sk.confusion_matrix(y, risk.argmax(1)).tolist()
    assert result.metrics["accuracy"].value == pytest.approx(sk.accuracy_score(y, risk.argmax(1)))
    for k, name in enumerate("abc"):
        assert result.per_class[name]["auroc"].value == pytest.approx(sk.roc_auc_score(y == k, risk[:, k]))


def test_macro_auroc_interval_agrees_with_a_plain_bootstrap(three_classes):
    y, risk = three_classes
    found = evaluate(y, risk, ("a", "b", "c"), n_boot=50).metrics["auroc"]
    rng = np.random.default_rng(0)
    picks = [rng.integers(0, len(y), len(y)) for _ in range(300)]
    spread = np.std([sk.roc_auc_score(y[i], risk[i], multi_class="ovr") for i in picks])
    assert (found.high - found.low) / (2 * 1.96) == pytest.approx(spread, rel=0.15)


def test_bootstrap_interval_of_the_brier_score_agrees_with_the_central_limit(tables):
    y, p = tables["breast"]
    found = judged(y, p, n_boot=1000)["brier"]
    error = np.std((p - y) ** 2) / math.sqrt(len(y))
    assert (found.high - found.low) / (2 * 1.96) == pytest.approx(error, rel=0.1)


def test_the_same_seed_gives_the_same_numbers_and_json_keeps_them(tables):
    y, p = tables["wine"]
    first = evaluate(y, two_columns(p), CLASSES, seed=7, threshold=0.3)
    second = evaluate(y, two_columns(p), CLASSES, seed=7, threshold=0.3)
    assert first.to_dict() == second.to_dict()
    read = Evaluation.from_dict(json.loads(json.dumps(first.to_dict())))
    assert read.to_dict() == first.to_dict()


AWKWARD = {
    "one class only": (np.zeros(30, np.int64), np.linspace(0.1, 0.9, 30)),
    "one event": (np.eye(1, 30, 4, dtype=np.int64)[0], np.linspace(0.1, 0.9, 30)),
    "perfect separation": (np.repeat([0, 1], 20), np.repeat([0.2, 0.8], 20) + np.linspace(0, 0.1, 40)),
    "constant risk": (np.tile([0, 1], 20), np.full(40, 0.3)),
    "risks of zero and one": (np.tile([0, 1, 1], 20), np.tile([0.0, 1.0, 0.0], 20)),
    "one patient": (np.array([1]), np.array([0.4])),
}


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_data_give_a_reason_not_a_crash(name):
    y, p = AWKWARD[name]
    result = evaluate(y, two_columns(p), CLASSES, threshold=0.5, n_boot=60)
    json.dumps(result.to_dict(), allow_nan=False)
    for metric, estimate in result.metrics.items():
        has_interval = math.isfinite(estimate.value) and math.isfinite(estimate.low)
        assert has_interval or estimate.reason is not None, metric
    if name == "perfect separation":
        assert result.metrics["auroc"].value == 1
        assert math.isnan(result.metrics["calibration_slope"].value)
    if name == "constant risk":
        assert result.metrics["auroc"].value == 0.5


def test_a_class_that_never_happens_is_left_out_of_the_macro_means(three_classes):
    y, risk = three_classes
    keep = y != 2
    result = evaluate(y[keep], risk[keep], ("a", "b", "c"), n_boot=50)
    assert result.metrics["auroc"].exists
    assert not result.per_class["c"]["auroc"].exists


@pytest.mark.parametrize(
    ("outcome", "risk", "groups"),
    [
        (np.array([0, 1]), np.array([0.1, 0.9]), None),
        (np.array([0, 1]), np.array([[0.9, 0.1], [0.1, np.nan]]), None),
        (np.array([0, 2]), np.array([[0.9, 0.1], [0.1, 0.9]]), None),
        (np.array([0, 1]), np.array([[0.9, 0.1], [0.1, 0.9]]), np.array([1])),
        (np.array([], dtype=int), np.empty((0, 2)), None),
    ],
)
def test_arrays_that_do_not_fit_are_refused(outcome, risk, groups):
    with pytest.raises(ValueError, match=r"(risk|outcome|groups|patients)"):
        evaluate(outcome, risk, CLASSES, groups=groups)
