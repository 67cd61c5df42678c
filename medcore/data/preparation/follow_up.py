"""The outcome with its time: how long each patient was followed, and what ended it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from medcore.data.cohort import Cohort, Schema
from medcore.data.follow_up import FollowUp, about, span
from medcore.data.preparation.outcomes import class_text, same_class
from medcore.data.values.typed import typed
from medcore.errors import MissingColumnsError, TargetError
from medcore.i18n import N_
from medcore.targets.event_time import DAYS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
MOST_VALUES_NAMED = 10
FEWEST_EVENTS = 10
"""Events by the main horizon below which no model is trained: no figure of it could be judged."""
FEWEST_FOLLOWED = 10
"""Patients followed to a horizon, at the least, for risks by it to be judged."""


@dataclass(frozen=True, slots=True, eq=False)
class EventTimes:
    """``duration`` (n,) in the unit of the follow-up, NaN where unknown; ``event`` (n,): 0 none seen, 1 and above the cause, −1 unknown."""

    duration: Floats
    event: Ints

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Say of whom (n,) both are known."""
        return np.asarray(self.event >= 0)


def event_times(cohort: Cohort, schema: Schema) -> EventTimes:
    """Read how long each row of a cohort was followed and what ended it; both unknown where either is.

    Raises:
        MissingColumnsError: the table lacks a column that says when.
        TargetError: times below 0, events after the end of the study, or values of the status of which nobody said what they mean.

    """
    follow_up, column = schema.follow_up, schema.outcome
    if follow_up is None or column is None:
        raise TargetError(N_("No outcome is chosen. Choose the column to be predicted."))
    wanted = [column.name, *follow_up.columns]
    present = set(map(str, cohort.frame.columns))
    if not present.issuperset(wanted):
        raise MissingColumnsError.between(wanted=wanted, got=cohort.frame.columns, table=cohort.name)
    part = Schema(tuple(c for c in schema.columns if c.name in wanted))
    values = typed(cohort.frame[list(part.names)], part)
    duration, ended = _durations(values, follow_up)
    if follow_up.study_end is not None and follow_up.end is not None:
        event = ended.astype(np.int64)
        event[np.isnan(duration)] = -1
    else:
        event = _events(values[column.name], follow_up, column.name)
    if follow_up.study_end is not None:
        _check_end(cohort, values, follow_up)
    _check_signs(cohort, duration, follow_up)
    unknown = np.isnan(duration) | (event < 0)
    return EventTimes(np.where(unknown, np.nan, duration), np.where(unknown, -1, event))


def check_followed(times: EventTimes, follow_up: FollowUp) -> None:
    """Refuse horizons beyond the follow-up, and too few events.

    Raises:
        TargetError: it is so.

    """
    known = times.known
    duration, event = times.duration[known], times.event[known]
    for horizon in follow_up.horizons:
        n_followed = int((duration >= horizon).sum())
        if n_followed < FEWEST_FOLLOWED:
            raise TargetError(
                N_(
                    "Only {n} patient(s) were followed for {horizon}; at least {least} are needed to judge risks by then. Choose an earlier horizon: the longest follow-up is {longest}."
                ),
                n=n_followed,
                horizon=span(horizon, follow_up.unit),
                least=FEWEST_FOLLOWED,
                longest=about(float(duration.max(initial=0.0)), follow_up.unit),
            )
    n_events = int(((event == 1) & (duration <= follow_up.main)).sum())
    if n_events < FEWEST_EVENTS:
        raise TargetError(
            N_(
                "Only {n} patient(s) had the event within {horizon}; at least {least} are needed to learn from. Choose a later horizon, another event, or add patients."
            ),
            n=n_events,
            horizon=span(follow_up.main, follow_up.unit),
            least=FEWEST_EVENTS,
        )


def _durations(values: pd.DataFrame, follow_up: FollowUp) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return each patient's time, and with an end of the study whether the event's date is known."""
    if follow_up.duration is not None:
        numbers = pd.to_numeric(values[follow_up.duration], errors="coerce").to_numpy(dtype=np.float64)
        return numbers, np.zeros(len(values), dtype=bool)
    assert follow_up.start is not None
    assert follow_up.end is not None
    start, end = values[follow_up.start], values[follow_up.end]
    ended = end.notna().to_numpy()
    if follow_up.study_end is not None:
        end = end.fillna(pd.Timestamp(follow_up.study_end))
    days: Floats = (end.to_numpy("datetime64[us]") - start.to_numpy("datetime64[us]")) / np.timedelta64(1, "D")
    return days / DAYS[follow_up.unit], ended


def _events(status: pd.Series, follow_up: FollowUp, name: str) -> Ints:
    codes, uniques = pd.factorize(status.map(class_text, na_action="ignore"))
    lookup, unknown = np.full(len(uniques) + 1, -1, dtype=np.int64), []
    for place, value in enumerate(map(str, uniques)):
        cause = next((k for k, known in enumerate(follow_up.causes) if same_class(value, known)), None)
        if cause is not None:
            lookup[place] = 1 + cause
        elif any(same_class(value, known) for known in follow_up.censored):
            lookup[place] = 0
        else:
            unknown.append(value)
    if unknown:
        raise meaning_unknown(name, unknown, follow_up.causes, follow_up.censored)
    return np.asarray(lookup[codes], dtype=np.int64)


def meaning_unknown(column: str, unknown: Sequence[str], causes: Sequence[str], censored: Sequence[str]) -> TargetError:
    """Build the error that asks what left-over values of the status mean."""
    return TargetError(
        N_(
            "The status “{column}” has the value(s) {values}, of which nobody said what they mean (events: {causes}; no event seen: {censored}). Say of each whether it is the event, a competing event, or the end of follow-up without an event (--event, --competing, --censored), or that nothing is known (--missing)."
        ),
        column=column,
        values=list(unknown)[:MOST_VALUES_NAMED],
        causes=list(causes) or "–",
        censored=list(censored) or "–",
    )


def _check_signs(cohort: Cohort, duration: Floats, follow_up: FollowUp) -> None:
    below = np.flatnonzero(duration < 0)
    if below.size:
        raise TargetError(
            N_(
                "{n} row(s) have a time below 0 in {columns}, the first in row {row} of the file: a patient cannot leave before follow-up begins. Correct them, or leave these rows out."
            ),
            n=int(below.size),
            columns=list(follow_up.columns),
            row=int(cohort.source.rows_in_file(below[:1])[0]),
        )


def _check_end(cohort: Cohort, values: pd.DataFrame, follow_up: FollowUp) -> None:
    assert follow_up.end is not None
    assert follow_up.start is not None
    limit = pd.Timestamp(str(follow_up.study_end))
    late = np.flatnonzero((values[follow_up.end] > limit).to_numpy() | (values[follow_up.start] > limit).to_numpy())
    if late.size:
        raise TargetError(
            N_(
                "{n} row(s) have a date after the end of the study, {day}, the first in row {row} of the file. Correct the end of the study, or these dates."
            ),
            n=int(late.size),
            day=str(limit.date()),
            row=int(cohort.source.rows_in_file(late[:1])[0]),
        )
