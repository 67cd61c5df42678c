"""Transactions, and the rows that an owner may see."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import select
from sqlalchemy.orm import Session

from medcore.errors import MedcoreError, NotFoundError
from medcore.i18n import N_
from medcore.settings import Settings
from medcore.studies.audit.entries import HEAD
from medcore.studies.audit.head import keep_head
from medcore.studies.database import WRITES, check_database, open_database
from medcore.studies.faults import named_faults
from medcore.studies.files import FileStore
from medcore.studies.tables import RunRow, StudyRow

logger = logging.getLogger("medcore.studies")


class StoreBase:
    """Database and files of one installation; safe to share between threads."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.files = FileStore(settings)
        self._engine = open_database(settings)

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        with named_faults(self.settings), Session(self._engine) as session:
            yield session

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        """Write in one transaction; what it added to the trail is the head that is kept apart once it is there."""
        engine = self._engine.execution_options(**{WRITES: True})
        with named_faults(self.settings), Session(engine) as session:
            with session.begin():
                yield session
            head = session.info.get(HEAD)
        if head is not None:
            try:
                keep_head(self.settings.data_dir, head)
            except MedcoreError as error:  # the change is kept already; the head may lag behind
                logger.warning("The head of the audit trail was not kept: %s", error)

    def check(self) -> None:
        """Look through the database for damage; SettingsError says what to do."""
        check_database(self.settings)


def study_row(session: Session, owner: str, study_id: str, *, deleted: bool = False, lock: bool = False) -> StudyRow:
    """Return a study's row.

    Raises:
        NotFoundError: there is none, it was deleted, or it belongs to somebody else.

    """
    query = select(StudyRow).where(StudyRow.id == study_id, StudyRow.owner == owner)
    row = session.scalars(query.with_for_update() if lock else query).first()
    if row is None or (row.deleted_at is not None and not deleted):
        raise NotFoundError(N_("There is no such study, or it is not yours. Open one from the list of studies."))
    return row


def run_row(session: Session, owner: str, run_id: str, *, lock: bool = False) -> RunRow:
    """Return a run's row.

    Raises:
        NotFoundError: there is none, or it belongs to somebody else.

    """
    query = select(RunRow).where(RunRow.id == run_id, RunRow.owner == owner)
    row = session.scalars(query.with_for_update() if lock else query).first()
    if row is None:
        raise NotFoundError(N_("There is no such training run, or it is not yours. Open one from its study."))
    return row
