"""Who: a patient of the table, one typed in, or one of a new table. Typed values are never stored."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field

import pandas as pd
import streamlit as st

from medcore import jobs
from medcore.data.cohort import Column
from medcore.data.describe.export import to_csv
from medcore.data.values.column import write_number
from medcore.errors import MissingColumnsError
from medcore.explanation.patient import answers, wording
from medcore.i18n import N_, _
from medcore.jobs.web.uploads import read_upload
from medcore.reporting.patient_report import MARKS
from medcore.ui.kinds.field import Field
from medcore.ui.kinds.registry import input_of
from medcore.ui.kinds.text import text_of
from medcore.ui.kit import components
from medcore.ui.kit.state import state
from medcore.ui.kit.words import row_name
from medcore.ui.patient.explainer import Explainer

MAX_PREVIEW = 500
FLAG_ENDS = re.compile("; (?=(?:" + "|".join(MARKS) + "):)")


@dataclass(frozen=True, slots=True)
class Chosen:
    """One patient as a table of one row; ``key`` identifies the values, ``outcome`` is what happened, if known."""

    frame: pd.DataFrame = field(repr=False)
    key: str
    title: str
    outcome: str | None = None


def pick(explainer: Explainer) -> Chosen | None:
    """Ask for a patient of the table: of the locked test set, else of the training patients."""
    results = explainer.results
    known = results.test or results.training
    if results.test is None:
        components.note(_("All rows were trained on: the risk of a patient the model has seen is too sure."))
    outcomes = dict(zip(known.rows.tolist(), known.outcome.tolist(), strict=True))
    asked, training = state().patients.get(explainer.run.id), results.training
    trained_on = dict(zip(training.rows.tolist(), range(len(training.rows)), strict=True))
    if asked in trained_on and asked not in outcomes:
        outcomes = {asked: int(training.outcome[trained_on[asked]]), **outcomes}
    row = st.selectbox(
        _("Patient of the test set") if results.test else _("Patient of the training rows"),
        list(outcomes),
        format_func=row_name,
        key=f"patient.row.{explainer.run.id}",
        help=_("Rows as in the spreadsheet, the columns’ names in row 1. Type a number to search."),
        persist_state="session",
    )
    if row is None:
        return None
    if results.test is not None and row in trained_on:
        components.note(_trained_on(explainer, trained_on[row]), look="warning")
    return Chosen(explainer.frame.iloc[[row]], f"row {row}", row_name(row), explainer.classes[outcomes[row]])


def _trained_on(explainer: Explainer, place: int) -> str:
    """Say that the model has seen a training patient, and what it gave when it had not."""
    risks = explainer.results.training.risk[place]
    told = risks[list(explainer.results.target.told)]
    return _(
        "The model was trained on this patient, so the risk below is too sure. Models that had not seen the patient "
        "gave: {risks}.",
        risks=[
            f"{components.plain(name)} {100 * risk:.1f} %"
            for name, risk in zip(explainer.classes[-len(told) :], told, strict=True)
        ],
    )


def type_in(explainer: Explainer) -> Chosen | None:
    """Ask for a patient's values in a form made from the columns; an empty field is a missing value."""
    with st.form(key=f"patient-form-{explainer.run.id}", enter_to_submit=False):
        components.note(_("Leave empty what is not known. What you type is used for this page only and never stored."))
        places = st.columns(3)
        values = {}
        for number, name in enumerate(explainer.columns):
            with places[number % 3]:
                values[name] = _ask(explainer, explainer.schema[name], key=f"patient.in.{explainer.run.id}.{number}")
        st.form_submit_button(_("Show the risk"), type="primary")
    if all(v is None for v in values.values()):
        components.note(_("Type at least one value."))
        return None
    for problem in _implausible(explainer, values):
        components.note(problem, look="warning")
    cells = {name: _cell(explainer, name, value) for name, value in values.items()}
    frame = pd.DataFrame({name: pd.Series([cell], dtype="str") for name, cell in cells.items()})
    key = hashlib.sha256(repr(sorted(values.items())).encode()).hexdigest()
    return Chosen(frame, key, _("Patient typed in"))


def _cell(explainer: Explainer, name: str, value: str | None) -> str | None:
    """Write a value that was typed in as the cells of its column are written."""
    column = explainer.schema[name]
    return value if value is None or column.kind != "numeric" else write_number(float(value), column)


def new_table(explainer: Explainer) -> Chosen | None:
    """Ask for a table of new patients: show and offer its predictions, and ask which one to look at."""
    file = st.file_uploader(
        _("Table of new patients, with the same columns as the training table"), key=f"patient.file.{explainer.run.id}"
    )
    if file is None:
        st.caption(_("It needs these columns: {columns}.", columns=[components.plain(c) for c in explainer.columns]))
        return None
    cohort = read_upload(file.name, file.getvalue(), like=explainer.schema)
    if not set(explainer.columns) <= set(cohort.frame.columns):
        raise MissingColumnsError.between(wanted=explainer.columns, got=cohort.frame.columns, table=file.name)
    frame = cohort.frame[list(explainer.columns)]
    predictions = jobs.call(answers.predict_table, explainer.model, frame)
    components.section(_("Predictions"), _("{n} patients. Flags say what to be careful about.", n=len(frame)))
    st.dataframe(_preview(explainer, predictions), hide_index=True, key=f"patient.predictions.{explainer.run.id}")
    components.download(
        _("Download the predictions (CSV)"),
        to_csv(predictions),
        file_name="predictions.csv",
        mime="text/csv",
        key=f"patient.download.{explainer.run.id}",
    )
    row = st.number_input(_("Row to look at"), 0, len(frame) - 1, 0, key=f"patient.new_row.{explainer.run.id}")
    return Chosen(frame.iloc[[row]], f"{cohort.sha256} {row}", _("Row {row} of the new table", row=row + 2))


def _preview(explainer: Explainer, predictions: pd.DataFrame) -> pd.DataFrame:
    """Write the first predictions for reading: risks in per cent, flags in words."""
    first = predictions.head(MAX_PREVIEW)
    asked = [explainer.classes[k] for k in explainer.results.target.told]
    risks = {
        _("Risk of {name}", name=name): [wording.percent(risk, digits=1) for risk in first[f"risk_{name}"]]
        for name in asked
    }
    return pd.DataFrame(
        {_("Row"): first["row"], **risks, _("Be careful about"): [_in_words(flags) for flags in first["flags"]]}
    )


def _in_words(flags: object) -> str:
    """Write the flags of one patient, ``kind:column; kind:column``, as marks with the columns they are of."""
    columns: dict[str, list[str]] = {}
    for flag in FLAG_ENDS.split(str(flags or "")):
        kind, _colon, column = flag.partition(":")
        if kind in MARKS:
            columns.setdefault(kind, []).append(column)
    return "; ".join(f"{_(MARKS[kind])}: {', '.join(names)}" for kind, names in columns.items())


def _ask(explainer: Explainer, column: Column, *, key: str) -> str | None:
    """Ask for one value, as text; None when it is not known."""
    if column.name not in explainer.reference.columns:
        return text_of(column, key=key)
    asked = Field.of(explainer.reference, column)
    return input_of(asked.encoder.kind).typed(asked, key=key)


def _implausible(explainer: Explainer, values: dict[str, str | None]) -> list[str]:
    """Name the fields whose number is outside what is plausible; nothing is refused."""
    odd = []
    for name, value in values.items():
        column = explainer.schema[name]
        if value is None or column.kind != "numeric" or column.low is None or column.high is None:
            continue
        if not column.low <= float(value) <= column.high:
            text = (
                N_(
                    "{column} is outside its plausible range of {low} to {high}, so it counts as missing: check the value and its unit."
                )
                if explainer.recipe.is_on("implausible_values")
                else N_("{column} is outside its plausible range of {low} to {high}: check the value and its unit.")
            )
            odd.append(_(text, column=name, low=f"{column.low:g}", high=f"{column.high:g}"))
    return odd
