"""How a blood pressure is typed in: two number fields."""

import streamlit as st

from medcore.ui.kinds.text import TextInput
from tests.features.toy_kind.kind import NAMES


class PressureInput(TextInput):
    """Asks for both numbers; another value of a patient is chosen among those of training patients."""

    def typed(self, asked, /, *, key):
        high, low = (st.number_input(f"{asked.label}, {name}", value=None, key=f"{key}.{name}") for name in NAMES)
        return None if high is None or low is None else f"{high:.0f}/{low:.0f}"
