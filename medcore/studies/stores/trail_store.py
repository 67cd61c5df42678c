"""The audit trail as a whole: read, followed to its end, and entries for what is no change of a study."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from medcore.errors import NotFoundError
from medcore.studies.audit import entries as audit
from medcore.studies.audit.chain import Head, Verification, verify
from medcore.studies.audit.head import kept_head
from medcore.studies.people.access import require_role
from medcore.studies.records import AuditEntry
from medcore.studies.stores.session import StoreBase, study_row
from medcore.studies.tables import StudyRow


class TrailStore(StoreBase):
    """The part of the store that keeps the trail."""

    def audit(self, owner: str, study_id: str) -> tuple[AuditEntry, ...]:
        """Return everything that was done to a study, oldest first; of one that is gone, what this person did."""
        with self._reading() as session:
            there = session.get(StudyRow, study_id) is not None and self._open_to(session, owner, study_id)
            return tuple(e for e in audit.entries(session, study_id) if there or e.who == owner)

    def note(self, owner: str, study_id: str, action: str, *, run_id: str | None = None, **details: Any) -> None:
        """Add an entry to the trail for what is not a change of the study itself: a view, an export."""
        with self._writing() as session:
            study_row(session, owner, study_id)
            audit.record(session, owner, action, study_id=study_id, run_id=run_id, details=details)

    def trail(
        self,
        person: str,
        *,
        study_id: str | None = None,
        who: str | None = None,
        action: str | None = None,
        since: datetime | None = None,
        newest: int | None = None,
    ) -> tuple[AuditEntry, ...]:
        """Return entries of everybody, oldest first: all of them, or the newest so many of those that fit.

        Raises:
            RefusedError: the person is no administrator.

        """
        with self._reading() as session:
            require_role(session, person, "administrator")
            return audit.trail(session, study_id=study_id, who=who, action=action, since=since, newest=newest)

    def verify_trail(self, heads: Iterable[Head] = ()) -> Verification:
        """Follow the trail from its first entry to its last, through the head kept apart and those given."""
        wanted, damaged = list(heads), None
        try:
            own = kept_head(self.settings.data_dir)  # before the entries are read: it may only lag behind them
        except NotFoundError as error:
            own, damaged = None, error.message
        with self._reading() as session:
            found = verify(audit.rows(session), [*wanted, *([own] if own else [])])
        faults = found.faults if damaged is None else (damaged, *found.faults)
        return Verification(found.n_entries, found.n_emptied, found.head, faults)

    @staticmethod
    def _open_to(session: Session, owner: str, study_id: str) -> bool:
        try:
            study_row(session, owner, study_id, deleted=True)
        except NotFoundError:
            return False
        return True
