"""What is on screen as part of the address: a reload, a link or the browser's way back shows the same.

A page says for each thing that matters what the address newly asks for
(:func:`asked`, or :func:`take_up` before a widget) and, once it is drawn, what is
shown (:func:`keep`). The usual choice is not written, so that addresses stay short.
Written are names of views, places in lists of choices, a run's number, a threshold
and the number of a row of the study's table: never a value or an identifier of a
patient. The address is never trusted: what it asks for is looked up among what this
person is shown, and who may see a study is decided by :mod:`medcore.ui.kit.guards`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from medcore.ui.kit.state import state

FRAME = ("lang", "study", "tour")
"""What :func:`medcore.ui.kit.state.to_address` writes on every page."""


@dataclass(frozen=True, slots=True)
class Linked:
    """One thing as it was drawn last: what the address said of it, and its value."""

    written: str
    value: Any = field(repr=False)


def asked(name: str, present: Any) -> str | None:
    """Return what the address newly asks for under a name; ``""`` for the usual, ``None`` if nothing is new.

    ``present`` is the value the page would show otherwise. Where it is not the one drawn
    last, the person has just changed it, and the address is still that of before.
    """
    said, last = st.query_params.get(name, ""), state().linked.get(name)
    if last is None:
        return said or None
    return None if said == last.written or present != last.value else said


def take_up(name: str, key: str, options: Sequence[Any], *, usual: Any, told: Callable[[Any], str] = str) -> None:
    """Let a widget that is about to be drawn begin with what the address asks for; what is not offered is left."""
    last = state().linked.get(name)
    said = asked(name, st.session_state.get(key, last.value if last else usual))
    if said is None:
        return
    found = [option for option in options if told(option) == said] if said else [usual]
    if found:
        st.session_state[key] = found[0]


def keep(name: str, written: str, value: Any) -> None:
    """Write into the address what is shown under a name; nothing (``""``) where it is the usual."""
    current = state()
    current.linked[name] = Linked(written, value)
    current.drawn.add(name)
    if written and st.query_params.get(name) != written:
        st.query_params[name] = written
    elif not written and name in st.query_params:
        del st.query_params[name]


def begin(page: str) -> None:
    """Begin a page: on another one than before, nothing that was drawn there counts."""
    current = state()
    if page != current.page:
        current.page = page
        current.linked.clear()
    current.drawn.clear()
    current.waiting = False


def wait() -> None:
    """Say that the page waits for work: what it has not drawn yet is still to be taken up from the address."""
    state().waiting = True


def finish() -> None:
    """End a page: what was drawn before and no more, or is nothing of this page, is taken out of the address.

    A page that waits leaves the address as it is, for a later run draws the rest.
    """
    current = state()
    current.linked = {name: linked for name, linked in current.linked.items() if name in current.drawn}
    if current.waiting:
        return
    said = st.query_params.to_dict()
    kept = {name: value for name, value in said.items() if name in current.drawn or name in FRAME}
    if kept != said:
        st.query_params.from_dict(kept)
