"""Everything sealed anew: under another key, or for the first time in an installation of an earlier version."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Mapper, Session
from sqlalchemy.orm.attributes import flag_modified

from medcore.errors import NotFoundError
from medcore.sealing import SealedFolder, names_in
from medcore.studies.kept.files import rows_name
from medcore.studies.kept.seals import result_is_whole, rows_are_whole, seal_result, seal_rows
from medcore.studies.stores.register_store import patient_digest
from medcore.studies.stores.session import StoreBase
from medcore.studies.stores.whole.deletion import empty_write_ahead_log
from medcore.studies.tables import Base, CohortRow, RunRow, SealedJSON, SealedText
from medcore.studies.use_tables import PatientRow


@dataclass(frozen=True, slots=True)
class Resealed:
    """What was sealed anew, counted."""

    n_files: int
    n_rows: int
    """Rows of the database."""
    damaged: tuple[str, ...]
    """Files that could not be opened any more and were left as they are."""

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {"n_files": self.n_files, "n_rows": self.n_rows, "damaged": list(self.damaged)}


class Resealing(StoreBase):
    """The part of the store that seals everything anew; nobody else may be at work."""

    def seal_again(self) -> Resealed:
        """Seal every file and every value under the newest key; killed at any moment, it can be begun again."""
        whole = self._whole()
        damaged = []
        names = self.files.names()
        for name in names:
            try:
                self.files.write(name, self.files.read(name))
            except NotFoundError:
                damaged.append(name)
        n_files = len(names) - len(damaged) + self._checkpoints()
        with self._writing() as session:
            for kind, row_id in whole:
                if kind is CohortRow:
                    table = session.get_one(CohortRow, row_id)
                    table.seal = seal_rows(
                        self.files, table, self.files.read(rows_name(table.owner, table.content_key))
                    )
                else:
                    run = session.get_one(RunRow, row_id)
                    run.seal = seal_result(self.files, run)
            for patient in session.scalars(select(PatientRow)):
                patient.digest = patient_digest(self.files.keys, patient.model, patient.identifier)
            n_rows = sum(_seal_values(session, mapper) for mapper in Base.registry.mappers)
        empty_write_ahead_log(self._engine)
        return Resealed(n_files, n_rows, tuple(damaged))

    def _whole(self) -> list[tuple[type[CohortRow] | type[RunRow], str]]:
        """Name the tables and results whose keyed seals hold: those of others stay broken."""
        whole: list[tuple[type[CohortRow] | type[RunRow], str]] = []
        with self._reading() as session:
            for table in session.scalars(select(CohortRow)):
                with contextlib.suppress(FileNotFoundError, NotFoundError):
                    rows = self.files.read(rows_name(table.owner, table.content_key))
                    if rows_are_whole(self.files, table, rows):
                        whole.append((CohortRow, table.id))
            for run in session.scalars(select(RunRow).where(RunRow.seal.is_not(None))):
                with contextlib.suppress(NotFoundError):
                    if result_is_whole(self.files, run):
                        whole.append((RunRow, run.id))
        return whole

    def _checkpoints(self) -> int:
        """Seal checkpoints anew, and empty what can be made again: copies of an object store's files, and scratch."""
        data_dir = self.settings.data_dir
        for name in ("cache", "scratch"):
            shutil.rmtree(data_dir / name, ignore_errors=True)
        folder, n = SealedFolder(data_dir / "checkpoints", "checkpoints", self.files.keys), 0
        for name in names_in(folder):
            try:
                (folder / name).write_bytes((folder / name).read_bytes())
                n += 1
            except NotFoundError:  # a run without a checkpoint begins anew
                (folder / name).path.unlink()
        return n


def _seal_values(session: Session, mapper: Mapper[Any]) -> int:
    """Write every sealed value of a table anew; return how many rows have some."""
    sealed = [p.key for p in mapper.column_attrs if isinstance(p.columns[0].type, SealedJSON | SealedText)]
    if not sealed:
        return 0
    n = 0
    for row in session.scalars(select(mapper.class_)):
        for name in sealed:
            if getattr(row, name) is not None:
                flag_modified(row, name)
        n += 1
    session.flush()
    return n
