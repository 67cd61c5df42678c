"""Whether an installation can do its work at this moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from medcore import jobs
from medcore.errors import MedcoreError
from medcore.jobs.logs import log_without_values
from medcore.settings import Settings
from medcore.studies.database import open_database
from medcore.studies.kept.files import FileStore


@dataclass(frozen=True, slots=True)
class Health:
    """What answers and what does not; ``computing`` is how the workers are."""

    database: bool
    files: bool
    computing: jobs.WorkerState

    @property
    def well(self) -> bool:
        """Whether a person who comes now finds everything at work."""
        return self.database and self.files and self.computing == "ready"

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        status = "ok" if self.well else "unavailable"
        return {"status": status, "computing": self.computing, "database": self.database, "files": self.files}


def health(settings: Settings) -> Health:
    """Ask the database, the file store and the cluster; at most some seconds, and nothing is raised."""
    return Health(_database(settings), _files(settings), jobs.worker_status(settings).state)


def _database(settings: Settings) -> bool:
    try:
        with open_database(settings).connect() as connection:
            connection.execute(text("SELECT 1"))
    except (SQLAlchemyError, MedcoreError) as error:
        log_without_values(error)
        return False
    return True


def _files(settings: Settings) -> bool:
    """Whether the place of the files can be read; a folder that nothing was kept in yet may still be missing."""
    try:
        store = FileStore(settings)
        if store.local:
            return settings.data_dir.is_dir()
        store.fs.exists(store.root)
    except Exception as error:  # a store's driver raises errors of its own
        log_without_values(error)
        return False
    return True
