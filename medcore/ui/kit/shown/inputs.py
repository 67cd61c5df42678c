"""Questions that more than one page asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import TypeVar

import streamlit as st

from medcore.errors import InputError
from medcore.i18n import N_, _
from medcore.ui.kit import links
from medcore.ui.kit.notices import error
from medcore.ui.kit.state import state
from medcore.ui.kit.thresholds import remember

T = TypeVar("T")


DAY = "2026-11-28"
"""How a day is typed."""


def threshold_input(run_id: str, *, key: str, default: float = 0.5) -> float:
    """Ask from which risk on a patient counts as positive; the same on every page, by run.

    Returns a probability between 0.001 and 0.999, in steps of 0.1 %.
    """
    kept = state().thresholds.get(run_id, default)
    percent = st.slider(
        _("Threshold: risk from which a patient counts as positive (%)"),
        min_value=0.1,
        max_value=99.9,
        value=min(99.9, max(0.1, round(100 * kept, 1))),
        step=0.1,
        format="%.1f",
        key=f"{key}.{run_id}",
    )
    threshold = round(percent / 100, 3)
    remember(run_id, threshold)
    return threshold


def day_input(label: str, *, key: str) -> date | None:
    """Ask for a day as text; None until there is one.

    Streamlit's own field for dates has no value that a screen reader may read while it is empty (axe: aria-required-attr).
    """
    try:
        return read_day(st.text_input(label, key=key, placeholder=DAY))
    except InputError as problem:
        error(problem)
        return None


def read_day(text: str) -> date | None:
    """Read a day as it is typed; None where nothing is. Raise InputError for what is none."""
    try:
        return date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError:
        raise InputError(N_("“{text}” is not a date; write it as 2026-11-28."), text=text.strip()) from None


def choice(
    label: str,
    options: Sequence[T],
    *,
    key: str,
    usual: T | None = None,
    show: Callable[[T], str] = str,
    help: str | None = None,  # noqa: A002
    labelled: bool = True,
    link: str | None = None,
) -> T:
    """Ask for one of a few: a row of buttons instead of tabs, so that only what is shown is computed.

    ``link`` is the name under which what is chosen is part of the address.
    """
    first = options[0] if usual is None else usual
    if link:
        links.take_up(link, key, options, usual=first)
    chosen = st.segmented_control(
        label,
        options,
        default=first,
        required=True,
        format_func=show,
        key=key,
        help=help,
        persist_state="session",
        label_visibility="visible" if labelled else "collapsed",
        wrap=True,
    )
    answer = first if chosen is None else chosen
    if link:
        links.keep(link, "" if answer == first else str(answer), answer)
    return answer
