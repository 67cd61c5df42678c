"""What came of patients: entered for one, or for many by a table; and a patient deleted for good."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from medcore.data.cohort import Cohort, Schema
from medcore.data.values.typed import typed
from medcore.errors import InputError, MedcoreError
from medcore.i18n import N_, _
from medcore.jobs.web.uploads import read_upload
from medcore.studies.use_records import PredictionRecord
from medcore.targets import EventTime
from medcore.ui.kit import cache
from medcore.ui.kit.shown import components
from medcore.ui.kit.shown.inputs import DAY, read_day
from medcore.ui.kit.state import speak, state
from medcore.ui.patients.bring import identifiers
from medcore.ui.patients.in_use import InUse
from medcore.ui.patients.worklist import answers_of, outcome_words

NOT_KNOWN = "unknown"
MOST_WORDS = 30
"""Different answers in a column of outcomes that are offered to choose from."""


def show_one(in_use: InUse, identifier: str, visits: Sequence[PredictionRecord]) -> None:
    """Ask what came of one patient; it counts for every prediction made so far."""
    last = next(
        (visit for visit in reversed(visits) if visit.outcome is not None), visits[-1]
    )  # the last of which it counts
    components.caption(
        _(
            "It counts for every prediction made for this patient so far, with a day for those until that day, and can be changed or taken back. Without a day, that of today counts."
        )
    )
    if last.outcome is not None and last.outcome_at is not None:
        known = outcome_words(in_use, last.outcome)
        told = {"outcome": known, "entered": f"{last.outcome_at:%Y-%m-%d}", "day": f"{last.outcome_on}"}
        said = (
            N_("{outcome} on {day}, entered on {entered}.")
            if last.outcome_on
            else N_("Entered on {entered}: {outcome}.")
        )
        components.note(_(said, **told), look="success")
    name = f"{last.patient_id}.{last.outcome_at}"
    with st.form(key=f"patients-outcome-{last.patient_id}", enter_to_submit=False):
        value: float | None
        if in_use.of_number:
            value = st.number_input(in_use.outcome, value=last.outcome, key=f"patients.outcome.{name}")
        else:
            answers = {NOT_KNOWN: _("not known yet")} | {f"{k:g}": words for k, words in answers_of(in_use).items()}
            usual = NOT_KNOWN if last.outcome is None else f"{last.outcome:g}"
            answer = st.radio(
                _asked(in_use),
                list(answers),
                index=list(answers).index(usual) if usual in answers else 0,
                format_func=lambda a: components.plain(answers[a]),
                horizontal=True,
                key=f"patients.outcome.{name}",
            )
            value = None if answer == NOT_KNOWN else float(answer)
        day = st.text_input(
            _day(in_use),
            value="" if last.outcome_on is None else last.outcome_on.isoformat(),
            placeholder=DAY,
            key=f"patients.outcome.day.{name}",
        )
        sent = st.form_submit_button(_("Keep"), type="primary")
    if sent:
        on = read_day(day)
        days = {identifier: on} if value is not None and on is not None else {}
        cache.store().enter_outcomes(in_use.person, in_use.model, {identifier: value}, days=days)
        st.rerun()


def _asked(in_use: InUse) -> str:
    if in_use.target.many or len(in_use.names) > 2:
        return _("What came of the patient?")
    return _("Did it happen: {event}?", event=components.plain(in_use.names[in_use.target.in_question(1)]))


def _day(in_use: InUse) -> str:
    if isinstance(in_use.target, EventTime):
        return _("The day on which it happened, or on which the patient was last seen without it")
    return _("The day of the outcome, if it is known")


def show_table(in_use: InUse) -> None:
    """Ask for a table of what came of patients, and enter it."""
    components.caption(
        _(
            "One row a patient: who, what came of them, and on which day if that is known. Whoever is not in the register is left out and counted."
        )
    )
    file = st.file_uploader(_("Table of outcomes"), key=f"patients.outcomes.file.{in_use.model}")
    if file is None:
        return
    name, data = file.name, file.getvalue()
    cohort = components.waited(
        lambda task: read_upload(name, data, stop=task.stop),
        *("brought", "outcomes", file.file_id),
        key="patients.outcomes.reading",
        doing=_("The file is read."),
    )
    if cohort is None:
        return
    chosen = _columns(in_use, cohort)
    if chosen is None:
        return
    told, days = outcomes_of(cohort, chosen, of_number=in_use.of_number)
    key = f"patients.outcomes.done.{in_use.model}"
    if st.button(_("Enter the outcomes of {n} patients", n=f"{len(told):,}"), type="primary", key="patients.outcomes"):
        n, unknown = cache.store().enter_outcomes(in_use.person, in_use.model, told, days=days)
        st.session_state[key] = (cohort.sha256, n, len(unknown))
    sha256, n, n_unknown = st.session_state.get(key, ("", 0, 0))
    if sha256 == cohort.sha256:
        components.note(_("What came of {n} patients is entered.", n=f"{n:,}"), look="success")
        if n_unknown:
            components.note(_("{n} are not in the register and were left out.", n=f"{n_unknown:,}"), look="warning")


@dataclass(frozen=True, slots=True)
class OutcomeColumns:
    """Which columns of a table say who, what came of them, and when, and which value each answer (``words``) stands for."""

    who: str
    what: str
    when: str | None = None
    words: Mapping[str, float] = field(default_factory=dict)


def _columns(in_use: InUse, cohort: Cohort) -> OutcomeColumns | None:
    """Ask who, what and when: the columns, and which answer means that it happened."""
    names, key = list(cohort.frame.columns), cohort.sha256[:12]
    sides = st.columns(3)
    pick: dict[str, Any] = {
        "index": None,
        "format_func": components.one_line,
        "placeholder": _("Choose a column"),
    }
    with sides[0]:
        who = st.selectbox(_("Column of identifiers"), names, key=f"patients.outcomes.who.{key}", **pick)
    with sides[1]:
        what = st.selectbox(_("Column of outcomes"), names, key=f"patients.outcomes.what.{key}", **pick)
    dates = [c.name for c in cohort.schema.columns if c.kind == "date"]
    with sides[2]:
        when = st.selectbox(_("Column of their days, if any"), dates, key=f"patients.outcomes.day.{key}", **pick)
    if who is None or what is None:
        return None
    if in_use.of_number:
        return OutcomeColumns(who, what, when)
    words = sorted(cohort.frame[what].dropna().astype("str").str.strip().unique())
    if len(words) > MOST_WORDS:
        raise InputError(N_("{column} has {n} different answers; an outcome has few."), column=what, n=len(words))
    answers = answers_of(in_use)
    if len(answers) > 2:
        return OutcomeColumns(who, what, when, by_name(in_use, words, answers, what))
    means = st.multiselect(
        _asked(in_use),
        words,
        format_func=components.one_line,
        placeholder=_("Choose the answers that mean yes"),
        key=f"patients.outcomes.yes.{key}.{what}",
    )
    return OutcomeColumns(who, what, when, {word: float(word in means) for word in words}) if means else None


def by_name(in_use: InUse, words: Sequence[str], answers: Mapping[float, str], column: str) -> dict[str, float]:
    """Return which class each word is: by its name in training, or by that shown."""
    known = {name.casefold(): value for value, name in (*answers.items(), *enumerate(in_use.classes))}
    other = [word for word in words if word.casefold() not in known]
    if other:
        raise InputError(
            N_("{n} of the answers in {column} are none of the model's: {classes}."),
            n=len(other),
            column=column,
            classes=list(answers.values()),
        )
    return {word: float(known[word.casefold()]) for word in words}


def outcomes_of(
    cohort: Cohort, columns: OutcomeColumns, *, of_number: bool
) -> tuple[dict[str, float], dict[str, date]]:
    """Return what came of each patient of a table, and on which day; an empty cell is not known, and says nothing.

    Raises:
        InputError: a row tells nobody, an answer is no number, or a patient has two different ones.

    """
    who, what = columns.who, columns.what
    known = cohort.frame[what].notna().to_numpy()
    rows = cohort.frame.loc[known]
    moments = [None] * len(rows) if columns.when is None else list(read_dates(cohort, columns.when)[known])
    told: dict[str, float] = {}
    days: dict[str, date] = {}
    for patient, answer, moment in zip(identifiers(rows[who], who), rows[what].astype("str"), moments, strict=True):
        try:
            value = float(answer) if of_number else columns.words[answer.strip()]
        except ValueError:
            raise InputError(N_("An answer in {column} is no number."), column=what) from None
        day = days.get(patient) if moment is None or pd.isna(moment) else moment.date()
        before = (told.setdefault(patient, value), days.get(patient, day))
        if before != (value, day):
            raise InputError(N_("A patient has two different outcomes in {column}."), column=what)
        if day is not None:
            days[patient] = day
    return told, days


def read_dates(cohort: Cohort, name: str) -> pd.Series:
    """Return a column of dates as it was read."""
    return typed(cohort.frame[[name]], Schema((cohort.schema[name],)))[name]


def show_forget(in_use: InUse, patient: str, identifier: str, n_visits: int) -> None:
    """Offer to delete a patient for good; said twice."""
    with st.popover(_("Delete this patient for good"), icon=":material/delete:", key="patients.forget"):
        st.markdown(
            _(
                "All {n} predictions, notes and tasks of {patient} go at once and cannot be brought back. The trail keeps that a patient was deleted, without a name.",
                n=n_visits,
                patient=components.plain(identifier),
            )
        )

        def forget() -> None:
            speak()
            try:
                cache.store().forget_patient(in_use.person, patient)
            except MedcoreError as problem:
                state().problem = problem
            else:
                state().course = None
                st.toast(_("The patient was deleted."))

        st.button(_("Yes, delete for good"), key="patients.forget.yes", on_click=forget)
