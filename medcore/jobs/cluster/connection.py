"""One connection of this process to the cluster: the local one, or the one that is named."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from medcore.errors import WorkerError
from medcore.i18n import N_
from medcore.jobs.cluster.process import reap
from medcore.jobs.cluster.processes import running_scheduler
from medcore.jobs.cluster.security import cluster_security
from medcore.settings import Settings

if TYPE_CHECKING:
    from distributed import Client, Future, Security

CONNECT_SECONDS = 20.0
GREET_SECONDS = 5.0
"""How long a named scheduler may take to say who it is; our own, which was just seen to live, gets all the time to connect."""
ASK_SECONDS = 3.0
FRESH_SECONDS = 1.0
PATIENCE_SECONDS = 3.0
"""How long nobody tries again, and everybody is told the same, after a cluster could not be reached."""
CLOSE_SECONDS = 2.0
NO_LOG_OF_MESSAGES = "distributed.admin.low-level-log-length"
"""How many of the last messages Dask remembers at each end of each connection, for its developers: 1,000 by default,
each of up to a megabyte and many with patients in them, long after their study was removed."""


@dataclass(slots=True)
class Connection:
    """A living connection, and the runs that were handed over through it."""

    client: Client
    handed_over: dict[str, Future[WorkerError | None]] = field(default_factory=dict)
    asked: float = -1e9
    n_lately: int = 0

    def alive(self) -> bool:
        """Whether the scheduler still answers."""
        comm = self.client.scheduler_comm
        return self.client.status == "running" and comm is not None and not comm.closed()

    def n_workers(self) -> int:
        """How many workers are ready; 0 when the scheduler does not say so within seconds."""
        return len(workers_of(self.client)) if self.alive() else 0

    def workers_lately(self) -> int:
        """How many workers were ready within the last second: what pages ask several times each."""
        moment = time.monotonic()
        if moment - self.asked >= FRESH_SECONDS or not self.alive():
            self.n_lately, self.asked = self.n_workers(), moment
        return self.n_lately


def workers_of(client: Client) -> dict[str, dict[str, Any]]:
    """Return what the scheduler knows of each worker, by its address; nothing when it does not answer within seconds."""
    scheduler = client.scheduler
    if scheduler is None:
        return {}
    try:
        found: dict[str, Any] = client.sync(scheduler.identity, n_workers=-1, callback_timeout=ASK_SECONDS)
    except (OSError, TimeoutError):
        return {}
    return dict(found["workers"])


def places(workers: Mapping[str, Mapping[str, Any]], resource: str) -> dict[str, int] | None:
    """Return how much of a resource each worker offers; ``None`` where none does, so that nothing limits it."""
    offered = {address: int(worker["resources"].get(resource, 0)) for address, worker in workers.items()}
    return offered if any(offered.values()) else None


_connections: dict[Settings, Connection] = {}
_locks: dict[Settings, threading.Lock] = {}
_refused: dict[Settings, tuple[float, WorkerError]] = {}
_guard = threading.Lock()


def connected(settings: Settings) -> Connection:
    """Return a living connection to the cluster; start the local one if it is not there.

    It waits for the scheduler, not for the worker.

    Raises:
        WorkerError: the cluster cannot be started or reached.
        SettingsError: a named cluster without TLS.

    """
    with _lock(settings):
        connection = _connections.get(settings)
        if connection is None or not connection.alive():
            if connection is not None:
                _close(connection)
            connection = _connections[settings] = _connect_patiently(settings)
    return connection


def present_connection(settings: Settings) -> Connection | None:
    """Return the connection there is, if it is alive; never waits."""
    connection = _connections.get(settings)
    return connection if connection is not None and connection.alive() else None


def disconnect(settings: Settings) -> None:
    """Close this process's connection; the cluster and its runs go on.

    One that is only just being made is left to the end of the process.
    """
    lock = _lock(settings)
    if not lock.acquire(timeout=CLOSE_SECONDS):
        return
    try:
        connection = _connections.pop(settings, None)
        if connection is not None:
            _close(connection)
    finally:
        lock.release()


def _connect_patiently(settings: Settings) -> Connection:
    """Connect, unless that has just failed: several who ask at once would each wait for the same answer."""
    moment, error = _refused.get(settings, (0.0, None))
    if error is not None and time.monotonic() - moment < PATIENCE_SECONDS:
        raise error
    try:
        return Connection(connect(settings))
    except WorkerError as failure:
        _refused[settings] = time.monotonic(), failure
        raise


def connect(settings: Settings) -> Client:
    """Make a new connection to the named cluster, or to the local one, which is started if need be.

    Raises:
        WorkerError: the cluster cannot be started or reached.
        SettingsError: a named cluster without TLS.

    """
    reap()
    return reach(settings, settings.scheduler or running_scheduler(settings))


def reach(settings: Settings, address: str) -> Client:
    """Make a new connection to a scheduler that is there; nothing is started.

    Raises:
        WorkerError: it does not answer.
        SettingsError: a named cluster without TLS.

    """
    import dask

    from medcore.jobs.cluster.client import let_in

    dask.config.set({NO_LOG_OF_MESSAGES: 0})
    security = cluster_security(settings)
    seconds = CONNECT_SECONDS if settings.scheduler is None else GREET_SECONDS
    try:
        with ThreadPoolExecutor(1) as aside:  # a notebook has an event loop of its own in this thread
            aside.submit(asyncio.run, _greet(address, security, seconds)).result()
        return let_in(address, security, timeout=CONNECT_SECONDS, direct_to_workers=False)
    except Exception as error:
        if settings.scheduler is None:
            raise no_answer(error) from None
        raise WorkerError(
            N_(
                "The cluster at {address} cannot be reached ({kind}). Start it, or correct MEDCORE_SCHEDULER and the files of MEDCORE_TLS_CA, MEDCORE_TLS_CERT and MEDCORE_TLS_KEY."
            ),
            address=address,
            kind=type(error).__name__,
        ) from None


def no_answer(error: Exception) -> WorkerError:
    """Say that our own cluster cannot be had, and by which kind of error."""
    return WorkerError(
        N_("The part of medcore that computes does not answer ({kind}). Stop medcore and start it again."),
        kind=type(error).__name__,
    )


async def _greet(address: str, security: Security, seconds: float) -> None:
    """Reach the scheduler and be let in: this says sooner than a client why it cannot be."""
    from distributed.comm.core import connect as dial

    credentials = security.get_connection_args("client")
    async with asyncio.timeout(seconds):
        comm = await dial(address, timeout=seconds, **credentials)
    await comm.close()


def _close(connection: Connection) -> None:
    with contextlib.suppress(Exception):  # it was broken; that is why it is closed
        connection.client.close()


def _lock(settings: Settings) -> threading.Lock:
    with _guard:
        return _locks.setdefault(settings, threading.Lock())
