"""Parts of a page that run by themselves."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import streamlit as st

from medcore.ui.kit.frame.entry import still_in
from medcore.ui.kit.frame.turns import turn
from medcore.ui.kit.notices import errors_shown
from medcore.ui.kit.state import speak

P = ParamSpec("P")


def fragment(draw: Callable[P, None], *, every: float | None = None) -> Callable[P, None]:
    """Make a part of a page that reruns alone, in the session's language and with its errors shown.

    Where its person is signed in no more, the whole page is drawn again instead.
    ``every`` is the number of seconds between reruns; ``None`` when nothing is
    running. Call what is returned::

        fragment(show_progress, every=1.0 if running else None)(run_id)
    """

    @wraps(draw)
    @turn()
    def spoken(*args: P.args, **kwargs: P.kwargs) -> None:
        speak()
        if not still_in(touch=every is None):
            st.rerun()
        with errors_shown():
            draw(*args, **kwargs)

    part: Callable[P, None] = st.fragment(spoken, run_every=every)
    return part
