"""Who: a patient of the table, one typed in, or one of a new table. Typed values are never stored."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Container
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import streamlit as st

from medcore.data.shown import Naming
from medcore.data.values.column import write_number
from medcore.explanation.patient import wording
from medcore.i18n import N_, _, listed, parted
from medcore.reporting.patient_report import MARKS
from medcore.ui.kinds.field import Field
from medcore.ui.kinds.registry import input_of
from medcore.ui.kinds.text import text_of
from medcore.ui.kit.shown import components
from medcore.ui.kit.words import row_name
from medcore.ui.patient.explainer import Explainer

MAX_PREVIEW = 500
LIKELIEST = 3  # of many classes; all stand in the bars below
LEAST_RISK = 0.005
"""A risk below it is not named beside the likeliest."""
FLAG_ENDS = re.compile("; (?=(?:" + "|".join(MARKS) + "):)")


@dataclass(frozen=True, slots=True)
class Chosen:
    """One patient as a table of one row.

    ``key`` identifies the values; ``outcome`` is what happened and ``line`` the row's number in
    the file, if known; ``trained`` is the row in the cohort of a patient whom the model was
    trained on; ``doubts`` are what is implausible about typed values.
    """

    frame: pd.DataFrame = field(repr=False)
    key: str
    title: str
    outcome: str | None = None
    line: int | None = None
    trained: int | None = None
    doubts: tuple[str, ...] = ()

    @property
    def row(self) -> str:
        """The row's name, without an identifier that the title may hold; the title of one who is in no file."""
        return self.title if self.line is None else row_name(self.line)


def trained_on(explainer: Explainer, place: int) -> str:
    """Say that the model has seen a training patient, and what it gave when it had not."""
    risks = explainer.results.training.risk[place]
    if explainer.measure.of_number:
        return _(
            "The model was trained on this patient, so the number below is too sure. Models that had not seen the patient gave: {number}.",
            number=explainer.measure.write(float(risks[0])),
        )
    likeliest = sorted(explainer.results.target.told, key=lambda k: -float(risks[k]))[:LIKELIEST]
    named = [k for k in likeliest if k == likeliest[0] or risks[k] >= LEAST_RISK]
    return _(
        "The model was trained on this patient, so the risk below is too sure. Models that had not seen the patient "
        "gave: {risks}.",
        risks=[f"{explainer.names[k]} {wording.percent(float(risks[k]), digits=1)}" for k in named],
    )


def type_in(explainer: Explainer) -> Chosen | None:
    """Ask for a patient's values in a form made from the columns; an empty field is a missing value."""
    with st.form(key=f"patient-form-{explainer.run.id}", enter_to_submit=False):
        components.note(_("Leave empty what is not known. What you type is used for this page only and never stored."))
        values = ask_values(explainer, key=f"patient.in.{explainer.run.id}")
        st.form_submit_button(_("Predict"), type="primary")
    return typed(explainer, values)


def ask_values(explainer: Explainer, *, key: str) -> dict[str, str | None]:
    """Draw a field a column, inside a form; an empty one is None."""
    places, values = st.columns(3), {}
    for number, name in enumerate(explainer.columns):
        with places[number % 3]:
            values[name] = ask_one(explainer, name, key=f"{key}.{number}")
    return values


def ask_one(explainer: Explainer, name: str, *, key: str) -> str | None:
    """Ask for the value of one column, as text; None when it is not known."""
    field = _field(explainer, name)
    return (
        text_of(explainer.shown(name), key=key) if field is None else input_of(field.encoder.kind).typed(field, key=key)
    )


def begun(explainer: Explainer, name: str, value: str) -> Any:
    """Return what the field of a column begins with for a value of another day; None where that is not carried over."""
    field = _field(explainer, name)
    return None if field is None else input_of(field.encoder.kind).begun(field, value)


def _field(explainer: Explainer, name: str) -> Field | None:
    """Return what is asked for in a column; None where it only helps to read others."""
    if name not in explainer.reference.columns:
        return None
    return Field.of(explainer.reference, explainer.schema[name], explainer.shown(name))


def typed(explainer: Explainer, values: dict[str, str | None]) -> Chosen | None:
    """Return the patient with these values; None, and said, where none was typed in."""
    if all(v is None for v in values.values()):
        components.note(_("Type at least one value."))
        return None
    cells = {name: _cell(explainer, name, value) for name, value in values.items()}
    frame = pd.DataFrame({name: pd.Series([cell], dtype="str") for name, cell in cells.items()})
    key = hashlib.sha256(repr(sorted(values.items())).encode()).hexdigest()
    return Chosen(frame, key, _("Patient typed in"), doubts=tuple(_implausible(explainer, values)))


def _cell(explainer: Explainer, name: str, value: str | None) -> str | None:
    """Write a value that was typed in as the cells of its column are written."""
    column = explainer.schema[name]
    return value if value is None or column.kind != "numeric" else write_number(float(value), column)


def in_words(flags: object, naming: Naming, usual: Container[str] = ()) -> str:
    """Write the flags of one patient, ``kind:column; kind:column``, as marks with the columns they are of.

    ``usual`` are columns in which it is usual that a value is missing: that is then no caution.
    """
    columns: dict[str, list[str]] = {}
    for flag in FLAG_ENDS.split(str(flags or "")):
        kind, _colon, column = flag.partition(":")
        if kind in MARKS and not (kind == "imputed" and column in usual):
            columns.setdefault(kind, []).append(naming(column).words)
    return parted(f"{_(MARKS[kind])}: {listed(names)}" for kind, names in columns.items())


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
            odd.append(_(text, column=explainer.shown(name), low=f"{column.low:g}", high=f"{column.high:g}"))
    return odd
