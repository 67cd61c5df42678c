"""Work that takes longer than a click: started, followed and stopped on a Dask cluster.

Importing this room imports no Dask; the first use does.
"""

from medcore.jobs.cluster.connection import disconnect
from medcore.jobs.cluster.places import ResultOf
from medcore.jobs.cluster.processes import stop_local_cluster
from medcore.jobs.queries.calls import call
from medcore.jobs.runs.hand_over import ensure_cluster
from medcore.jobs.runs.start import cancel_run, start_run
from medcore.jobs.runs.supervisor import (
    WorkerState,
    WorkerStatus,
    keep_warm,
    n_workers,
    stop_keeping,
    worker_ready,
    worker_status,
)
from medcore.jobs.stop import Stop

__all__ = [
    "ResultOf",
    "Stop",
    "WorkerState",
    "WorkerStatus",
    "call",
    "cancel_run",
    "disconnect",
    "ensure_cluster",
    "keep_warm",
    "n_workers",
    "start_run",
    "stop_keeping",
    "stop_local_cluster",
    "worker_ready",
    "worker_status",
]
