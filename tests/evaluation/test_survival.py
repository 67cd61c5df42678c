"""Risks by a horizon judged: R's riskRegression, survival and geepack, and the figures of two classes where none is censored."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medcore.evaluation.curves.utility import decision_curve
from medcore.evaluation.figures.auroc import TOO_FEW_EVENTS
from medcore.evaluation.figures.estimates import CONSTANT_RISK
from medcore.evaluation.survival.accuracy import brier_at, integrated_brier, scaled_brier_at
from medcore.evaluation.survival.calibration import calibration_curve_at_horizon
from medcore.evaluation.survival.discrimination import auroc_at
from medcore.evaluation.survival.groups import compare_at_horizon, groups_at_horizon, mistakes_at_horizon
from medcore.evaluation.survival.horizon import BEYOND, Horizon
from medcore.evaluation.survival.incidence import incidence_by_risk
from medcore.evaluation.survival.performance import AT_HORIZON, SurvivalPerformance, evaluate_at_horizons
from medcore.evaluation.survival.utility import decision_curve_at_horizon, net_benefit_at_horizon
from medcore.statistics.ranking import auroc_with_influence

TABLES = json.loads((Path(__file__).parent.parent / "golden" / "survival.json").read_text())["tables"]


def simulated(n=300, seed=0, *, competing=False, censored=True):
    rng = np.random.default_rng(seed)
    hazard = 0.1 * np.exp(rng.normal(size=n))
    times = np.column_stack(
        [rng.exponential(1 / hazard), rng.exponential(20, n) if competing else np.full(n, 1e9), rng.exponential(12, n)]
    )
    times = times if censored else times[:, :2]
    duration, event = times.min(1), np.array([1, 2, 0])[times.argmin(1)]
    return duration, event, np.column_stack([-np.expm1(-hazard * t) for t in (2.0, 5.0)])


def golden(name):
    table = TABLES[name]
    duration, event, risk = np.array(table["duration"], dtype=float), np.array(table["event"]), np.array(table["risk"])
    for at, by_then in zip(table["at"], risk.T, strict=True):
        yield at, Horizon.of(duration, event, at["horizon"]), duration, event, by_then


@pytest.mark.parametrize("name", TABLES)
def test_auroc_and_brier_score_are_those_of_risk_regression(name):
    for at, here, _duration, _event, risk in golden(name):
        assert auroc_at(here, risk).value == pytest.approx(at["auroc"], abs=1e-6)
        assert brier_at(here, risk).value == pytest.approx(at["brier"], abs=1e-6)
        assert scaled_brier_at(here, risk).value == pytest.approx(1 - at["brier"] / at["null_brier"], abs=1e-6)


@pytest.mark.parametrize("name", TABLES)
def test_calibration_is_that_of_geepack(name):
    table = TABLES[name]
    arrays = np.array(table["duration"], dtype=float), np.array(table["event"]), np.array(table["risk"])
    found = evaluate_at_horizons(*arrays, [at["horizon"] for at in table["at"]])
    for at, ours in zip(table["at"], found.at, strict=True):
        for figure in ("calibration_slope", "calibration_intercept"):
            assert ours.metrics[figure].value == pytest.approx(at[figure], abs=1e-6)
        share = at["incidence"] / ours.mean_risk
        assert ours.metrics["o_e_ratio"].value == pytest.approx(share, abs=1e-9)
        assert ours.n_events + ours.n_competing + ours.n_free + ours.n_unknown == len(arrays[0])


@pytest.mark.parametrize("name", TABLES)
def test_net_benefit_is_vickers_from_survfit(name):
    for at, _here, duration, event, risk in golden(name):
        grid = np.array(TABLES[name]["thresholds"])
        curve = decision_curve_at_horizon(duration, event, risk, at["horizon"], thresholds=grid)
        known = np.isfinite(curve.net_benefit)
        assert known.sum() >= 3
        assert curve.net_benefit[known] == pytest.approx(np.array(at["net_benefit"])[known], abs=1e-9)


def test_without_censoring_the_figures_are_those_of_two_classes():
    duration, event, risk = simulated(competing=True, censored=False)
    here, had = Horizon.of(duration, event, 5.0), (event == 1) & (duration <= 5.0)
    y = had.astype(float)
    assert auroc_at(here, risk[:, 1]).value == pytest.approx(auroc_with_influence(y, risk[:, 1])[0])
    assert brier_at(here, risk[:, 1]).value == pytest.approx(np.mean((risk[:, 1] - y) ** 2))
    ours, theirs = decision_curve_at_horizon(duration, event, risk[:, 1], 5.0), decision_curve(y, risk[:, 1])
    for part in ("net_benefit", "low", "over_all", "over_all_high", "treat_all"):
        assert getattr(ours, part) == pytest.approx(getattr(theirs, part), rel=1e-11, abs=1e-12)


@pytest.mark.parametrize("competing", [False, True])
def test_influences_are_derivatives(competing):
    """One patient more among 300 copies of the table moves a figure by a 300th of what its interval is made of."""
    duration, event, risk = simulated(40, competing=competing)
    risk, copies = risk[:, 1], 300
    many = [np.tile(x, copies) for x in (duration, event, risk)]

    def benefit(d, e, r):
        return net_benefit_at_horizon(d, e, r, 5.0, 0.3).value

    def brier(d, e, r):
        return brier_at(Horizon.of(d, e, 5.0), r).value

    for figure in (benefit, brier):
        moved = [
            figure(*(np.append(m, x[i]) for m, x in zip(many, (duration, event, risk), strict=True))) for i in range(40)
        ]
        influence = copies * (np.array(moved) - figure(*many))
        if figure is benefit:
            found = net_benefit_at_horizon(*many, 5.0, 0.3)  # of so many patients the interval is that of a mean
            error = np.sqrt(copies) * (found.high - found.low) / 2 / 1.959964
            assert error == pytest.approx(np.sqrt(influence @ influence), rel=1e-3)
        else:
            here = Horizon.of(duration, event, 5.0)
            terms = here.weight * (risk - here.event) ** 2 / 40
            assert here.through_weights(terms) - terms.sum() / 40 == pytest.approx(influence, abs=2e-5)


def test_patients_who_repeat_widen_every_interval():
    duration, event, risk = simulated(100, competing=True)
    thrice = [np.repeat(x, 3, axis=0) for x in (duration, event, risk)]
    groups = np.repeat(np.arange(100), 3)
    once = evaluate_at_horizons(duration, event, risk, [2.0, 5.0], threshold=0.3)
    told = evaluate_at_horizons(*thrice, [2.0, 5.0], threshold=0.3, groups=groups)
    assert told.n_patients == 100 and told.n == 300
    for name in ("auroc", "uno_c", "brier", "scaled_brier", "calibration_slope", "o_e_ratio", "net_benefit"):
        one, three = once.by(5.0).metrics[name], told.by(5.0).metrics[name]
        assert three.value == pytest.approx(one.value, rel=1e-6)
        assert three.high - three.low == pytest.approx(one.high - one.low, rel=0.04)
        assert three.method == one.method or "cluster" in three.method


def test_a_horizon_beyond_the_follow_up_has_no_figures_and_says_why():
    duration, event, risk = simulated()
    duration, event = np.minimum(duration, 4.0), np.where(duration > 4.0, 0, event)
    found = evaluate_at_horizons(duration, event, risk, [2.0, 5.0], threshold=0.3)
    late = found.by(5.0)
    assert set(late.metrics) == {*AT_HORIZON, "net_benefit"}
    assert all(not e.exists and e.reason.template == BEYOND for e in late.metrics.values())
    assert not late.observed.exists and found.by(2.0).metrics["auroc"].exists
    assert np.isnan(calibration_curve_at_horizon(duration, event, risk[:, 1], 5.0).observed).all()


def test_the_end_of_a_study_can_be_the_horizon():
    duration, event, risk = simulated()
    duration, event = np.minimum(duration, 5.0), np.where(duration > 5.0, 0, event)
    whole = evaluate_at_horizons(*simulated(), [2.0, 5.0]).by(5.0)
    ended = evaluate_at_horizons(duration, event, risk, [2.0, 5.0]).by(5.0)
    for name in ("auroc", "uno_c", "brier", "calibration_slope"):
        assert ended.metrics[name].value == pytest.approx(whole.metrics[name].value)


def test_too_few_events_give_values_without_intervals():
    duration, event, risk = simulated(60)
    keep = (event == 0) | (np.cumsum(event == 1) <= 3)
    found = evaluate_at_horizons(duration[keep], event[keep], risk[keep], [2.0, 5.0]).by(5.0)
    for name in ("auroc", "uno_c", "harrell_c"):
        figure = found.metrics[name]
        assert figure.exists and np.isnan(figure.low) and figure.reason.template == TOO_FEW_EVENTS


def test_one_event_and_a_competing_event_that_dominates_are_judged_without_failing():
    duration, event, risk = simulated(80)
    one = np.where((event == 1) & (np.cumsum(event == 1) > 1), 0, event)
    many = np.where((event == 1) & (np.cumsum(event == 1) > 6), 2, event)
    for codes in (one, many, np.zeros_like(event)):
        found = evaluate_at_horizons(duration, codes, risk, [2.0, 5.0], threshold=0.2)
        assert json.dumps(found.to_dict(), allow_nan=False)


def test_one_risk_for_all_has_no_discrimination():
    duration, event, _risk = simulated()
    metrics = evaluate_at_horizons(duration, event, np.full((300, 1), 0.3), [5.0]).by(5.0).metrics
    assert metrics["auroc"].value == 0.5 and metrics["auroc"].reason.template == CONSTANT_RISK
    assert metrics["calibration_slope"].reason.template == CONSTANT_RISK


def test_the_observed_incidence_for_all_has_a_scaled_brier_score_of_zero():
    duration, event, _risk = simulated(competing=True)
    here = Horizon.of(duration, event, 5.0)
    assert scaled_brier_at(here, np.full(300, here.incidence.at(5.0))).value == pytest.approx(0, abs=1e-12)


def test_the_integrated_score_is_the_trapezoid_of_the_scores():
    duration, event, _risk = simulated(competing=True)
    times = np.array([1.0, 2.0, 4.0])
    risk = np.random.default_rng(1).random((300, 3))
    scores = [brier_at(Horizon.of(duration, event, t), risk[:, i]).value for i, t in enumerate(times)]
    found = integrated_brier(duration, event, times, risk)
    assert found.brier.value == pytest.approx(np.trapezoid(scores, times) / 3)
    assert found.brier.low < found.brier.value < found.brier.high
    beyond = integrated_brier(duration, event, np.append(times, 1e6), np.column_stack([risk, risk[:, 0]]))
    assert (beyond.start, beyond.end) == (1.0, 4.0) and beyond.brier.value == pytest.approx(found.brier.value)


def test_out_of_fold_intervals_are_wider():
    duration, event, risk = simulated()
    folds = np.arange(300) % 5
    plain, out = (
        evaluate_at_horizons(duration, event, risk, [2.0, 5.0], folds=f).by(5.0).metrics for f in (None, folds)
    )
    for name in ("auroc", "uno_c", "brier", "calibration_slope", "o_e_ratio"):
        assert out[name].value == plain[name].value
        assert out[name].high - out[name].low > plain[name].high - plain[name].low


def test_calibrated_risks_lie_on_the_diagonal_and_tripled_hazards_do_not():
    duration, event, risk = simulated(4000)
    right = calibration_curve_at_horizon(duration, event, risk[:, 1], 5.0)
    wrong = calibration_curve_at_horizon(duration, event, 1 - (1 - risk[:, 1]) ** 3, 5.0)
    there = np.isfinite(right.observed)
    assert np.abs(right.observed - right.risk)[there].mean() < 0.03
    assert np.nanmean(np.abs(wrong.observed - wrong.risk)) > 0.1
    assert len(right.groups) == 10 and all(g.observed.low < g.mean_risk + 0.12 for g in right.groups)
    metrics = evaluate_at_horizons(duration, event, risk, [2.0, 5.0]).by(5.0).metrics
    assert metrics["ici"].value < metrics["ici_chance"].value
    assert metrics["calibration_slope"].low < 1 < metrics["calibration_slope"].high


def test_groups_by_risk_are_followed_over_time():
    duration, event, risk = simulated(competing=True)
    low, *_, high = incidence_by_risk(duration, event, risk[:, 1], 5.0, n_groups=3, ticks=np.array([0.0, 2.0, 5.0]))
    assert low.highest <= high.lowest and low.at_risk[0] == low.n == 100
    assert low.by_horizon.value < high.by_horizon.value
    assert (np.diff(high.incidence) >= 0).all() and high.times[0] == 0 and high.incidence[0] == 0
    assert high.at_risk.tolist() == sorted(high.at_risk, reverse=True)
    assert (high.incidence + high.event_free <= 1 + 1e-12).all()
    assert json.dumps(high.to_dict(), allow_nan=False)


def test_the_figures_are_read_back_as_they_were_written():
    duration, event, risk = simulated(competing=True)
    found = evaluate_at_horizons(duration, event, risk, [2.0, 5.0], threshold=0.3, folds=np.arange(300) % 5)
    again = SurvivalPerformance.from_dict(json.loads(json.dumps(found.to_dict(), allow_nan=False)))
    assert again.to_dict() == found.to_dict() and again.horizons == (2.0, 5.0)
    assert found.notebook_table().header[1:] == ("2", "5") and found.n_censored == int((event == 0).sum())


@pytest.mark.parametrize(
    ("horizons", "columns", "says"),
    [([5.0, 2.0], 2, "ascending"), ([], 0, "ascending"), ([2.0], 2, "shape"), ([0.0], 1, "above 0")],
)
def test_horizons_that_make_no_sense_are_refused(horizons, columns, says):
    duration, event, risk = simulated(30)
    with pytest.raises(ValueError, match=says):
        evaluate_at_horizons(duration, event, risk[:, :columns], horizons)


def many_followed(n: int = 900, seed: int = 12) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return durations, events, true risks by 5 and a coarser view of them."""
    rng = np.random.default_rng(seed)
    x, noise = rng.normal(size=n), rng.normal(size=n)
    death, out = rng.exponential(10 * np.exp(-x)), rng.exponential(20, n)
    risk = -np.expm1(-0.5 * np.exp(x))
    worse = -np.expm1(-0.5 * np.exp(0.5 * x + 0.5 * noise))
    return np.minimum(death, out), (death <= out).astype(np.int64), risk, worse


def test_a_difference_of_two_models_is_that_of_their_figures_with_a_paired_interval() -> None:
    duration, event, good, worse = many_followed()
    found = compare_at_horizon(duration, event, good, worse, 5.0)
    at = Horizon.of(duration, event, 5.0)
    assert found.auroc.value == pytest.approx(auroc_at(at, good).value - auroc_at(at, worse).value, abs=1e-12)
    assert found.brier.value == pytest.approx(brier_at(at, good).value - brier_at(at, worse).value, abs=1e-12)
    assert found.auroc.low > 0 and found.brier.high < 0 and "A tells" in str(found.verdict("A", "B"))
    turned = compare_at_horizon(duration, event, worse, good, 5.0)
    assert (turned.auroc.low, turned.auroc.high) == pytest.approx((-found.auroc.high, -found.auroc.low))
    rng, drawn = np.random.default_rng(1), []
    for _ in range(200):
        who = rng.integers(0, len(duration), len(duration))
        there = Horizon.of(duration[who], event[who], 5.0)
        drawn.append(auroc_at(there, good[who]).value - auroc_at(there, worse[who]).value)
    assert (found.auroc.high - found.auroc.low) / 3.92 == pytest.approx(np.std(drawn), rel=0.2)
    same = compare_at_horizon(duration, event, good, good, 5.0)
    folds = np.arange(len(duration)) % 5
    nothing = compare_at_horizon(duration, event, good, 0.3 + 0.02 * folds, 5.0, folds=folds)
    assert nothing.auroc.value == pytest.approx(auroc_at(at, good).value - 0.5)
    assert same.auroc.value == 0 and "Neither" in str(same.verdict("A", "B"))


def test_a_group_is_judged_as_if_it_were_alone() -> None:
    duration, event, risk, _worse = many_followed()
    sex = pd.DataFrame({"sex": np.where(np.arange(900) % 3, "f", "m"), "rare": ["x"] * 3 + ["y"] * 897})
    found = {str(g.key): g for g in groups_at_horizon(duration, event, risk, 5.0, sex, ["sex"])}
    inside = (sex["sex"] == "f").to_numpy()
    alone = evaluate_at_horizons(duration[inside], event[inside], risk[inside][:, None], [5.0]).at[0]
    assert found["f"].auroc == alone.metrics["auroc"] and found["f"].o_e_ratio == alone.metrics["o_e_ratio"]
    assert (found["f"].n, found["f"].n_events, found["f"].observed) == (600, alone.n_events, alone.observed)
    assert [str(g.key) for g in groups_at_horizon(duration, event, risk, 5.0, sex, ["rare"])] == ["y"]


def test_risks_by_a_horizon_are_missed_most_where_the_planted_patients_are():
    duration, event, risks = simulated(600, seed=3)
    planted = np.arange(600) % 4 == 0
    duration = np.where(planted, np.minimum(duration, 0.5), duration)
    event = np.where(planted, 1, event)
    columns = pd.DataFrame({"dose": planted.astype(float), "age": np.arange(600.0) % 7})
    found = mistakes_at_horizon(duration, event, risks[:, 1], 5.0, columns)
    first = found.regions[0]
    assert [str(c) for c in first.conditions] == ["dose ≥ 0.5"] and (first.n, first.n_events) == (150, 150)
    assert first.observed == pytest.approx(1) and first.gap.low > 0.3
    known = Horizon.of(duration, event, 5.0)
    terms = -np.log(np.where(known.event, risks[:, 1], 1 - risks[:, 1]))
    assert found.mean_loss == pytest.approx((terms * known.weight).sum() / known.weight.sum())
    assert found.worst[0] == np.argmax(np.where(known.known, terms, 0))
    second = next(r for r in found.regions if [str(c) for c in r.conditions] == ["dose < 0.5"])
    alone = Horizon.of(duration[~planted], event[~planted], 5.0)
    assert second.observed == pytest.approx(alone.incidence.at(5.0)) and second.gap.high - second.gap.low < 0.2
