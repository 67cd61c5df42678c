"""What is to be remembered of a patient: computed from visits, tasks and a model's rules, and kept nowhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, Self

from medcore.errors import SettingsError
from medcore.i18n import N_, Message
from medcore.studies.use_records import PredictionRecord, TaskRecord, WorklistEntry

ReminderKind = Literal["crossed", "due", "not_given", "look_again"]
ORDER: tuple[ReminderKind, ...] = ("crossed", "due", "not_given", "look_again")
"""What is said first."""
LONGEST_HOURS = 24.0 * 3_660
UP = N_("The risk rose across the threshold")
DOWN = N_("The risk fell across the threshold")
DUE = N_("Due: {text}")
SOME_DUE = N_("Tasks due")
NEVER_GIVEN = N_("{column} was never given")
NOT_GIVEN = N_("No {column} for {time}")
LOOK_AGAIN = N_("Not seen for {time}")


@dataclass(frozen=True, slots=True)
class ReminderRules:
    """When a model's patients are to be looked at again, as it was released.

    ``look_again_days`` after a visit the next one is due; ``hours`` says by column for how long a value may not be given.
    """

    look_again_days: float | None = None
    hours: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        spans = [*self.hours.values(), *([] if self.look_again_days is None else [24 * self.look_again_days])]
        if not all(0 < hours <= LONGEST_HOURS for hours in spans):
            raise SettingsError(N_("A reminder comes after more than none and at most ten years."))

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`from_dict` reads back."""
        return {"look_again_days": self.look_again_days, "hours": dict(self.hours)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` wrote; nothing is no rule."""
        return cls(data.get("look_again_days"), dict(data.get("hours") or {}))


@dataclass(frozen=True, slots=True)
class Reminder:
    """One thing to remember, since when, and about which column, if any."""

    kind: ReminderKind
    message: Message = field(repr=False)
    since: datetime
    column: str | None = None


def of_course(
    course: Sequence[PredictionRecord],
    tasks: Sequence[TaskRecord],
    rules: ReminderRules,
    *,
    threshold: float | None,
    now: datetime,
) -> tuple[Reminder, ...]:
    """Say what is to be remembered of a patient with these visits, in order of time, and these tasks."""
    due = [
        Reminder("due", Message(DUE, {"text": task.text}), task.due_at)
        for task in tasks
        if task.kind != "note" and task.done_at is None and task.due_at is not None and task.due_at <= now
    ]
    if not course:
        return tuple(due)
    last, before = course[-1], course[-2].risk if len(course) > 1 else None
    found = [*_crossed(last.at, last.risk, before, threshold), *due]
    if last.outcome is None:
        found += _not_given(last_given(course, rules.hours), course[0].at, rules, now, everything=True)
        found += _look_again(last.at, rules, now)
    return tuple(sorted(found, key=lambda r: ORDER.index(r.kind)))


def of_entry(
    entry: WorklistEntry,
    given: Mapping[str, datetime],
    rules: ReminderRules,
    *,
    threshold: float | None,
    now: datetime,
) -> tuple[Reminder, ...]:
    """Say the same of a patient of the worklist; ``given`` is when the rules' columns were given last, as far back as they ask."""
    found = _crossed(entry.at, entry.risk, entry.before, threshold)
    if entry.due_at is not None and entry.due_at <= now:
        found.append(Reminder("due", Message(SOME_DUE), entry.due_at))
    if entry.outcome is None:
        found += _not_given(given, entry.first_at, rules, now)
        found += _look_again(entry.at, rules, now)
    return tuple(found)


def last_given(course: Sequence[PredictionRecord], columns: Mapping[str, float]) -> dict[str, datetime]:
    """Return when each of some columns was given last in visits in order of time."""
    return {name: visit.at for visit in course for name in columns if visit.values.get(name) not in (None, "")}


def _crossed(at: datetime, risk: float, before: float | None, threshold: float | None) -> list[Reminder]:
    if threshold is None or before is None or (before >= threshold) == (risk >= threshold):
        return []
    return [Reminder("crossed", Message(UP if risk >= threshold else DOWN), at)]


def _not_given(
    given: Mapping[str, datetime], first: datetime, rules: ReminderRules, now: datetime, *, everything: bool = False
) -> list[Reminder]:
    """Say what was not given for too long; ``everything`` that ``given`` goes back to the first visit."""
    found = []
    for column, hours in rules.hours.items():
        since, asked = given.get(column, first), timedelta(hours=hours)
        if now - since < asked:
            continue
        time = now - since if everything else asked
        message = Message(NOT_GIVEN, {"column": column, "time": long(time)})
        if everything and column not in given:
            message = Message(NEVER_GIVEN, {"column": column})
        found.append(Reminder("not_given", message, since, column))
    return found


def _look_again(at: datetime, rules: ReminderRules, now: datetime) -> list[Reminder]:
    days = rules.look_again_days
    if days is None or now - at < timedelta(days=days):
        return []
    return [Reminder("look_again", Message(LOOK_AGAIN, {"time": long(now - at)}), at)]


def long(time: timedelta) -> Message:
    """Say how long: in hours up to four days, in days from then on.

    >>> str(long(timedelta(hours=50))), str(long(timedelta(days=9)))
    ('50 h', '9 days')
    """
    hours = time.total_seconds() / 3600
    if hours < 96:
        return Message(N_("{n} h"), {"n": int(hours)})
    return Message(N_("{n} days"), {"n": int(hours // 24)})
