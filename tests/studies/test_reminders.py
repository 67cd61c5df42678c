"""Reminders are computed from visits, tasks and a model's rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from medcore.errors import SettingsError
from medcore.studies.reminders import ReminderRules, of_course, of_entry
from medcore.studies.use_records import PredictionRecord, TaskRecord, WorklistEntry

MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)
RULES = ReminderRules(look_again_days=7, hours={"potassium": 48})


def visit(risk: float, *, days: float = 0, outcome: float | None = None, **values: str | None) -> PredictionRecord:
    at = MONDAY + timedelta(days=days)
    return PredictionRecord(
        id=1, model="m", version=1, patient_id="p", at=at, made_at=at, risk=risk, called=risk >= 0.3,
        values=values, risks=(1 - risk, risk), flags=(), outcome=outcome, outcome_at=None,
    )  # fmt: skip


def task(*, due: float | None, done: bool = False, kind: str = "task") -> TaskRecord:
    due_at = None if due is None else MONDAY + timedelta(days=due)
    return TaskRecord(
        id="t", patient_id="p", kind=kind, text="Call", by="ann", whose=None, due_at=due_at, created_at=MONDAY,
        done_at=MONDAY if done else None, done_by=None,
    )  # fmt: skip


def entry(*visits: PredictionRecord, due_at: datetime | None = None) -> WorklistEntry:
    last = visits[-1]
    return WorklistEntry(
        patient_id="p", identifier="x", version=1, at=last.at, first_at=visits[0].at, risk=last.risk,
        called=last.called, n_flags=0, before=visits[-2].risk if len(visits) > 1 else None, outcome=last.outcome,
        n_predictions=len(visits), n_open=0, due_at=due_at,
    )  # fmt: skip


def told(visits, tasks=(), *, days: float, rules: ReminderRules = RULES) -> list[str]:
    found = of_course(visits, tasks, rules, threshold=0.3, now=MONDAY + timedelta(days=days))
    return [str(r.message) for r in found]


def test_a_patient_seen_just_now_with_everything_is_no_reminder():
    assert told([visit(0.2, potassium="4.1")], days=1) == []


def test_a_value_not_given_for_the_rules_time_and_a_visit_long_ago_are_said():
    visits = [visit(0.2, potassium="4.1"), visit(0.2, days=1, potassium=None)]
    assert told(visits, days=1.99) == []
    assert told(visits, days=2) == ["No potassium for 48 h"]
    assert told(visits, days=8.5) == ["No potassium for 8 days", "Not seen for 7 days"]
    assert told([visit(0.2, potassium=""), visit(0.2, days=1)], days=2) == ["potassium was never given"]


def test_a_threshold_is_crossed_up_or_down_between_the_last_two_visits():
    up, down = [visit(0.29), visit(0.3, days=1)], [visit(0.3), visit(0.29, days=1)]
    none = ReminderRules()
    assert told(up, days=1, rules=none) == ["The risk rose across the threshold"]
    assert told(down, days=1, rules=none) == ["The risk fell across the threshold"]
    assert told([*up, visit(0.5, days=2)], days=2, rules=none) == []
    assert of_course(up, [], none, threshold=None, now=MONDAY) == ()


def test_tasks_are_due_until_they_are_done_and_notes_never():
    visits = [visit(0.2, potassium="4")]
    assert told(visits, [task(due=1)], days=0.9) == []
    assert told(visits, [task(due=1)], days=1) == ["Due: Call"]
    assert told(visits, [task(due=1, done=True), task(due=1, kind="note"), task(due=None)], days=1) == []


def test_once_the_outcome_is_known_nobody_is_looked_for():
    assert told([visit(0.2, outcome=1.0)], [task(due=1)], days=90) == ["Due: Call"]


def test_the_worklist_says_what_the_course_says():
    visits = [visit(0.29, potassium="4.1"), visit(0.4, days=1)]
    now = MONDAY + timedelta(days=9)
    given = {}  # nothing within the 48 hours that the rule asks about
    found = of_entry(entry(*visits, due_at=now), given, RULES, threshold=0.3, now=now)
    assert {r.kind for r in found} == {"crossed", "due", "not_given", "look_again"}
    course = of_course(visits, [task(due=9)], RULES, threshold=0.3, now=now)
    assert {r.kind for r in course} == {r.kind for r in found}
    assert of_entry(replace(entry(*visits), outcome=0.0), given, RULES, threshold=None, now=now) == ()


def test_rules_are_positive_and_kept():
    assert ReminderRules.from_dict(RULES.to_dict()) == RULES
    assert ReminderRules.from_dict({}) == ReminderRules()
    for wrong in ({"look_again_days": 0}, {"hours": {"potassium": -1}}, {"look_again_days": 1e6}):
        with pytest.raises(SettingsError):
            ReminderRules(**wrong)
