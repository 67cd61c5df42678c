"""Transactions, and the rows that a person may see."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from medcore.errors import MedcoreError, NotFoundError, RefusedError
from medcore.i18n import N_
from medcore.settings import Settings
from medcore.studies.audit.entries import HEAD, record
from medcore.studies.audit.head import keep_head
from medcore.studies.database import WRITES, check_database, open_database, probe_database
from medcore.studies.faults import named_faults
from medcore.studies.kept.files import FileStore
from medcore.studies.people.access import Whose, require
from medcore.studies.people.roles import Access
from medcore.studies.records import REMOVED
from medcore.studies.tables import CohortRow, RunRow, StudyRow

logger = logging.getLogger("medcore.studies")

REFUSED_SECONDS = 60.0
"""How long the same refusal is told once."""
NO_STUDY = N_("There is no such study, or it is not yours. Open one from the list of studies.")
HELD = "held"
STUDIES: Select[StudyRow, CohortRow] = select(StudyRow, CohortRow).join(CohortRow, CohortRow.id == StudyRow.cohort_id)
"""Studies with their tables, which the session then has when it is asked for them."""
# Statements are built once: SQLAlchemy takes longer to build one than SQLite to answer it.
ONE_STUDY = STUDIES.where(StudyRow.id == bindparam("study_id"))
ONE_STUDY_LOCKED = ONE_STUDY.with_for_update(of=StudyRow)
WHOSE = select(StudyRow.id, StudyRow.owner, StudyRow.deleted_at).where(StudyRow.id == bindparam("study_id"))
_writings = 0


def writings() -> int:
    """Return how often this process has written: whoever keeps an answer for a moment asks anew when it has changed."""
    return _writings


class StoreBase:
    """Database and files of one installation; safe to share between threads."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.files = FileStore(settings)
        self._engine = open_database(settings)
        self._refused: dict[tuple[str, str | None, str | None], float] = {}

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        with named_faults(self.settings), self._refusals_noted(), Session(self._engine) as session:
            yield session

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        """Write in one transaction; what it added to the trail is the head that is kept apart once it is there."""
        engine = self._engine.execution_options(**{WRITES: True})
        with named_faults(self.settings), self._refusals_noted(), Session(engine) as session:
            try:
                with session.begin():
                    yield session
            finally:
                _count_writing()
            head = session.info.get(HEAD)
        if head is not None:
            try:
                keep_head(self.settings.data_dir, head)
            except MedcoreError as error:  # the change is kept already; the head may lag behind
                logger.warning("The head of the audit trail was not kept: %s", error)

    @contextmanager
    def _refusals_noted(self) -> Iterator[None]:
        """Put a refused access into the trail: a person and a study once a minute, however often they ask."""
        try:
            yield
        except RefusedError as error:
            asked, moment = (error.who, error.study_id, error.run_id), time.monotonic()
            if moment - self._refused.get(asked, -REFUSED_SECONDS) >= REFUSED_SECONDS:
                self._refused = {k: v for k, v in self._refused.items() if moment - v < REFUSED_SECONDS} | {
                    asked: moment
                }
                with self._writing() as session:
                    record(session, error.who, "access.refused", study_id=error.study_id, run_id=error.run_id)
            raise

    def probe(self) -> None:
        """See that the database answers and can be written to; SettingsError says what to do."""
        probe_database(self.settings)

    def check(self) -> None:
        """Look through the database for damage; SettingsError says what to do."""
        check_database(self.settings)


def _count_writing() -> None:
    global _writings
    _writings += 1


def study_row(
    session: Session,
    person: str,
    study_id: str,
    *,
    wants: Access = "read",
    deleted: bool = False,
    lock: bool = False,
) -> StudyRow:
    """Return a study's row, if this person may do with it what they want.

    Raises:
        NotFoundError: there is none, or it was deleted.
        RefusedError: it is somebody else's, or was shared for less.

    """
    found = session.execute(ONE_STUDY_LOCKED if lock else ONE_STUDY, {"study_id": study_id}).first()
    row = None if found is None else found[0]
    session.info.setdefault(HELD, []).append(found)  # or the session, which holds its rows weakly, asks again
    if row is not None:
        granted = require(session, person, row, wants)
        deleted = deleted and granted == "own"
    if row is None or (row.deleted_at is not None and not deleted):
        raise NotFoundError(NO_STUDY)
    return row


def access_to(session: Session, person: str, study_id: str) -> Access:
    """Return what a person may do with a study, without reading the rest of it.

    Raises:
        NotFoundError: there is none, or it was deleted.
        RefusedError: it is somebody else's.

    """
    found = session.execute(WHOSE, {"study_id": study_id}).first()
    granted = None if found is None else require(session, person, Whose(*found), "read")
    if found is None or granted is None or found.deleted_at is not None:
        raise NotFoundError(NO_STUDY)
    return granted


def run_row(session: Session, person: str, run_id: str, *, wants: Access = "read", lock: bool = False) -> RunRow:
    """Return a run's row, if this person may do with its study what they want.

    Raises:
        NotFoundError: there is none.
        RefusedError: its study is somebody else's, or was shared for less.

    """
    query = select(RunRow).where(RunRow.id == run_id)
    row = session.scalars(query.with_for_update() if lock else query).first()
    if row is None or row.state == REMOVED:
        raise NotFoundError(N_("There is no such training run, or it is not yours. Open one from its study."))
    require(session, person, session.get_one(StudyRow, row.study_id), wants, run_id=run_id)
    return row
