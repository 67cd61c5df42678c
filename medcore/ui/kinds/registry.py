"""Which input asks for which kind of column; a further one is registered here."""

from __future__ import annotations

from medcore.ui.kinds.category import LEVEL
from medcore.ui.kinds.field import ValueInput
from medcore.ui.kinds.note import NOTE
from medcore.ui.kinds.numeric import NUMBER
from medcore.ui.kinds.series import SERIES
from medcore.ui.kinds.text import TEXT

_INPUTS: dict[str, ValueInput] = {"numeric": NUMBER, "category": LEVEL, "note": NOTE, "series": SERIES}


def register(kind: str, given: ValueInput) -> None:
    """Let a kind of column be asked for in its own way."""
    _INPUTS[kind] = given


def input_of(kind: str) -> ValueInput:
    """Return how a kind of column is asked for: as text where it has no way of its own."""
    return _INPUTS.get(kind, TEXT)
