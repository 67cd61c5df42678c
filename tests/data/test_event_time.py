"""An outcome that comes with its time: what is proposed, what is read, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from medcore.data.cohort import Cohort, Schema
from medcore.data.follow_up import span
from medcore.data.preparation.event_time import choose_event_time, horizon_in, propose_event_times, unit_finding
from medcore.data.preparation.outcomes import answers_read_as_missing
from medcore.data.preparation.recipe import default_recipe
from medcore.data.preparation.replay import prepare
from medcore.data.quality import inspect
from medcore.data.schema.inference import choose_target, infer_schema
from medcore.data.splitting.split import SplitSettings, make_split
from medcore.errors import InputError, SettingsError, TargetError
from medcore.statistics.sample_size.development import survival_sample_size


def ward(n: int = 120, **columns: object) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    table = {
        "age": [f"{v:.0f}" for v in rng.normal(60, 10, n)],
        "futime": [f"{v:.0f}" for v in rng.uniform(20, 1500, n)],
        "death": rng.choice(["0", "1"], n),
    }
    return pd.DataFrame(table | columns, dtype="str")


def cohort(frame: pd.DataFrame) -> Cohort:
    return Cohort(frame, infer_schema(frame), "0" * 64, "ward.csv")


def test_a_pair_of_status_and_follow_up_is_proposed_by_its_names() -> None:
    rows = cohort(ward())
    (found,) = propose_event_times(rows.frame, rows.schema)
    assert (found.status, found.duration) == ("death", "futime")
    assert propose_event_times(ward().drop(columns="futime"), infer_schema(ward().drop(columns="futime"))) == ()


def test_the_time_never_predicts_and_says_in_which_unit_it_is() -> None:
    rows = cohort(ward())
    schema = choose_event_time(rows, "death", when="futime")
    assert schema.follow_up is not None
    assert [c.name for c in schema.predictors] == ["age"]
    assert schema.change("futime", role="predictor").predictors == schema.predictors
    assert (schema.follow_up.unit, schema.follow_up.classes) == ("days", ("0", "1"))
    assert schema.follow_up.main == 3 * 365.25
    assert "taken as days" in str(schema["death"].reason)
    assert Schema.from_dict(schema.to_dict()) == schema
    (told,) = unit_finding(schema)
    assert (told.code, told.columns) == ("outcome.unit_guessed", ("futime",)) and "taken as days" in str(told.message)
    assert unit_finding(choose_event_time(rows, "death", when="futime", unit="days")) == ()


@pytest.mark.parametrize(("longest", "step", "unit"), [(285, 1, "days"), (170, 1, "months"), (285, 0.5, "months")])
def test_whole_numbers_of_more_than_fifteen_years_in_months_are_days(longest, step, unit) -> None:
    times = np.arange(longest, longest - 60 * step, -step)
    frame = pd.DataFrame({"t": times.astype(str), "status": ["0", "1"] * 30, "age": np.arange(60).astype(str)})
    schema = choose_event_time(cohort(frame), "status", when="t")
    assert schema.follow_up is not None and schema.follow_up.unit == unit


def test_of_one_and_two_the_second_is_the_event_with_its_reason() -> None:
    frame = ward(status=np.random.default_rng(0).choice(["1", "2"], 120)).drop(columns="death")
    schema = choose_event_time(cohort(frame), "status", when="futime", horizons=["3y"])
    assert schema.follow_up is not None
    assert (schema.follow_up.causes, schema.follow_up.censored) == (("2",), ("1",))
    assert "1 censored, 2 dead" in str(schema["status"].reason)


def test_values_of_which_nobody_said_what_they_mean_are_asked() -> None:
    frame = ward(status=np.random.default_rng(0).choice(["0", "1", "2"], 120)).drop(columns="death")
    rows = cohort(frame)
    with pytest.raises(TargetError, match=r"status.*nobody said what they mean"):
        choose_event_time(rows, "status", when="futime")
    with pytest.raises(TargetError, match="nobody said"):
        choose_event_time(rows, "status", when="futime", event="1")
    schema = choose_event_time(rows, "status", when="futime", event="1", competing=["2"])
    assert schema.follow_up is not None
    assert (schema.follow_up.classes, schema.follow_up.censored) == (("no event", "1", "2"), ("0",))
    prepared = prepare(rows.with_schema(schema), default_recipe(schema))
    assert sorted(np.unique(prepared.outcome)) == [0, 1, 2]
    both = choose_event_time(rows, "status", when="futime", event="1", censored=["0", "2"])
    assert both.follow_up is not None
    assert (both.follow_up.classes, both.target is not None) == (("not 1", "1"), True)


@pytest.mark.parametrize("code", ["9", "99", "-1", "unknown", "none", "?"])
@pytest.mark.parametrize("known", [("0", "1"), ("alive", "dead"), ("no", "yes"), ("0", "1", "2")])
def test_a_code_that_is_read_as_missing_is_an_answer_where_it_is_named(code: str, known: tuple[str, ...]) -> None:
    status = np.resize([*known, *known, code], 120)
    rows = cohort(ward(status=status).drop(columns="death"))
    others = {"censored": [known[0]], "competing": list(known[2:])}
    n_coded = int((status == code).sum())

    def ended(**asked: Any) -> tuple[int, ...]:
        named = {"event": known[1], **others, **asked}
        schema = choose_event_time(rows, "status", when="futime", horizons=["3y"], **named)
        outcome = prepare(rows.with_schema(schema), default_recipe(schema)).outcome
        return tuple(int(n) for n in np.bincount(outcome))

    n_known = [int((status == value).sum()) for value in known]
    assert ended(censored=[known[0], code]) == (n_known[0] + n_coded, *n_known[1:])
    assert ended(competing=[*known[2:], code]) == (*n_known, n_coded)
    assert ended(event=code, competing=list(known[1:])) == (n_known[0], n_coded, *n_known[1:])
    read = answers_read_as_missing(rows.frame, rows.schema["status"])
    assert read in ({}, {code: n_coded})
    if read:
        assert ended() == tuple(n_known)
        schema = choose_event_time(rows, "status", when="futime", horizons=["3y"], event=known[1], **others)
        told = next(f for f in inspect(rows.with_schema(schema)) if f.code == "outcome.words")
        assert told.n_rows == n_coded and told.fix is None and "--censored" in str(told.remedy)
    else:
        with pytest.raises(TargetError, match="nobody said what they mean"):
            ended()


def test_two_dates_and_one_date_with_an_end_of_study_say_the_same() -> None:
    rng = np.random.default_rng(1)
    n = 200
    start = pd.Timestamp("2015-01-01") + pd.to_timedelta(rng.integers(0, 700, n), unit="D")
    died = start + pd.to_timedelta(rng.integers(30, 2500, n), unit="D")
    end = pd.Timestamp("2019-12-31")
    seen = died <= end
    dates = {
        "entry": [str(d.date()) for d in start],
        "left": [str(min(d, end).date()) for d in died],
        "died_on": [str(d.date()) if s else None for d, s in zip(died, seen, strict=True)],
        "dead": np.where(seen, "yes", "no"),
        "age": [f"{v:.0f}" for v in rng.normal(60, 10, n)],
    }
    rows = cohort(pd.DataFrame(dates, dtype="str"))
    by_status = choose_event_time(rows, "dead", when=("entry", "left"), horizons=["2y"])
    by_date = choose_event_time(rows, "died_on", when=("entry", "died_on", "2019-12-31"), horizons=["2y"])
    one, other = (
        prepare(
            rows.with_schema(s.drop([c for c in ("dead", "died_on") if s[c].role == "predictor"])), default_recipe(s)
        )
        for s in (by_status, by_date)
    )
    assert one.duration is not None
    assert np.array_equal(one.duration, np.asarray(other.duration))
    assert np.array_equal(one.outcome, other.outcome)
    assert list(one.kinds) == list(other.kinds) == ["age"]
    with pytest.raises(TargetError, match="after the end of the study, 2016-01-01"):
        choose_event_time(rows, "died_on", when=("entry", "died_on", "2016-01-01"))


def test_a_time_below_zero_is_refused_with_its_row() -> None:
    frame = ward()
    frame.loc[4, "futime"] = "-3"
    with pytest.raises(TargetError, match=r"1 row\(s\) have a time below 0 in \[?.*futime.*row 6 of the file"):
        choose_event_time(cohort(frame), "death", when="futime")


def test_a_horizon_beyond_the_follow_up_and_too_few_events_are_refused() -> None:
    rows = cohort(ward())
    with pytest.raises(TargetError, match=r"Only 0 patient\(s\) were followed for 20 years"):
        choose_event_time(rows, "death", when="futime", horizons=["20y"])
    with pytest.raises(TargetError, match="had the event within 20 days"):
        choose_event_time(rows, "death", when="futime", horizons=["20d"])


def test_horizons_are_read_and_told_in_clinical_words() -> None:
    assert (horizon_in("5y", "months"), horizon_in("18mo", "months"), horizon_in(" 90 ", "days")) == (60.0, 18.0, 90.0)
    assert [str(span(h, "days")) for h in (1826.25, 30.0, 45.0)] == ["5 years", "30 days", "45 days"]
    for text in ("soon", "-1y", "0", "5 parsecs"):
        with pytest.raises(SettingsError, match="is no horizon"):
            horizon_in(text, "days")


def test_rows_without_status_or_time_are_left_out_and_counted() -> None:
    frame = ward()
    frame.loc[0, "futime"], frame.loc[1, "death"] = None, None
    rows = cohort(frame)
    schema = choose_event_time(rows, "death", when="futime", horizons=["3y"])
    prepared = prepare(rows.with_schema(schema), default_recipe(schema))
    assert prepared.n_rows == 118
    assert prepared.duration is not None
    assert np.isfinite(prepared.duration).all()


def test_folds_hold_about_as_many_events_each() -> None:
    rows = cohort(ward(300))
    schema = choose_event_time(rows, "death", when="futime", horizons=["3y"])
    split = make_split(prepare(rows.with_schema(schema), default_recipe(schema)), SplitSettings())
    events = [part.class_counts[1] for part in split.parts() if part.fold is not None]
    assert max(events) - min(events) <= 1


def test_follow_up_is_still_a_leak_where_classes_are_predicted() -> None:
    rows = cohort(ward())
    classes = rows.with_schema(choose_target(rows.schema, rows.frame, "death"))
    found = [f for f in inspect(classes) if f.code == "leakage.follow_up"]
    assert [f.columns for f in found] == [("futime",)]
    timed = rows.with_schema(choose_event_time(rows, "death", when="futime"))
    told = {f.code: f for f in inspect(timed)}
    assert "leakage.follow_up" not in told
    assert "with its time" in str(told["outcome.sample_size"].message)
    again = choose_target(timed.schema, rows.frame, "death")
    assert again.follow_up is None
    assert "futime" not in [c.name for c in again.predictors]


def test_what_cannot_be_is_one_clear_sentence() -> None:
    rows = cohort(ward())
    for call in (
        lambda: choose_event_time(rows, "dead", when="futime"),
        lambda: choose_event_time(rows, "death", when="time"),
        lambda: choose_event_time(rows, "death", when="futime", event="9"),
        lambda: choose_event_time(rows, "death", when="futime", event="1", competing=["1"]),
        lambda: choose_event_time(rows, "death", when="futime", unit="fortnights"),
    ):
        with pytest.raises(InputError):
            call()


def dated_ward(n: int = 150) -> pd.DataFrame:
    """Patients who entered and left on days, some of whom died on one."""
    rng = np.random.default_rng(4)
    start = pd.Timestamp("2015-01-01") + pd.to_timedelta(rng.integers(0, 700, n), unit="D")
    stay = rng.integers(30, 1500, n)
    died = rng.random(n) < 0.4
    end = start + pd.to_timedelta(stay, unit="D")
    return pd.DataFrame(
        {
            "date_of_diagnosis": [str(d.date()) for d in start],
            "last_contact": [str(d.date()) for d in end],
            "death_date": [str(d.date()) if gone else None for d, gone in zip(end, died, strict=True)],
            "status": np.where(died, "dead", "alive"),
            "age": [f"{v:.0f}" for v in rng.normal(60, 10, n)],
        },
        dtype="str",
    )


def test_dates_that_tell_follow_up_are_proposed_by_themselves() -> None:
    rows = cohort(dated_ward())
    found = {p.status: p for p in propose_event_times(rows.frame, rows.schema)}
    assert found["status"].dates == ("date_of_diagnosis", "last_contact")
    assert found["death_date"].dates == ("date_of_diagnosis", "death_date")
    assert found["status"].to_dict()["dates"] == ["date_of_diagnosis", "last_contact"]
    assert "never before" in str(found["death_date"].reason)
    schema = choose_event_time(rows, "status", when=found["status"].dates, horizons=["1y"])
    assert schema.follow_up is not None and schema.follow_up.causes == ("dead",)
    slip = rows.frame.assign(last_contact=["2014-06-01", *rows.frame["last_contact"][1:]])
    assert any(p.dates == ("date_of_diagnosis", "last_contact") for p in propose_event_times(slip, rows.schema))
    early = rows.frame.assign(last_contact="2014-06-01")
    assert not [p for p in propose_event_times(early, rows.schema) if p.dates == ("date_of_diagnosis", "last_contact")]


def test_a_date_that_ends_the_follow_up_is_not_said_to_be_unused() -> None:
    ended = "date_of_death_or_last_contact"
    rows = cohort(dated_ward().rename(columns={"last_contact": ended}))
    schema = choose_event_time(rows, "status", when=("date_of_diagnosis", ended), horizons=["1y"])
    unused = [f.columns for f in inspect(rows.with_schema(schema)) if "are not used" in str(f.message)]
    assert unused == [("death_date",)]


@pytest.mark.parametrize("name", ["time_days", "follow_up_months", "fu_days", "time in years", "duration_weeks"])
def test_a_time_named_with_its_unit_is_proposed_even_with_a_slip(name: str) -> None:
    frame = ward().rename(columns={"futime": name})
    frame.loc[3, name] = "-4"
    (found,) = propose_event_times(frame, infer_schema(frame))
    assert found.duration == name


def test_few_events_with_their_time_are_advised_cox_and_told_how_many_are_needed() -> None:
    rows = cohort(dated_ward())
    timed = rows.with_schema(choose_event_time(rows, "status", when=("date_of_diagnosis", "last_contact")))
    found = {f.code: f for f in inspect(timed)}
    assert "prefer Cox regression" in str(found["outcome.few_events"].remedy)
    not_chosen_yet = {f.code: f for f in inspect(rows)}["outcome.few_events"]
    assert "prefer Cox regression" in str(not_chosen_yet.remedy)
    needed = str(found["outcome.sample_size"].message)
    assert "with its time" in needed and "events (Riley)" in needed
    by_hand = survival_sample_size(30, 0.065, 2.07, 2.0, 0.051)
    assert (by_hand.required, by_hand.optimism, by_hand.required_events) == (5143, 1039, 692)
    low, middle = 0.065 - 1.96 * np.sqrt(0.065 / (by_hand.prevalence * 2.07)), np.exp(-0.13)
    assert np.exp(-2 * low) - middle <= 0.05 < np.exp(-2 * (low - 0.001)) - middle
