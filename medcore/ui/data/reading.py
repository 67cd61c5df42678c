"""Show how a file was read, and read it in another way."""

from __future__ import annotations

from typing import Any

import streamlit as st

from medcore.data.cohort import Source
from medcore.data.reading.beside.together import TOGETHER
from medcore.i18n import _
from medcore.studies.records import StudyRecord
from medcore.ui.kit.cache import cohort
from medcore.ui.kit.layout import caption
from medcore.ui.kit.notices import errors_shown
from medcore.ui.kit.text import one_line
from medcore.ui.studies import create

ENCODINGS = ("utf-8", "gb18030", "utf-16", "cp1252", "big5")
DELIMITERS = {",": ",", ";": ";", "\t": "Tab", "|": "|", " ": "␣"}
DECIMALS = (".", ",")


def reading_form(study: StudyRecord) -> None:
    """Ask for encoding, separator, decimal mark, lines above the header or sheet; read again on request."""
    source = cohort(study).source
    with st.expander(_("Read the file in another way")), errors_shown():
        if source.sheets:
            wanted = _sheet(source)
        elif source.format == "csv":
            wanted = _text(source)
        else:
            caption(_("A file of this kind says itself how it is to be read."))
            return
        wanted["every_row"] = st.checkbox(
            _("Read every row as a patient"),
            source.every_row,
            key="data.read.every_row",
            help=_("Rows of units, repeated column names, totals and notes are set aside otherwise."),
        )
        wanted["patients_in"] = _patients_in(source)
        changed = {name: value for name, value in wanted.items() if value != getattr(source, name)}
        caption(_("A new study is made of the file; this one stays as it is."))
        if st.button(_("Read again"), key="data.read.again", disabled=not changed):
            create.read_again(study, changed)
            st.rerun()


def _patients_in(source: Source) -> str:
    """Ask whether a patient is a row or a column; what is found and was not chosen stays so."""
    words = {"rows": _("rows"), "columns": _("columns")}
    now = source.patients_in or "rows"
    chosen = st.selectbox(
        _("Patients stand in"),
        list(words),
        index=list(words).index(now),
        format_func=words.__getitem__,
        key="data.read.patients_in",
        help=_("A table with a patient in each column, and what was measured in rows, is turned."),
    )
    return source.patients_in if chosen == now else chosen


def _sheet(source: Source) -> dict[str, Any]:
    sheets = [*source.sheets, *([TOGETHER] if len(source.sheets) > 1 else [])]

    def words(sheet: str) -> str:
        if sheet == TOGETHER:
            return _("All that belong together")
        name = one_line(sheet, limit=60)
        return _("{sheet} (hidden)", sheet=name) if sheet in source.hidden_sheets else name

    left, right = st.columns(2)
    with left:
        sheet = st.selectbox(
            _("Sheet"),
            sheets,
            index=sheets.index(source.sheet) if source.sheet in sheets else 0,
            format_func=words,
            key="data.read.sheet",
        )
    with right:
        skipped = st.number_input(_("Lines above the header"), 0, 100, source.skip_lines, key="data.read.skip")
    return {"sheet": sheet, "skip_lines": int(skipped)}


def _text(source: Source) -> dict[str, Any]:
    first, second, third, fourth = st.columns(4)
    encodings = list(dict.fromkeys([source.encoding, *ENCODINGS]))
    delimiters = list(dict.fromkeys([source.delimiter, *DELIMITERS]))
    with first:
        encoding = st.selectbox(_("Encoding"), encodings, key="data.read.encoding")
    with second:
        delimiter = st.selectbox(
            _("Separator"), delimiters, format_func=lambda d: DELIMITERS.get(d, d), key="data.read.delimiter"
        )
    with third:
        marks = list(dict.fromkeys([source.decimal, *DECIMALS]))
        decimal = st.selectbox(_("Decimal mark"), marks, key="data.read.decimal")
    with fourth:
        skipped = st.number_input(_("Lines above the header"), 0, 100, source.skip_lines, key="data.read.skip")
    return {"encoding": encoding, "delimiter": delimiter, "decimal": decimal, "skip_lines": int(skipped)}
