"""Keyed seals of what is kept: whoever can write to files and database, but has not the key, can forge none."""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from medcore.errors import MedcoreError, NotFoundError
from medcore.i18n import N_
from medcore.models.bundle.files import SUMS
from medcore.sealing import SealedFolder
from medcore.studies.kept.files import FileStore, result_name, rows_name
from medcore.studies.tables import CohortRow, RunRow


def seal_rows(files: FileStore, row: CohortRow, rows: bytes) -> str:
    """Return the seal of a cohort's rows."""
    return files.keys.seal_of(rows_name(row.owner, row.content_key), hashlib.sha256(rows).hexdigest())


def rows_are_whole(files: FileStore, row: CohortRow, rows: bytes) -> bool:
    """Whether rows are those that were sealed."""
    name = rows_name(row.owner, row.content_key)
    return files.keys.confirms(row.seal, name, hashlib.sha256(rows).hexdigest())


def seal_result(files: FileStore, row: RunRow) -> str:
    """Return the seal of a run's results: of their list of hashes, which stands for every file."""
    name = result_name(row.owner, row.id)
    return files.keys.seal_of(name, _list_digest(files, name))


def result_is_whole(files: FileStore, row: RunRow) -> bool:
    """Whether a run's list of hashes is the one that was sealed."""
    name = result_name(row.owner, row.id)
    return files.keys.confirms(row.seal, name, _list_digest(files, name))


def whole_result(files: FileStore, row: RunRow) -> SealedFolder:
    """Return the folder of a run's results.

    Raises:
        NotFoundError: it has none (yet), or they were changed after they were kept.

    """
    try:
        folder = files.folder(result_name(row.owner, row.id))
    except FileNotFoundError:
        raise NotFoundError(N_("This training run has no results yet. Wait until it is done.")) from None
    if not result_is_whole(files, row):
        raise NotFoundError(
            N_(
                "The results of this training run were changed or damaged in the file store after they were kept, so they are not used. Restore them from a backup, or train again."
            )
        )
    return folder


def make_seals_keyed(connection: Connection, files: FileStore) -> None:
    """Key the seals of an earlier version, in the transaction that brings the tables up to date.

    A table whose seal was a bare digest keeps that digest under the key; one that had
    none, and results, are taken as they lie there now.
    """
    with Session(connection) as session:
        for table in session.scalars(select(CohortRow)):
            name = rows_name(table.owner, table.content_key)
            try:
                digest = table.seal or hashlib.sha256(files.read(name)).hexdigest()
            except (OSError, MedcoreError):
                continue  # its rows are gone, and opening it says so
            table.seal = files.keys.seal_of(name, digest)
        for run in session.scalars(select(RunRow).where(RunRow.state == "done")):
            run.seal = seal_result(files, run)
        session.flush()


def _list_digest(files: FileStore, name: str) -> str:
    try:
        return hashlib.sha256((files.folder(name) / SUMS).read_bytes()).hexdigest()
    except FileNotFoundError:
        return ""
