"""Give the cluster the runs that wait for it."""

from __future__ import annotations

from collections.abc import Mapping, Set
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from medcore.errors import NotFoundError, WorkerError
from medcore.i18n import N_
from medcore.jobs.cluster.connection import Connection, connected, places, workers_of
from medcore.jobs.cluster.packed import Packed, do
from medcore.jobs.cluster.processes import TRAIN
from medcore.jobs.runs.heartbeat import SILENT_SECONDS
from medcore.jobs.runs.perform import Work, get_ready_for_patients, lost, perform_run, train_study
from medcore.settings import Settings
from medcore.studies import Store

if TYPE_CHECKING:
    from distributed import Future


def ensure_cluster(settings: Settings) -> Connection:
    """Return a living connection to the cluster; start the local one if it is not there.

    It waits for the scheduler, not for the worker. Runs that were left without a
    worker are handed over again.

    Raises:
        WorkerError: the cluster cannot be started or reached.
        SettingsError: a named cluster without TLS.

    """
    connection = connected(settings)
    hand_over(settings, connection)
    return connection


def hand_over(settings: Settings, connection: Connection, *, work: Work | None = None) -> int:
    """Give the cluster every unfinished run that this connection has not given it yet.

    The task's name is the run's: a run that the scheduler has already is not
    begun twice. Returns how many were handed over.
    """
    unfinished = Store(settings).unfinished_runs()
    _let_go(connection, {run_id for _owner, run_id in unfinished})
    new = [pair for pair in unfinished if pair[1] not in connection.handed_over]
    return _submit(settings, connection, {pair: f"run-{pair[1]}" for pair in new}, work or train_study)


def hand_over_again(settings: Settings, connection: Connection, *, work: Work | None = None) -> int:
    """Give the cluster once more every run that should be at work and gives no sign of life.

    Its older attempt, should it wake up somewhere, is superseded. Returns how many were handed over.
    """
    silent = Store(settings).silent_runs(SILENT_SECONDS)
    keys = {(owner, run_id): f"run-{run_id}-after-{attempt}" for owner, run_id, attempt in silent}
    given = {run_id: future.key for run_id, future in connection.handed_over.items()}
    again = {pair: key for pair, key in keys.items() if given.get(pair[1]) != key}
    return _submit(settings, connection, again, work or train_study)


def _let_go(connection: Connection, unfinished: Set[str]) -> None:
    """Forget the runs that are over: each is kept here, and by the scheduler for our sake, as long as we hold it."""
    for run_id, future in list(connection.handed_over.items()):
        if run_id not in unfinished and future.done():
            del connection.handed_over[run_id]


def _submit(settings: Settings, connection: Connection, new: Mapping[tuple[str, str], str], work: Work) -> int:
    from distributed import fire_and_forget

    workers = workers_of(connection.client) if new and settings.scheduler is not None else {}
    if not new or (settings.scheduler is not None and not workers):
        return 0
    # Ours trains one run at a time, and so does each worker of a named cluster that offers to.
    limited = settings.scheduler is None or places(workers, TRAIN) is not None
    turns = Store(settings).turns()
    for (owner, run_id), key in new.items():
        future = connection.client.submit(
            do,
            Packed.of(perform_run, settings, owner, run_id, work),
            key=key,
            pure=False,
            resources={TRAIN: 1} if limited else None,
            priority=-turns.get(run_id, 0),  # Dask begins with the highest
        )
        fire_and_forget(future)
        future.add_done_callback(partial(_note_failure, settings, owner, run_id))
        connection.handed_over[run_id] = future
        warm = Packed.of(get_ready_for_patients, settings, owner, run_id)
        ready = connection.client.submit(do, warm, future, pure=False)
        fire_and_forget(ready)
    return len(new)


def _note_failure(settings: Settings, owner: str, run_id: str, future: Future[WorkerError | None]) -> None:
    """Tell the database of a run that no worker could begin or end there; a lost connection is not that."""
    if future.status == "error":
        failure: WorkerError | None = _not_taken(future.exception())
    elif future.status == "finished":
        try:
            failure = future.result()
        except OSError:  # the connection was lost meanwhile; whoever connects next asks after the run
            return
    else:
        return
    if failure is not None:
        with suppress(NotFoundError):  # it was removed for good meanwhile
            Store(settings).finish_run(owner, run_id, "failed", error=failure)


def _not_taken(error: BaseException | None) -> WorkerError:
    from distributed.scheduler import KilledWorker

    if isinstance(error, KilledWorker):
        return lost(error.allowed_failures + 1)
    return WorkerError(
        N_(
            "The cluster could not take this run. Stop medcore and start it again; a cluster of your own needs the same version of medcore on every machine."
        )
    )
