"""Kaplan–Meier, Aalen–Johansen, weights and C: R's survival, prodlim, cmprsk and pec, lifelines, and pairs counted one by one."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import AalenJohansenFitter, KaplanMeierFitter

from medcore.statistics.survival.censoring import Censoring
from medcore.statistics.survival.complementary import complementary_log_log, in_the_large_fit, slope_fit
from medcore.statistics.survival.concordance import harrell_c, uno_c
from medcore.statistics.survival.incidence import Incidence
from medcore.statistics.survival.life_table import LifeTable
from medcore.statistics.survival.rates import Rate

TABLES = json.loads((Path(__file__).parent.parent / "golden" / "survival.json").read_text())["tables"]


def arrays(name):
    table = TABLES[name]
    return np.array(table["duration"], dtype=float), np.array(table["event"]), np.array(table["risk"])


def simulated(n=60, seed=0, *, causes=2, ties=False):
    rng = np.random.default_rng(seed)
    duration, event, risk = rng.exponential(size=n), rng.integers(0, causes + 1, n), rng.random(n)
    return (np.ceil(4 * duration), event, risk.round(1)) if ties else (duration, event, risk)


@pytest.mark.parametrize("name", TABLES)
def test_incidence_and_its_error_are_those_of_survfit(name):
    table = TABLES[name]
    duration, event, _risk = arrays(name)
    found = Incidence.of(duration, event)
    assert [found.at(t) for t in table["times"]] == pytest.approx(table["incidence"], abs=1e-9)
    errors = [found.variance_at(t) ** 0.5 for t in table["times"]]
    theirs = [e for e in table["incidence_error"] if e is not None]  # survfit gives none once nobody is left
    assert errors[: len(theirs)] == pytest.approx(theirs, abs=1e-9)
    assert found.table.remaining(np.array(table["times"])).tolist() == table["at_risk"]


@pytest.mark.parametrize("name", ["pbc", "mgus2"])
def test_incidence_is_that_of_cmprsk(name):
    duration, event, _risk = arrays(name)
    found = Incidence.of(duration, event)
    assert [found.at(t) for t in TABLES[name]["times"]] == pytest.approx(TABLES[name]["cuminc"], abs=1e-9)


@pytest.mark.parametrize("name", TABLES)
def test_censoring_is_prodlims_reverse_estimate(name):
    table = TABLES[name]
    duration, event, _risk = arrays(name)
    found = Censoring.of(duration, event)
    after = [1.0, *found.uncensored]
    assert [after[found.table.index(t)] for t in table["times"]] == pytest.approx(table["uncensored"], abs=1e-9)
    median = np.nan if table["median_follow_up"] is None else table["median_follow_up"]
    assert found.median_follow_up() == pytest.approx(median, nan_ok=True)
    assert Rate.of(duration, event).person_time == pytest.approx(table["person_time"])


def test_one_cause_is_lifelines_kaplan_meier():
    duration, event, _risk = simulated(causes=1, ties=True)
    theirs = KaplanMeierFitter().fit(duration, event)
    ours = Incidence.of(duration, event)
    assert 1 - ours.incidence == pytest.approx(theirs.survival_function_at_times(ours.table.times).to_numpy())
    assert ours.event_free == pytest.approx(1 - ours.incidence)


def test_competing_causes_are_lifelines_aalen_johansen():
    duration, event, _risk = simulated()
    theirs = AalenJohansenFitter(calculate_variance=False).fit(duration, event, event_of_interest=1)
    ours = Incidence.of(duration, event)
    assert ours.incidence == pytest.approx(theirs.cumulative_density_.iloc[1:, 0].to_numpy())


@pytest.mark.parametrize("ties", [False, True])
def test_the_influences_squared_are_the_variance(ties):
    duration, event, _risk = simulated(ties=ties)
    found = Incidence.of(duration, event)
    for time in np.quantile(duration, [0.2, 0.5, 0.9]):
        influence = found.influence(time)
        assert influence @ influence == pytest.approx(found.variance_at(time), abs=1e-14)
        assert influence.sum() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("name", TABLES)
def test_pseudo_values_are_those_of_survival(name):
    duration, event, _risk = arrays(name)
    found = Incidence.of(duration, event)
    for at in TABLES[name]["at"]:
        assert found.pseudo_values(at["horizon"]) == pytest.approx(at["pseudo"], abs=1e-8)


def test_pseudo_values_without_censoring_are_the_outcomes():
    duration, event, _risk = simulated(causes=2)
    event = np.maximum(event, 1)
    outcomes = np.where((event == 1) & (duration <= 0.7), 1.0, 0.0)
    assert Incidence.of(duration, event).pseudo_values(0.7) == pytest.approx(outcomes, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 2)), min_size=2, max_size=30), st.integers(1, 6))
def test_weights_sum_to_all_patients_and_give_aalen_johansens_incidence(rows, horizon):
    duration, event = (np.array(x) for x in zip(*rows, strict=True))
    duration = duration.astype(float)
    found = Incidence.of(duration, event)
    if not found.known_until(horizon):
        return
    weights = Censoring.of(duration, event).weights(horizon)
    assert weights.sum() == pytest.approx(len(rows))
    had = (event == 1) & (duration <= horizon)
    assert weights @ had / len(rows) == pytest.approx(found.at(horizon))


def pairs_one_by_one(duration, event, risk, until, weight):
    agreed = compared = 0.0
    for i in np.flatnonzero((event == 1) & (duration <= until)):
        for j in range(len(duration)):
            later = duration[j] > duration[i] or (duration[j] == duration[i] and event[j] == 0)
            never = event[j] > 1 and duration[j] <= duration[i]
            if i != j and (later or never):
                w = weight[i] * (weight[j] if never else weight[i])
                compared += w
                agreed += w * ((risk[i] > risk[j]) + (risk[i] == risk[j]) / 2)
    return agreed / compared


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("causes", [1, 2])
@pytest.mark.parametrize("until", [1.0, np.inf])
def test_concordance_counts_every_pair(ties, causes, until):
    duration, event, risk = simulated(causes=causes, ties=ties)
    plain = pairs_one_by_one(duration, event, risk, until, np.ones(len(risk)))
    weighted = pairs_one_by_one(duration, event, risk, until, 1 / Censoring.of(duration, event).before)
    assert harrell_c(duration, event, risk, until=until).value == pytest.approx(plain, abs=1e-12)
    assert uno_c(duration, event, risk, until=until).value == pytest.approx(weighted, abs=1e-12)


@pytest.mark.parametrize("name", ["lung", "veteran", "ties", "ended", "pbc", "mgus2"])
def test_c_is_that_of_survival_and_of_pec(name):
    duration, event, risk = arrays(name)
    for at, by_then in zip(TABLES[name]["at"], risk.T, strict=True):
        assert uno_c(duration, event, by_then, until=at["horizon"]).value == pytest.approx(at["uno_c"], abs=1e-6)
        if at["harrell_c"] is not None:
            found = harrell_c(duration, event, by_then, until=at["horizon"])
            assert found.value == pytest.approx(at["harrell_c"], abs=1e-9)
            assert np.sqrt(found.influence @ found.influence) == pytest.approx(at["harrell_error"], abs=1e-9)


@pytest.mark.parametrize("figure", [uno_c, harrell_c])
@pytest.mark.parametrize("ties", [False, True])
def test_influences_on_c_are_its_derivatives(figure, ties):
    """One patient more among 400 copies of the table moves the figure by a 400th of the influence."""
    table, copies = simulated(n=30, ties=ties), 400
    many = [np.tile(x, copies) for x in table]
    value = figure(*many, until=2.0).value
    found = figure(*table, until=2.0)
    assert found.value == pytest.approx(value)
    for i in (0, 7, 21):
        moved = figure(*(np.append(m, x[i]) for m, x in zip(many, table, strict=True)), until=2.0).value
        assert copies * (moved - value) == pytest.approx(found.influence[i], abs=5e-5)


@pytest.mark.parametrize("name", TABLES)
def test_calibration_is_that_of_geese_on_pseudo_values(name):
    _duration, _event, risk = arrays(name)
    for at, by_then in zip(TABLES[name]["at"], risk.T, strict=True):
        pseudo = np.array(at["pseudo"])
        slope, large = slope_fit(pseudo, by_then), in_the_large_fit(pseudo, by_then)
        assert slope.coefficients[1] == pytest.approx(at["calibration_slope"], abs=1e-6)
        assert large.coefficients[0] == pytest.approx(at["calibration_intercept"], abs=1e-6)


@pytest.mark.parametrize("fit", [slope_fit, in_the_large_fit])
def test_influences_on_calibration_are_its_derivatives(fit):
    """One patient more among 400 copies of the table, of risks that are wrong, moves a coefficient by a 400th of the influence."""
    duration, event, risk = simulated(n=50, seed=3)
    pseudo, copies = Incidence.of(duration, event).pseudo_values(0.7), 400
    found = fit(pseudo, risk)
    many = np.tile(pseudo, copies), np.tile(risk, copies)
    for i in (0, 7, 21):
        moved = fit(*(np.append(m, x[i]) for m, x in zip(many, (pseudo, risk), strict=True))).coefficients
        assert copies * (moved - found.coefficients) == pytest.approx(found.influence[i], abs=2e-4)


def test_no_slope_where_risks_do_not_differ():
    assert slope_fit(np.array([0.0, 1.0, 0.0]), np.full(3, 0.2)) is None
    assert complementary_log_log(np.array([0.0, 1.0])) == pytest.approx([-18.42, 2.91], abs=0.01)


def test_beyond_the_follow_up_nothing_is_known_unless_all_had_an_event():
    censored = Incidence.of(np.array([1.0, 2.0]), np.array([1, 0]))
    assert censored.at(2.0) == 0.5 and np.isnan(censored.at(2.1)) and not censored.known_until(2.1)
    ended = Incidence.of(np.array([1.0, 2.0]), np.array([1, 2]))
    assert ended.at(9.0) == 0.5 and ended.event_free_at(9.0) == 0


def test_an_end_of_study_that_is_the_horizon_leaves_outcomes_known():
    duration, event = np.array([1.0, 2.0, 5.0, 5.0, 5.0]), np.array([1, 0, 0, 0, 0])
    assert Censoring.of(duration, event).weights(5.0) == pytest.approx([1, 0, 4 / 3, 4 / 3, 4 / 3])


@pytest.mark.parametrize(
    ("duration", "event", "says"),
    [
        ([], [], "no patients"),
        ([-1.0], [1], "negative"),
        ([np.nan], [1], "missing"),
        ([1.0], [-1], "negative codes"),
        ([1.0, 2.0], [1], "shapes"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(duration, event, says):
    with pytest.raises(ValueError, match=says):
        LifeTable.of(np.array(duration, dtype=float), np.array(event, dtype=int))
