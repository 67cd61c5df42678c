"""Start a training run, and stop it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medcore.jobs.cluster.connection import present_connection
from medcore.models.contract.checks import check_installed
from medcore.models.contract.settings import TrainSettings
from medcore.studies import RunRecord, Store

if TYPE_CHECKING:
    pass


from medcore.jobs.runs.hand_over import hand_over
from medcore.jobs.runs.supervisor import keep_warm


def start_run(store: Store, owner: str, study_id: str, settings: TrainSettings) -> str:
    """Queue a training run of a study as it is now and return its id, without waiting for a worker.

    The run is in the database before a worker hears of it, so it is not lost
    when none is there: it is handed over as soon as there is one.

    Raises:
        SettingsError: the model begins with weights in a package that is not installed.

    """
    check_installed(settings.model)
    run = store.create_run(owner, study_id, settings)
    connection = present_connection(store.settings)
    if connection is not None:
        hand_over(store.settings, connection)
    else:
        keep_warm(store.settings)
    return run.id


def cancel_run(store: Store, owner: str, run_id: str) -> RunRecord:
    """Ask a run to stop: at once if it waits, within an epoch if it works."""
    return store.request_cancel(owner, run_id)
