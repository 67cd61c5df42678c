"""Whose turn it is, where a run waits and for how long, and what one person may take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update
from sqlalchemy.orm import Session

from medcore.data.cohort import Cohort
from medcore.errors import SettingsError
from medcore.models.contract.settings import TrainSettings
from medcore.settings import Settings
from medcore.studies import Store
from medcore.studies.stores.fairness import next_turn, turn_for
from medcore.studies.tables import CohortRow, RunRow, StudyRow, now

Start = Callable[..., str]


@pytest.fixture
def start(store: Store, cohort: Cohort) -> Start:
    """Queue a run of somebody's own study."""
    studies: dict[str, str] = {}

    def started(person: str, minutes: float = 0) -> str:
        if person not in studies:
            studies[person] = store.create_study(person, "Ward", cohort).id
        return store.create_run(person, studies[person], TrainSettings(search_minutes=minutes)).id

    return started


def finish(store: Store, person: str, run_id: str, seconds: float) -> None:
    store.begin_attempt(person, run_id)
    with Session(store._engine) as session, session.begin():
        begun = now() - timedelta(seconds=seconds)
        session.execute(update(RunRow).where(RunRow.id == run_id).values(started_at=begun))
    store.finish_run(person, run_id, "done", attempt=1, summary={})


def test_one_run_of_somebody_else_does_not_wait_for_all_ten_of_the_first(store: Store, start: Start) -> None:
    many = [start("ann") for _ in range(10)]
    store.begin_attempt("ann", many[0])
    late = start("bob")
    assert [run for _owner, run in store.unfinished_runs()][:3] == [many[0], late, many[1]]
    place = store.place_in_queue("bob", late)
    assert place is not None and place.number == 1


def test_two_persons_take_turns_whoever_came_first(store: Store, start: Start) -> None:
    ann, bob = [start("ann") for _ in range(3)], [start("bob") for _ in range(3)]
    assert [run for _owner, run in store.unfinished_runs()] == [ann[0], bob[0], ann[1], bob[1], ann[2], bob[2]]


@given(st.lists(st.sampled_from(["ann", "bob", "served"]), max_size=80))
def test_nobody_waits_for_ever_for_somebody_who_always_has_one_run_more(events: list[str]) -> None:
    """While one person waits, another is served twice at most before it is their turn."""
    waiting: list[tuple[int, int, str]] = []
    passed_over = {"ann": 0, "bob": 0}
    for number, event in enumerate(events):
        if event != "served":
            waiting.append((next_turn([(turn, who) for turn, _, who in waiting], event), number, event))
        elif waiting:
            served = min(waiting)
            waiting.remove(served)
            for person in passed_over:
                waits = person != served[2] and any(who == person for _, _, who in waiting)
                passed_over[person] = passed_over[person] + 1 if waits else 0
            assert max(passed_over.values()) <= 2


def test_the_turn_is_the_one_that_the_rule_gives(store: Store, start: Start) -> None:
    for person in ("ann", "ann", "bob"):
        start(person)
    with Session(store._engine) as session:
        assert [turn_for(session, person) for person in ("ann", "bob", "eve")] == [2, 1, 0]


def test_a_waiting_run_knows_its_place_and_about_how_long(store: Store, start: Start) -> None:
    first = start("ann")
    assert store.place_in_queue("ann", first) is not None
    finish(store, "ann", first, 40)
    working, second, third = start("ann"), start("bob"), start("eve")
    store.begin_attempt("ann", working)
    assert store.place_in_queue("ann", working) is None
    places = [store.place_in_queue(person, run) for person, run in (("bob", second), ("eve", third))]
    assert [p and p.number for p in places] == [1, 2]
    assert places[0] is not None and places[0].seconds == pytest.approx(40, abs=3)
    assert places[1] is not None and places[1].seconds == pytest.approx(80, abs=3)


def test_a_search_that_waits_ahead_counts_with_its_minutes(store: Store, start: Start) -> None:
    finish(store, "ann", start("ann"), 10)
    start("ann", minutes=2.0)
    place = store.place_in_queue("bob", start("bob"))
    assert place is not None and place.seconds == pytest.approx(130, abs=3)


def test_where_no_run_was_ever_done_no_time_is_promised(store: Store, start: Start) -> None:
    start("ann")
    place = store.place_in_queue("bob", start("bob"))
    assert place is not None and (place.number, place.seconds) == (2, None)


def test_limits_are_for_each_person_and_say_what_to_do(
    studies_settings: Settings, cohort: Cohort, other_cohort: Cohort
) -> None:
    store = Store(replace(studies_settings, max_runs=2, max_studies=1))
    study = store.create_study("ann", "Ward", cohort)
    runs = [store.create_run("ann", study.id, TrainSettings()) for _ in range(2)]
    with pytest.raises(SettingsError, match="2 of your training runs wait or work"):
        store.create_run("ann", study.id, TrainSettings())
    with pytest.raises(SettingsError, match="You have 1 studies"):
        store.create_study("ann", "Another", other_cohort)
    bobs = store.create_study("bob", "Ward", cohort)
    store.create_run("bob", bobs.id, TrainSettings())
    store.request_cancel("ann", runs[0].id)
    store.create_run("ann", study.id, TrainSettings())
    store.delete_study("ann", study.id)
    store.create_study("ann", "Another", other_cohort)


def test_what_one_person_stores_is_measured_and_what_is_too_much_is_not_kept(
    store: Store, cohort: Cohort, other_cohort: Cohort
) -> None:
    study = store.create_study("ann", "Ward", cohort, original=b"x" * 1000)
    with Session(store._engine) as session, session.begin():
        kept = session.get_one(CohortRow, session.get_one(StudyRow, study.id).cohort_id)
        assert kept.n_bytes > 1000
        kept.n_bytes = store.settings.max_stored_gb << 30
    with pytest.raises(SettingsError, match="The table takes 1 MB, and 0 MB are left"):
        store.create_study("ann", "Another", other_cohort)
    assert len(store.list_studies("ann")) == 1
    store.create_study("bob", "Another", other_cohort)
    store.delete_study("ann", study.id)
    store.purge_study("ann", study.id)
    store.create_study("ann", "Another", other_cohort)
