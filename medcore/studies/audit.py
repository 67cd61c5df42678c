"""The audit trail: every change of a study, who made it and when, never erased."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from medcore.i18n import N_, Message
from medcore.studies.records import AuditEntry
from medcore.studies.tables import AuditRow

ACTIONS: Mapping[str, str] = {
    "study.created": N_("The study was created."),
    "attachments.kept": N_("Attached files were kept though they may tell who a patient is, for this reason: {reason}"),
    "study.imported": N_("The study was brought in from an archive, with {n} training run(s)."),
    "study.renamed": N_("The study was renamed."),
    "study.deleted": N_("The study was deleted."),
    "study.restored": N_("The study was brought back."),
    "study.purged": N_("The study was removed for good, with its files."),
    "schema.changed": N_("The columns were changed: {columns}."),
    "recipe.changed": N_("The preparation was changed."),
    "split.changed": N_("The split was changed."),
    "choice.changed": N_("A model and threshold were chosen."),
    "answers.changed": N_("The answers for the report were changed."),
    "similar.hidden": N_("Showing real patients similar to another was switched off."),
    "similar.shown": N_("Showing real patients similar to another was switched on."),
    "change.undone": N_("The last change was undone."),
    "run.created": N_("Training run {number} was started."),
    "run.cancel_requested": N_("Training run {number} was asked to stop."),
    "run.recalibrated": N_("Run {of} was recalibrated to {n} other patients; that version is run {number}."),
    "run.done": N_("Training run {number} finished."),
    "run.failed": N_("Training run {number} failed."),
    "run.cancelled": N_("Training run {number} was stopped."),
    "test.looked": N_("Somebody looked at the locked test set: look {number}."),
    "privacy.overridden": N_("A privacy warning was overridden. The reason given: {reason}"),
    "privacy.protected": N_("Columns that may tell who the patients are were dropped or replaced: {columns}."),
    "data.exported": N_("Results were exported: {what}."),
}


def record(
    session: Session,
    owner: str,
    action: str,
    *,
    study_id: str | None = None,
    run_id: str | None = None,
    details: Mapping[str, Any] | None = None,
    before: Mapping[str, Any] | None = None,
) -> None:
    """Add an entry in the transaction of the change itself: neither is kept without the other."""
    if action not in ACTIONS:
        raise KeyError(action)
    session.add(
        AuditRow(
            owner=owner,
            study_id=study_id,
            run_id=run_id,
            action=action,
            details=dict(details or {}),
            before=None if before is None else dict(before),
        )
    )


def entries(session: Session, owner: str, study_id: str) -> tuple[AuditEntry, ...]:
    """Return a study's entries, oldest first."""
    rows = session.scalars(
        select(AuditRow).where(AuditRow.owner == owner, AuditRow.study_id == study_id).order_by(AuditRow.id)
    )
    return tuple(
        AuditEntry(
            seq=row.id,
            owner=row.owner,
            action=row.action,
            sentence=Message(ACTIONS[row.action], row.details),
            run_id=row.run_id,
            created_at=row.created_at,
            undoable=row.before is not None and not row.undone,
        )
        for row in rows
    )


def last_undoable(session: Session, owner: str, study_id: str) -> AuditRow | None:
    """Return the newest change that can still be undone."""
    return session.scalars(
        select(AuditRow)
        .where(
            AuditRow.owner == owner,
            AuditRow.study_id == study_id,
            AuditRow.before.is_not(None),
            AuditRow.undone.is_(False),
        )
        .order_by(AuditRow.id.desc())
        .limit(1)
    ).first()
