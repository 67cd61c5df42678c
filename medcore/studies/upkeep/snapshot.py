"""The whole database as one SQLite file, taken while others write; and put back into SQLite or PostgreSQL.

One form for both: what was kept in one can be put back into the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, Table, delete, func, insert, select, text
from sqlalchemy.orm import Session

from medcore.errors import SettingsError
from medcore.i18n import N_
from medcore.sealing import Keys, keys_of
from medcore.settings import Settings
from medcore.studies.database import database_at, migrate, newest_revision, open_database, reading, revision_of
from medcore.studies.kept.cohorts import cohort_files
from medcore.studies.kept.files import result_name
from medcore.studies.tables import Base, CohortRow, RunRow, StudyRow

ROWS_AT_ONCE = 500


def take_snapshot(settings: Settings, file: Path) -> None:
    """Write the database as it is at one moment to a new SQLite file; nobody who works has to wait."""
    engine = open_database(settings)
    with _file(file, keys_of(settings.data_dir)) as copy:
        if engine.dialect.name == "sqlite":
            _copy_sqlite(engine, copy)
        else:
            migrate(copy)
            with engine.connect().execution_options(isolation_level="REPEATABLE READ") as there, copy.begin() as here:
                _copy_rows(there, here)
        with copy.connect() as connection:  # one file, whole in itself
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA journal_mode=DELETE")


def put_snapshot_back(settings: Settings, file: Path) -> None:
    """Put a snapshot in place of the empty database of an installation; one of an older version is brought up to date.

    Raises:
        SettingsError: the database holds studies, or the snapshot was made by a newer version.

    """
    with _file(file) as copy:
        with copy.connect() as connection:
            if (revision_of(connection) or "") > newest_revision():
                raise SettingsError(
                    N_("This backup was made by a newer version of medcore. Install that version, and restore again.")
                )
        migrate(copy)
        refuse_full_database(settings)
        engine = open_database(settings)
        if engine.dialect.name == "sqlite":
            _copy_sqlite(copy, engine)
            engine.dispose()  # what was open has seen the empty database
            return
        with copy.connect() as there, engine.begin() as here:
            for table in reversed(Base.metadata.sorted_tables):
                here.execute(delete(table))  # no study is there; what its start has noted is
            _copy_rows(there, here)
            for table in Base.metadata.sorted_tables:
                _count_on(here, table)


def refuse_full_database(settings: Settings) -> None:
    """Let nothing be put over studies that are there.

    Raises:
        SettingsError: the database holds a study or a table.

    """
    with reading(settings) as session:
        if session.scalar(select(StudyRow.id).limit(1)) or session.scalar(select(CohortRow.id).limit(1)):
            raise SettingsError(
                N_(
                    "This installation holds studies already; a backup is restored into an empty one only. Set MEDCORE_DATA to a new folder (and MEDCORE_DATABASE_URL to an empty database), and restore again."
                )
            )


def files_named_in(file: Path) -> frozenset[str]:
    """Return the names of every file and folder that a snapshot's tables and finished runs need."""
    with _file(file) as copy, Session(copy) as session:
        return _names(session)


def files_named_now(settings: Settings) -> frozenset[str]:
    """Return the names of every file and folder that the database needs at this moment."""
    with reading(settings) as session:
        return _names(session)


def _names(session: Session) -> frozenset[str]:
    names = {name for row in session.scalars(select(CohortRow)) for name in cohort_files(row)}
    done = select(RunRow.owner, RunRow.id).where(RunRow.state == "done")
    return frozenset(names | {result_name(owner, run_id) for owner, run_id in session.execute(done)})


@contextmanager
def _file(path: Path, keys: Keys | None = None) -> Iterator[Engine]:
    engine = database_at(f"sqlite:///{path}", keys)
    try:
        yield engine
    finally:
        engine.dispose()


def _copy_sqlite(source: Engine, target: Engine) -> None:
    """Copy page by page, by SQLite's own online backup (https://sqlite.org/backup.html)."""
    with closing(source.raw_connection()) as there, closing(target.raw_connection()) as here:
        there.driver_connection.backup(here.driver_connection)  # type: ignore[union-attr]


def _copy_rows(there: Connection, here: Connection) -> None:
    for table in Base.metadata.sorted_tables:
        for rows in there.execution_options(yield_per=ROWS_AT_ONCE).execute(select(table)).partitions():
            here.execute(insert(table), [dict(row._mapping) for row in rows])


def _count_on(connection: Connection, table: Table) -> None:
    """Let PostgreSQL number the next row after those that were put back."""
    column = table.autoincrement_column
    if column is not None:
        last = connection.scalar(select(func.max(column)))
        if last is not None:
            sequence = text("SELECT setval(pg_get_serial_sequence(:table, :column), :last)")
            connection.execute(sequence, {"table": table.name, "column": column.name, "last": last})
