"""A model in use: what changes is told, where and since when, and nothing else is."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from medcore.errors import InputError, SettingsError
from medcore.i18n import language
from medcore.monitoring.watch import Watch, WatchPlan, watch
from medcore.monitoring.watched import Watched, WatchedPlace
from tests.monitoring.years import COLUMNS, month_of, with_codes, with_odds, year

PLAN = WatchPlan(threshold=0.2)


@pytest.fixture(scope="module")
def quiet() -> Watch:
    return watch(year(), PLAN)


def told(found: Watch) -> set[tuple[str, str, str | None, str]]:
    return {(a.figure, str(a.place.message), a.column, a.month) for a in found.alarms}


def test_a_quiet_year_has_hardly_an_alarm_and_every_month_is_told(quiet: Watch) -> None:
    assert len(quiet.alarms) <= 1
    assert [m.name for m in quiet.months] == [f"2025-{m:02d}" for m in range(1, 13)]
    assert sum(m.n for m in quiet.months) == 12_000
    assert [m.reference for m in quiet.months] == [True] * 3 + [False] * 9
    assert quiet.months[3].median_delay_days == 10
    assert {str(p.message) for p in quiet.places} == {"all patients", "site North", "site South", "sex f", "sex m"}


def test_false_alarms_are_as_rare_as_stated() -> None:
    months = {(seed, a.month) for seed in range(20, 26) for a in watch(year(seed, 5_000), PLAN).alarms}
    assert len(months) <= 8  # 54 months at 5 %: 2.7 expected, more than 8 once in four hundred times


def test_other_units_at_one_site_are_found_there_in_that_month() -> None:
    quiet_year = year(1)
    there = (month_of(quiet_year) == 5) & (quiet_year.places["site"] == "South").to_numpy()
    found = watch(with_codes(quiet_year, there, "c", lambda v: 10 * v + 20), PLAN)
    first = found.of_month("2025-05")
    assert ("difference", "site South", "c", "2025-05") in told(found)
    assert ("difference", "site North", "c", "2025-05") not in told(found)
    alarm = next(a for a in first if a.figure == "difference" and str(a.place.message) == "site South")
    assert (alarm.since, alarm.last, alarm.action) == ("2025-05", "2025-05", "look")
    assert alarm.excess > 2
    change = found.changes("2025-05")[0]
    assert change.strongest.column == "c"
    assert str(change.strongest.place.message) == "site South"


def test_more_events_than_predicted_are_found_by_calibration_and_cusum() -> None:
    quiet_year = year(2)
    found = watch(with_odds(quiet_year, month_of(quiet_year) >= 8, 2.5), PLAN)
    figures = {a.figure for a in found.of_month("2025-08") if a.place == WatchedPlace()}
    assert {"calibration_intercept", "cusum_more"} <= figures
    alarm = next(a for a in found.alarms if a.figure == "cusum_more" and a.place == WatchedPlace())
    assert alarm.since >= "2025-07-20"
    assert alarm.month == "2025-08"
    assert alarm.value > 1.2
    assert alarm.action == "recalibrate"
    assert len([a for a in found.alarms if a.figure == "cusum_more" and a.place == WatchedPlace()]) == 1


def test_a_group_that_loses_calibration_is_named() -> None:
    quiet_year = year(3)
    who = (month_of(quiet_year) == 10) & (quiet_year.places["sex"] == "f").to_numpy()
    found = watch(with_odds(quiet_year, who, 3.0), PLAN)
    assert ("calibration_intercept", "sex f", None, "2025-10") in told(found)
    assert not [a for a in found.alarms if str(a.place.message) == "sex m"]


def test_ranking_that_is_lost_asks_to_stop_and_a_change_of_values_before_it_to_look_first() -> None:
    quiet_year = year(4)
    there = month_of(quiet_year) == 6
    lost = replace(
        quiet_year,
        outcome=np.where(there, np.random.default_rng(0).permutation(quiet_year.outcome), quiet_year.outcome),
    )
    alarm = next(a for a in watch(lost, PLAN).alarms if a.figure == "auroc" and a.place == WatchedPlace())
    assert (alarm.month, alarm.action, alarm.because) == ("2025-06", "stop", ())
    both = watch(with_codes(lost, there, "b", lambda v: v + 5), PLAN)
    explained = next(a for a in both.alarms if a.figure == "auroc" and a.place == WatchedPlace())
    assert explained.because == ("b",)
    assert "First look at b" in str(explained.what_to_do()[0])


def test_figures_of_a_month_are_those_of_other_programs(quiet: Watch) -> None:
    watched = year()
    august = month_of(watched) == 8
    y, p = watched.outcome[august], watched.risk[august, 1]
    auroc, slope = quiet.chart("auroc"), quiet.chart("calibration_slope")
    assert auroc is not None and slope is not None
    assert auroc.value[7] == pytest.approx(roc_auc_score(y, p))
    fitted = LogisticRegression(C=np.inf, tol=1e-10).fit(logit(p)[:, None], y)
    assert slope.value[7] == pytest.approx(fitted.coef_[0, 0], abs=1e-4)
    alerts, benefit = quiet.chart("alerts"), quiet.chart("net_benefit")
    assert alerts is not None and benefit is not None
    assert alerts.value[7] == pytest.approx((p >= 0.2).mean())
    assert benefit.value[7] == pytest.approx((y[p >= 0.2].sum() - 0.25 * (1 - y[p >= 0.2]).sum()) / len(y))


def test_missing_unused_unseen_and_outside_are_told_apart() -> None:
    quiet_year = year(5)
    there = month_of(quiet_year) == 9
    lacking = with_codes(quiet_year, there, "p", lambda v: np.where(np.arange(len(v)) % 3 == 0, np.nan, v))
    unseen, outside = lacking.inputs.unseen.copy(), lacking.inputs.outside.copy()
    unseen[there & (np.arange(len(there)) % 5 == 0), 7] = True
    outside[there & (np.arange(len(there)) % 4 == 0), 2] = True
    lost = with_codes(lacking, there, "d", lambda v: np.where(np.arange(len(v)) % 2 == 0, np.nan, v))
    unused = np.isnan(lost.inputs.codes) & (np.array(COLUMNS) == "d") & there[:, None]
    inputs = replace(lost.inputs, unused=unused, unseen=unseen, outside=outside)
    found = watch(replace(lost, inputs=inputs), PLAN)
    assert not [a for a in found.alarms if a.figure == "missing" and a.column == "d" and a.value > 0.1]
    for figure, column in (("missing", "p"), ("unused", "d"), ("unseen", "q"), ("outside", "c")):
        assert (figure, "all patients", column, "2025-09") in told(found)


def test_a_site_that_falls_silent_is_told() -> None:
    quiet_year = year(6)
    silent = (month_of(quiet_year) == 7) & (quiet_year.places["site"] == "North").to_numpy()
    found = watch(quiet_year.take(~silent), PLAN)
    assert ("volume", "site North", None, "2025-07") in told(found)


def test_months_whose_outcomes_are_not_complete_are_not_judged_by_them() -> None:
    quiet_year = year(7)
    late = (month_of(quiet_year) >= 11) & (
        quiet_year.outcome == 0
    )  # events are known before it is known that nothing happened
    waiting = replace(quiet_year, outcome=np.where(late, np.nan, quiet_year.outcome))
    found = watch(waiting, PLAN)
    assert not [a for a in found.alarms if a.last >= "2025-11"]
    assert [m.complete for m in found.months[-3:]] == [True, False, False]
    assert "2025-11, 2025-12" in str(found.notes()[2])


def test_without_any_outcome_values_are_watched_and_performance_is_estimated() -> None:
    blind = replace(year(8), outcome=np.full(12_000, np.nan), known=None)
    found = watch(blind, PLAN)
    assert not found.running
    assert found.chart("auroc") is None
    everybody = next(e for e in found.expected if e.place == WatchedPlace())
    assert not everybody.calibrated
    watched = year(8)
    assert everybody.auroc[5] == pytest.approx(
        roc_auc_score(watched.outcome[month_of(watched) == 6], watched.risk[month_of(watched) == 6, 1]), abs=0.03
    )
    assert everybody.to_dict()["is_an_estimate"] is True


def test_what_was_so_from_the_first_day_is_told_once_and_is_no_alarm() -> None:
    watched = year(10)
    training = year(11, 400).inputs.codes
    other = replace(watched.inputs, training=training + np.where(np.array(COLUMNS) == "e", 1.5, 0.0))
    found = watch(with_odds(replace(watched, inputs=other), month_of(watched) > 0, 2.0), PLAN)
    assert [name for name, _difference in found.beginning.differences] == ["e"]
    assert not [a for a in found.alarms if a.column == "e"]
    (reference,) = found.beginning.calibration
    assert reference.large.value == pytest.approx(np.log(2), abs=0.15)
    said = " ".join(map(str, found.beginning.lines()))
    assert "values differed from the sample of training: e " in said
    assert "Already in the months of reference the model was not calibrated" in said
    alike = watch(replace(watched, inputs=replace(watched.inputs, training=training)), PLAN).beginning
    assert alike.differences == ()
    assert "as in the sample of training" in str(alike.lines()[0])


def test_gaps_between_groups_are_those_of_evaluation(quiet: Watch) -> None:
    assert {g.name for g in quiet.groups["sex"].groups} == {"f", "m"}
    assert quiet.groups["sex"].fairness.demographic_parity.exists


def test_order_and_predictions_without_a_time_do_not_matter(quiet: Watch) -> None:
    watched = year()
    shuffled = watched.take(np.random.default_rng(0).permutation(len(watched)))
    for one, other in zip(watch(shuffled, PLAN).charts, quiet.charts, strict=True):
        np.testing.assert_allclose(one.value, other.value, rtol=1e-9)
        np.testing.assert_allclose(one.high, other.high, rtol=1e-9)
    timeless = watched.take(np.r_[np.arange(len(watched)), [0, 1]])
    time = timeless.time.copy()
    time[-2:] = np.datetime64("NaT")
    assert sum(m.n for m in watch(replace(timeless, time=time), PLAN).months) == 12_000


def test_too_few_months_and_wrong_plans_are_refused_in_a_sentence() -> None:
    watched = year(0, 600)
    early: Watched = watched.take(month_of(watched) <= 3)
    with pytest.raises(SettingsError, match="first 3 are the reference"):
        watch(early, PLAN)
    with pytest.raises(SettingsError, match="between 0 and 1"):
        WatchPlan(threshold=1.2)
    with pytest.raises(InputError, match="No prediction has a time"):
        replace(watched, time=np.full(600, np.datetime64("NaT", "s")))


def test_alarms_are_told_in_both_languages() -> None:
    quiet_year = year(1)
    found = watch(with_codes(quiet_year, month_of(quiet_year) == 5, "c", lambda v: v + 20), PLAN)
    alarm = found.of_month("2025-05")[0]
    english = str(alarm.sentence())
    with language("zh_CN"):
        chinese = str(alarm.sentence())
    assert "2025-05" in english
    assert chinese != english
    assert any("一" <= letter <= "鿿" for letter in chinese)
