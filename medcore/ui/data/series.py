"""Measurements over time from a second table: which columns, up to when, and what is taken of each series."""

from __future__ import annotations

import numpy as np
import streamlit as st

from medcore import jobs
from medcore.data.cohort import Cohort
from medcore.data.follow_up import span
from medcore.data.long import FORMS, FROM_FILE, SERIES_FORMS, Pivot
from medcore.data.privacy import installation_key, with_pseudonyms
from medcore.data.reading.long.measured import keeps_measured
from medcore.data.reading.long.series import with_series
from medcore.data.schema.long import propose_series
from medcore.data.schema.names import folded
from medcore.i18n import _
from medcore.jobs.web.uploads import read_upload
from medcore.settings import Settings
from medcore.studies.records import StudyRecord
from medcore.ui.data.long import FORM_WORDS, PART_WORDS, parts_asked
from medcore.ui.kit.cache import cohort, store
from medcore.ui.kit.layout import caption
from medcore.ui.kit.notices import errors_shown
from medcore.ui.kit.shown.brought import measurements
from medcore.ui.kit.shown.measured import measured_lines
from medcore.ui.kit.shown.noted import note_view
from medcore.ui.kit.shown.waiting import waited
from medcore.ui.kit.text import one_line
from medcore.ui.studies import create

MUST = ("patient", "when")
TIME_UNITS = ("", "min", "h", "d")


def series_form(study: StudyRecord) -> None:
    """Ask for a table of measurements and how it goes with the patients' table; make a study of both on request."""
    rows = cohort(study)
    if rows.schema.series is not None:
        hours = 24 * (rows.schema.series.windows[0][1] or 0)
        caption(
            _(
                "Measurements over time, up to {time}, are summed up in columns of this table.",
                time=span(hours, "hours"),
            )
        )
        _lines(study, rows)
        return
    expanded = bool(rows.source.long_sheets)
    with st.expander(_("Add measurements over time from a second table"), expanded=expanded), errors_shown():
        sheet = _sheet(study, rows)
        long = _of_sheet(study, sheet) if sheet else measurements(study.identity, key="data.series.file")
        if long is None:
            caption(
                _(
                    "A table with one row a measurement (the patient, the time, what was measured, the result), or with one row a visit and a column a measurement."
                )
            )
            return
        long = with_pseudonyms(rows, long, installation_key(Settings.from_env().data_dir))
        pivot = _asked(rows, long, sheet)
        caption(
            _(
                "A new study is made of both tables; this one stays as it is. Of the second table the summaries are kept and, sealed with the study and in no model, the measurements up to that time, so that a patient’s can be drawn."
            )
        )
        if st.button(_("Add the measurements"), key="data.series.make", disabled=pivot is None):
            st.session_state["data.series.asked"] = pivot
        if pivot is not None and st.session_state.get("data.series.asked") == pivot:
            _make(study, rows, long, pivot)


def _sheet(study: StudyRecord, rows: Cohort) -> str:
    """Ask whether the measurements are in another sheet of the study's own file; empty where they are not, or it was not kept."""
    sheets = rows.source.long_sheets
    if not sheets or store().load_original(study.owner, study.id) is None:
        return ""
    words = {sheet: _("Sheet or file “{sheet}” of this table’s own file", sheet=one_line(sheet)) for sheet in sheets}
    return st.selectbox(
        _("Where the measurements are"),
        [*words, ""],
        format_func=lambda sheet: words.get(sheet, _("in another file")),
        key="data.series.sheet",
    )


def _of_sheet(study: StudyRecord, sheet: str) -> Cohort | None:
    """Read another sheet of the study's own file."""
    data = store().load_original(study.owner, study.id) or b""
    return waited(
        lambda task: read_upload(study.cohort_name, data, form="measurements", sheet=sheet, stop=task.stop),
        *("data.series", study.identity, sheet),
        key="data.series.reading",
        doing=_("The file is read."),
    )


def _lines(study: StudyRecord, rows: Cohort) -> None:
    """Draw the measurements of one patient as small lines, where they were kept."""
    if not keeps_measured(rows):
        return
    numbers = rows.source.rows_in_file(range(rows.n_rows))
    first, last = int(numbers[0]), int(numbers[-1])
    asked = st.number_input(_("Row whose measurements are drawn"), first, last, first, key="data.series.row", width=260)
    (at,) = np.nonzero(numbers == asked)
    note_view(study, "measured.viewed", int(asked), row=int(asked))
    who = _("Row {n}", n=int(asked))
    if not len(at) or not measured_lines(study, int(at[0]), who=who, key="data.series.lines"):
        caption(_("Nothing was measured of this patient by then."))


def _asked(rows: Cohort, long: Cohort, sheet: str) -> Pivot | None:
    proposed = propose_series(long.schema, rows.schema, long.frame)
    if not proposed["analyte"]:  # one row a visit
        proposed |= {"value": "", "unit": ""}
    names = {part: ["", *long.schema.names] for part in PART_WORDS}
    if FROM_FILE in long.schema.names:
        names["patient"] = ["", *long.schema.names, *rows.schema.names]
    names["index"] = list(dict.fromkeys(["", *long.schema.names, *rows.schema.names]))
    named = parts_asked(names, proposed, key="data.series")
    named |= {"known_as": _known_as(rows, named["patient"], proposed["known_as"]), "sheet": sheet}
    left_side, middle, right_side = st.columns(3)
    with left_side:
        until = st.number_input(
            _("Hours after the index date up to which measurements are known"),
            min_value=0.0,
            value=None,
            key="data.series.until",
            format="%g",
            help=_(
                "What is measured later is left out: the model may know only what is known when its risk is asked for."
            ),
        )
    with middle:
        late = st.number_input(
            _("Last hours before, summed up once more"),
            min_value=0.0,
            value=0.0,
            key="data.series.late",
            format="%g",
            help=_("How a patient was at the end can tell more than the whole time; 0 for none."),
        )
    with right_side:
        unit = st.selectbox(
            _("Unit of times that are plain numbers"),
            TIME_UNITS,
            format_func=lambda u: u or "–",
            key="data.series.when_unit",
        )
    forms = st.multiselect(
        _("What is taken of a patient’s measurements"),
        list(FORMS),
        default=list(SERIES_FORMS),
        format_func=lambda f: _(FORM_WORDS[f]),
        key="data.series.forms",
        placeholder=_("Choose a value"),
    )
    by_visit = not named["analyte"] and not named["value"]
    if by_visit:
        caption(_("One row a visit: each column that is not named above is a measurement."))
    elif not (named["analyte"] and named["value"]):
        caption(
            _(
                "Name both what was measured and the result; leave both empty where each row is a visit with a column a measurement."
            )
        )
        return None
    known = named["known_as"] or any(folded(name) == folded(named["patient"]) for name in rows.schema.names)
    if until is None or not forms or not known or not all(named[part] for part in MUST):
        return None
    return Pivot.of_series(named, until=float(until), late=float(late or 0), forms=forms, when_unit=unit or "")


def _known_as(rows: Cohort, patient: str, proposed: str) -> str:
    """Ask what the patients' table calls the column that names them, where it has none of that name."""
    names = rows.schema.names
    if not patient or any(folded(name) == folded(patient) for name in names):
        return ""
    choices = ["", *names]
    return st.selectbox(
        _("Patient, in the patients’ table"),
        choices,
        index=choices.index(proposed) if proposed in choices else 0,
        format_func=lambda n: one_line(n, limit=40) or "–",
        key="data.series.known_as",
    )


def _make(study: StudyRecord, rows: Cohort, long: Cohort, pivot: Pivot) -> None:
    joined = waited(
        lambda task: jobs.call(with_series, rows, long, pivot, keep=True, stop=task.stop),
        *("data.series", study.identity, long.sha256, pivot.to_dict()),
        key="data.series.joined",
        doing=_("The measurements are summed up."),
    )
    if joined is not None:
        del st.session_state["data.series.asked"]
        create.open_joined(study, joined)
        st.rerun()
