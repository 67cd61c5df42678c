"""What is to be remembered and done for a patient: reminders, notes and tasks, each done, undone or taken back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time

import streamlit as st

from medcore.data.shown import named
from medcore.errors import InputError, MedcoreError
from medcore.i18n import N_, _, parted
from medcore.studies.owners import LOCAL_OWNER
from medcore.studies.reminders import ReminderRules, of_course
from medcore.studies.use_records import TASK_KINDS, PredictionRecord, TaskRecord
from medcore.ui.kit import cache, layout
from medcore.ui.kit.shown import components
from medcore.ui.kit.state import speak, state
from medcore.ui.patients.in_use import InUse, moment

KINDS = {"note": N_("Note"), "task": N_("Task"), "look_again": N_("Look again")}
LAST = "patients.taken_back"
"""Where the session keeps what was taken back last, so that it can be put on again."""


def reminders(in_use: InUse, visits: Sequence[PredictionRecord], tasks: Sequence[TaskRecord]) -> None:
    """Say what is to be remembered of a patient."""
    rules, now = ReminderRules.from_dict(in_use.release.terms.reminders), datetime.now(UTC)
    found = of_course(visits, tasks, rules, threshold=in_use.threshold, now=now)
    if found:
        said = [str(named(r.message, in_use.shown, [r.column] if r.column else [])) for r in found]
        components.note(_("To be remembered: {what}.", what=parted(said)), look="warning")


def show(in_use: InUse, patient: str, tasks: Sequence[TaskRecord]) -> None:
    """Show the plan of a patient, and let it be changed."""
    _add(in_use, patient)
    _put_back(in_use, patient)
    waiting = sorted(
        (t for t in tasks if t.kind != "note" and t.done_at is None),
        key=lambda t: (t.due_at is None, t.due_at or t.created_at),
    )
    rest = [t for t in tasks if t not in waiting]
    for title, some in ((_("To do"), waiting), (_("Notes, and what is done"), rest)):
        if some:
            components.section(title)
            for task in some:
                _line(in_use, task)
    if not tasks:
        components.note(_("Nothing is noted or planned yet."))


def _add(in_use: InUse, patient: str) -> None:
    with st.form(key=f"patients-plan-{patient}", clear_on_submit=True, enter_to_submit=False):
        left, middle, right = st.columns(3)
        with left:
            kind = st.selectbox(
                _("What"), TASK_KINDS, index=1, format_func=lambda k: _(KINDS[k]), key=f"patients.kind.{patient}"
            )
        with middle:
            whose = st.text_input(_("Who is to do it"), key=f"patients.whose.{patient}", max_chars=200)
        with right:
            due = st.text_input(_("By when"), key=f"patients.due.{patient}", placeholder="2026-11-28")
        text = st.text_area(_("Note or task"), key=f"patients.text.{patient}", height=80, max_chars=4_000)
        sent = st.form_submit_button(_("Add"), type="primary")
    if sent:
        cache.store().add_task(in_use.person, patient, kind, text, whose=whose.strip() or None, due_at=_due(due))
        st.rerun()


def _due(text: str) -> datetime | None:
    """Read a day as its end, so that a task is not overdue on its day."""
    if not text.strip():
        return None
    try:
        return datetime.combine(date.fromisoformat(text.strip()), time(23, 59), tzinfo=UTC)
    except ValueError:
        raise InputError(N_("“{text}” is not a date; write it as 2026-11-28."), text=text) from None


def _line(in_use: InUse, task: TaskRecord) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"patients-task-{task.id}"):
        badge, look = _(KINDS[task.kind]), "stale"
        if task.kind != "note":
            badge, look = (_("Done"), "done") if task.done_at else (_("Open"), "queued")
        components.card(task.text, " · ".join(_about(task)), badge=badge, look=look)
        if task.kind != "note" and task.done_at is None:
            _button(task, _("Done"), "done", lambda: cache.store().do_task(in_use.person, task.id, done=True))
        elif task.done_at is not None:
            _button(task, _("Not done"), "undone", lambda: cache.store().do_task(in_use.person, task.id, done=False))
        _button(task, _("Take back"), "back", lambda: _take_back(in_use, task))


def _about(task: TaskRecord) -> list[str]:
    said = [_("{person}, {moment}", person=_person(task.by), moment=moment(task.created_at))]
    if task.whose:
        said.append(_("for {person}", person=task.whose))
    if task.due_at:
        said.append(_("by {day}", day=moment(task.due_at, day=True)))
    if task.done_at:
        said.append(_("done by {person}, {moment}", person=_person(task.done_by or ""), moment=moment(task.done_at)))
    return said


def _person(name: str) -> str:
    return _("this installation") if name == LOCAL_OWNER else name


def _button(task: TaskRecord, label: str, what: str, act: Callable[[], object]) -> None:
    def clicked() -> None:
        speak()
        try:
            act()
        except MedcoreError as problem:
            state().problem = problem

    st.button(label, key=f"patients.{what}.{task.id}", on_click=clicked, type="tertiary")


def _take_back(in_use: InUse, task: TaskRecord) -> None:
    cache.store().take_back_task(in_use.person, task.id)
    st.session_state[LAST] = (task.patient_id, task.id)


def _put_back(in_use: InUse, patient: str) -> None:
    """Offer to put on again what was taken back last."""
    of, task_id = st.session_state.get(LAST, ("", ""))
    if of != patient:
        return

    def undo() -> None:
        cache.store().take_back_task(in_use.person, task_id, back=False)
        del st.session_state[LAST]

    layout.undo(_("One entry was taken back."), key="patients.put_back", on_click=undo)
