"""Categories: a select box."""

from __future__ import annotations

import numpy as np
import streamlit as st

from medcore.features import CodedColumn
from medcore.i18n import _
from medcore.ui.kinds.field import Field
from medcore.ui.kit.shown import components


class LevelInput:
    """Asks for one of the levels that training patients had."""

    def typed(self, asked: Field, /, *, key: str) -> str | None:
        """Ask with a select box."""
        chosen: str | None = st.selectbox(
            asked.label,
            list(asked.encoder.levels),
            index=None,
            placeholder=_("not known"),
            format_func=lambda level: components.one_line(asked.shown.value(level)),
            key=key,
        )
        return chosen

    def begun(self, asked: Field, value: str, /) -> str | None:
        """Begin with the level, where it is one that training patients had."""
        return value if value in asked.encoder.levels else None

    def changeable(self, asked: Field, own: CodedColumn, /) -> bool:  # noqa: ARG002
        """Whether there are two levels."""
        return len(asked.encoder.levels) > 1

    def changed(self, asked: Field, own: CodedColumn, shown: str | None, /, *, key: str) -> CodedColumn:
        """Ask with a select box, the own level first."""
        levels, current = asked.encoder.levels, float(own.codes[0])
        chosen = st.selectbox(
            asked.label,
            list(range(len(levels))),
            index=int(current) if current >= 0 else None,
            placeholder=asked.shown.value(shown) or _("not known"),
            format_func=lambda code: components.one_line(asked.shown.value(levels[code])),
            key=key,
        )
        return own if chosen is None else CodedColumn(np.array([float(chosen)]))


LEVEL = LevelInput()
