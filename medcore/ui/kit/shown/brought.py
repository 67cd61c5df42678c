"""Tables that somebody brings: read by a process of its own, once a session, and waited for in words."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from medcore import jobs
from medcore.data.cohort import Cohort, Schema
from medcore.data.long import Pivot
from medcore.data.reading.long.series import with_series
from medcore.data.reading.notes import NOTES, named_after, with_notes
from medcore.i18n import _
from medcore.jobs.web.uploads import Form, read_upload
from medcore.ui.kit.shown.waiting import waited


def brought(file: UploadedFile, *identity: object, like: Schema, key: str) -> Cohort | None:
    """Return new patients' rows under the schema that they must have; ``None`` as yet.

    Where the model was trained with measurements over time, or with notes in files of their own, those of these patients
    are asked for too.
    """
    name, data = file.name, file.getvalue()
    cohort = waited(
        lambda task: read_upload(name, data, like=like, stop=task.stop),
        *("brought", *identity, file.file_id),
        key=key,
        doing=_("The file is read."),
    )
    notes = any(column.name == NOTES for column in like.predictors)
    if cohort is not None and notes and NOTES not in cohort.frame.columns:
        files = note_files(*identity, key=f"{key}.notes")
        cohort = None if files is None else with_notes(cohort, files, patient=named_after(files, cohort), like=like)
    pivot = like.series
    if cohort is None or pivot is None:
        return cohort
    if cohort.source.long_sheets:
        long = waited(
            lambda task: read_upload(name, data, form="measurements", pivot=pivot, stop=task.stop),
            *("brought", "own measurements", *identity, file.file_id),
            key=f"{key}.series.reading",
            doing=_("The file is read."),
        )
    else:
        long = measurements(*identity, key=f"{key}.series", pivot=pivot)
    if long is None:
        return None
    return waited(
        lambda task: jobs.call(with_series, cohort, long, pivot, like=like, stop=task.stop),
        *("joined", *identity, cohort.sha256, long.sha256),
        key=f"{key}.joined",
        doing=_("The measurements are summed up."),
    )


def measurements(*identity: object, key: str, pivot: Pivot | None = None) -> Cohort | None:
    """Ask for a table of measurements over time and return its rows, of a workbook those that ``pivot`` asks for; ``None`` as yet."""
    return _beside(
        _("Table of these patients’ measurements over time"), "measurements", *identity, key=key, pivot=pivot
    )


def note_files(*identity: object, key: str) -> Cohort | None:
    """Ask for an archive of notes in text files and return its files; ``None`` as yet."""
    return _beside(_("Zip archive of these patients’ notes"), "note files", *identity, key=key)


def _beside(label: str, form: Form, *identity: object, key: str, pivot: Pivot | None = None) -> Cohort | None:
    """Ask for what comes beside the patients' table and return it, read as ``form`` says; ``None`` as yet."""
    file = st.file_uploader(label, key=key)
    if file is None:
        return None
    name, data = file.name, file.getvalue()
    return waited(
        lambda task: read_upload(name, data, form=form, pivot=pivot, stop=task.stop),
        *("brought", form, *identity, file.file_id),
        key=f"{key}.reading",
        doing=_("The file is read."),
    )
