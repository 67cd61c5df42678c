"""One connection of this process to the cluster: the local one, or the one that is named."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from medcore.errors import MedcoreError, WorkerError
from medcore.i18n import N_
from medcore.jobs.processes import reap, running_scheduler
from medcore.jobs.security import cluster_security
from medcore.settings import Settings

if TYPE_CHECKING:
    from distributed import Client, Future

CONNECT_SECONDS = 20.0
CLOSE_SECONDS = 2.0


@dataclass(slots=True)
class Connection:
    """A living connection, and the runs that were handed over through it."""

    client: Client
    handed_over: dict[str, Future[None]] = field(default_factory=dict)

    def alive(self) -> bool:
        """Whether the scheduler still answers."""
        comm = self.client.scheduler_comm
        return self.client.status == "running" and comm is not None and not comm.closed()

    def n_workers(self) -> int:
        """How many workers are ready, as last heard; never waits."""
        return len(self.client.scheduler_info(n_workers=-1).get("workers", {})) if self.alive() else 0


_connections: dict[Settings, Connection] = {}
_locks: dict[Settings, threading.Lock] = {}
_guard = threading.Lock()


def ensure_cluster(settings: Settings) -> Connection:
    """Return a living connection to the cluster; start the local one if it is not there.

    It waits for the scheduler, not for the worker. Runs that were left without a
    worker are handed over again.

    Raises:
        WorkerError: the cluster cannot be started or reached.
        SettingsError: a named cluster without TLS.

    """
    from medcore.jobs.runs import hand_over

    with _lock(settings):
        connection = _connections.get(settings)
        if connection is None or not connection.alive():
            if connection is not None:
                _close(connection)
            connection = _connections[settings] = _connect(settings)
    hand_over(settings, connection)
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


def _connect(settings: Settings) -> Connection:
    from distributed import Client

    reap()
    address = settings.scheduler or running_scheduler(settings)
    try:
        client = Client(  # type: ignore[no-untyped-call]
            address,
            security=cluster_security(settings),
            timeout=CONNECT_SECONDS,
            set_as_default=False,
            direct_to_workers=False,
        )
    except MedcoreError:
        raise
    except Exception as error:
        raise WorkerError(
            N_("The cluster at {address} cannot be reached ({kind}). Start it, or correct MEDCORE_SCHEDULER."),
            address=address,
            kind=type(error).__name__,
        ) from None
    return Connection(client)


def _close(connection: Connection) -> None:
    with contextlib.suppress(Exception):  # it was broken; that is why it is closed
        connection.client.close(timeout=1)  # type: ignore[no-untyped-call]


def _lock(settings: Settings) -> threading.Lock:
    with _guard:
        return _locks.setdefault(settings, threading.Lock())
