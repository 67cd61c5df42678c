"""Entries of the trail: written in the transaction of what they tell, read by study or as a whole."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from string import Formatter
from typing import Any

from sqlalchemy import Select, bindparam, select, text, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session, defer

from medcore.i18n import Message
from medcore.studies.audit.actions import ACTIONS
from medcore.studies.audit.chain import FIRST, Head, details_digest, link_of
from medcore.studies.records import AuditEntry
from medcore.studies.tables import AuditRow, now

HEAD = "audit.head"
"""By what a session remembers the head it wrote, so that it is kept apart once it is committed."""
CHAIN_LOCK = 0x6D65646175646974  # "medaudit": writers of one database extend the chain one after the other
SALT_BYTES = 16
_OF_STUDY = AuditRow.study_id == bindparam("study_id")
LAST_UNDOABLE = (
    select(AuditRow)
    .options(defer(AuditRow.before))  # what an undo puts back may be a whole schema, and only an undo needs it
    .where(_OF_STUDY, AuditRow.before.is_not(None))
    .where(AuditRow.id.not_in(select(AuditRow.undoes).where(_OF_STUDY, AuditRow.undoes.is_not(None))))
    .where(AuditRow.action.not_in(bindparam("but", expanding=True)))
    .order_by(AuditRow.id.desc())
    .limit(1)
)
"""The newest change of a study that can still be undone."""


@dataclass(frozen=True, slots=True)
class NewEntry:
    """What an entry is to say; the fields are those of :func:`record`."""

    who: str
    action: str
    study_id: str | None = None
    run_id: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    before: Mapping[str, Any] | None = None
    undoes: int | None = None


def record(
    session: Session,
    who: str,
    action: str,
    *,
    study_id: str | None = None,
    run_id: str | None = None,
    details: Mapping[str, Any] | None = None,
    before: Mapping[str, Any] | None = None,
    undoes: int | None = None,
) -> None:
    """Add an entry in the transaction of the change itself: neither is kept without the other.

    ``before`` holds what an undo puts back, ``undoes`` the number of the entry that this one undoes.
    """
    record_all(session, [NewEntry(who, action, study_id, run_id, details or {}, before, undoes)])


def record_all(session: Session, entries_: Sequence[NewEntry]) -> None:
    """Add several entries in the transaction of what they tell, one chained to the other."""
    for entry in entries_:
        if entry.action not in ACTIONS:
            raise KeyError(entry.action)
    session.flush()
    last = _end_of_chain(session)
    for entry in entries_:
        salt = secrets.token_hex(SALT_BYTES)
        row = AuditRow(
            id=last.entry + 1,
            owner=entry.who,
            study_id=entry.study_id,
            run_id=entry.run_id,
            action=entry.action,
            undoes=entry.undoes,
            details=dict(entry.details),
            before=None if entry.before is None else dict(entry.before),
            salt=salt,
            details_digest=details_digest(salt, entry.details, entry.before),
            created_at=now(),
        )
        row.link = link_of(row, last.link)
        session.add(row)
        last = Head(row.id, row.link)
    session.flush()
    session.info[HEAD] = last


def empty(session: Session, study_id: str) -> int:
    """Empty the details of every entry of a study, names among them; the chain holds without them. Count the entries."""
    emptied = update(AuditRow).where(AuditRow.study_id == study_id).values(details={}, before=None, salt=None)
    result = session.execute(emptied)
    assert isinstance(result, CursorResult)
    return result.rowcount


def entries(session: Session, study_id: str) -> tuple[AuditEntry, ...]:
    """Return a study's entries, oldest first."""
    rows = session.scalars(select(AuditRow).where(AuditRow.study_id == study_id).order_by(AuditRow.id)).all()
    undone = {row.undoes for row in rows}
    return tuple(entry_of(row, undoable=row.before is not None and row.id not in undone) for row in rows)


def trail(
    session: Session,
    *,
    study_id: str | None = None,
    who: str | None = None,
    action: str | None = None,
    since: datetime | None = None,
    newest: int | None = None,
) -> tuple[AuditEntry, ...]:
    """Return entries of everybody, oldest first: all of them, or the newest so many of those that fit."""
    query: Select[AuditRow] = select(AuditRow).order_by(AuditRow.id.desc()).limit(newest)
    for column, wanted in ((AuditRow.study_id, study_id), (AuditRow.owner, who), (AuditRow.action, action)):
        query = query if wanted is None else query.where(column == wanted)
    query = query if since is None else query.where(AuditRow.created_at >= since)
    return tuple(entry_of(row) for row in reversed(session.scalars(query).all()))


def rows(session: Session) -> Iterator[AuditRow]:
    """Pass through every entry as it is in the database, oldest first."""
    yield from session.scalars(select(AuditRow).order_by(AuditRow.id).execution_options(yield_per=1000))


def last_undoable(session: Session, study_id: str, *, but: Collection[str] = ()) -> AuditRow | None:
    """Return the newest change that can still be undone, leaving out some actions."""
    return session.scalars(LAST_UNDOABLE, {"study_id": study_id, "but": list(but)}).first()


def _end_of_chain(session: Session) -> Head:
    """Return where the chain ends, and keep others from extending it until this transaction is over."""
    if session.get_bind().dialect.name == "postgresql":  # SQLite has one writer at a time
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": CHAIN_LOCK})
    last = session.execute(select(AuditRow.id, AuditRow.link).order_by(AuditRow.id.desc()).limit(1)).first()
    return Head(0, FIRST) if last is None else Head(last.id, last.link)


def places_of(action: str) -> frozenset[str]:
    """Return the named places of an action's sentence, which its details fill."""
    return frozenset(name for _text, name, _spec, _conversion in Formatter().parse(ACTIONS[action]) if name)


def entry_of(row: AuditRow, *, undoable: bool = False) -> AuditEntry:
    """Return an entry as the store gives it back."""
    return AuditEntry(
        seq=row.id,
        who=row.owner,
        action=row.action,
        sentence=Message(ACTIONS[row.action], dict.fromkeys(places_of(row.action), "–") | dict(row.details)),
        study_id=row.study_id,
        run_id=row.run_id,
        created_at=row.created_at,
        undoable=undoable,
        link=row.link,
    )
