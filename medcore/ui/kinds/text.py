"""Any value as the text of a table's cell: for what has no field of its own."""

from __future__ import annotations

import numpy as np
import streamlit as st

from medcore.data.shown import Shown
from medcore.features import CodedColumn
from medcore.features.kind import Alternatives
from medcore.i18n import _
from medcore.ui.kinds.field import Field, label_of
from medcore.ui.kit.shown import components

MOST_OFFERED = 60
"""Values of training patients to choose from."""


def text_of(column: Shown, *, key: str) -> str | None:
    """Ask for a cell of any column, also one that only helps to read others."""
    return st.text_input(label_of(column), key=key, placeholder=_("not known")).strip() or None


class TextInput:
    """Asks for text, and for another value among those of the training patients."""

    def typed(self, asked: Field, /, *, key: str) -> str | None:
        """Ask with a text field."""
        return text_of(asked.shown, key=key)

    def begun(self, asked: Field, value: str, /) -> str:  # noqa: ARG002
        """Begin with the text."""
        return value

    def changeable(self, asked: Field, own: CodedColumn, /) -> bool:
        """Whether training patients had another value than the own one."""
        return len(_choices(asked, own).values) > 1

    def changed(self, asked: Field, own: CodedColumn, shown: str | None, /, *, key: str) -> CodedColumn:
        """Ask with a select box of values that training patients had, the own one first."""
        found = _choices(asked, own)
        chosen = st.selectbox(
            asked.label,
            list(range(len(found.values))),
            index=None,
            placeholder=shown or _("not known"),
            format_func=lambda place: components.one_line(asked.shown.value(str(found.values[place]))),
            key=key,
        )
        return own if chosen is None else found.column.take([chosen])


def _choices(asked: Field, own: CodedColumn) -> Alternatives:
    known = None if np.isnan(own.codes[0]) else own
    return asked.encoder.alternatives(asked.patients, known, n_points=MOST_OFFERED)


TEXT = TextInput()
