"""What came of patients: entered for one, or for many by a table; and a patient deleted for good."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from medcore.data.cohort import Cohort
from medcore.errors import InputError, MedcoreError
from medcore.i18n import N_, _
from medcore.jobs.web.uploads import read_upload
from medcore.studies.use_records import PredictionRecord
from medcore.ui.kit import cache
from medcore.ui.kit.shown import components
from medcore.ui.kit.state import speak, state
from medcore.ui.patients.bring import identifiers
from medcore.ui.patients.in_use import InUse
from medcore.ui.patients.worklist import outcome_words

NOT_KNOWN, YES, NO = "unknown", "yes", "no"
ANSWERS = {NOT_KNOWN: N_("not known yet"), YES: N_("yes"), NO: N_("no")}
MOST_WORDS = 30
"""Different answers in a column of outcomes that are offered to choose from."""


def show_one(in_use: InUse, identifier: str, visits: Sequence[PredictionRecord]) -> None:
    """Ask what came of one patient; it counts for every prediction made so far."""
    last = visits[-1]
    components.caption(
        _("It counts for every prediction made for this patient so far, and can be changed or taken back.")
    )
    if last.outcome is not None and last.outcome_at is not None:
        known = outcome_words(in_use, last.outcome)
        components.note(
            _("Entered on {day}: {outcome}.", day=f"{last.outcome_at:%Y-%m-%d}", outcome=known), look="success"
        )
    name = f"{last.patient_id}.{last.outcome_at}"
    with st.form(key=f"patients-outcome-{last.patient_id}", enter_to_submit=False):
        value: float | None
        if in_use.of_number:
            value = st.number_input(in_use.outcome, value=last.outcome, key=f"patients.outcome.{name}")
        else:
            usual = NOT_KNOWN if last.outcome is None else YES if last.outcome else NO
            answer = st.radio(
                _asked(in_use),
                list(ANSWERS),
                index=list(ANSWERS).index(usual),
                format_func=lambda a: _(ANSWERS[a]),
                horizontal=True,
                key=f"patients.outcome.{name}",
            )
            value = {NOT_KNOWN: None, YES: 1.0, NO: 0.0}[answer]
        sent = st.form_submit_button(_("Keep"), type="primary")
    if sent:
        cache.store().enter_outcomes(in_use.person, in_use.model, {identifier: value})
        st.rerun()


def _asked(in_use: InUse) -> str:
    if in_use.target.many:
        return _("Did what was called likeliest come true?")
    return _("Did it happen: {event}?", event=components.plain(in_use.outcome))


def show_table(in_use: InUse) -> None:
    """Ask for a table of what came of patients, and enter it."""
    components.caption(
        _("One row a patient: who, and what came of them. Whoever is not in the register is left out and counted.")
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
    told = outcomes_of(cohort.frame, *chosen, of_number=in_use.of_number)
    key = f"patients.outcomes.done.{in_use.model}"
    if st.button(_("Enter the outcomes of {n} patients", n=f"{len(told):,}"), type="primary", key="patients.outcomes"):
        n, unknown = cache.store().enter_outcomes(in_use.person, in_use.model, told)
        st.session_state[key] = (cohort.sha256, n, len(unknown))
    sha256, n, n_unknown = st.session_state.get(key, ("", 0, 0))
    if sha256 == cohort.sha256:
        components.note(_("What came of {n} patients is entered.", n=f"{n:,}"), look="success")
        if n_unknown:
            components.note(_("{n} are not in the register and were left out.", n=f"{n_unknown:,}"), look="warning")


def _columns(in_use: InUse, cohort: Cohort) -> tuple[str, str, Mapping[str, float]] | None:
    """Ask who and what: the columns, and which answer means that it happened."""
    names, key = list(cohort.frame.columns), cohort.sha256[:12]
    left, middle, right = st.columns(3)
    pick: dict[str, Any] = {
        "index": None,
        "format_func": components.one_line,
        "placeholder": _("Choose a column"),
    }
    with left:
        who = st.selectbox(_("Column of identifiers"), names, key=f"patients.outcomes.who.{key}", **pick)
    with middle:
        what = st.selectbox(_("Column of outcomes"), names, key=f"patients.outcomes.what.{key}", **pick)
    if who is None or what is None:
        return None
    if in_use.of_number:
        return who, what, {}
    words = sorted(cohort.frame[what].dropna().astype("str").str.strip().unique())
    if len(words) > MOST_WORDS:
        raise InputError(N_("{column} has {n} different answers; an outcome has few."), column=what, n=len(words))
    with right:
        means = st.multiselect(
            _asked(in_use),
            words,
            format_func=components.one_line,
            placeholder=_("Choose the answers that mean yes"),
            key=f"patients.outcomes.yes.{key}.{what}",
        )
    return (who, what, {word: float(word in means) for word in words}) if means else None


def outcomes_of(
    frame: pd.DataFrame, who: str, what: str, words: Mapping[str, float], *, of_number: bool
) -> dict[str, float]:
    """Return what came of each patient of a table; an empty cell is not known, and says nothing.

    Raises:
        InputError: a row tells nobody, an answer is no number, or a patient has two different ones.

    """
    known = frame.loc[frame[what].notna()]
    told: dict[str, float] = {}
    for patient, answer in zip(identifiers(known[who], who), known[what].astype("str"), strict=True):
        try:
            value = float(answer) if of_number else words[answer.strip()]
        except ValueError:
            raise InputError(N_("An answer in {column} is no number."), column=what) from None
        if told.setdefault(patient, value) != value:
            raise InputError(N_("A patient has two different outcomes in {column}."), column=what)
    return told


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
