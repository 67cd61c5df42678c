"""A quiet thread in the web process that keeps a warm worker at hand."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from typing import Literal

from medcore.errors import MedcoreError
from medcore.jobs.cluster.connection import present_connection
from medcore.jobs.runs.hand_over import ensure_cluster
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
class _Supervisor:
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


_supervisors: dict[Settings, _Supervisor] = {}
_guard = threading.Lock()


def keep_warm(settings: Settings) -> None:
    """See to it from now on, in the background, that the cluster is there; returns at once."""
    with _guard:
        supervisor = _supervisors.get(settings)
        if supervisor is None or supervisor.thread is None or not supervisor.thread.is_alive():
            supervisor = _supervisors[settings] = _Supervisor(settings)
            supervisor.thread = threading.Thread(target=supervisor.run, name="medcore-supervisor", daemon=True)
            supervisor.thread.start()


def stop_keeping(settings: Settings) -> None:
    """Stop looking after the cluster, which goes on by itself; waits a moment for the thread to notice."""
    with _guard:
        supervisor = _supervisors.pop(settings, None)
    if supervisor is not None:
        supervisor.stopped.set()
        if supervisor.thread is not None:
            supervisor.thread.join(STOP_SECONDS)


def worker_status(settings: Settings | None = None) -> WorkerStatus:
    """Tell whether a worker can answer now; never waits."""
    settings = settings or Settings.from_env()
    connection = present_connection(settings)
    if connection is not None and connection.n_workers():
        return WorkerStatus("ready")
    supervisor = _supervisors.get(settings)
    if supervisor is None:
        return WorkerStatus("absent" if connection is None else "starting")
    return WorkerStatus("absent" if supervisor.problem else "starting", supervisor.problem)


def worker_ready(settings: Settings | None = None) -> bool:
    """Whether a worker can answer now; never waits."""
    return worker_status(settings).state == "ready"
