"""Runs that have ended, as cards."""

from __future__ import annotations

import streamlit as st

from medcore.errors import MedcoreError
from medcore.i18n import _
from medcore.studies.records import RunRecord
from medcore.ui.kit import cache
from medcore.ui.kit.runs import run_title, say_out_of_date
from medcore.ui.kit.shown import components
from medcore.ui.kit.state import speak, state
from medcore.ui.kit.words import RUN_STATES, duration
from medcore.ui.number import train as of_number
from medcore.ui.timed import train as timed
from medcore.ui.train import run_panel

SHOWN = 6


def earlier_runs(runs: list[RunRecord], *, may_change: bool) -> None:
    """List runs, the newest first, most of them folded away."""
    if not runs:
        return
    components.section(_("Earlier runs"))
    wanted = runs[:SHOWN]
    if len(runs) > SHOWN and st.toggle(_("Show all {n}", n=len(runs)), key="train.all"):
        wanted = runs
    for run in wanted:
        past_run(run, folded=True, may_change=may_change)


def past_run(run: RunRecord, *, may_change: bool, folded: bool = False) -> None:
    """Show one run that has ended: its state, its results, and the way to judge it."""
    name, look = RUN_STATES[run.state]
    with st.container(border=True, key=f"train-run-{run.id}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            components.card(run_title(run), _took(run), badge=_(name), look=look)
            if run.state == "done":
                _next_steps(run)
            if may_change:
                help_ = _("Take this run off the list. That can be undone.")
                key = f"train.remove.{run.id}"
                st.button(_("Remove"), key=key, type="tertiary", help=help_, on_click=_remove, args=(run,))
        if run.state == "done":
            say_out_of_date(run)
        if run.error is not None:
            components.error(run.error)
        if run.state == "cancelled":
            components.caption(_("Stopped as you asked before it was finished; nothing of it was kept."))
        if run.state == "done":
            _outcome_of(run, folded=folded)


def _remove(run: RunRecord) -> None:
    """Take a run off the list; if it was the one that is looked at, none is."""
    speak()
    try:
        cache.store().remove_run(run.owner, run.id)
    except MedcoreError as problem:
        state().problem = problem
    if state().run_id == run.id:
        state().run_id = None


def _next_steps(run: RunRecord) -> None:
    """Offer to judge the run, and to explain a patient by it."""
    for key, label, page, look in (
        ("judge", _("Judge it"), "evaluate", "primary"),
        ("explain", _("Explain a patient"), "patient", "secondary"),
    ):
        if st.button(label, key=f"train.{key}.{run.id}", type=look):  # type: ignore[arg-type]
            state().run_id = run.id
            components.go(page)


def _outcome_of(run: RunRecord, *, folded: bool) -> None:
    """Show a run's results; in a list of many, first in one line."""
    shown = timed if cache.by_when(run) else of_number if cache.of_number(run) else run_panel
    if folded:
        shown.headline(run)
        if not st.toggle(_("Show its results"), key=f"train.show.{run.id}"):
            return
    shown.results(run)


def _took(run: RunRecord) -> str:
    if run.started_at is None or run.finished_at is None:
        return ""
    return duration((run.finished_at - run.started_at).total_seconds())
