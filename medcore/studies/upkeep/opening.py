"""Whether the key that is here opens what is kept: a look that changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from medcore.errors import NotFoundError
from medcore.sealing import is_sealed, opened
from medcore.settings import Settings
from medcore.studies.database import reading
from medcore.studies.kept.files import FileStore
from medcore.studies.tables import CohortRow, StudyRow

MOST_FILES, MOST_BYTES = 200, 16 << 20
"""How many files are opened, spread over all of them, and up to what size: some seconds at most."""


@dataclass(frozen=True, slots=True)
class Openable:
    """What was looked at; ``closed`` names the files that the key does not open."""

    n_values: int
    """Sealed values of the database, every one of which opens."""
    n_files: int
    n_open: int
    """Files of an earlier version, which were not sealed."""
    closed: tuple[str, ...]


def try_to_open(settings: Settings) -> Openable:
    """Open the name of every study and table, and a sample of the files.

    Raises:
        SettingsError: the key is not here, damaged, or another one.
        NotFoundError: a value of the database does not open.

    """
    with reading(settings) as session:
        values = [value for name in (StudyRow.name, CohortRow.name) for value in session.scalars(select(name))]
    store = FileStore(settings)
    names = [name for name in store.names() if store.size(name) <= MOST_BYTES]
    looked = names[:: max(1, -(-len(names) // MOST_FILES))]
    n_open, closed = 0, []
    for name in looked:
        data = store.read_as_kept(name)
        n_open += not is_sealed(data)
        try:
            opened(data, store.keys, name)
        except NotFoundError:
            closed.append(name)
    return Openable(len(values), len(looked), n_open, tuple(closed))
