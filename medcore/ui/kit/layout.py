"""The frame of a page: what it is for, what is there when nothing is there, and undo."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from medcore.i18n import _
from medcore.ui.kit.navigation import link
from medcore.ui.kit.text import markup


def header(title: str, purpose: str = "") -> None:
    """Begin a page: its name and the question it answers, in one sentence."""
    asks = f"<p>{markup(purpose)}</p>" if purpose else ""
    st.html(f'<div class="mc-page"><h1>{markup(title)}</h1>{asks}</div>')


def section(title: str, text: str = "") -> None:
    """Begin a part of a page."""
    note = f"<p>{markup(text)}</p>" if text else ""
    st.html(f'<div class="mc-section"><h2>{markup(title)}</h2>{note}</div>')


def empty(title: str, text: str, *, page: str | None = None, label: str | None = None) -> None:
    """Say that there is nothing yet, and where the next step is (a page's name)."""
    with st.container(key="mc-empty"):
        st.html(f'<div class="mc-empty"><h2>{markup(title)}</h2><p>{markup(text)}</p></div>')
        if page:
            link(page, label, icon=":material/arrow_forward:")


def note(text: str, *, look: str = "info") -> None:
    """Say one thing quietly; ``look`` is ``info``, ``success``, ``warning`` or ``error``."""
    st.html(f'<div class="mc-notice mc-{look}" role="status">{markup(text)}</div>')


def caption(text: str) -> None:
    """Say in small type what the thing above is."""
    st.html(f'<div class="mc-caption">{markup(text)}</div>')


def facts(pairs: list[tuple[str, str]]) -> None:
    """Show a few facts as a row of label and value that wraps on a narrow screen."""
    cells = "".join(f"<div><dt>{markup(name)}</dt><dd>{markup(value)}</dd></div>" for name, value in pairs)
    st.html(f'<dl class="mc-facts">{cells}</dl>')


def undo(text: str, *, key: str, on_click: Callable[[], None]) -> None:
    """Say what was just done, beside a button that takes it back."""
    with st.container(key=f"{key}-undo".replace(".", "-"), horizontal=True, vertical_alignment="center"):
        note(text, look="success")
        st.button(_("Undo"), key=f"{key}.undo", on_click=on_click, icon=":material/undo:")


def card(title: str, text: str, *, badge: str | None = None, look: str = "") -> None:
    """Show a thing that can be opened: its name, a line about it, and its state.

    ``look`` is ``done``, ``running``, ``queued``, ``failed`` or ``stale``.
    """
    mark = f' <span class="mc-badge mc-{markup(look)}">{markup(badge)}</span>' if badge else ""
    st.html(f'<div class="mc-card"><h3>{markup(title)}{mark}</h3><p>{markup(text)}</p></div>')
