"""Numbers: a number field, and a slider over what training patients had."""

from __future__ import annotations

import numpy as np
import streamlit as st

from medcore.features import CodedColumn
from medcore.features.numeric.encoder import NumberEncoder, slider_range
from medcore.i18n import _
from medcore.ui.kinds.field import Field
from medcore.ui.kinds.text import TEXT


class NumberInput:
    """Asks for numbers."""

    def typed(self, asked: Field, /, *, key: str) -> str | None:
        """Ask with a number field; a date, which is counted from another one only later, with a text field."""
        if asked.column.kind == "date":
            return TEXT.typed(asked, key=key)
        number = st.number_input(
            asked.label,
            value=None,
            placeholder=_("not known"),
            key=key,
            help=self._help(asked),
            step=1.0 if all(float(code).is_integer() for code in asked.known) else 0.1,
            format="%g",
        )
        return None if number is None else f"{number:.12g}"

    def _help(self, asked: Field) -> str | None:
        encoder = asked.encoder
        if not isinstance(encoder, NumberEncoder):
            return None
        return _("Training patients: {low} to {high}", low=f"{encoder.low:g}", high=f"{encoder.high:g}")

    def begun(self, asked: Field, value: str, /) -> float | str:
        """Begin with the number."""
        return value if asked.column.kind == "date" else float(value)

    def changeable(self, asked: Field, own: CodedColumn, /) -> bool:
        """Whether the slider has a length."""
        low, high, _step = slider_range(asked.known, current=float(own.codes[0]))
        return low < high

    def changed(self, asked: Field, own: CodedColumn, shown: str | None, /, *, key: str) -> CodedColumn:  # noqa: ARG002
        """Ask with a slider, or with a number field where the own value is missing."""
        current = float(own.codes[0])
        low, high, step = slider_range(asked.known, current=current)
        form = _form(asked, step)
        if np.isnan(current):
            typed = st.number_input(
                asked.label, low, high, None, step, placeholder=_("not known"), format=form, key=key
            )
            return own if typed is None else CodedColumn(np.array([float(typed)]))
        value = float(st.slider(asked.label, low, high, current, step, format=form, key=key))
        same = np.isclose(value, current, rtol=1e-9, atol=step / 1000)
        return own if same else CodedColumn(np.array([value]))


def _form(asked: Field, step: float) -> str:
    """Write a computed number with its column's decimals, where they are enough to tell one step from the next."""
    decimals = asked.shown.decimals
    return "%g" if decimals is None or step < 10.0**-decimals else f"%.{decimals}f"


NUMBER = NumberInput()
