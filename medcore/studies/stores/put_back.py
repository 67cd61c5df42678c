"""What an undo puts back: fields of a study, and of what belongs to it its shares and runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from medcore.studies.tables import RunRow, ShareRow, StudyRow, now

SHARES_BEFORE, STATES_BEFORE = "shares", "run_states"
"""Keys of what an entry of the trail puts back that are no fields of the study."""


def put_back(session: Session, row: StudyRow, before: Mapping[str, Any]) -> None:
    """Give a study what an entry of the trail says was there before."""
    fields = dict(before)
    for person, role in fields.pop(SHARES_BEFORE, {}).items():
        set_share(session, row.id, person, role)
    for run_id, state in fields.pop(STATES_BEFORE, {}).items():
        session.execute(update(RunRow).where(RunRow.study_id == row.id, RunRow.id == run_id).values(state=state))
    set_fields(row, fields)


def set_fields(row: StudyRow, fields: Mapping[str, Any]) -> None:
    """Change fields of a study."""
    for name, value in fields.items():
        setattr(row, name, datetime.fromisoformat(value) if name == "deleted_at" and value else value)
    row.updated_at = now()


def set_share(session: Session, study_id: str, person: str, role: str | None) -> None:
    """Let somebody have a role in a study, or none."""
    session.execute(delete(ShareRow).where(ShareRow.study_id == study_id, ShareRow.person == person))
    if role is not None:
        session.add(ShareRow(study_id=study_id, person=person, role=role))
