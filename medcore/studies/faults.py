"""What is wrong with a database, in one sentence with its remedy; never a statement or a value of a row."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from medcore.errors import SettingsError
from medcore.i18n import N_
from medcore.settings import Settings

_DAMAGED = N_(
    "The database {place} is damaged and was left as it is. Stop medcore, put the database of your last backup in its place, and start medcore again."
)
_SENTENCES: Mapping[str, str] = {
    "SQLITE_CORRUPT": _DAMAGED,
    "SQLITE_NOTADB": _DAMAGED,
    "SQLITE_BUSY": N_(
        "The database {place} is locked by another program, perhaps a backup or an editor of databases. Close that program and try again."
    ),
    "SQLITE_READONLY": N_(
        "The database {place} cannot be written to. Give the user who runs medcore the right to write to its folder and to every file in it, and try again."
    ),
    "SQLITE_CANTOPEN": N_(
        "The database {place} cannot be opened. Give the user who runs medcore the right to read and write it and its folder, and try again."
    ),
    "SQLITE_FULL": N_(
        "There is no room left on the disk of the database {place}. Nothing was kept of this step; make room and try again."
    ),
    "SQLITE_IOERR": N_(
        "The disk of the database {place} cannot be read or written. Nothing was kept of this step; have the disk looked at, and try again."
    ),
}
"""By the beginning of SQLite's own name of the error (https://sqlite.org/rescode.html)."""
SHARED_BYTES = 32 << 10
"""By so much the file that a database's processes share grows at a time (https://sqlite.org/walformat.html, 2.2)."""
_ALSO = {"SQLITE_LOCKED": "SQLITE_BUSY", "SQLITE_PERM": "SQLITE_CANTOPEN", "SQLITE_AUTH": "SQLITE_CANTOPEN"}


@contextmanager
def named_faults(settings: Settings) -> Iterator[None]:
    """Say in one sentence what is wrong with the database, whatever it is.

    Raises:
        SettingsError: it is damaged, locked, read-only, out of reach, or its disk is full.

    """
    try:
        yield
    except SQLAlchemyError as error:
        raise fault(error, settings) from None


def fault(error: SQLAlchemyError, settings: Settings) -> SettingsError:
    """Name a database's error; SQLAlchemy's own text quotes the statement and the values of rows."""
    kind = _kind(error)
    place = make_url(settings.database_url).database
    if kind.startswith("SQLITE_IOERR") and _is_full(place):
        kind = "SQLITE_FULL"
    for beginning, sentence in _SENTENCES.items():
        if _ALSO.get(kind, kind).startswith(beginning):
            return SettingsError(sentence, place=place)
    return SettingsError(
        N_(
            "The database that MEDCORE_DATABASE_URL names did not do what it was asked ({kind}). See that it runs and lets medcore in, and try again."
        ),
        kind=kind,
    )


def damaged(settings: Settings) -> SettingsError:
    """Say that the database is damaged."""
    return SettingsError(_DAMAGED, place=make_url(settings.database_url).database)


def _is_full(place: str | None) -> bool:
    """Whether SQLite's next file has no room: the one it shares among processes then fails as if the disk were broken."""
    try:
        return place is not None and shutil.disk_usage(Path(place).parent).free < SHARED_BYTES
    except OSError:
        return False


def _kind(error: SQLAlchemyError) -> str:
    cause: BaseException = error
    if isinstance(error, DBAPIError) and error.orig is not None:
        cause = error.orig
    return str(getattr(cause, "sqlite_errorname", type(cause).__name__))
