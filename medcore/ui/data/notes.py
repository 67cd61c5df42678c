"""Notes in text files of their own, named after patients and packed into a zip archive, as a column of the table."""

from __future__ import annotations

import streamlit as st

from medcore.data.reading.notes import NOTES, named_after, with_notes
from medcore.i18n import _
from medcore.studies.records import StudyRecord
from medcore.ui.kit.cache import cohort, once
from medcore.ui.kit.layout import caption
from medcore.ui.kit.notices import errors_shown
from medcore.ui.kit.shown.brought import note_files
from medcore.ui.kit.text import one_line
from medcore.ui.studies import create


def notes_form(study: StudyRecord) -> None:
    """Ask for an archive of notes and how its files are named; make a study of table and notes on request."""
    rows = cohort(study)
    if NOTES in rows.frame.columns:
        return
    with st.expander(_("Add notes from text files, one or several a patient")), errors_shown():
        files = note_files(study.identity, key="data.notes.file")
        if files is None:
            caption(
                _(
                    "A zip archive of text files (.txt). A file’s name, the name of its folder, or how its name begins says whose it is."
                )
            )
            return
        names = list(rows.schema.names)
        found = once(lambda: named_after(files, rows), "notes named after", study.identity, files.sha256)
        patient = st.selectbox(
            _("Column after which the files are named"),
            names,
            index=names.index(found),
            format_func=lambda name: one_line(name, limit=40),
            key="data.notes.patient",
        )
        joined = once(lambda: with_notes(rows, files, patient=patient), "notes", study.identity, files.sha256, patient)
        for told in joined.repairs[len(rows.repairs) :]:
            caption(str(told))
        caption(_("A new study is made of the table with the notes; this one stays as it is."))
        if st.button(_("Add the notes"), key="data.notes.make"):
            create.open_joined(study, joined)
            st.rerun()
