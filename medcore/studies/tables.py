"""The tables of the database. Every stored thing has an owner.

A change here needs a migration in ``migrations/versions``; a test compares the two.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, ForeignKey, Index, String, TypeDecorator, UniqueConstraint
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from medcore.sealing import Keys, opened_value, sealed_value


def now() -> datetime:
    """Return the present moment in universal time."""
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in universal time, also in databases that keep no time zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Store universal time."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give the moment its time zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


SEALED = "\x02sealed:"
"""How a sealed value begins; no name and no JSON that a person wrote begins so. Those of earlier versions do not."""


class SealedJSON(TypeDecorator[Any]):
    """JSON that only a holder of the installation's key can read; it may hold names and values of patients."""

    impl = JSON(none_as_null=True)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Seal it."""
        return None if value is None else _sealed(value, json.dumps(value), dialect)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Open it; what an earlier version kept was not sealed."""
        opened = _opened(value, dialect)
        return value if opened is None else json.loads(opened)


class SealedText(TypeDecorator[str]):
    """Text that only a holder of the installation's key can read."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Seal it."""
        return None if value is None else _sealed(value, value, dialect)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Open it; what an earlier version kept was not sealed."""
        opened = _opened(value, dialect)
        return value if opened is None else opened.decode()


def _sealed(value: Any, text: str, dialect: Dialect) -> str:
    """Seal a value under the keys of its engine: every engine has a dialect of its own. A copy of a sealed one stays."""
    if isinstance(value, str) and value.startswith(SEALED):
        return value
    keys: Keys = dialect.medcore_keys  # type: ignore[attr-defined]
    return SEALED + sealed_value(text.encode(), keys)


def _opened(value: Any, dialect: Dialect) -> bytes | None:
    """Open a value, or return ``None`` for one that is not sealed, or whose engine has no keys and only copies."""
    keys: Keys | None = getattr(dialect, "medcore_keys", None)
    if keys is None or not isinstance(value, str) or not value.startswith(SEALED):
        return None
    return opened_value(value.removeprefix(SEALED), keys)


class Base(DeclarativeBase):
    """The root of all tables."""

    type_annotation_map = {dict[str, Any]: SealedJSON, list[Any]: SealedJSON, datetime: UtcDateTime}  # noqa: RUF012


class CohortRow(Base):
    """A table as it was read: what it is, and where its rows lie in the file store."""

    __tablename__ = "cohorts"
    __table_args__ = (UniqueConstraint("owner", "content_key"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    owner: Mapped[str] = mapped_column(String(200), index=True)
    content_key: Mapped[str] = mapped_column(String(64))
    sha256: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(SealedText)
    source: Mapped[dict[str, Any]]
    repairs: Mapped[list[Any]]
    n_rows: Mapped[int]
    n_columns: Mapped[int]
    original: Mapped[str | None]
    attachments: Mapped[list[Any] | None]
    seal: Mapped[str | None] = mapped_column(String(64))
    """Keyed seal (HMAC-SHA256) of the rows' SHA-256: whoever changes the file cannot make the one that goes with it."""
    n_bytes: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    """What rows, original and attached files take in the file store; 0 for tables of earlier versions."""
    created_at: Mapped[datetime] = mapped_column(default=now)


class StudyRow(Base):
    """What a person works on. Deleted studies stay until they are purged."""

    __tablename__ = "studies"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    owner: Mapped[str] = mapped_column(String(200), index=True)
    cohort_id: Mapped[str] = mapped_column(ForeignKey("cohorts.id"))
    name: Mapped[str] = mapped_column(SealedText)
    table_schema: Mapped[dict[str, Any]]
    recipe: Mapped[dict[str, Any] | None]
    split: Mapped[dict[str, Any] | None]
    choice: Mapped[dict[str, Any] | None]
    answers: Mapped[dict[str, Any] | None]
    privacy: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)
    deleted_at: Mapped[datetime | None]


class RunRow(Base):
    """One training job with the plan it was started from."""

    __tablename__ = "runs"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    owner: Mapped[str] = mapped_column(String(200), index=True)
    study_id: Mapped[str] = mapped_column(ForeignKey("studies.id"), index=True)
    person: Mapped[str | None] = mapped_column(String(200))
    """Who started it: of a shared study not always its owner."""
    turn: Mapped[int] = mapped_column(default=0, server_default="0")
    """Its place among everybody's runs: lower ones come first, and each person takes turns with the others."""
    number: Mapped[int]
    state: Mapped[str] = mapped_column(String(16), index=True)
    identity: Mapped[str] = mapped_column(String(64))
    plan: Mapped[dict[str, Any]]
    settings: Mapped[dict[str, Any]]
    summary: Mapped[dict[str, Any] | None]
    error: Mapped[dict[str, Any] | None]
    seal: Mapped[str | None] = mapped_column(String(64))
    """Keyed seal of the results' list of hashes."""
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    attempt: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=now)
    started_at: Mapped[datetime | None]
    heartbeat_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class ProgressRow(Base):
    """One moment of a run. A resumed run passes the same moments again; they are kept once."""

    __tablename__ = "progress"
    __table_args__ = (
        UniqueConstraint("run_id", "stage", "model", "epoch"),
        Index("ix_progress_run_id_id", "run_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    owner: Mapped[str] = mapped_column(String(200))
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    stage: Mapped[str] = mapped_column(String(64))
    model: Mapped[str] = mapped_column(String(64))
    epoch: Mapped[int]
    point: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=now)


class LookRow(Base):
    """One look at the locked test set."""

    __tablename__ = "looks"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    owner: Mapped[str] = mapped_column(String(200), index=True)
    study_id: Mapped[str] = mapped_column(ForeignKey("studies.id"), index=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    created_at: Mapped[datetime] = mapped_column(default=now)


class PersonRow(Base):
    """Somebody who signed in, with the role of the last sign-in."""

    __tablename__ = "people"

    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    role: Mapped[str] = mapped_column(String(16))
    signed_in_at: Mapped[datetime] = mapped_column(default=now)


class SignInRow(Base):
    """One sign-in from one browser, until it is ended or nobody is at it any more."""

    __tablename__ = "sign_ins"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    person: Mapped[str] = mapped_column(String(200))
    started_at: Mapped[datetime] = mapped_column(default=now)
    seen_at: Mapped[datetime] = mapped_column(default=now)
    ended_at: Mapped[datetime | None]


class ShareRow(Base):
    """A study that its owner shared with somebody, as ``reader`` or ``modeller``."""

    __tablename__ = "shares"

    study_id: Mapped[str] = mapped_column(ForeignKey("studies.id"), primary_key=True)
    person: Mapped[str] = mapped_column(String(200), primary_key=True, index=True)
    role: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(default=now)


class AuditRow(Base):
    """Who did what, when. ``before`` holds what an undo puts back; no patient's value is here.

    Rows are only ever added, and each is chained to the one before (:mod:`medcore.studies.audit.chain`).
    Deletion for good alone empties ``details``, ``before`` and ``salt``, of its study's rows.
    """

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    owner: Mapped[str] = mapped_column(String(200), index=True)
    study_id: Mapped[str | None] = mapped_column(String(32), index=True)
    run_id: Mapped[str | None] = mapped_column(String(32))
    action: Mapped[str] = mapped_column(String(64))
    undoes: Mapped[int | None]
    details: Mapped[dict[str, Any]]
    before: Mapped[dict[str, Any] | None]
    salt: Mapped[str | None] = mapped_column(String(32))
    details_digest: Mapped[str] = mapped_column(String(64))
    link: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=now)
