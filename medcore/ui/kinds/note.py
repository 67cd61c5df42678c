"""Notes: a text area, and the patient's own note with phrases struck out."""

from __future__ import annotations

import hashlib

import pandas as pd
import streamlit as st

from medcore import jobs
from medcore.data.values.notes import phrases
from medcore.explanation.patient import worker_queries
from medcore.features import CodedColumn
from medcore.i18n import _
from medcore.ui.kinds.field import Field
from medcore.ui.kit import cache
from medcore.ui.kit.shown import components

MOST_SHOWN = 60
"""Characters by which a phrase is told from the others."""


class NoteInput:
    """Asks for a note, and which of its phrases are to be struck out."""

    def typed(self, asked: Field, /, *, key: str) -> str | None:
        """Ask with a text area."""
        return st.text_area(asked.label, key=key, placeholder=_("not known")).strip() or None

    def begun(self, asked: Field, value: str, /) -> None:
        """Begin empty: a note is of its day."""

    def changeable(self, asked: Field, own: CodedColumn, /) -> bool:
        """Whether there is a note."""
        return bool(asked.encoder.known(own.codes)[0])

    def changed(self, asked: Field, own: CodedColumn, shown: str | None, /, *, key: str) -> CodedColumn:
        """Ask which phrases to strike, and read the rest; the own note where none is struck."""
        pieces = phrases(shown or "")
        struck = st.multiselect(
            asked.label,
            list(range(len(pieces))),
            placeholder=_("Strike phrases"),
            format_func=lambda place: f"{place + 1}. {components.one_line(pieces[place])[:MOST_SHOWN]}",
            key=key,
        )
        if not struck:
            return own
        rest = "".join(piece for place, piece in enumerate(pieces) if place not in struck).strip()
        changed = hashlib.sha256(rest.encode()).hexdigest()
        left = pd.Series([rest or None], dtype=object)
        # A worker has the sentence encoder at hand; the web process does without.
        return cache.once(lambda: jobs.call(worker_queries.written, asked.encoder, left), "patient.note", key, changed)


NOTE = NoteInput()
