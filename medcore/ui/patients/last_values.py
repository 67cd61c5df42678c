"""The form of a next visit: it begins with the values of the last one, each to be confirmed, changed or cleared.

A value that is carried over unseen is a known danger of electronic records: nothing of the last visit
counts before somebody has said of this very value that it still holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd
import streamlit as st

from medcore.data.values.typed import typed
from medcore.i18n import _
from medcore.studies.use_records import PredictionRecord
from medcore.ui.kit.shown import components
from medcore.ui.patient.choice import ask_one, begun
from medcore.ui.patient.explainer import Explainer
from medcore.ui.patients import asking
from medcore.ui.patients.in_use import moment


@dataclass(frozen=True, slots=True)
class Again:
    """What was asked for again: the values, and the columns whose last value nobody confirmed."""

    values: dict[str, str | None] = field(repr=False)
    unconfirmed: tuple[str, ...]


def ask(explainer: Explainer, last: PredictionRecord, *, key: str) -> Again:
    """Draw a field a column inside a form, with the last value in it and a box that says it still holds."""
    components.note(
        _(
            "The fields hold the values of {date}. Tick each that still holds, change what does not, and clear what is not known.",
            date=moment(last.at),
        )
    )
    before, places, values = last_values(explainer, last), st.columns(3), {}
    unconfirmed = []
    for number, name in enumerate(explainer.columns):
        own = f"{key}.{number}"
        if number and number % 3 == 0:
            places = st.columns(3)  # by rows: not every field has a box beneath it
        with places[number % 3]:
            start = begun(explainer, name, before[name]) if name in before else None
            if start is not None:
                st.session_state.setdefault(own, start)
            values[name] = ask_one(explainer, name, key=own)
            if start is not None:
                holds = st.checkbox(_("still holds ({date})", date=moment(last.at, day=True)), key=f"{own}.holds")
                if values[name] == before[name] and not holds:
                    unconfirmed.append(name)
    return Again(values, tuple(unconfirmed))


def last_values(explainer: Explainer, last: PredictionRecord) -> Mapping[str, str]:
    """Return by column what the last visit said, as the form writes it: numbers in the unit of their column."""
    columns = explainer.columns
    read = typed(asking.as_table(columns, [last]), explainer.schema)
    cells = {name: read[name].iloc[0] for name in columns if explainer.schema[name].kind != "date"}
    numbers = {name for name in cells if explainer.schema[name].kind == "numeric"}
    return {
        name: f"{float(cell):.12g}" if name in numbers else str(cell)
        for name, cell in cells.items()
        if not pd.isna(cell)
    }
