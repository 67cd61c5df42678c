"""Results over time: they come from a table of measurements, and parts of the time can be taken out."""

from __future__ import annotations

import numpy as np
import streamlit as st

from medcore.features import CodedColumn
from medcore.i18n import _
from medcore.ui.kinds.field import Field


class SeriesInput:
    """Says where a new patient's results come from, and asks which parts of the time to take out."""

    def typed(self, asked: Field, /, *, key: str) -> str | None:
        """Ask for nothing: results over time are not typed in."""
        st.text_input(asked.label, key=key, placeholder=_("from a table of measurements"), disabled=True)
        return None

    def begun(self, asked: Field, value: str, /) -> None:
        """Begin empty: results are not typed in."""

    def changeable(self, asked: Field, own: CodedColumn, /) -> bool:
        """Whether anything was measured."""
        return bool(asked.encoder.known(own.codes)[0])

    def changed(self, asked: Field, own: CodedColumn, shown: str | None, /, *, key: str) -> CodedColumn:
        """Ask in which parts of the time nothing is to have been measured; the own results where none is chosen."""
        parts = asked.encoder.parts(own, shown)
        if parts is None:
            return own
        out = st.multiselect(
            asked.label,
            list(range(len(parts.names))),
            placeholder=_("Take out parts of the time"),
            format_func=lambda place: parts.names[place],
            key=key,
        )
        if not out:
            return own
        kept = ~np.isin(np.arange(len(parts.names)), out)[None]
        return parts.mixed(kept, CodedColumn(np.array([np.nan]), own.payload))


SERIES = SeriesInput()
