"""Notes, tasks and reminders of a model's patients; each is done, undone or taken back, and none removed."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from medcore.errors import NotFoundError, SettingsError
from medcore.i18n import N_
from medcore.studies.audit import entries as audit
from medcore.studies.stores.register_store import patient_of
from medcore.studies.stores.release_store import models_open_to
from medcore.studies.stores.session import StoreBase
from medcore.studies.tables import now
from medcore.studies.use_records import LONGEST_TEXT, TASK_KINDS, TaskKind, TaskRecord
from medcore.studies.use_tables import PatientRow, TaskRow


class TaskStore(StoreBase):
    """The part of the store that keeps what is to be done for a patient."""

    def add_task(
        self,
        person: str,
        patient_id: str,
        kind: TaskKind,
        text: str,
        *,
        whose: str | None = None,
        due_at: datetime | None = None,
    ) -> TaskRecord:
        """Add a note, a task (``whose`` is to do it, by ``due_at``) or a reminder to look again."""
        text = text.strip()
        if kind not in TASK_KINDS or not text or len(text) > LONGEST_TEXT:
            raise SettingsError(N_("Write what is to be noted or done, in at most {n} characters."), n=LONGEST_TEXT)
        with self._writing() as session:
            patient = patient_of(session, person, patient_id)
            row = TaskRow(
                id=uuid.uuid4().hex,
                owner=patient.owner,
                patient_id=patient.id,
                kind=kind,
                text=text,
                by=person,
                whose=whose or None,
                due_at=due_at,
            )
            session.add(row)
            audit.record(session, person, "patient.task_added", details={"model": patient.model})
            return _record(row)

    def tasks(self, person: str, patient_id: str) -> tuple[TaskRecord, ...]:
        """Return a patient's notes and tasks, the newest first, without those taken back."""
        with self._reading() as session:
            patient_of(session, person, patient_id)
            query = select(TaskRow).where(TaskRow.patient_id == patient_id, TaskRow.taken_back_at.is_(None))
            return tuple(_record(row) for row in session.scalars(query.order_by(TaskRow.created_at.desc())))

    def open_tasks(self, person: str, model: str) -> tuple[TaskRecord, ...]:
        """Return what is open for a model's patients, the first due first."""
        query = select(TaskRow).join(PatientRow, PatientRow.id == TaskRow.patient_id)
        query = query.where(PatientRow.model == model, TaskRow.kind != "note")
        query = query.where(TaskRow.done_at.is_(None), TaskRow.taken_back_at.is_(None))
        with self._reading() as session:
            models_open_to(session, person, model)
            rows = session.scalars(query.order_by(TaskRow.due_at.is_(None), TaskRow.due_at, TaskRow.created_at))
            return tuple(_record(row) for row in rows)

    def do_task(self, person: str, task_id: str, *, done: bool) -> TaskRecord:
        """Mark a task as done, or as not done after all."""
        with self._writing() as session:
            row = _task(session, person, task_id)
            row.done_at, row.done_by = (now(), person) if done else (None, None)
            _note(session, person, "patient.task_done" if done else "patient.task_undone", row)
            return _record(row)

    def take_back_task(self, person: str, task_id: str, *, back: bool = True) -> TaskRecord:
        """Take a note or task off the list, or (``back=False``) put it on again."""
        with self._writing() as session:
            row = _task(session, person, task_id)
            row.taken_back_at = now() if back else None
            _note(session, person, "patient.task_taken_back" if back else "patient.task_added", row)
            return _record(row)


def _task(session: Session, person: str, task_id: str) -> TaskRow:
    row = session.get(TaskRow, task_id)
    if row is None:
        raise NotFoundError(N_("There is no such task."))
    patient_of(session, person, row.patient_id)
    return row


def _note(session: Session, person: str, action: str, row: TaskRow) -> None:
    model = session.get_one(PatientRow, row.patient_id).model
    audit.record(session, person, action, details={"model": model})


def _record(row: TaskRow) -> TaskRecord:
    kind: TaskKind = next(kind for kind in TASK_KINDS if kind == row.kind)
    names = ("id", "patient_id", "text", "by", "whose", "due_at", "created_at", "done_at", "done_by")
    return TaskRecord(kind=kind, **{name: getattr(row, name) for name in names})
