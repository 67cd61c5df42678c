"""What a task is given, as it is on the machine that does it.

A worker of a named cluster may be on another machine. It shares the database and
the store of files with the web server, but keeps checkpoints and copies in a data
folder of its own, and knows nothing of the web server's paths.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from medcore.sealing import SealedFolder
from medcore.settings import Settings
from medcore.studies import Store


@dataclass(frozen=True, slots=True)
class ResultOf:
    """Stands for the folder of a finished run's results, wherever it is asked for."""

    settings: Settings
    owner: str
    run_id: str
    horizon: float | None = None
    """By when a model is asked that says by when; otherwise about its main horizon."""

    def folder(self) -> SealedFolder:
        """Return the folder on this machine.

        Raises:
            NotFoundError: the run has no results, or is somebody else's.

        """
        return Store(self.settings).result_folder(self.owner, self.run_id)


def here(settings: Settings) -> Settings:
    """Return an installation's settings with this machine's data folder."""
    return replace(settings, data_dir=Settings.from_env().data_dir)


def at_hand(value: Any) -> Any:
    """Put this machine's own in place of settings and of a run's results; anything else stays as it is."""
    if isinstance(value, Settings):
        return here(value)
    if isinstance(value, ResultOf):
        from medcore.explanation.patient.worker_queries import By  # what a web server does not need at its start

        folder = replace(value, settings=here(value.settings)).folder()
        return folder if value.horizon is None else By(folder, value.horizon)
    return value
