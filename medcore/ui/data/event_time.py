"""Choose an outcome that comes with its time: how long patients were followed, what ended it, and by when risks are asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from medcore.charts.survival.curves import follow_up
from medcore.data.cohort import Schema
from medcore.data.follow_up import UNIT_NAMES, FollowUp, about, shown_unit, span
from medcore.data.preparation.event_time import choose_event_time, possible_horizons, propose_event_times
from medcore.data.preparation.follow_up import EventTimes, event_times
from medcore.data.preparation.number import could_be_number, is_number
from medcore.data.preparation.outcomes import answers_read_as_missing
from medcore.data.schema.class_names import class_names
from medcore.data.schema.targets import as_outcome, class_counts, default_positive
from medcore.data.shown import with_code
from medcore.data.values.words import NEGATIVE_WORDS
from medcore.i18n import N_, _, current_language
from medcore.statistics.survival.censoring import Censoring
from medcore.studies.records import StudyRecord
from medcore.targets.event_time import DAYS, UNITS
from medcore.ui.kit.cache import cohort, once, store
from medcore.ui.kit.layout import caption, facts
from medcore.ui.kit.shown.figures import figure
from medcore.ui.kit.shown.inputs import choice, day_input
from medcore.ui.kit.text import one_line

MOST_BESIDE = 3
"""Names of events asked for beside each other."""
WAYS = {
    "time": N_("A column of times"),
    "dates": N_("Two dates"),
    "study": N_("Date of the event, and an end of study"),
}
ASKED = {"classes": N_("Whether it happens"), "time": N_("By when it happens"), "number": N_("How much it is")}


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the form asks for beside the horizons."""

    status: str
    when: str | tuple[str, str] | tuple[str, str, str]
    unit: str | None
    event: str | None
    competing: tuple[str, ...]
    censored: tuple[str, ...] | None

    def schema(self, study: StudyRecord, horizons: tuple[float, ...] = ()) -> Schema:
        """Return the study's schema with this outcome; the event is called as before where it is the same."""
        chosen = choose_event_time(
            cohort(study),
            self.status,
            when=self.when,
            event=self.event,
            competing=self.competing,
            censored=self.censored,
            horizons=horizons,
            unit=self.unit,
        )
        old = study.schema.outcome
        if old is None or old.name != self.status:
            return chosen
        return chosen.change(self.status, level_labels=old.level_labels, label=old.label)


def what_is_asked(study: StudyRecord, target: str) -> str:
    """Ask whether it is asked if something happens, by when, or how much of it there is; the likeliest comes first."""
    proposed = once(lambda: propose_event_times(cohort(study).frame, study.schema), "event_times", study.identity)
    timed = study.schema.follow_up is not None if study.schema.outcome else any(p.status == target for p in proposed)
    order = ["time", "classes"] if timed else ["classes", "time"]
    column, frame, outcome = study.schema[target], cohort(study).frame, study.schema.outcome
    chosen = study.schema.number is not None and outcome is not None and outcome.name == target
    if chosen or (not timed and is_number(frame, column)):
        order = ["number", *order]
    elif could_be_number(frame, column):
        order = [*order, "number"]
    key = f"data.asked.{study.id}.{target}.{timed}.{order[0]}"
    return choice(_("What is asked"), order, key=key, show=lambda a: _(ASKED[a]))


def event_time_form(study: StudyRecord, status: str) -> None:
    """Ask for follow-up, event and horizons, show who was followed for how long, and keep it on request."""
    answers = _ask(study, status)
    if answers is None:
        return
    key = ("event_time", study.identity, answers)
    drafted = once(lambda: answers.schema(study), *key)
    assert drafted.follow_up is not None
    unit = drafted.follow_up.unit
    times = once(lambda: event_times(cohort(study), drafted), "times", *key)
    possible = once(lambda: possible_horizons(times, unit), "horizons", *key)
    horizons, main = _horizons(study, status, drafted.follow_up, possible)
    caption(str(drafted[status].reason or ""))
    _followed(times, drafted.follow_up, horizons)
    asked = (float(main), *(float(h) for h in horizons if h != main))
    schema = _called(study, once(lambda: answers.schema(study, asked), *key, asked), status)
    kept_as = study.schema.outcome
    settled = study.schema.follow_up == schema.follow_up and kept_as is not None and kept_as.name == status
    settled = settled and kept_as is not None and kept_as.level_labels == schema[status].level_labels
    if not settled and st.button(_("Use this outcome"), key="data.outcome.save", type="primary"):
        store().save_schema(study.owner, study.id, replace(schema))
        st.rerun()


def _horizons(
    study: StudyRecord, status: str, drafted: FollowUp, possible: Sequence[float]
) -> tuple[list[float], float]:
    """Ask by when, and which of the horizons is in question."""
    old, unit = study.schema.follow_up, drafted.unit
    kept = [h for h in (old.horizons if old else drafted.horizons) if h in possible] or possible[-1:]
    left, right = st.columns(2)
    with left:
        horizons = st.multiselect(
            _("Horizons: by when risks are asked"),
            possible,
            default=kept,
            format_func=lambda h: str(span(h, unit)),
            placeholder=_("Choose a value"),
            key=f"data.horizons.{study.identity}.{status}.{possible}",
        )
    with right:
        first = max(horizons, default=possible[-1])
        usual = old.main if old and old.main in horizons else first
        main = st.selectbox(
            _("The horizon in question"),
            sorted(horizons) or [first],
            index=(sorted(horizons) or [first]).index(usual),
            format_func=lambda h: str(span(h, unit)),
            help=_("Risks, explanations and the list of patients are about it; the others are judged too."),
            key=f"data.horizon.{study.identity}.{status}.{horizons}",
        )
    return horizons, main


def _followed(times: EventTimes, drafted: FollowUp, horizons: Sequence[float]) -> None:
    """Show who was followed for how long, and what ended it."""
    known, unit = times.known, drafted.unit
    duration, event = times.duration[known], times.event[known]
    censoring = Censoring.of(duration, event)
    median, longest = censoring.median_follow_up(), float(duration.max())
    competing = [(_("With a competing event"), f"{int((event > 1).sum()):,}")] if len(drafted.causes) > 1 else []
    facts(
        [
            (_("Patients followed"), f"{len(event):,}"),
            (_("With the event"), f"{int((event == 1).sum()):,}"),
            *competing,
            (_("No event seen"), f"{int((event == 0).sum()):,}"),
            (_("Median follow-up (reverse Kaplan–Meier)"), "–" if median != median else str(about(median, unit))),
            (_("Longest follow-up"), str(about(longest, unit))),
        ]
    )
    drawn_in = shown_unit(longest, unit)
    chart = follow_up(
        censoring,
        horizons=[float(h) for h in horizons],
        unit=_(UNIT_NAMES[drawn_in]),
        per=DAYS[drawn_in] / DAYS[unit],
    )
    figure(chart, key="data.follow_up")


def _called(study: StudyRecord, schema: Schema, status: str) -> Schema:
    """Ask what each event is called, by which every sentence, chart and report names it; the one in question first."""
    assert schema.follow_up is not None
    column, (none, *causes) = schema[status], schema.follow_up.classes
    usual = [str(name) for name in class_names((none, *causes), replace(column, level_labels={}))[1:]]
    present = [str(name) for name in class_names((none, *causes), column)[1:]]
    labels = {value: label for value, label in column.level_labels.items() if value not in causes}
    places = st.columns(min(len(causes), MOST_BESIDE))
    for number, (cause, expected, name) in enumerate(zip(causes, usual, present, strict=True)):
        typed = (
            places[number % MOST_BESIDE]
            .text_input(
                _("What the event is called")
                if cause == causes[0]
                else _("What the competing event {value} is called", value=one_line(cause, limit=40)),
                name,
                placeholder=expected,
                max_chars=60,
                key=f"data.called.{study.identity}.{status}.{cause}.{expected}.{current_language()}",
            )
            .strip()
        )
        labels |= {cause: typed} if typed and typed != expected else {}
    if present[0] == _("the event") or any(name.isdigit() for name in present):
        caption(_("Give each event the name that physicians say: every sentence, chart and report uses it."))
    return schema.change(status, level_labels=labels)


def _ask(study: StudyRecord, status: str) -> _Asked | None:
    """Ask how follow-up is given and what ended it; None while something is missing."""
    schema, rows = study.schema, cohort(study)
    old = schema.follow_up
    dates = [c.name for c in schema.columns if c.kind == "date"]
    numbers = [c.name for c in schema.columns if c.kind == "numeric" and c.name != status]
    found = once(lambda: propose_event_times(rows.frame, schema), "event_times", study.identity)
    proposed = [p for p in found if p.status == status]
    by_dates = next((p.dates for p in proposed if p.dates), None)
    likely = next((p.duration for p in proposed if p.duration), None)
    by_time = likely or (old and old.duration)
    ways = _ways(status, dates, numbers, dates_first=by_dates is not None and not by_time)
    if not ways:
        caption(
            _(
                "There is no column of times and there are no two dates: by when it happens cannot be asked of this table."
            )
        )
        return None
    way = choice(
        _("How long patients were followed"), ways, key=f"data.way.{study.id}.{status}", show=lambda w: _(WAYS[w])
    )
    left, right = st.columns(2)
    when: str | tuple[str, str] | tuple[str, str, str] | None
    unit = None
    if way == "time":
        when, unit = _time(study, status, numbers, likely, (left, right))
    else:
        when = _dates(study, status, dates, (left, right), by_dates, ended=way == "study")
    if when is None:
        return None
    if way == "study":
        return _Asked(status, when, unit, None, (), None)
    return _what_ended(study, status, when, unit)


def _ways(status: str, dates: Sequence[str], numbers: Sequence[str], *, dates_first: bool) -> list[str]:
    """Return the ways in which a table can say how long patients were followed, the likeliest first."""
    if status in dates:
        return ["study"] * (len(dates) > 1)
    ways = ["time"] * bool(numbers) + ["dates"] * (len(dates) > 1)
    return sorted(ways, key=lambda way: way != "dates") if dates_first else ways


def _time(
    study: StudyRecord,
    status: str,
    numbers: list[str],
    likely: str | None,
    sides: tuple[DeltaGenerator, DeltaGenerator],
) -> tuple[str | None, str | None]:
    """Ask for the column of times and its unit."""
    schema, old = study.schema, study.schema.follow_up
    first = old.duration if old and old.duration in numbers else likely
    with sides[0]:
        when = st.selectbox(
            _("Time of follow-up"),
            numbers,
            index=None if first is None else numbers.index(first),
            format_func=lambda n: one_line(schema.shown(n), limit=60),
            placeholder=_("Choose a column"),
            key=f"data.duration.{study.identity}.{status}",
        )
    with sides[1]:
        unit = st.selectbox(
            _("Its unit"),
            [None, *UNITS],
            index=[None, *UNITS].index(old.unit) if old else 0,
            format_func=lambda u: _("as the column says, or by its size") if u is None else _(UNIT_NAMES[u]),
            key=f"data.unit.{study.identity}.{status}",
        )
    return when, unit


def _dates(
    study: StudyRecord,
    status: str,
    dates: list[str],
    sides: tuple[DeltaGenerator, DeltaGenerator],
    proposed: tuple[str, str] | None,
    *,
    ended: bool,
) -> tuple[str, str] | tuple[str, str, str] | None:
    """Ask for the dates between which patients were followed, beginning with those proposed."""
    shown = lambda n: one_line(study.schema.shown(n), limit=60)  # noqa: E731
    others = [name for name in dates if name != status]
    first, last = proposed or ("", "")
    with sides[0]:
        start = st.selectbox(
            _("Follow-up began on"),
            others,
            index=others.index(first) if first in others else 0,
            format_func=shown,
            key=f"data.start.{study.identity}.{status}",
        )
    with sides[1]:
        if ended:
            day = day_input(_("The study ended on"), key=f"data.study_end.{study.identity}.{status}")
            return None if start is None or day is None else (start, status, str(day))
        rest = [name for name in others if name != start]
        end = st.selectbox(
            _("Follow-up ended on"),
            rest,
            index=rest.index(last) if last in rest else 0,
            format_func=shown,
            key=f"data.end.{study.identity}.{status}",
        )
    return None if start is None or end is None else (start, end)


def _what_ended(
    study: StudyRecord, status: str, when: str | tuple[str, str] | tuple[str, str, str], unit: str | None
) -> _Asked | None:
    """Ask which values of the status are the event, competing events, and the end of follow-up without one."""
    old = study.schema.follow_up if study.schema.outcome and study.schema.outcome.name == status else None
    column = as_outcome(study.schema[status])
    counts = once(lambda: class_counts(cohort(study).frame, column), "classes", study.content_key, column.to_dict())
    absent = once(
        lambda: answers_read_as_missing(cohort(study).frame, column), "absent", study.content_key, column.to_dict()
    )
    values = [*counts, *absent]
    if len(values) < 2:
        caption(_("The status has one value only, so it does not say what ended follow-up."))
        return None
    usual = default_positive(counts, column.level_labels)[0] if len(counts) == 2 else None

    def words(value: str) -> str:
        name = one_line(with_code(value, column.level_labels), limit=40)
        if value in absent:
            return _("{name}: {n} rows, read as missing", name=name, n=absent[value])
        return _("{name}: {n} rows", name=name, n=counts[value])

    first, second, third = st.columns(3)
    with first:
        likely = old.causes[0] if old and old.causes[0] in values else usual
        event = st.selectbox(
            _("Event"),
            values,
            index=None if likely is None else values.index(likely),
            format_func=words,
            placeholder=_("Choose a value"),
            key=f"data.event.{study.identity}.{status}.time",
        )
    rest = [v for v in values if v != event]
    if event is None:
        return None
    with second:
        chosen = [v for v in old.causes[1:] if v in rest] if old else []
        competing = st.multiselect(
            _("Competing events"),
            rest,
            default=chosen,
            format_func=words,
            placeholder=_("Choose a value"),
            key=f"data.competing.{study.identity}.{status}.{event}",
        )
    left = [v for v in rest if v not in competing]
    answers = [v for v in left if v in counts]
    silent = [v for v in answers if len(answers) == 1 or v.casefold() in NEGATIVE_WORDS or (old and v in old.censored)]
    with third:
        censored = st.multiselect(
            _("No event was seen"), left, default=silent, format_func=words,
            placeholder=_("Choose a value"), key=f"data.censored.{study.identity}.{status}.{event}.{competing}",
        )  # fmt: skip
    return _Asked(status, when, unit, event, tuple(competing), tuple(censored))
