"""Which columns tell when the outcome came, what ended each patient's follow-up, and by when risks are asked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from medcore.data.cohort import Cohort, Schema
from medcore.data.findings import Finding
from medcore.data.follow_up import UNIT_NAMES, FollowUp
from medcore.data.preparation.follow_up import (
    FEWEST_EVENTS,
    FEWEST_FOLLOWED,
    EventTimes,
    check_followed,
    event_times,
    meaning_unknown,
)
from medcore.data.preparation.outcomes import count_as_answers
from medcore.data.schema.names import spoken
from medcore.data.schema.targets import choose_target, class_counts, class_named, default_positive
from medcore.data.values.typed import typed
from medcore.data.values.words import NEGATIVE_WORDS
from medcore.errors import MissingColumnsError, SettingsError, TargetError
from medcore.i18n import N_, Message
from medcore.targets.event_time import DAYS, UNITS, TimeUnit

USUAL_HORIZONS: tuple[tuple[float, TimeUnit], ...] = (
    *((30.0, "days"), (90.0, "days"), (6.0, "months")),
    *((float(n), "years") for n in (1, 2, 3, 5, 10, 15, 20)),
)  # fmt: skip
"""Horizons that clinicians ask about, the earliest first."""
SHARE_FOLLOWED = 0.1
"""Share of the patients that is still followed at a horizon that is proposed."""
MOST_PROPOSED = 3
_DURATION = re.compile(
    r"^((time|times|t|tte|futime|fu ?time|fu|duration|follow ?up( ?time)?|time ?at ?risk|days ?followed)( ?(in ?)?(hours|days|weeks|months|years))?"
    r"|lenfol|rfs ?time|d ?time|survdays|(surv(ival)?|os|pfs|dfs|efs|rfs|ttr|event|death|censor(ing)?)[ _]?(time|days?|months?|years?|weeks?)"
    r"|(time|days?|months?|years?|weeks?) ?(to|until|of)\b.*|weeks?|days|months|years|t ?months)$"
    r"|随访(时间|天数|月数|月|时长)|生存(时间|期|月|天数)|时间到事件"
)
_STATUS = re.compile(
    r"\b(status|fustat|fstat|event|events|death|dead|died|cens|censor|censored|delta|observed|arrest|relapse|recurrence|progression|mortality|outcome)\b"
    r"|结局|状态|死亡|复发|转归|截尾"
)
_BEGIN = re.compile(
    r"\b(entry|entered|enrol(l?ed|l?ment)?|inclusion|included|baseline|start(ed)?|begin|diagnos(is|ed)|dx|admission|admitted|surgery|operation|random(isation|ization|ised|ized)?|recruit(ed|ment)?|accept)\b"
    r"|入组|入院|纳入|确诊|诊断|手术|基线|开始|随机"
)
_FINISH = re.compile(
    r"\b(end(ed)?|left|exit|last|follow ?up|fu|lfu|contact|seen|discharge[d]?|out|cens|death|died|event)\b"
    r"|末次|最后|随访|终点|结束|出院|失访|截止"
)
MOST_SLIPS = 0.05
"""Share of the patients whose time below 0 is taken as a slip of the pen."""
_RARELY_EMPTY, _MOST_STATES = 0.95, 6
"""Share of patients with a date from which on it is that of an end for all; values of a status at the most."""
_CENSORED = frozenset({"censored", "censor", "cens", "lost", "lost to follow-up", "withdrawn", "截尾", "失访", "删失"})
_UNIT_WORDS: dict[str, TimeUnit] = {
    "h": "hours", "hour": "hours", "hours": "hours", "小时": "hours",
    "d": "days", "day": "days", "days": "days", "survdays": "days", "天": "days", "日": "days",
    "w": "weeks", "week": "weeks", "weeks": "weeks", "周": "weeks",
    "m": "months", "mo": "months", "month": "months", "months": "months", "月": "months", "个月": "months",
    "y": "years", "year": "years", "years": "years", "yr": "years", "yrs": "years", "年": "years",
}  # fmt: skip
_CHINESE_UNITS = ("小时", "天", "周", "月", "年")


@dataclass(frozen=True, slots=True)
class EventTimeProposal:
    """A status and a follow-up column that could be the outcome with its time, and why.

    Where follow-up is told by dates, ``duration`` is empty and ``dates`` are those of its begin and end; the end is
    the status itself where that is the date of the event, and the day on which the study ended is to be asked.
    """

    status: str
    duration: str
    confidence: float
    reason: Message
    dates: tuple[str, str] | None = None

    @property
    def column(self) -> str:
        """The column that would be the outcome."""
        return self.status

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form with the reason in the current language."""
        told: dict[str, Any] = {name: getattr(self, name) for name in ("status", "duration", "confidence")}
        dates = {} if self.dates is None else {"dates": list(self.dates)}
        return told | dates | {"reason": str(self.reason)}


def propose_event_times(frame: pd.DataFrame, schema: Schema) -> tuple[EventTimeProposal, ...]:
    """Find a status and a time of follow-up, or dates, by their names and order, the likeliest first."""
    times = [c.name for c in schema.columns if c.kind == "numeric" and _DURATION.search(spoken(c.name))]
    found = []
    for name in [c.name for c in schema.columns if _STATUS.search(spoken(c.name)) and c.name not in times]:
        if schema[name].kind == "date" or schema[name].free_text or frame[name].nunique() > _MOST_STATES:
            continue
        for time in times:
            values = typed(frame[[time]], Schema((schema[time],)))[time]
            if _mostly_negative(values) or values.nunique() < FEWEST_EVENTS:
                continue
            near = 1.0 / (1 + abs(schema.names.index(name) - schema.names.index(time)))
            reason = Message(
                N_("“{status}” and “{time}” are named as a status and a time of follow-up are."),
                {"status": name, "time": time},
            )
            found.append(EventTimeProposal(name, time, round(0.6 + 0.35 * near, 2), reason))
    return tuple(sorted([*found, *_dated(frame, schema)], key=lambda p: -p.confidence))


def _mostly_negative(times: pd.Series[Any]) -> bool:
    """Say whether more than a few times are below 0, so that they are no follow-up; a few are slips, which are told when they are used."""
    return bool((times < 0).sum() > MOST_SLIPS * times.notna().sum())


def _dated(frame: pd.DataFrame, schema: Schema) -> Iterator[EventTimeProposal]:
    """Find dates between which patients were followed: one named as a begin, and a later one named as an end or an event."""
    dates = [c for c in schema.columns if c.kind == "date"]
    starts = [c for c in dates if _BEGIN.search(spoken(c.name))]
    if not starts or len(dates) < 2:
        return
    values = typed(frame[[c.name for c in dates]], Schema(tuple(dates)))
    start = starts[0]
    for end in dates:
        days = (values[end.name] - values[start.name]).dt.days if end.name != start.name else None
        if days is None or _mostly_negative(days) or days.nunique() < FEWEST_EVENTS:
            continue
        seen, words = float(values[end.name].notna().mean()), {"start": start.name, "end": end.name}
        if _STATUS.search(spoken(end.name)) and seen < _RARELY_EMPTY and not (days < 0).any():
            told = N_(
                "“{end}” is a date that some patients have, and never before “{start}”: the event, of which the end of the study says who was free."
            )
            yield EventTimeProposal(end.name, "", 0.75, Message(told, words), (start.name, end.name))
        elif _FINISH.search(spoken(end.name)) and seen >= _RARELY_EMPTY:
            told = N_("“{status}” says what ended a follow-up from “{start}” to “{end}”.")
            for status in schema.columns:
                named = status.kind in ("category", "boolean", "numeric") and _STATUS.search(spoken(status.name))
                if named and frame[status.name].nunique() <= _MOST_STATES:
                    reason = Message(told, {**words, "status": status.name})
                    yield EventTimeProposal(status.name, "", 0.8, reason, (start.name, end.name))


def choose_event_time(
    cohort: Cohort,
    status: str,
    *,
    when: str | tuple[str, str] | tuple[str, str, str],
    event: str | None = None,
    competing: Sequence[str] = (),
    censored: Sequence[str] | None = None,
    horizons: Sequence[str | float] = (),
    unit: str | None = None,
) -> Schema:
    """Make a column the outcome, with the time at which it came.

    ``when`` is the column of how long patients were followed; or the dates between which they were, (start, end);
    or (start, date of the event, day on which the study ended). ``event`` is the value of ``status`` that is the
    event, ``competing`` those that are other events, ``censored`` those that mean none was seen: a single one that
    is left over means that, more are asked for. ``horizons`` are texts such as "5y", or numbers in the unit of the
    time, the one in question first; without any, usual ones are taken that enough patients were followed for.

    Raises:
        MissingColumnsError, TargetError, SettingsError: what cannot be, in one sentence.

    """
    schema = cohort.schema
    names = [when] if isinstance(when, str) else list(when[:2])
    lacking = [name for name in (status, *names) if name not in schema.names]
    if lacking:
        raise MissingColumnsError.between(wanted=lacking, got=schema.names, table=cohort.name)
    chosen, reason = _timed_unit(cohort, names[0] if isinstance(when, str) else None, unit)
    dated = isinstance(when, tuple)
    place = {"start": when[0], "end": when[1]} if dated else {"duration": names[0]}
    causes: tuple[str, ...] = ("event",)
    none: tuple[str, ...] = ("none",)
    told = Message(N_("The event is that the date “{column}” is there."), {"column": status})
    if isinstance(when, tuple) and len(when) == 3:
        schema = _date_as_outcome(schema, status)
        place["study_end"] = _day(when[2])
    else:
        named = [name for name in (event, *competing, *(censored or ())) if name is not None]
        schema = choose_target(count_as_answers(schema, status, named), cohort.frame, status)
        schema, causes, none, told = _causes(schema, cohort.frame, event, competing, censored)
    draft = FollowUp(causes=causes, censored=none, horizons=(), main=0.0, unit=chosen, **place)
    for name in names:
        if schema[name].role != "outcome":
            words = Message(N_("It says how long patients were followed, which is part of the outcome."))
            kind = "date" if dated else "numeric"
            role = schema[name].role if schema[name].role == "time" else "ignored"
            schema = schema.change(name, role=role, kind=kind, reason=words)
    schema = replace(schema, follow_up=draft, positive=causes[0], number=None)
    times = event_times(cohort, schema)
    asked = [horizon_in(text, chosen) for text in horizons] or possible_horizons(times, chosen)[-MOST_PROPOSED:][::-1]
    follow_up = replace(draft, horizons=tuple(sorted(set(asked))), main=asked[0])
    check_followed(times, follow_up)
    sentence = Message(N_("{event} {unit}"), {"event": told, "unit": reason})
    return replace(schema.change(status, reason=sentence), follow_up=follow_up)


def _causes(
    schema: Schema, frame: pd.DataFrame, event: str | None, competing: Sequence[str], censored: Sequence[str] | None
) -> tuple[Schema, tuple[str, ...], tuple[str, ...], Message]:
    """Settle which values of the status are events, and which mean that none was seen."""
    column = schema.outcome
    assert column is not None
    counts = class_counts(frame, column)
    reason = Message(N_("The event is {event}."), {"event": str(event)})
    if event is None:
        if len(counts) != 2:
            raise meaning_unknown(column.name, list(counts), (), ())
        event, reason = default_positive(counts, column.level_labels)
    causes = tuple(class_named(column.name, counts, name) for name in (event, *competing))
    if len(set(causes)) < len(causes):
        raise SettingsError(N_("An event is named twice: {names}. Name each once."), names=list(causes))
    left = [name for name in counts if name not in causes]
    none = left if censored is None else [class_named(column.name, counts, name) for name in censored]
    silent = [n for n in left if n.casefold() not in NEGATIVE_WORDS and n.casefold() not in _CENSORED]
    if censored is None and len(left) > 1 and silent:
        raise meaning_unknown(column.name, left, causes, ())
    if censored is not None and (unsaid := [name for name in left if name not in none]):
        raise meaning_unknown(column.name, unsaid, causes, none)
    return schema, causes, tuple(none), reason


def _date_as_outcome(schema: Schema, name: str) -> Schema:
    """Make the date of an event the outcome."""
    for other in schema.with_role("outcome"):
        schema = schema.change(other.name, role="predictor")
    return schema.change(name, role="outcome", kind="date")


GUESSED = N_("Its times go up to {longest} and are taken as {unit}; check it.")
MOST_MONTHS = 180
"""Whole numbers beyond are days: fifteen years of follow-up in months are seldom, half a year in days is not."""


def _timed_unit(cohort: Cohort, duration: str | None, unit: str | None) -> tuple[TimeUnit, Message]:
    """Settle in which unit times are: as asked, as the column says, or by how large they are."""
    if unit is not None:
        if unit not in UNITS:
            raise SettingsError(N_("A time is in one of {units}; it was given {got}."), units=list(UNITS), got=unit)
        return unit, Message(N_("Its times are in {unit}."), {"unit": Message(UNIT_NAMES[unit])})
    if duration is None:
        return "days", Message(N_("Its times are the days between two dates."))
    column = cohort.schema[duration]
    words = [(column.unit or "").casefold(), *spoken(duration).split(), *(w for w in _CHINESE_UNITS if w in duration)]
    stated = next(
        (_UNIT_WORDS[word] for word in words if word in _UNIT_WORDS and (len(word) > 1 or word in _CHINESE_UNITS)), None
    )
    if stated is not None:
        return stated, Message(
            N_("Its times are in {unit}, as “{column}” says."),
            {"unit": Message(UNIT_NAMES[stated]), "column": duration},
        )
    values = typed(cohort.frame[[duration]], Schema((replace(column, kind="numeric"),)))[duration]
    longest = float(values.max()) if values.notna().any() else 0.0
    whole = bool((values.dropna() % 1 == 0).all())
    most_months = MOST_MONTHS if whole else 365
    guessed: TimeUnit = "days" if longest > most_months else "months" if longest > 30 else "years"
    return guessed, Message(GUESSED, {"longest": f"{longest:g}", "unit": Message(UNIT_NAMES[guessed])})


def unit_finding(schema: Schema) -> tuple[Finding, ...]:
    """Return a warning where the unit of follow-up was taken from how long it is, for every horizon hangs on it."""
    column = schema.outcome
    unit = column.reason.values.get("unit") if column is not None and isinstance(column.reason, Message) else None
    if schema.follow_up is None or schema.follow_up.duration is None or getattr(unit, "template", "") != GUESSED:
        return ()
    return (
        Finding(
            code="outcome.unit_guessed",
            severity="warning",
            columns=(schema.follow_up.duration,),
            message=Message(
                N_("The unit of “{column}” is not stated. {guess}"),
                {"column": schema.follow_up.duration, "guess": unit},
            ),
            why=Message(N_("Every horizon, and every figure by it, is about another time if the unit is another.")),
            remedy=Message(N_("State it: --time-unit days, weeks, months, years or hours.")),
        ),
    )


def horizon_in(text: str | float, unit: TimeUnit) -> float:
    """Read a horizon such as "5y", "18 months" or 60 in a unit; raise SettingsError for what is none.

    >>> horizon_in("5y", "months"), horizon_in("90", "days"), round(horizon_in("30 days", "months"), 4)
    (60.0, 90.0, 0.9856)
    """
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([^\W\d]*)\s*", str(text))
    word = match[2].casefold() if match else ""
    if match is None or float(match[1]) <= 0 or (word and word not in _UNIT_WORDS):
        raise SettingsError(
            N_("“{text}” is no horizon. Write a number with its unit, such as 30d, 12w, 18mo or 5y."), text=str(text)
        )
    factor = DAYS[_UNIT_WORDS[word]] / DAYS[unit] if word else 1.0
    return float(f"{float(match[1]) * factor:.10g}")


def possible_horizons(times: EventTimes, unit: TimeUnit) -> list[float]:
    """Return the usual horizons, ascending, that enough patients were followed for and had the event by; else one quantile of the times."""
    known = times.known
    duration, event = times.duration[known], times.event[known]
    if not len(duration):
        raise TargetError(N_("No row has both a status and a time of follow-up. Choose other columns."))
    least = max(FEWEST_FOLLOWED, SHARE_FOLLOWED * len(duration))

    def enough(horizon: float) -> bool:
        return bool(
            (duration >= horizon).sum() >= least and ((event == 1) & (duration <= horizon)).sum() >= FEWEST_EVENTS
        )

    usual = [float(f"{size * DAYS[of] / DAYS[unit]:.10g}") for size, of in USUAL_HORIZONS]
    fitting = [h for h in usual if enough(h)]
    later = np.sort(duration)[::-1][min(len(duration), max(FEWEST_FOLLOWED, len(duration) // 4)) - 1]
    return fitting or [float(later)]


def _day(text: str) -> str:
    try:
        return str(pd.Timestamp(text).date())
    except ValueError:
        raise SettingsError(N_("“{text}” is not a date; write it as 2026-11-28."), text=text) from None
