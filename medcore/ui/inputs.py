"""Questions that more than one page asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import streamlit as st

from medcore.i18n import _
from medcore.ui.state import state

T = TypeVar("T")


def threshold_input(run_id: str, *, key: str, default: float = 0.5) -> float:
    """Ask from which risk on a patient counts as positive; the same on every page, by run.

    Returns a probability between 0.01 and 0.99.
    """
    kept = state().thresholds.get(run_id, default)
    percent = st.slider(
        _("Threshold: risk from which a patient counts as positive (%)"),
        min_value=1,
        max_value=99,
        value=min(99, max(1, round(100 * kept))),
        key=f"{key}.{run_id}",
    )
    state().thresholds[run_id] = percent / 100
    return percent / 100


def choice(
    label: str,
    options: Sequence[T],
    *,
    key: str,
    show: Callable[[T], str] = str,
    help: str | None = None,  # noqa: A002
) -> T:
    """Ask for one of a few: a row of buttons instead of tabs, so that only what is shown is computed."""
    chosen = st.segmented_control(
        label, options, default=options[0], required=True, format_func=show, key=key, help=help, persist_state="session"
    )
    return options[0] if chosen is None else chosen
