"""Bring patients into a released model's register: a table of them, or one typed in; what is brought in is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast

import numpy as np
import pandas as pd
import streamlit as st

from medcore.data.cohort import Cohort, Schema
from medcore.data.values.folding import fold_texts, text_array
from medcore.data.values.time.dates import parse_dates
from medcore.errors import InputError, MissingColumnsError
from medcore.explanation.patient.released import watched_apart
from medcore.i18n import N_, _
from medcore.studies.use_records import PredictionRecord
from medcore.ui.kit import cache
from medcore.ui.kit.shown import components
from medcore.ui.kit.shown.brought import brought
from medcore.ui.kit.state import state
from medcore.ui.patient.choice import ask_values, typed
from medcore.ui.patients import asking, last_values
from medcore.ui.patients.in_use import InUse, answers

WAYS = {"table": N_("A table"), "type": N_("Type one in")}
NOW = ""
"""Stands for no column of visit dates: everybody is seen now."""
MOST_ROWS = 20_000
"""Rows of a table that the page takes at once; more go through the shell or the service."""
_ROUTE = "page"
_TELLING = ("identifier", "group")
KEPT = N_(
    "What is brought in is kept: values, predictions and identifiers, sealed, until a person deletes the patient or "
    "the study."
)


def show(in_use: InUse) -> None:
    """Ask for patients, have them predicted, and keep them."""
    if not answers(in_use):
        return
    way = components.choice(_("How"), list(WAYS), key="patients.way", show=lambda w: _(WAYS[w]))
    components.caption(_(KEPT))
    if way == "table":
        _table(in_use)
    else:
        type_in(in_use)


def type_in(in_use: InUse, *, patient: str | None = None, last: PredictionRecord | None = None) -> None:
    """Ask for one visit; of a patient who is known (``patient``), of that one, beginning with the ``last``. It is kept."""
    whose = f"{patient}.{last and last.id}"  # once a visit is kept, the form of the next is another
    explainer, run_key = in_use.explainer(), f"{in_use.run.id}.{hashlib.sha256(whose.encode()).hexdigest()[:8]}"
    with st.form(key=f"patients-form-{run_key}", enter_to_submit=False):
        left, right = st.columns(2)
        with left:
            who = patient or st.text_input(_("Identifier"), key=f"patients.who.{run_key}").strip()
        with right:
            when = st.text_input(
                _("Seen at (universal time); empty for now"),
                key=f"patients.when.{run_key}",
                placeholder="2026-11-28 14:30",
            )
        fields = f"patients.in.{run_key}"
        if last is None:
            asked = last_values.Again(ask_values(explainer, key=fields), ())
        else:
            asked = last_values.ask(explainer, last, key=fields)
        beside = st.container()  # where the button was pressed, and not below what is seen
        sent = st.form_submit_button(_("Predict and keep"), type="primary")
    wanted, values = f"patients.typed.{run_key}", asked.values
    if sent and asked.unconfirmed:
        names = [components.plain(explainer.shown(name).words) for name in asked.unconfirmed]
        text = _("Tick, change or clear what was carried over from the last visit: {columns}.", columns=names)
        with beside:
            components.note(text, look="warning")
        return
    if sent:
        sent_now = repr((who, when, sorted(values.items()), datetime.now(UTC)))
        st.session_state[wanted] = hashlib.sha256(sent_now.encode()).hexdigest()
    key = st.session_state.get(wanted)
    if key is None:
        return
    if not who:
        components.note(_("Type the identifier: by it the patient is found again."), look="warning")
        return
    one, moment = typed(explainer, values), _moment(when)
    if one is None:
        return
    for doubt in one.doubts:
        components.note(doubt, look="warning")
    found = asking.predicted(in_use, one.frame, key, doing=_("The model is asked for its prediction."))
    if found is None:
        return
    kept = asking.asked_patients(in_use, one.frame, found, patients=[who], moments=[moment], key=key)
    answered = cache.store().keep_answers(in_use.person, in_use.release, kept, route=_ROUTE)
    del st.session_state[wanted]
    state().course = answered[0].patient_id
    st.rerun()


def _moment(text: str) -> datetime | None:
    try:
        moment = asking.moment_of(text)
    except ValueError:
        raise InputError(N_("“{text}” is not a moment; write it as 2026-11-28 14:30."), text=text) from None
    if moment is not None and moment > datetime.now(UTC):
        raise InputError(N_("A visit cannot be in the future: {text}."), text=text)
    return moment


def _table(in_use: InUse) -> None:
    explainer = in_use.explainer()
    file = st.file_uploader(
        _("Table of patients: a row a visit, with the columns of the training table and an identifier"),
        key=f"patients.file.{in_use.release.id}.{state().uploads}",
    )
    if file is None:
        names = [components.plain(explainer.shown(c)) for c in explainer.columns]
        st.caption(_("It needs these columns: {columns}.", columns=names))
        return
    cohort = brought(file, in_use.run.id, like=explainer.schema, key="patients.reading")
    if cohort is None:
        return
    if not set(explainer.columns) <= set(cohort.frame.columns):
        raise MissingColumnsError.between(wanted=explainer.columns, got=cohort.frame.columns, table=file.name)
    if len(cohort.frame) > MOST_ROWS:
        raise InputError(
            N_("The table has {n} rows; the page takes {most} at once. Bring it in parts, or through the service."),
            n=len(cohort.frame),
            most=MOST_ROWS,
        )
    components.mends(cache.model_mends(cohort, in_use.run, explainer.schema), naming=explainer.shown)
    chosen = _columns(cohort, explainer.columns)
    if chosen is None:
        return
    who, when = chosen
    key = f"{cohort.sha256}.{who}.{when}"
    wanted = f"patients.bring.{in_use.release.id}"
    if st.session_state.get(wanted) != key:
        text = _("Predict and keep {n} visits", n=f"{len(cohort.frame):,}")
        if not st.button(text, type="primary", key="patients.bring"):
            return
        st.session_state[wanted] = key
    apart = watched_apart(in_use.schema, explainer.columns)
    frame = cohort.frame[[*explainer.columns, *(c.name for c in apart if c.name in cohort.frame)]]
    found = asking.predicted(in_use, frame, key, doing=_("The table is predicted."))
    if found is not None:
        said = cache.once(lambda: _kept(in_use, cohort, found, who, when), "patients.kept", in_use.release.id, key)
        components.note(said, look="success")


def _columns(cohort: Cohort, predictors: Sequence[str]) -> tuple[str, str] | None:
    """Ask which column tells patients apart and which says when they were seen; None as long as the first is not chosen."""
    spare = [c for c in cohort.frame.columns if c not in predictors]
    telling = [c.name for c in cohort.schema.columns if c.name in cohort.frame.columns and c.role in _TELLING]
    names, dates = list(cohort.frame.columns), _dates(cohort.schema, spare)
    left, right = st.columns(2)
    with left:
        who = st.selectbox(
            _("Column of identifiers"),
            list(dict.fromkeys((*telling, *spare, *names))),
            index=0 if telling else None,
            format_func=components.one_line,
            placeholder=_("Choose a column"),
            key=f"patients.column.who.{cohort.sha256[:12]}",
        )
    with right:
        when = st.selectbox(
            _("Column that says when they were seen"),
            [NOW, *dates, *(n for n in spare if n not in dates)],
            format_func=lambda n: components.one_line(n) if n else _("none: all are seen now"),
            key=f"patients.column.when.{cohort.sha256[:12]}",
        )
    return None if who is None else (who, when)


def _dates(schema: Schema, names: Sequence[str]) -> list[str]:
    return [c.name for c in schema.columns if c.name in names and (c.kind == "date" or c.role == "time")]


def _kept(in_use: InUse, cohort: Cohort, found: pd.DataFrame, who: str, when: str) -> str:
    """Keep what was predicted and say how much that was."""
    patients = identifiers(cohort.frame[who], who)
    moments = moments_of(cohort.frame[when], when) if when else [None] * len(patients)
    frame = cohort.frame[list(in_use.explainer().columns)]
    asked = asking.asked_patients(
        in_use, frame, found, patients=patients, moments=moments, key=f"{cohort.sha256}.{who}.{when}"
    )
    answered = cache.store().keep_answers(in_use.person, in_use.release, asked, route=_ROUTE)
    again = sum(a.again for a in answered)
    said = _("{n} visits of {patients} patients are kept.", n=f"{len(answered):,}", patients=f"{len(set(patients)):,}")
    return said + (" " + _("{n} of them were there before.", n=f"{again:,}") if again else "")


def identifiers(cells: pd.Series, name: str) -> list[str]:
    """Return who each row is of.

    Raises:
        InputError: a row tells nobody.

    """
    texts = [None if pd.isna(cell) else str(cell).strip() for cell in cells]
    lacking = sum(not text for text in texts)
    if lacking:
        raise InputError(
            N_("{n} rows have nothing in {column}. Every visit needs the identifier of its patient."),
            n=lacking,
            column=name,
        )
    return cast(list[str], texts)


def moments_of(cells: pd.Series, name: str) -> list[datetime | None]:
    """Return when each row's patient was seen, in universal time.

    Raises:
        InputError: a cell is no date, or lies in the future.

    """
    dates = parse_dates(fold_texts(text_array(cells)))
    moments = [
        None if np.isnat(value) else pd.Timestamp(value).to_pydatetime().replace(tzinfo=UTC) for value in dates.value
    ]
    lacking = sum(m is None for m in moments)
    future = sum(m is not None and m > datetime.now(UTC) for m in moments)
    if lacking or future:
        raise InputError(
            N_("{n} cells of {column} are no date, and {future} lie in the future. Every visit needs its own."),
            n=lacking,
            column=name,
            future=future,
        )
    return moments
