"""Make rows of results rows of patients: which columns, and what is taken of several results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from medcore.data.long import SERIES_FORMS, Pivot
from medcore.data.schema.long import propose_pivot
from medcore.i18n import N_, _
from medcore.studies.records import StudyRecord
from medcore.ui.kit.cache import cohort, once
from medcore.ui.kit.layout import caption
from medcore.ui.kit.notices import errors_shown
from medcore.ui.kit.text import one_line
from medcore.ui.studies import create

FORM_WORDS: Mapping[str, str] = {
    "first": N_("first"),
    "last": N_("last"),
    "minimum": N_("lowest"),
    "maximum": N_("highest"),
    "mean": N_("mean"),
    "sd": N_("standard deviation"),
    "total": N_("sum"),
    "count": N_("number of results"),
    "slope": N_("slope a day"),
    "since": N_("hours since the last"),
    "sequence": N_("over time, for a network that reads it in order"),
}
PART_WORDS: Mapping[str, str] = {
    "patient": N_("Patient"),
    "analyte": N_("What was measured"),
    "value": N_("Result"),
    "unit": N_("Unit"),
    "when": N_("Date or time of the result"),
    "index": N_("Index date"),
}
MUST = ("patient", "analyte", "value")


def long_form(study: StudyRecord) -> None:
    """Ask how rows of results become rows of patients; make a study of them on request."""
    rows = cohort(study)
    if rows.schema.pivot is not None:
        caption(_("The rows of this table were made of rows of results, one a patient."))
        return
    proposed = once(lambda: propose_pivot(rows.frame, rows.schema), "pivot", study.identity)
    with st.expander(_("Make rows of results rows of patients"), expanded=proposed is not None), errors_shown():
        names = ["", *study.schema.names]
        chosen = parts_asked(dict.fromkeys(PART_WORDS, names), proposed.to_dict() if proposed else {}, key="data.long")
        forms = st.multiselect(
            _("What is taken of several results"),
            list(SERIES_FORMS),
            default=["first"],
            format_func=lambda f: _(FORM_WORDS[f]),
            key="data.long.forms",
            placeholder=_("Choose a value"),
        )
        windows = _window() if chosen["when"] and chosen["index"] else []
        ready = all(chosen[name] for name in MUST) and bool(forms)
        caption(_("A new study is made of the file; this one stays as it is."))
        if st.button(_("Make one row a patient"), key="data.long.make", disabled=not ready):
            pivot = Pivot.from_dict({**chosen, "forms": forms, "windows": windows})
            create.read_again(study, {"pivot": pivot.to_dict()})
            st.rerun()


def parts_asked(names: Mapping[str, list[str]], proposed: Mapping[str, Any], *, key: str) -> dict[str, str]:
    """Ask which of the ``names`` is each part of a long table, those proposed first."""
    chosen: dict[str, str] = {}
    for left in range(0, len(PART_WORDS), 3):
        parts = list(PART_WORDS)[left : left + 3]
        for place, part in zip(st.columns(3), parts, strict=True):
            first = proposed.get(part, "")
            with place:
                chosen[part] = st.selectbox(
                    _(PART_WORDS[part]),
                    names[part],
                    index=names[part].index(first) if first in names[part] else 0,
                    format_func=lambda n: one_line(n, limit=40) or "–",
                    key=f"{key}.{part}",
                )
    return chosen


def _window() -> list[list[Any]]:
    left, right = st.columns(2)
    with left:
        low = st.number_input(_("Days from the index date: first"), value=None, key="data.long.low", format="%g")
    with right:
        high = st.number_input(_("Days from the index date: last"), value=0.0, key="data.long.high", format="%g")
    return [[low, high]]
