"""Work that takes longer than a click: started, followed and stopped on a Dask cluster.

Importing this room imports no Dask; the first use does.
"""

from medcore.jobs.calls import call
from medcore.jobs.cluster import disconnect, ensure_cluster
from medcore.jobs.keeper import WorkerStatus, keep_warm, stop_keeping, worker_ready, worker_status
from medcore.jobs.places import ResultOf
from medcore.jobs.processes import stop_local_cluster
from medcore.jobs.runs import cancel_run, start_run

__all__ = [
    "ResultOf",
    "WorkerStatus",
    "call",
    "cancel_run",
    "disconnect",
    "ensure_cluster",
    "keep_warm",
    "start_run",
    "stop_keeping",
    "stop_local_cluster",
    "worker_ready",
    "worker_status",
]
