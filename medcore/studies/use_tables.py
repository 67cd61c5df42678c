"""The tables of what a released model is used for: its versions, its patients, what was predicted for them, tasks, and what watching found.

Who a patient is, what was measured and what was written is sealed. A risk, whether it was called and
what came of it stand open beside numbers that tell nobody who it was: the worklist is sorted and a
year of predictions is counted by the database.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from medcore.studies.tables import Base, SealedText, now

_NUMBER = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up integers of its own kind only


class ReleaseRow(Base):
    """A version of a model that a person released for use. Only its withdrawal is ever added to it."""

    __tablename__ = "releases"
    __table_args__ = (UniqueConstraint("model", "version"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    owner: Mapped[str] = mapped_column(String(200), index=True)
    study_id: Mapped[str] = mapped_column(ForeignKey("studies.id"), index=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), index=True)
    model: Mapped[str] = mapped_column(String(64), index=True)
    version: Mapped[int]
    bundle_sha256: Mapped[str] = mapped_column(String(64))
    terms: Mapped[dict[str, Any]]
    released_by: Mapped[str] = mapped_column(String(200))
    released_at: Mapped[datetime] = mapped_column(default=now)
    withdrawn_by: Mapped[str | None] = mapped_column(String(200))
    withdrawn_at: Mapped[datetime | None]
    withdrawn_why: Mapped[str | None] = mapped_column(SealedText)


class PatientRow(Base):
    """A patient whom a released model is used for, known by the digest of the identifier."""

    __tablename__ = "patients"
    __table_args__ = (UniqueConstraint("model", "digest"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    owner: Mapped[str] = mapped_column(String(200), index=True)
    model: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
    """Keyed digest (HMAC-SHA256) of the identifier: who has not the key cannot try names against it."""
    identifier: Mapped[str] = mapped_column(SealedText)
    created_at: Mapped[datetime] = mapped_column(default=now)


class PredictionRow(Base):
    """What one version said of one patient at one moment, and what came of it."""

    __tablename__ = "predictions"
    __table_args__ = (
        Index("ix_predictions_model_at", "model", "at"),
        Index("ix_predictions_patient_at", "patient_id", "at"),
        Index("ix_predictions_release_at", "release_id", "at", "id"),
    )

    id: Mapped[int] = mapped_column(_NUMBER, primary_key=True, autoincrement=True)
    owner: Mapped[str] = mapped_column(String(200))
    release_id: Mapped[str] = mapped_column(ForeignKey("releases.id"))
    model: Mapped[str] = mapped_column(String(64))
    patient_id: Mapped[str | None] = mapped_column(ForeignKey("patients.id"))
    at: Mapped[datetime]
    """When the patient was as the values say: the visit."""
    made_at: Mapped[datetime] = mapped_column(default=now)
    risk: Mapped[float]
    """Of the event in question (0–1), or the predicted number."""
    called: Mapped[bool]
    """Whether the risk reached the threshold that the version was released with."""
    n_flags: Mapped[int]
    asked: Mapped[dict[str, Any]]
    """The values as given, the risks of all classes, and the flags."""
    request: Mapped[str | None] = mapped_column(String(64), unique=True)
    """Digest of who asked and of the key of the request: asked again, it is answered and not kept again."""
    request_body: Mapped[str | None] = mapped_column(String(64))
    outcome: Mapped[float | None]
    """The place of the class that came true (1 or 0 for an event and its absence), or the number, once known.

    Of an event with a time, what ended the follow-up: 0 for nothing so far, 1 for the event, above what competes with it.
    """
    outcome_at: Mapped[datetime | None]
    """When it was entered."""
    outcome_on: Mapped[date | None]
    """The day of the outcome itself, or on which the patient was last seen without the event; where somebody said it."""


class WatchRow(Base):
    """What watching a version found last: how many changes stand, by what they ask for. Counts alone, nothing of any patient."""

    __tablename__ = "watches"

    release_id: Mapped[str] = mapped_column(ForeignKey("releases.id"), primary_key=True)
    watched_at: Mapped[datetime]
    month: Mapped[str] = mapped_column(String(7))
    """The last month with predictions, such as 2026-05."""
    n_stop: Mapped[int]
    n_recalibrate: Mapped[int]
    n_look: Mapped[int]


class TaskRow(Base):
    """Something noted or to be done for a patient. Nothing is removed but with the patient; undone is a state."""

    __tablename__ = "tasks"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    owner: Mapped[str] = mapped_column(String(200))
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    """``note``, ``task`` or ``look_again``."""
    text: Mapped[str] = mapped_column(SealedText)
    by: Mapped[str] = mapped_column(String(200))
    whose: Mapped[str | None] = mapped_column(String(200))
    due_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    done_at: Mapped[datetime | None]
    done_by: Mapped[str | None] = mapped_column(String(200))
    taken_back_at: Mapped[datetime | None]


class TokenRow(Base):
    """What a program shows to be let in, in a person's name; only its digest is kept."""

    __tablename__ = "tokens"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    person: Mapped[str] = mapped_column(String(200), index=True)
    label: Mapped[str] = mapped_column(SealedText)
    model: Mapped[str | None] = mapped_column(String(64))
    """The one model that it opens; none for all that the person may use."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
