"""Out-of-fold intervals are meant for the model that is delivered: checked by simulation and by independent formulas."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit, logit
from scipy.stats import mannwhitneyu
from scipy.stats import t as student
from statsmodels.stats.proportion import proportion_confint

from medcore.evaluation import decision_curve, evaluate, net_benefit
from medcore.evaluation.figures.estimates import Estimate
from medcore.evaluation.figures.folds import by_fold, of_the_final_model
from medcore.statistics.calibration import in_the_large_fit, slope_fit
from medcore.statistics.logistic import fit_logistic

EFFECTS = np.array([-0.4, 0.9, -0.6, 0.4, 0.0, 0.0, 0.0])
Z95, THRESHOLD = 1.959963984540054, 0.4


def sample(n, rng):
    design = np.column_stack([np.ones(n), rng.normal(size=(n, 6))])
    return design, expit(design @ EFFECTS)


def cross_fitted(design, outcome, folds):
    risk = np.empty(len(outcome))
    for fold in np.unique(folds):
        fit = fit_logistic(outcome[folds != fold], design[folds != fold])
        risk[folds == fold] = expit(design[folds == fold] @ fit.coefficients)
    return risk


def delong(event, risk):
    """Return AUROC and DeLong's variance by their definitions, pair by pair."""
    wins = (risk[event == 1][:, None] > risk[event == 0]) + 0.5 * (risk[event == 1][:, None] == risk[event == 0])
    return wins.mean(), wins.mean(1).var(ddof=1) / len(wins) + wins.mean(0).var(ddof=1) / wins.shape[1]


def wald(outcome, risk):
    fits = {"calibration_slope": slope_fit(outcome, risk), "calibration_intercept": in_the_large_fit(outcome, risk)}
    found = {}
    for name, fit in fits.items():
        value, half = float(fit.coefficients[-1]), Z95 * float(np.sqrt(fit.covariance[-1, -1]))
        found[name] = Estimate(value, value - half, value + half, "wald")
    return found


@dataclass
class Coverage:
    """How often intervals held the truth of the delivered model, as given and before they were widened."""

    given: dict
    before: dict


@pytest.fixture(scope="module")
def coverage():
    rng = np.random.default_rng(0)
    new, chance = sample(2000, rng)
    given, before, repeats = {}, {}, 120
    for _repeat in range(repeats):
        design, p = sample(200, rng)
        outcome, folds = (rng.random(200) < p).astype(float), np.arange(200) % 5
        risk = cross_fitted(design, outcome, folds)
        delivered = expit(new @ fit_logistic(outcome, design).coefficients)
        called = delivered >= THRESHOLD
        events, others = (np.bincount(np.argsort(np.argsort(delivered)), weights=w) for w in (chance, 1 - chance))
        truth = {
            "auroc": (events * (np.cumsum(others) - others / 2)).sum() / (events.sum() * others.sum()),
            "calibration_slope": fit_logistic(chance, sm.add_constant(logit(delivered))).coefficients[1],
            "calibration_intercept": fit_logistic(chance, np.ones((2000, 1)), offset=logit(delivered)).coefficients[0],
            "net_benefit": (called * (chance - THRESHOLD / (1 - THRESHOLD) * (1 - chance))).mean(),
        }
        area, variance = delong(outcome, risk)
        half = Z95 * np.sqrt(variance)
        plain = wald(outcome, risk) | {
            "auroc": Estimate(area, area - half, area + half, "delong"),
            "net_benefit": net_benefit(outcome, risk, THRESHOLD),
        }
        found = by_fold(outcome, risk, folds, None, plain)
        found["net_benefit"] = net_benefit(outcome, risk, THRESHOLD, folds=folds)
        for kept, intervals in ((given, found), (before, plain)):
            for name, true in truth.items():
                held = intervals[name].low <= true <= intervals[name].high
                kept[name] = kept.get(name, 0) + held / repeats
    return Coverage(given, before)


@pytest.mark.parametrize("figure", ["auroc", "calibration_slope", "calibration_intercept", "net_benefit"])
def test_the_interval_holds_the_truth_of_the_model_trained_on_all_patients(coverage, figure):
    assert coverage.given[figure] > 0.92
    assert coverage.given[figure] >= coverage.before[figure]


@pytest.fixture(scope="module")
def judged():
    rng = np.random.default_rng(1)
    design, p = sample(300, rng)
    outcome, folds = (rng.random(300) < p).astype(np.int64), np.arange(300) % 5
    risk = cross_fitted(design, outcome.astype(float), folds)
    both = np.column_stack([1 - risk, risk])
    plain, given = (evaluate(outcome, both, ("no", "yes"), folds=f, n_boot=200) for f in (None, folds))
    return outcome.astype(float), risk, folds, plain, given


def test_a_model_that_began_anew_has_its_own_luck_in_the_large(judged):
    outcome, risk, folds, plain, given = judged
    both = np.column_stack([1 - risk, risk])
    anew = evaluate(outcome.astype(np.int64), both, ("no", "yes"), folds=folds, restarted=True, n_boot=200)
    large, before = anew.metrics["calibration_intercept"], plain.metrics["calibration_intercept"]
    assert given.metrics["calibration_intercept"] == before
    assert large.value == before.value
    assert large.high - large.value == pytest.approx(np.sqrt(5 / 4) * (before.high - before.value))
    assert large.value - large.low == pytest.approx(np.sqrt(5 / 4) * (before.value - before.low))
    others = {name: figure for name, figure in anew.metrics.items() if name != "calibration_intercept"}
    assert all(given.metrics[name] == figure for name, figure in others.items())


def test_values_stay_and_only_folds_widen_the_intervals(judged):
    *_arrays, plain, given = judged
    assert (plain.n_folds, given.n_folds) == (None, 5)
    assert plain.delivered() is None and "as of 80" in str(given.delivered())
    for name, before in plain.metrics.items():
        after = given.metrics[name]
        assert after.value == before.value
        if np.isfinite(before.low):
            assert after.high >= before.high and after.high - after.low >= before.high - before.low
            assert after.low <= before.low or name == "calibration_slope"  # whose bounds are on the reciprocal scale
    assert type(given).from_dict(given.to_dict()) == given


def test_the_auroc_reaches_up_from_the_mean_over_folds(judged):
    event, risk, folds, _plain, given = judged
    area, variance = delong(event, risk)
    each = [mannwhitneyu(risk[here & (event == 1)], risk[here & (event == 0)]).statistic for here in by(folds)]
    pairs = [(here & (event == 1)).sum() * (here & (event == 0)).sum() for here in by(folds)]
    mean = np.mean(np.array(each) / np.array(pairs))
    half = Z95 * np.sqrt(variance * 5 / 4) / (area * (1 - area))
    found = given.metrics["auroc"]
    assert mean > area
    assert found.low == pytest.approx(expit(logit(area) - half), abs=2e-3)  # Student's t for the normal
    assert found.high == pytest.approx(expit(logit(mean) + half), abs=2e-3)


def by(folds):
    return [folds == fold for fold in np.unique(folds)]


def test_net_benefit_is_that_of_four_fifths_of_the_patients_and_calibration_in_the_large_of_all(judged):
    event, risk, folds, _plain, given = judged
    fit = sm.GLM(event, np.ones(len(event)), family=sm.families.Binomial(), offset=logit(risk)).fit()
    in_the_large = given.metrics["calibration_intercept"]
    assert in_the_large.high - in_the_large.value == pytest.approx(Z95 * fit.bse[0], rel=1e-5)
    terms = (risk >= 0.3) * (event - 0.3 / 0.7 * (1 - event))
    benefit = net_benefit(event, risk, 0.3, folds=folds)
    assert benefit.value == pytest.approx(terms.mean())
    # Zou and Donner's recovery, by statsmodels' bounds of Wilson for four fifths of the patients.
    n, price = 300 * 4 / 5, 0.3 / 0.7
    found, alarms = ((risk >= 0.3) & (event == k) for k in (1, 0))
    bounds = [proportion_confint(share.mean() * n, n, method="wilson") for share in (found, alarms)]
    (down, up), (fewer, more) = (
        abs(np.array(b) - share.mean()) for b, share in zip(bounds, (found, alarms), strict=True)
    )
    together = np.corrcoef(found, alarms)[0, 1]
    low = np.sqrt(down**2 + (price * more) ** 2 - 2 * together * down * price * more)
    high = np.sqrt(up**2 + (price * fewer) ** 2 - 2 * together * up * price * fewer)
    assert (benefit.value - benefit.low, benefit.high - benefit.value) == pytest.approx((low, high), rel=1e-6)
    assert benefit.high - benefit.low == pytest.approx(2 * Z95 * terms.std() / np.sqrt(n), rel=0.02)
    curve = decision_curve(event, risk, thresholds=np.array([0.3]), folds=folds)
    assert (curve.low[0], curve.high[0]) == pytest.approx((benefit.low, benefit.high))


def test_the_slope_keeps_its_own_interval(judged):
    outcome, risk, _folds, plain, given = judged
    before, after = plain.metrics["calibration_slope"], given.metrics["calibration_slope"]
    fit = sm.Logit(outcome, sm.add_constant(logit(risk))).fit(disp=0)
    pull = (fit.resid_response[:, None] * fit.model.exog @ fit.normalized_cov_params)[:, -1] ** 2
    quantile = student.ppf(0.975, 2 * pull.sum() ** 2 / ((pull - pull.mean()) ** 2).sum()) / Z95
    half = np.sqrt(5 / 4) * quantile * (before.value - before.low)
    assert (before.method, after.method) == ("wald", "final")
    assert 1 / after.high == pytest.approx(1 / after.value - half / after.value**2)
    assert half / after.value > 1 / 3  # so that the lower bound is on its way back to Wald's
    assert after.low == pytest.approx((after.value - half) / (1 - 1 / 3**2))
    known = of_the_final_model(replace(before, low=before.value - 0.1, high=before.value + 0.1), np.arange(50) % 5)
    assert 1 / known.low + 1 / known.high == pytest.approx(2 / known.value)


def test_a_slopes_skew_vanishes_with_more_patients_and_its_bounds_have_no_step():
    def bounds(half: float) -> tuple[float, float]:
        final = of_the_final_model(Estimate(1.0, 1 - half, 1 + half, "wald"), np.arange(50) % 5)
        return final.low, final.high

    low, high = bounds(0.01)
    assert [(1 - low) / 0.01, (high - 1) / 0.01] == pytest.approx(2 * [np.sqrt(1.5)], rel=0.02)
    for step in np.array([1 / 3, 2 / 3, 1]) / np.sqrt(1.5):
        assert bounds(step + 1e-9) == pytest.approx(bounds(step - 1e-9), rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("value", [-0.2, 0.0, 0.01, 0.3])
def test_a_slope_near_zero_has_bounds_that_a_reader_can_use(value):
    final = of_the_final_model(Estimate(value, value - 0.4, value + 0.4, "wald"), np.arange(50) % 5)
    assert -1 < final.low < value < final.high < 1.5


@pytest.mark.parametrize(("n_events", "given"), [(9, False), (12, True)])
def test_few_events_keep_newcombes_interval_and_fewer_than_ten_have_none(n_events, given):
    outcome = (np.arange(120) < n_events).astype(np.int64)
    risk = expit(np.random.default_rng(3).normal(size=120) + outcome)
    both, folds = np.column_stack([1 - risk, risk]), np.arange(120) % 4
    found = evaluate(outcome, both, ("no", "yes"), folds=folds, n_boot=20).metrics
    for name in ("auroc", "calibration_slope"):
        assert found[name].exists
        assert np.isfinite(found[name].low) == given == (found[name].reason is None)
        assert given or "10" in str(found[name].reason)
    assert (found["auroc"].method == "newcombe") == given
    assert np.isfinite(found["calibration_intercept"].low)


def test_more_than_two_classes_and_repeated_patients_are_treated_alike():
    rng = np.random.default_rng(2)
    risk = rng.dirichlet([2, 2, 2], 300)
    outcome = np.array([rng.choice(3, p=row) for row in risk])
    groups, folds = np.arange(300) // 3, (np.arange(300) // 3) % 5
    plain, judged = (evaluate(outcome, risk, ("a", "b", "c"), folds=f, groups=groups, n_boot=20) for f in (None, folds))
    slopes = [judged.metrics["calibration_slope"], *(m["calibration_slope"] for m in judged.per_class.values())]
    assert {s.method for s in slopes} == {"final_cluster"}
    for name in ("auroc", "hand_till", "pdi"):
        before, after = plain.metrics[name], judged.metrics[name]
        assert logit(after.high) - logit(after.value) == pytest.approx(
            np.sqrt(5 / 4) * (logit(before.high) - logit(before.value))
        )
    assert all(m["auroc"].high >= plain.per_class[c]["auroc"].high for c, m in judged.per_class.items())
