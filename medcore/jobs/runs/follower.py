"""What a run on a worker tells the database, and how it hears that it should stop."""

from __future__ import annotations

import time

from medcore.models.contract.progress import Progress
from medcore.sealing import Folder
from medcore.settings import Settings
from medcore.studies import Store

WRITE_EVERY_SECONDS = 0.25
LISTEN_EVERY_SECONDS = 0.1


class RunFollower:
    """Writes a run's progress to the database in small batches and reads the wish to stop.

    It satisfies ``medcore.models.contract.progress.Follower``. A run whose newer attempt
    has begun elsewhere is told to stop as well, and writes nothing any more.
    """

    def __init__(self, store: Store, owner: str, run_id: str, attempt: int) -> None:
        self._store, self._owner, self._run_id, self._attempt = store, owner, run_id, attempt
        self._waiting: list[Progress] = []
        self._written = self._listened = 0.0
        self._stop = False
        self.checkpoint_dir: Folder | None = store.checkpoint_dir(run_id)

    @property
    def settings(self) -> Settings:
        """The installation that the run belongs to."""
        return self._store.settings

    def report(self, progress: Progress, /) -> None:
        """Take note of one moment of the run."""
        new_stage = not self._waiting or self._waiting[-1].stage != progress.stage
        self._waiting.append(progress)
        if new_stage or time.monotonic() - self._written >= WRITE_EVERY_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what was not written yet."""
        if not self.cancelled():
            self._store.append_progress(self._owner, self._run_id, self._waiting)
        self._waiting.clear()
        self._written = time.monotonic()

    def cancelled(self) -> bool:
        """Whether the person asked to stop, or a newer attempt is at it."""
        if not self._stop and time.monotonic() - self._listened >= LISTEN_EVERY_SECONDS:
            self._stop = self._store.signal(self._owner, self._run_id, self._attempt) != "go on"
            self._listened = time.monotonic()
        return self._stop
