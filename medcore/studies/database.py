"""The database: SQLite in WAL mode unless another one is named; brought up to date at start."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from weakref import WeakSet

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from medcore.errors import SettingsError
from medcore.i18n import N_
from medcore.safe_files import file_lock, private_folder
from medcore.sealing import Keys, keys_of
from medcore.sealing.keys import forget_keys
from medcore.settings import Settings
from medcore.studies.audit.chain import Head
from medcore.studies.audit.head import keep_head, signs_heads
from medcore.studies.faults import damaged, named_faults
from medcore.studies.kept.files import FileStore, is_local, place_of
from medcore.studies.kept.seals import make_seals_keyed

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_SECONDS = 30
WRITES = "medcore_writes"
ADVISORY_LOCK = 0x6D6564636F7265  # "medcore": one web process or worker migrates at a time


def open_database(settings: Settings) -> Engine:
    """Return the engine of an installation's database, created and migrated if need be.

    One engine serves a whole process; it is safe to share between threads.

    Raises:
        SettingsError: the address cannot be understood, or its driver is not installed; the database
            is damaged, locked, read-only or out of reach, or is empty where studies were kept.

    """
    private_folder(settings.data_dir)
    with named_faults(settings):
        return _engine(settings)


@contextmanager
def reading(settings: Settings) -> Iterator[Session]:
    """Give a session for a look at the whole installation, whoever owns what.

    Raises:
        SettingsError: what is wrong with the database.

    """
    with named_faults(settings), Session(open_database(settings)) as session:
        yield session


def check_database(settings: Settings) -> None:
    """Look through the whole database for damage, and see that it can be written to; 10 MB take some 20 ms.

    Raises:
        SettingsError: it is damaged, locked or read-only, or its disk is full.

    """
    engine = open_database(settings)
    if engine.dialect.name == "sqlite":
        with named_faults(settings), engine.connect() as connection:
            if connection.exec_driver_sql("PRAGMA quick_check(1)").scalar() != "ok":
                raise damaged(settings)
    probe_database(settings)


def probe_database(settings: Settings) -> None:
    """See that the database answers and can be written to, however large it is.

    Raises:
        SettingsError: it is locked or read-only, its disk is full, or it is not there.

    """
    engine = open_database(settings)
    with named_faults(settings), engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        if engine.dialect.name != "sqlite":
            connection.exec_driver_sql("SELECT 1")
            return
        version = connection.exec_driver_sql("PRAGMA user_version").scalar()
        connection.exec_driver_sql(f"PRAGMA user_version = {version}")  # the smallest thing that writes


def forget_engines() -> None:
    """Close every connection of this process and forget the keys; used between tests, before a fork, and when both are others."""
    for engine in list(_opened):
        engine.dispose()
    _engine.cache_clear()
    forget_keys()


_opened: WeakSet[Engine] = WeakSet()
"""Every engine of this process that somebody holds: one that was forgotten may be used, and closed, again."""


@cache
def _engine(settings: Settings) -> Engine:
    engine = database_at(settings.database_url, keys_of(settings.data_dir))
    try:
        with file_lock(settings.data_dir / "migrate.lock"):
            with engine.connect() as connection:
                new = revision_of(connection) is None
            if new:
                _check_nothing_lost(settings.storage_url)
            migrate(engine, settings=settings)
            _keep_first_head(engine, settings.data_dir)
    except BaseException:
        engine.dispose()  # or its connections stay open for as long as this process lives
        raise
    _opened.add(engine)
    return engine


def _check_nothing_lost(storage_url: str) -> None:
    """Refuse an empty database beside files of studies: they would be taken for left-overs and removed."""
    fs, root = place_of(storage_url)
    if fs.glob(f"{root.rstrip('/')}/*/cohorts/*"):
        raise SettingsError(
            N_(
                "The database is empty, but {place} holds files of studies. Put the database of your last backup in its place; or, to begin anew, move that folder away."
            ),
            place=root if is_local(fs) else "MEDCORE_STORAGE",
        )


def _keep_first_head(engine: Engine, data_dir: Path) -> None:
    """Keep the head of a trail that was there before heads were kept, when this data folder first meets it."""
    if not signs_heads(data_dir):
        with engine.connect() as connection:
            last = connection.execute(text("SELECT id, link FROM audit ORDER BY id DESC LIMIT 1")).first()
        if last is not None:
            keep_head(data_dir, Head(last.id, last.link))


def _make_private(file: str | None) -> None:
    """Make a database's file, which SQLite would make readable to everybody where nobody set a umask."""
    if file and file != ":memory:":
        with contextlib.suppress(OSError):  # it is there, or SQLite says what is wrong
            os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def database_at(url: str, keys: Keys | None = None) -> Engine:
    """Return an engine for an address, opened and tuned as medcore needs it, with whatever tables it has.

    Without ``keys`` what is sealed can be copied from and to it, and not be read.

    Raises:
        SettingsError: the address cannot be understood, or its driver is not installed.

    """
    try:
        address = make_url(url)
        if address.drivername in {"postgresql", "postgres"}:
            address = address.set(drivername="postgresql+psycopg")
        if address.get_backend_name() == "sqlite":
            _make_private(address.database)
            engine = create_engine(address, connect_args={"timeout": BUSY_SECONDS})
            event.listen(engine, "connect", _tune_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        else:
            engine = create_engine(address, pool_pre_ping=True)
        engine.dialect.medcore_keys = keys  # type: ignore[attr-defined]
        return engine
    except Exception as error:
        raise SettingsError(
            N_(
                "MEDCORE_DATABASE_URL is not an address medcore can use ({kind}). Write it as sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME."
            ),
            kind=type(error).__name__,
        ) from None


def _tune_sqlite(connection: Any, _record: Any) -> None:
    """Let readers and one writer work at the same time, and hold foreign keys."""
    connection.isolation_level = None  # the transactions below are begun by us
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # what was committed is there after a power cut: files are removed on it
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA secure_delete=ON")  # what is deleted is overwritten, not only marked as free
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """Begin a writing transaction as one, so that it waits its turn instead of failing half-way."""
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def migrate(engine: Engine, revision: str = "head", *, settings: Settings | None = None) -> None:
    """Bring the tables to a revision; Alembic is imported only if there is something to do.

    ``settings`` say where the files lie of an installation that kept some before its seals were keyed.
    """
    with engine.connect() as connection:
        if revision == "head" and revision_of(connection) == newest_revision():
            return
    from alembic import command

    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
        configuration = alembic_config()
        configuration.attributes["connection"] = connection
        older = inspect(connection).has_table("runs") and not _has_keyed_seals(connection)
        command.upgrade(configuration, revision)
        if settings is not None and older:
            make_seals_keyed(connection, FileStore(settings))


def alembic_config() -> Any:
    """Return Alembic's configuration; the connection is handed over in its attributes."""
    from alembic.config import Config

    configuration = Config()
    configuration.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return configuration


def _has_keyed_seals(connection: Connection) -> bool:
    """Whether the tables are of the version that keyed the seals, or newer."""
    return "seal" in {column["name"] for column in inspect(connection).get_columns("runs")}


def revision_of(connection: Connection) -> str | None:
    """Return the number of the last migration that a database has seen, or ``None`` for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def newest_revision() -> str:
    """Return the number of the newest migration there is: they are numbered files, ``0001_….py``."""
    return max(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
