"""A quiet thread in the web process that looks after everything that computes.

It asks after the connection, the scheduler, the workers' parent, the workers and
the runs that should be at work; what is lost is started again, and what was lost
with it is handed over once more.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import Literal

from medcore.errors import MedcoreError, WorkerError
from medcore.explanation.patient import worker_queries
from medcore.i18n import N_
from medcore.jobs.cluster.connection import Connection, disconnect, no_answer, present_connection
from medcore.jobs.cluster.processes import (
    left_to_start,
    replace_lost_worker,
    seconds_to_start,
    stop_local_cluster,
)
from medcore.jobs.runs.hand_over import ensure_cluster, hand_over_again
from medcore.safe_files import sweep_left_overs
from medcore.settings import Settings
from medcore.studies import Store

logger = logging.getLogger("medcore.jobs")

WorkerState = Literal["absent", "starting", "ready"]
LOOK_EVERY_SECONDS = 3.0
FIRST_LOOKS_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
MOST_IN_A_ROW = 3
"""So often a worker that was started again may end before it answers; then pages say so."""
STOP_SECONDS = 2.0
CLEAN_SECONDS = 3600.0
PATIENCE_SECONDS = 180.0
"""When no worker came for so long though every process lives, the local cluster is begun anew."""


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """Whether a worker can answer now; ``problem`` says why none can be had, ``left`` in how many seconds one can."""

    state: WorkerState
    problem: MedcoreError | None = None
    left: float | None = None


@dataclass(slots=True)
class _Supervisor:
    settings: Settings
    stopped: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None
    problem: MedcoreError | None = None
    next_cleaning: float = 0.0
    last_ready: float = field(default_factory=time.monotonic)
    n_replaced: int = 0
    n_again: int = 0
    n_in_a_row: int = 0
    n_refused: int = 0

    def run(self) -> None:
        while not self.stopped.is_set():
            ready = self.look_or_say_why()
            self.stopped.wait(LOOK_EVERY_SECONDS if ready else self.pause())

    def look_or_say_why(self) -> bool:
        try:
            ready = self.look()
        except Exception as error:
            self.n_refused += 1
            self.problem = error if isinstance(error, MedcoreError) else no_answer(error)
            if self.problem is not error:
                logger.warning("The worker could not be looked after: %s", type(error).__name__)
            return False
        self.n_refused = 0
        self.problem = None if self.n_in_a_row < MOST_IN_A_ROW else ends_each_time(self.settings)
        return ready

    def pause(self) -> float:
        """Return how many seconds to wait before the next look: what fails again and again is tried less and less often."""
        return min(FIRST_LOOKS_SECONDS * 2.0 ** min(self.n_refused + self.n_in_a_row, 10), LONGEST_PAUSE_SECONDS)

    def look(self) -> bool:
        """Ask after every part, mend what is lost, and return whether a worker can answer."""
        connection = ensure_cluster(self.settings)
        if connection.n_workers():
            self.last_ready, self.n_in_a_row = time.monotonic(), 0
            n = hand_over_again(self.settings, connection)
            if n:
                self.n_again += n
                logger.warning("%d runs gave no sign of life and were handed over again", n)
            self.clean_up(connection)
            return True
        if self.settings.scheduler is not None:
            return False
        if replace_lost_worker(self.settings):
            self._count()
            logger.warning("The worker was lost and was started again")
        elif self._overdue():
            logger.warning("No worker came; the local cluster is begun anew")
            self.last_ready = time.monotonic()
            self._count()
            disconnect(self.settings)
            stop_local_cluster(self.settings)
        return False

    def _count(self) -> None:
        self.n_replaced += 1
        self.n_in_a_row += 1

    def _overdue(self) -> bool:
        """Whether no worker came for too long; another web server may have begun them anew a moment ago."""
        seconds = time.monotonic() - self.last_ready
        return seconds > PATIENCE_SECONDS and seconds_to_start(self.settings, seconds) > PATIENCE_SECONDS

    def clean_up(self, connection: Connection) -> None:
        """Remove for good what was deleted long ago, and what killed processes left; once an hour."""
        if time.monotonic() < self.next_cleaning:
            return
        self.next_cleaning = time.monotonic() + CLEAN_SECONDS
        store = Store(self.settings)
        if store.purge_expired(self.settings.retention_days):
            connection.client.run(worker_queries.forget)
        store.sweep_orphans()
        sweep_left_overs(self.settings.data_dir)


def ends_each_time(settings: Settings) -> WorkerError:
    """Say that a worker does not come up, however often it is started."""
    return WorkerError(
        N_(
            "The part of medcore that computes ends each time it is started, most likely for lack of memory; it is tried again by itself. The reason is in {log}."
        ),
        log=str(settings.data_dir / "jobs" / "worker.log"),
    )


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


def mended(settings: Settings) -> tuple[int, int]:
    """Return how often this process started lost workers again, and how many runs it handed over again."""
    supervisor = _supervisors.get(settings)
    return (supervisor.n_replaced, supervisor.n_again) if supervisor is not None else (0, 0)


def n_workers(settings: Settings | None = None) -> int:
    """Tell how many workers can answer now; never waits."""
    connection = present_connection(settings or Settings.from_env())
    return 0 if connection is None else connection.workers_lately()


def worker_status(settings: Settings | None = None) -> WorkerStatus:
    """Tell whether a worker can answer now; never waits."""
    settings = settings or Settings.from_env()
    connection = present_connection(settings)
    if n_workers(settings):
        return WorkerStatus("ready")
    supervisor = _supervisors.get(settings)
    if supervisor is None:
        return WorkerStatus("absent" if connection is None else "starting")
    if supervisor.problem:
        return WorkerStatus("absent", supervisor.problem)
    return WorkerStatus("starting", left=None if settings.scheduler else left_to_start(settings))


def worker_ready(settings: Settings | None = None) -> bool:
    """Whether a worker can answer now; never waits."""
    return worker_status(settings).state == "ready"
