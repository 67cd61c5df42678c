"""One training run on a worker, from beginning to end; whatever happens is told to the database."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

from medcore.errors import CancelledError, MedcoreError, WorkerError
from medcore.i18n import N_
from medcore.jobs.cluster.growth import give_memory_back
from medcore.jobs.cluster.places import here
from medcore.jobs.logs import log_without_values, note
from medcore.jobs.parser_race import retry_parser_race
from medcore.jobs.runs.follower import RunFollower
from medcore.jobs.runs.heartbeat import beating
from medcore.jobs.runs.workers import workers_of_this_cluster
from medcore.sealing import Folder
from medcore.settings import Settings
from medcore.studies import RunInputs, Store

MOST_ATTEMPTS = 5

Work = Callable[[RunInputs, RunFollower, Folder], dict[str, Any]]


def perform_run(settings: Settings, owner: str, run_id: str, work: Work) -> WorkerError | None:
    """Do one run from beginning to end on a worker; whatever happens is told to the database.

    Nothing is raised: Dask would log the arguments of what failed. What the database
    cannot be told, because it is out of reach from here, is returned.
    """
    try:
        store = Store(here(settings))
        attempt = store.begin_attempt(owner, run_id)
        if attempt is None:
            return None
        if attempt > MOST_ATTEMPTS:
            _fail(store, owner, run_id, attempt, lost(attempt - 1))
            return None
        _attempt(store, owner, run_id, attempt, work)
    except Exception as error:
        log_without_values(error)
        return _out_of_reach(error)
    finally:
        give_memory_back()
    return None


def get_ready_for_patients(failure: WorkerError | None, settings: Settings, owner: str, run_id: str) -> None:
    """Have a finished run's model compiled, and what a person asks first answered and kept, before anybody asks.

    It follows the run as a task of its own: the run is done already, and nothing is lost if this fails.
    """
    from medcore.explanation.patient.worker_queries import get_ready
    from medcore.jobs.queries.first_patients import keep_first_patients

    if failure is None:
        try:
            store = Store(here(settings))
            if store.get_run(owner, run_id).state == "done":
                get_ready(store.result_folder(owner, run_id))
                keep_first_patients(store.settings, owner, run_id)
        except Exception as error:
            log_without_values(error)


def _attempt(store: Store, owner: str, run_id: str, attempt: int, work: Work) -> None:
    note("run begun", run=run_id, attempt=attempt)
    follower = RunFollower(store, owner, run_id, attempt)
    try:
        with beating(store, owner, run_id, attempt), store.scratch_folder() as folder:
            summary = retry_parser_race(lambda: work(_inputs(store, owner, run_id), follower, folder))
            follower.flush()
            if store.signal(owner, run_id, attempt) != "superseded":
                store.keep_result(owner, run_id, folder)
        store.finish_run(owner, run_id, "done", attempt=attempt, summary=summary)
    except CancelledError:
        store.finish_run(owner, run_id, "cancelled", attempt=attempt)
    except MedcoreError as error:
        _fail(store, owner, run_id, attempt, error)
    except Exception as error:
        log_without_values(error)
        _fail(store, owner, run_id, attempt, _unexpected(error))
    run = store.get_run(owner, run_id)
    note("run left", run=run_id, attempt=attempt, state=run.state)
    if not run.unfinished:
        shutil.rmtree(store.checkpoint_dir(run_id).path, ignore_errors=True)


def _inputs(store: Store, owner: str, run_id: str) -> RunInputs:
    try:
        return store.run_inputs(owner, run_id)
    except OSError as error:
        raise _out_of_reach(error) from None


def train_study(inputs: RunInputs, follower: RunFollower, folder: Folder) -> dict[str, Any]:
    """Prepare, split, train and save; return the figures that lists show."""
    from medcore.models.run.cohort import train_cohort

    asked: dict[str, Any] = {
        "recipe": inputs.plan.recipe,
        "split": inputs.plan.split,
        "folder": folder,
        "follower": follower,
    }
    with workers_of_this_cluster() as workers:
        trained = train_cohort(inputs.cohort, inputs.settings, **asked, workers=workers)
    figures: dict[str, Any] = trained.results.summary()
    return figures | {"seconds": trained.seconds}


def _fail(store: Store, owner: str, run_id: str, attempt: int, error: MedcoreError) -> None:
    store.finish_run(owner, run_id, "failed", attempt=attempt, error=error)


def lost(times: int) -> WorkerError:
    """Say that a run lost its worker so many times."""
    return WorkerError(
        N_(
            "The worker was lost {n} times during this run, most likely for lack of memory. Set MEDCORE_WORKER_MEMORY higher, or train a smaller model."
        ),
        n=times,
    )


def _out_of_reach(error: Exception) -> WorkerError:
    return WorkerError(
        N_(
            "The worker cannot reach this study ({kind}). With workers on other machines, MEDCORE_DATABASE_URL and MEDCORE_STORAGE must name a server and a place that every one of them reaches."
        ),
        kind=type(error).__name__,
    )


def _unexpected(error: Exception) -> WorkerError:
    if isinstance(error, MemoryError):
        return WorkerError(N_("The worker has too little memory for this run. Set MEDCORE_WORKER_MEMORY higher."))
    return WorkerError(
        N_("The run failed inside medcore ({kind}). The study is as it was; worker.log in the data folder says where."),
        kind=type(error).__name__,
    )
