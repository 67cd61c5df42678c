"""A quiet thread in the web process that keeps a warm worker at hand."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from typing import Literal

from medcore.errors import MedcoreError
from medcore.jobs.cluster import ensure_cluster, present_connection
from medcore.settings import Settings

logger = logging.getLogger("medcore.jobs")

WorkerState = Literal["absent", "starting", "ready"]
LOOK_EVERY_SECONDS = 3.0
FIRST_LOOKS_SECONDS = 0.5
STOP_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """Whether a worker can answer now; ``problem`` says why none can be had."""

    state: WorkerState
    problem: MedcoreError | None = None


@dataclass(slots=True)
class _Keeper:
    settings: Settings
    stopped: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None
    problem: MedcoreError | None = None

    def run(self) -> None:
        while not self.stopped.is_set():
            try:
                ready = ensure_cluster(self.settings).n_workers() > 0
                self.problem = None
            except MedcoreError as error:
                ready, self.problem = False, error
            except Exception as error:
                logger.warning("The worker could not be looked after: %s", type(error).__name__)
                ready = False
            self.stopped.wait(LOOK_EVERY_SECONDS if ready else FIRST_LOOKS_SECONDS)


_keepers: dict[Settings, _Keeper] = {}
_guard = threading.Lock()


def keep_warm(settings: Settings) -> None:
    """See to it from now on, in the background, that the cluster is there; returns at once."""
    with _guard:
        keeper = _keepers.get(settings)
        if keeper is None or keeper.thread is None or not keeper.thread.is_alive():
            keeper = _keepers[settings] = _Keeper(settings)
            keeper.thread = threading.Thread(target=keeper.run, name="medcore-keeper", daemon=True)
            keeper.thread.start()


def stop_keeping(settings: Settings) -> None:
    """Stop looking after the cluster, which goes on by itself; waits a moment for the thread to notice."""
    with _guard:
        keeper = _keepers.pop(settings, None)
    if keeper is not None:
        keeper.stopped.set()
        if keeper.thread is not None:
            keeper.thread.join(STOP_SECONDS)


def worker_status(settings: Settings | None = None) -> WorkerStatus:
    """Tell whether a worker can answer now; never waits."""
    settings = settings or Settings.from_env()
    connection = present_connection(settings)
    if connection is not None and connection.n_workers():
        return WorkerStatus("ready")
    keeper = _keepers.get(settings)
    if keeper is None:
        return WorkerStatus("absent" if connection is None else "starting")
    return WorkerStatus("absent" if keeper.problem else "starting", keeper.problem)


def worker_ready(settings: Settings | None = None) -> bool:
    """Whether a worker can answer now; never waits."""
    return worker_status(settings).state == "ready"
