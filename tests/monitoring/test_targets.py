"""Watching of whatever is predicted: figures are those of evaluation, and what changes is told in its words."""

from dataclasses import replace

import numpy as np
import pytest
from lifelines import AalenJohansenFitter, KaplanMeierFitter
from sklearn.metrics import roc_auc_score

from medcore.charts.drawing.theme import headline
from medcore.charts.watching import cusum_chart
from medcore.evaluation.number.performance import evaluate_numbers
from medcore.evaluation.survival.performance import evaluate_at_horizons
from medcore.monitoring.watch import Watch, WatchPlan, watch
from medcore.monitoring.watched import Watched, WatchedPlace
from tests.monitoring.years import month_of, year_by_time, year_of_classes, year_of_numbers

PLAN = WatchPlan(threshold=0.3)


def in_august(found: Watch, figure: str, of_class: str | None = None) -> float:
    chart = found.chart(figure, of_class=of_class)
    assert chart is not None
    return float(chart.value[7])


def told(found: Watch, month: str) -> set[str]:
    return {a.figure for a in found.of_month(month) if a.place == WatchedPlace()}


@pytest.mark.parametrize("competing", [False, True])
def test_figures_by_a_horizon_are_those_of_evaluation_and_of_lifelines(competing: bool) -> None:
    watched = year_by_time(competing=competing)
    found = watch(watched, PLAN)
    august = watched.take(month_of(watched) == 8)
    assert august.duration is not None
    cause, risk = august.outcome.astype(int), august.risk[:, 1]
    judged = evaluate_at_horizons(august.duration, cause, risk[:, None], [90.0], threshold=0.3).by(90.0).metrics
    for figure in ("auroc", "o_e_ratio", "calibration_slope", "net_benefit"):
        assert in_august(found, figure) == pytest.approx(judged[figure].value, rel=1e-9)
    if competing:
        fitted = AalenJohansenFitter(calculate_variance=False, jitter_level=0, seed=0)
        fitted.fit(august.duration, cause, event_of_interest=1)
        observed = float(fitted.cumulative_density_.loc[:90].iloc[-1, 0])
    else:
        observed = 1 - float(KaplanMeierFitter().fit(august.duration, cause == 1).predict(90))
    assert in_august(found, "o_e_ratio") == pytest.approx(observed / risk.mean(), rel=1e-6)
    assert len(found.alarms) <= 2
    assert not found.running


def test_who_was_followed_for_less_is_counted_and_is_not_without_the_event() -> None:
    watched = year_by_time(1)
    found = watch(watched, PLAN)
    assert watched.duration is not None
    less = (watched.duration < 90) & (watched.outcome == 0)
    assert sum(m.n_censored for m in found.months) == less.sum()
    assert sum(m.n_events or 0 for m in found.months) == ((watched.duration <= 90) & (watched.outcome == 1)).sum()
    assert found.months[7].complete
    assert any(f"{less.sum():,} patient(s) who were followed for less" in str(note) for note in found.notes())
    # To take them for patients without the event would be a miscalibration of a fifth.
    august = month_of(watched) == 8
    naive = ((watched.outcome == 1) & (watched.duration <= 90))[august].mean() / watched.risk[august, 1].mean()
    assert naive < 0.9 < in_august(found, "o_e_ratio")


def test_nobody_followed_to_the_horizon_is_not_judged_by_it() -> None:
    watched = year_by_time(2)
    assert watched.duration is not None
    late = month_of(watched) >= 11
    soon = late & (watched.duration > 30)
    outcome, duration = np.where(soon, 0.0, watched.outcome), np.where(soon, 30.0, watched.duration)
    found = watch(replace(watched, outcome=outcome, duration=duration), PLAN)
    chart = found.chart("o_e_ratio")
    assert chart is not None
    assert chart.judged.tolist() == [False] * 3 + [True] * 7 + [False] * 2


def test_more_events_by_the_horizon_ask_to_recalibrate() -> None:
    watched = year_by_time(3)
    there = month_of(watched) == 8
    assert watched.duration is not None
    earlier = there & (np.random.default_rng(0).random(len(there)) < 0.2) & (watched.outcome == 0)
    more = replace(
        watched,
        outcome=np.where(earlier, 1.0, watched.outcome),
        duration=np.where(earlier, np.minimum(watched.duration, 40.0), watched.duration),
    )
    found = watch(more, PLAN)
    assert "o_e_ratio" in told(found, "2025-08")
    change = next(c for c in found.changes("2025-08") if c.strongest.figure == "o_e_ratio")
    assert change.asks == "recalibrate"
    assert "times as many events as predicted in 2025-08" in str(change.strongest.sentence())


def test_each_of_several_classes_is_judged_against_the_rest() -> None:
    watched = year_of_classes()
    found = watch(watched, PLAN)
    august = watched.take(month_of(watched) == 8)
    assert found.classes == ("none", "mild", "severe")
    for k, name in enumerate(found.classes):
        auroc = roc_auc_score(august.outcome == k, august.risk[:, k])
        assert in_august(found, "auroc", name) == pytest.approx(auroc)
        assert found.expects(of_class=name) is not None
    assert in_august(found, "alerts") == pytest.approx((august.risk.argmax(axis=1) != 0).mean())
    assert found.chart("net_benefit", of_class="mild") is None
    assert [m.n_events for m in found.months] == [None] * 12
    assert len(found.alarms) <= 2


def test_a_class_that_comes_more_often_is_named_and_is_one_change() -> None:
    watched = year_of_classes(1)
    there = month_of(watched) == 8
    swapped = there & (watched.outcome == 1) & (np.random.default_rng(0).random(len(there)) < 0.6)
    found = watch(replace(watched, outcome=np.where(swapped, 2.0, watched.outcome)), PLAN)
    large = [c for c in found.changes("2025-08") if c.strongest.figure in ("calibration_intercept", "cusum_more")]
    assert len(large) == 1
    said = " ".join(map(str, large[0].lines()))
    assert "severe" in said and "mild" in said
    assert {one.of_class for one in found.together} == {"none", "mild", "severe"}


def test_figures_of_numbers_are_those_of_evaluation() -> None:
    watched = year_of_numbers()
    found = watch(watched, PLAN)
    august = watched.take(month_of(watched) == 8)
    assert august.interval is not None
    judged = evaluate_numbers(august.outcome, august.risk[:, 0], intervals=august.interval).metrics
    names = {"mae": "mae", "mean_error": "calibration_intercept"} | {n: n for n in ("calibration_slope", "coverage")}
    for figure, name in names.items():
        assert in_august(found, figure) == pytest.approx(judged[name].value)
    assert found.expected == ()
    assert found.chart("alerts") is None
    assert len(found.alarms) <= 2


def test_intervals_that_held_all_patients_are_watched_too() -> None:
    watched = year_of_numbers(4)
    assert watched.interval is not None
    wide = (watched.interval[0] - 20, watched.interval[1] + 20)
    there = month_of(watched) == 8
    ends = tuple(np.where(there, usual, far) for usual, far in zip(watched.interval, wide, strict=True))
    found = watch(replace(watched, interval=(ends[0], ends[1])), PLAN)
    chart = found.chart("coverage")
    assert chart is not None
    assert (chart.centre, chart.value[6]) == (1.0, 1.0)
    assert chart.beyond.tolist() == [m == 7 for m in range(12)]


def test_a_number_that_is_off_to_one_side_is_told_with_its_size() -> None:
    watched = year_of_numbers(1)
    off = np.where(month_of(watched) == 8, 1.5, 0.0)
    found = watch(replace(watched, outcome=watched.outcome + off), PLAN)
    assert {"mean_error", "coverage", "mae"} <= told(found, "2025-08")
    alarm = next(a for a in found.alarms if a.figure == "mean_error" and a.place == WatchedPlace())
    assert alarm.value == pytest.approx(1.5, abs=0.25)
    assert alarm.action == "recalibrate"


def test_numbers_that_are_a_little_higher_for_months_are_found_by_their_cusum() -> None:
    watched = year_of_numbers(1)
    off = np.where(month_of(watched) >= 7, 0.5, 0.0)
    found = watch(replace(watched, outcome=watched.outcome + off), PLAN)
    alarms = [a for a in found.alarms if a.figure == "cusum_higher" and a.place == WatchedPlace()]
    alarm = min(alarms, key=lambda a: a.month)
    assert alarm.since[:7] in ("2025-06", "2025-07") and alarm.month == "2025-07"
    assert 0.3 < alarm.value < 0.8 and abs(alarm.centre) < 0.15
    assert "measured less predicted" in str(alarm.sentence())
    told = {one.figure: one.to_dict() for one in found.running if one.place == WatchedPlace()}
    assert told["cusum_higher"]["shift"] == 0.5
    assert told["cusum_higher"]["alarms"][0]["measured_less_predicted"] == pytest.approx(alarm.value, abs=1e-3)
    assert not told["cusum_lower"]["alarms"]
    assert (
        "CUSUM: measured values are not as predicted"
        in headline(cusum_chart(found.running[:2], [m.name for m in found.months]))[0]
    )


def test_false_alarms_are_as_rare_as_stated_whatever_is_predicted() -> None:
    years: list[Watched] = [
        make(seed, 2_000) for make in (year_by_time, year_of_classes, year_of_numbers) for seed in (30, 31)
    ]
    months = {(place, a.month) for place, one in enumerate(years) for a in watch(one, PLAN).alarms}
    assert len(months) <= 8  # 54 months at 5 %: 2.7 expected, more than 8 once in four hundred times


def test_a_sample_of_each_month_counts_all_and_keeps_the_limits_of_what_is_read() -> None:
    watched = year_of_numbers(2)
    kept = (np.arange(len(watched)) % 4 == 0) | (month_of(watched) < 7)
    counts = {f"2025-{m:02d}": int((month_of(watched) == m).sum()) for m in range(1, 13)}
    found = watch(replace(watched.take(kept), n_of_month=counts), PLAN)
    whole = watch(watched, PLAN)
    volume, all_volume = found.chart("volume"), whole.chart("volume")
    assert volume is not None and all_volume is not None
    np.testing.assert_allclose(volume.value, all_volume.value)
    assert not volume.beyond.any()
    assert (found.n, found.n_read) == (6_000, int(kept.sum()))
    assert any("an even sample of each month" in str(note) for note in found.notes())


def test_a_patient_who_is_asked_about_daily_counts_once_a_month() -> None:
    watched = year_of_numbers(3)
    every = np.repeat(np.arange(len(watched)), 3)
    names = np.arange(len(watched))
    daily = replace(watched.take(every), patient=names[every])
    found, once = watch(daily, PLAN), watch(watched, PLAN)
    assert (found.n, found.n_read) == (18_000, 6_000)
    for figure in ("mae", "mean_error", "risk"):
        one, other = found.chart(figure), once.chart(figure)
        assert one is not None and other is not None
        np.testing.assert_allclose(one.high, other.high)
    nobody = watch(replace(daily, patient=np.full(len(every), -1)), PLAN)
    assert nobody.n_read == 18_000
