"""Work that takes longer than a click: started, followed and stopped on a Dask cluster.

Each name is imported when it is first used: the scheduler and the workers' parent know only the parts that they
run, and are there in a third of the time and memory. Importing this room imports no Dask.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from medcore.jobs.cluster.connection import disconnect as disconnect
    from medcore.jobs.cluster.places import ResultOf as ResultOf
    from medcore.jobs.cluster.processes import stop_local_cluster as stop_local_cluster
    from medcore.jobs.queries.calls import call as call
    from medcore.jobs.runs.hand_over import ensure_cluster as ensure_cluster
    from medcore.jobs.runs.start import cancel_run as cancel_run
    from medcore.jobs.runs.start import start_run as start_run
    from medcore.jobs.runs.supervisor import WorkerState as WorkerState
    from medcore.jobs.runs.supervisor import WorkerStatus as WorkerStatus
    from medcore.jobs.runs.supervisor import keep_warm as keep_warm
    from medcore.jobs.runs.supervisor import n_workers as n_workers
    from medcore.jobs.runs.supervisor import stop_keeping as stop_keeping
    from medcore.jobs.runs.supervisor import worker_ready as worker_ready
    from medcore.jobs.runs.supervisor import worker_status as worker_status
    from medcore.jobs.stop import Stop as Stop

_HOME = {
    "ResultOf": "cluster.places",
    "Stop": "stop",
    "WorkerState": "runs.supervisor",
    "WorkerStatus": "runs.supervisor",
    "call": "queries.calls",
    "cancel_run": "runs.start",
    "disconnect": "cluster.connection",
    "ensure_cluster": "runs.hand_over",
    "keep_warm": "runs.supervisor",
    "n_workers": "runs.supervisor",
    "start_run": "runs.start",
    "stop_keeping": "runs.supervisor",
    "stop_local_cluster": "cluster.processes",
    "worker_ready": "runs.supervisor",
    "worker_status": "runs.supervisor",
}

__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'medcore.jobs' has no attribute {name!r}")
    return getattr(import_module(f"medcore.jobs.{_HOME[name]}"), name)
