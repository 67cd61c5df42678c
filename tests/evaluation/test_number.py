"""Predicted numbers judged: figures against R (sandwich, lm) and scikit-learn, intervals that hold what they state."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import stdtrit
from scipy.stats import ttest_rel
from sklearn.metrics import mean_absolute_error, median_absolute_error, r2_score
from statsmodels.nonparametric.smoothers_lowess import lowess

from medcore.evaluation import agreement, compare_numbers, evaluate_numbers, groups_of_numbers, number_calibration
from medcore.evaluation.figures.estimates import Estimate
from medcore.evaluation.figures.resampling import by_patient
from medcore.evaluation.figures.weighting import degrees_of_freedom
from medcore.evaluation.groups.mistakes import mistakes_of_numbers
from medcore.evaluation.number.intervals import choose_intervals, fit_intervals
from medcore.evaluation.number.performance import NumberPerformance

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "number.json").read_text(encoding="utf-8"))
TABLES = ("boston", "birthwt", "pbcseq")


def arrays(name: str) -> tuple[dict, np.ndarray, np.ndarray, np.ndarray | None]:
    theirs = GOLDEN[name]
    groups = np.asarray(theirs["id"]) if theirs.get("id") else None
    return theirs, np.asarray(theirs["y"], dtype=float), np.asarray(theirs["p"], dtype=float), groups


@pytest.mark.parametrize("name", TABLES)
def test_figures_and_intervals_are_those_of_r(name: str) -> None:
    theirs, y, p, groups = arrays(name)
    ours = evaluate_numbers(y, p, groups=groups).metrics
    for figure in ("r2", "rmse", "mae", "median_ae"):
        assert ours[figure].value == pytest.approx(theirs[figure], abs=1e-6)
    for figure in ("r2", "rmse"):
        assert [ours[figure].low, ours[figure].high] == pytest.approx(theirs[f"{figure}_interval"], abs=1e-6)
    for figure, psi in _influences(y, p, groups).items():
        named = {"calibration_intercept": "large", "calibration_slope": "slope"}[figure]
        half = float(stdtrit(degrees_of_freedom(by_patient(psi, groups)), 0.975)) * theirs[f"{named}_se"]
        assert ours[figure].value == pytest.approx(theirs[named], abs=1e-6)
        assert (ours[figure].high - ours[figure].low) / 2 == pytest.approx(half, rel=1e-6)


def _influences(y: np.ndarray, p: np.ndarray, groups: np.ndarray | None) -> dict[str, np.ndarray]:
    """Only for the degrees of freedom; standard errors are R's."""
    x = np.column_stack([np.ones(len(y)), p])
    left = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    hat = np.einsum("ij,jk,ik->i", x, np.linalg.inv(x.T @ x), x)
    robust = left / (1 - hat) if groups is None else left
    return {"calibration_intercept": y - p - (y - p).mean(), "calibration_slope": (p - p.mean()) * robust}


@pytest.mark.parametrize("name", TABLES)
def test_limits_of_agreement_are_those_of_r(name: str) -> None:
    theirs, y, p, groups = arrays(name)
    ours = agreement(y, p, groups=groups)
    assert ours.sd == pytest.approx(theirs["sd"], abs=1e-6)
    assert [ours.lower.value, ours.upper.value] == pytest.approx(theirs["limits"], abs=1e-6)
    assert ours.lower.low < ours.lower.value < ours.lower.high < ours.upper.low < ours.upper.high


def test_limits_of_normal_differences_have_bland_and_altmans_error() -> None:
    error = np.random.default_rng(1).normal(0, 3, 4000)
    ours = agreement(error, np.zeros(4000))
    width = (ours.upper.high - ours.upper.low) / 2
    assert width == pytest.approx(1.96 * np.sqrt((1 + 1.96**2 / 2) * ours.sd**2 / 4000), rel=0.03)


@pytest.mark.parametrize("name", TABLES)
def test_figures_are_those_of_scikit_learn(name: str) -> None:
    _theirs, y, p, groups = arrays(name)
    ours = evaluate_numbers(y, p, groups=groups).metrics
    assert ours["r2"].value == pytest.approx(r2_score(y, p), abs=1e-9)
    assert ours["mae"].value == pytest.approx(mean_absolute_error(y, p), abs=1e-9)
    assert ours["median_ae"].value == pytest.approx(median_absolute_error(y, p), abs=1e-9)


def test_the_curve_is_lowess() -> None:
    _theirs, y, p, _groups = arrays("birthwt")
    ours = number_calibration(y, p, n_boot=20)
    theirs = lowess(y, p, frac=2 / 3, it=0, delta=0.0, xvals=ours.predicted)
    shown = ~np.isnan(ours.measured)
    assert ours.measured[shown] == pytest.approx(theirs[shown], rel=1e-6)
    assert sum(1 for _ in ours.groups) == 10


def test_figures_in_another_unit_are_the_same_in_that_unit() -> None:
    _theirs, y, p, _groups = arrays("boston")
    plain, scaled = evaluate_numbers(y, p).metrics, evaluate_numbers(1000 * y, 1000 * p).metrics
    assert scaled["r2"].low == pytest.approx(plain["r2"].low)
    assert scaled["rmse"].high == pytest.approx(1000 * plain["rmse"].high)
    assert scaled["calibration_slope"].low == pytest.approx(plain["calibration_slope"].low)


def test_what_cannot_be_is_said_or_refused() -> None:
    y = np.arange(20.0)
    one = evaluate_numbers(y, np.full(20, 3.0)).metrics
    assert not one["calibration_slope"].exists and one["calibration_slope"].reason is not None
    assert not evaluate_numbers(np.full(20, 1.0), y).metrics["r2"].exists
    few = evaluate_numbers(y[:5], y[:5] + 1).metrics["rmse"]
    assert np.isnan(few.low) and few.reason is not None
    with pytest.raises(ValueError, match="no number"):
        evaluate_numbers(y, np.full(20, np.nan))
    with pytest.raises(ValueError, match="groups has"):
        evaluate_numbers(y, y, groups=np.zeros(3, dtype=np.int64))


def test_figures_survive_being_written_down() -> None:
    _theirs, y, p, _groups = arrays("boston")
    found = evaluate_numbers(y, p, folds=np.arange(len(y)) % 5)
    again = NumberPerformance.from_dict(json.loads(json.dumps(found.to_dict())))
    assert again.n_folds == 5 and again.metrics["rmse"] == found.metrics["rmse"]
    assert isinstance(again.metrics["r2"], Estimate) and found.notebook_table()


@pytest.mark.parametrize("growing", [False, True])
def test_intervals_hold_nine_of_ten_new_patients(growing: bool) -> None:
    rng, inside = np.random.default_rng(3), []
    for _ in range(200):
        p = rng.uniform(1, 10, 120)
        y = p + rng.standard_exponential(120) * (0.3 * p if growing else 1.0) - (0.3 * p if growing else 1.0)
        low, high = fit_intervals(y[:100], p[:100], growing=growing).around(p[100:])
        inside.append(((y[100:] >= low) & (y[100:] <= high)).mean())
    assert 0.89 <= np.mean(inside) <= 0.925  # 0.9 and at most 2/101 more


def test_intervals_grow_where_errors_do_and_keep_to_the_limits() -> None:
    rng = np.random.default_rng(4)
    p, folds = rng.uniform(1, 20, 1000), np.arange(1000) % 5
    grown, (low, high) = choose_intervals(np.maximum(p + rng.normal(0, 0.3 * p), 0), p, folds, limits=(0.0, 21.0))
    even, _ends = choose_intervals(p + rng.normal(0, 1, 1000), p, folds)
    assert grown.grows and np.corrcoef(high - low, p)[0, 1] > 0.5 and low.min() >= 0 and high.max() <= 21
    assert not even.grows or abs(even.growth) < 0.05


def test_a_paired_difference_has_the_error_of_a_paired_t_test_and_of_the_jackknife() -> None:
    rng = np.random.default_rng(5)
    y = rng.normal(100.0, 10.0, 400)
    a, b = y + rng.normal(0, 4.0, 400), y + rng.normal(0.5, 6.0, 400)
    found = compare_numbers(y, a, b)
    sizes, squares = (np.abs(y - a), np.abs(y - b)), ((y - a) ** 2, (y - b) ** 2)
    test = ttest_rel(*sizes)
    assert found.mae.value == pytest.approx(mean_absolute_error(y, a) - mean_absolute_error(y, b), rel=1e-12)
    influence = (sizes[0] - sizes[1] - found.mae.value) / 399
    quantile = stdtrit(degrees_of_freedom(influence), 0.975)
    assert found.mae.high - found.mae.value == pytest.approx(quantile * abs(found.mae.value / test.statistic), rel=2e-3)
    left = [np.sqrt((s.sum() - s) / 399) for s in squares]
    apart = left[0] - left[1]
    jackknife = np.sqrt(399 / 400 * ((apart - apart.mean()) ** 2).sum())
    half = (found.rmse.high - found.rmse.low) / 2
    assert half == pytest.approx(1.97 * jackknife, rel=0.03)
    assert str(found.verdict("A", "B")) == "A comes closer to what is measured than B."
    assert str(compare_numbers(y, b, a).verdict("B", "A")) == "A comes closer to what is measured than B."
    assert "Neither" in str(compare_numbers(y, a, a).verdict("A", "A"))
    twice = compare_numbers(*(np.tile(x, 2) for x in (y, a, b)), groups=np.tile(np.arange(400), 2))
    assert twice.mae.high == pytest.approx(found.mae.high, rel=2e-2)


def test_a_group_is_judged_as_its_patients_alone_are() -> None:
    rng = np.random.default_rng(6)
    p, sex = rng.normal(50.0, 10.0, 200), np.array(["male", "female"])[np.arange(200) % 2]
    y = p + rng.normal(0, 2.0, 200) + 5.0 * (sex == "female")
    sensitive = pd.DataFrame({"sex": sex, "few": ["x"] * 4 + ["y"] * 196})
    found = {g.key.levels[0].name: g for g in groups_of_numbers(y, p, sensitive, ["sex"])}
    alone = evaluate_numbers(y[sex == "female"], p[sex == "female"])
    assert found["female"].performance == alone and found["female"].off.low > 4 > found["male"].off.high
    assert [g.performance.n for g in groups_of_numbers(y, p, sensitive, ["few"])] == [196]


def test_numbers_are_missed_most_where_the_planted_patients_are() -> None:
    rng = np.random.default_rng(7)
    p, columns = rng.normal(50.0, 10.0, 400), pd.DataFrame({"age": rng.uniform(20, 80, 400)})
    y = p + rng.normal(0, 1.0, 400) + 20.0 * (columns["age"] > 70)
    found = mistakes_of_numbers(y, p, columns)
    first = found.regions[0]
    assert str(first.conditions[0]).startswith("age ≥ ") and first.gap.low > 15
    assert first.observed - first.mean_risk == pytest.approx(first.gap.value)
    assert found.worst[0] == np.argmax(np.abs(y - p)) and found.mean_loss == pytest.approx(mean_absolute_error(y, p))
