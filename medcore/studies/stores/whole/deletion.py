"""Deletion for good: everything of a study goes, and a receipt says what went."""

from __future__ import annotations

import contextlib
import shutil
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

from sqlalchemy import CursorResult, Delete, Engine, delete, func, select
from sqlalchemy.orm import Session

from medcore.studies.audit import entries as audit
from medcore.studies.kept.cohorts import cohort_files
from medcore.studies.kept.files import first_patients_name, result_name
from medcore.studies.stores.register_store import forget_releases
from medcore.studies.stores.session import StoreBase, study_row
from medcore.studies.tables import CohortRow, LookRow, ProgressRow, RunRow, ShareRow, StudyRow, now

ORPHAN_SECONDS = 3600.0
"""A file that no row knows and that is so old belongs to nothing: whoever wrote it was killed before the row was there."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What went with a study, counted; it names no patient, no file and no study but by its number."""

    study_id: str
    purged_at: datetime
    n_rows: int
    """Patients' rows; 0 where another study still uses the table."""
    n_originals: int
    n_runs: int
    n_results: int
    n_checkpoints: int
    n_looks: int
    n_predictions: int
    """What released versions of its models had said of patients."""
    n_trail: int
    """Entries of the audit trail whose details, names among them, were emptied."""

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {name: getattr(self, name) for name in self.__slots__} | {"purged_at": self.purged_at.isoformat()}


@dataclass(frozen=True, slots=True)
class _Files:
    """Files that nothing needs once the rows are gone."""

    table: tuple[str, ...]
    original: tuple[str, ...]
    results: tuple[str, ...]
    first_patients: tuple[str, ...]
    checkpoints: tuple[Path, ...]


class Deletion(StoreBase):
    """The part of the store that deletes for good."""

    def purge_study(self, owner: str, study_id: str) -> Receipt:
        """Remove a study for good: runs, results, checkpoints, names, and its rows if no other study uses them.

        The rows of the database go first, in one transaction: killed at any moment,
        the study is there whole or is gone, and files that were left are swept at the
        next start (:meth:`sweep_orphans`). The trail keeps who did what and when,
        without a name or any other detail.
        """
        with self._writing() as session:
            row = study_row(session, owner, study_id, wants="own", deleted=True, lock=True)
            n_rows, files = self._files_of(session, row)
            counts = _delete_rows(session, row, keep_table=not files.table)
            audit.record(session, owner, "study.purged", study_id=study_id, details=counts | {"n_rows": n_rows})
        counts["n_results"] = sum(self.files.exists(name) for name in files.results)
        counts["n_checkpoints"] = sum(folder.exists() for folder in files.checkpoints)
        for name in (*files.table, *files.original, *files.results, *files.first_patients):
            self.files.remove(name)
        for folder in files.checkpoints:
            shutil.rmtree(folder, ignore_errors=True)
        empty_write_ahead_log(self._engine)
        return Receipt(study_id, now(), n_rows, len(files.original), **counts)

    def purge_expired(self, days: int) -> tuple[Receipt, ...]:
        """Remove for good every study that was deleted so many days ago or longer, of every owner."""
        with self._reading() as session:
            query = select(StudyRow.owner, StudyRow.id).where(StudyRow.deleted_at < now() - timedelta(days=days))
            expired = [(owner, study_id) for owner, study_id in session.execute(query)]
        return tuple(self.purge_study(owner, study_id) for owner, study_id in expired)

    def sweep_orphans(self, *, older_seconds: float = ORPHAN_SECONDS) -> int:
        """Remove local files of tables and results that no row knows, left by a process that was killed; count them."""
        if not self.files.local:
            return 0
        with self._reading() as session:
            known = {name for row in session.scalars(select(CohortRow)) for name in cohort_files(row)}
            for owner, run_id in session.execute(select(RunRow.owner, RunRow.id)):
                known |= {result_name(owner, run_id), first_patients_name(owner, run_id)}
        root, swept = Path(self.files.root), 0
        for path in (*root.glob("*/cohorts/*"), *root.glob("*/runs/*"), *root.glob("*/first/*")):
            with contextlib.suppress(OSError):
                old = time.time() - path.stat().st_mtime >= older_seconds
                if old and path.relative_to(root).as_posix() not in known:
                    self.files.remove(path.relative_to(root).as_posix())
                    swept += 1
        return swept

    def _files_of(self, session: Session, study: StudyRow) -> tuple[int, _Files]:
        table = session.get_one(CohortRow, study.cohort_id)
        runs = session.scalars(select(RunRow.id).where(RunRow.study_id == study.id)).all()
        sharing = session.scalar(select(func.count()).where(StudyRow.cohort_id == table.id)) or 0
        names = cohort_files(table) if sharing < 2 else ()
        own, original = (tuple(n for n in names if (n == table.original) is brought) for brought in (False, True))
        checkpoints = tuple(self.settings.data_dir / "checkpoints" / run for run in runs)
        results = tuple(result_name(study.owner, run) for run in runs)
        first = tuple(first_patients_name(study.owner, run) for run in runs)
        return (table.n_rows if own else 0), _Files(own, original, results, first, checkpoints)


def _delete_rows(session: Session, study: StudyRow, *, keep_table: bool) -> dict[str, int]:
    """Delete everything of a study from the database, and empty what the trail says of it; count it."""
    study_id, table_id = study.id, study.cohort_id
    runs = select(RunRow.id).where(RunRow.study_id == study_id)
    session.execute(delete(ShareRow).where(ShareRow.study_id == study_id))
    n_looks = _count(session, delete(LookRow).where(LookRow.study_id == study_id))
    session.execute(delete(ProgressRow).where(ProgressRow.run_id.in_(runs)))
    n_predictions = forget_releases(session, study_id)
    n_runs = _count(session, delete(RunRow).where(RunRow.study_id == study_id))
    session.execute(delete(StudyRow).where(StudyRow.id == study_id))
    if not keep_table:
        session.execute(delete(CohortRow).where(CohortRow.id == table_id))
    return {
        "n_looks": n_looks,
        "n_runs": n_runs,
        "n_predictions": n_predictions,
        "n_trail": audit.empty(session, study_id),
    }


def _count(session: Session, statement: Delete) -> int:
    """Carry out a statement and return how many rows it touched."""
    return cast("CursorResult[Any]", session.execute(statement)).rowcount


def empty_write_ahead_log(engine: Engine) -> None:
    """Let what was deleted leave SQLite's log as well; the pages themselves are overwritten (``secure_delete``)."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
