"""The local scheduler and worker (or workers, under one parent): processes that outlive the web server.

They are found again through files in the data folder's ``jobs``: ``cluster.json``
says which processes they are and from which code they were started,
``scheduler.json`` (Dask's own) where the scheduler listens.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from medcore.errors import WorkerError
from medcore.i18n import N_
from medcore.jobs.cluster.process import Process, all_or_none, end_all, reap, since_start, start, starved
from medcore.jobs.cluster.security import renew_local_key
from medcore.safe_files import file_lock, private_folder, write_whole
from medcore.settings import ROOT, Settings

LOOPBACK = "127.0.0.1"
WORKER_PRELOAD = "medcore.jobs.cluster.preload"
TRAIN = "TRAIN"  # the resource a training run takes, of which a worker has one
TRIAL = "TRIAL"  # the one a trial of a search takes, beside the run that waits for it
THREADS = 4  # one trains, the others answer pages
START_SECONDS = 60.0
"""What the scheduler may take to say where it listens; what it waited for a processor does not count, up to the longest."""
LONGEST_START_SECONDS = 300.0
"""What a worker may take to import and report, by the clock, before its parent gives both up: a cold disk, a full machine."""
BELOW_THE_PAGES = 3
"""How much nicer (nice(2)) workers are than the web server beside them: two training threads then weigh what the
pages weigh, so that on two cores the pages have one to themselves, and neither starves beside other programs."""
STARTED = "started.json"
"""In the cluster's folder: how long the last worker took to start."""
CHILDLESS_SECONDS = 20.0
"""A parent that has no worker so long after its birth does not get one any more; what it waited for a processor does not count."""
# A lost worker is blamed on the run it was at; medcore counts its attempts itself.
ALLOWED_FAILURES = 20


@dataclass(frozen=True, slots=True)
class LocalCluster:
    """The two processes, and the code and settings they were started from."""

    scheduler: Process
    worker: Process
    fingerprint: str

    @classmethod
    def read(cls, settings: Settings) -> LocalCluster | None:
        """Read who was started last, or ``None``."""
        try:
            data = json.loads(_file(settings, "cluster.json").read_text())
            return cls(Process(**data["scheduler"]), Process(**data["worker"]), data["fingerprint"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, settings: Settings) -> None:
        """Keep it for whoever looks next."""
        _write(_file(settings, "cluster.json"), asdict(self))

    def stop(self) -> None:
        """Ask both to end with their children, and end those that do not."""
        end_all([self.scheduler, self.worker])


@dataclass(frozen=True, slots=True)
class UsualStart:
    """How long the last local worker took to get ready (s), and how long after their parent it was born."""

    lead: float
    seconds: float


def _usual_start(folder: Path) -> UsualStart | None:
    try:
        return UsualStart(**json.loads((folder / STARTED).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def running_scheduler(settings: Settings) -> str:
    """Return the local scheduler's address; start what is not there.

    Two web processes that start at once take turns, and the second finds what
    the first has started. Processes of older code are replaced: a run they were
    at goes on from its checkpoint.

    Raises:
        WorkerError: the scheduler did not come up.

    """
    with file_lock(_file(settings, "cluster.lock")):
        cluster, wanted = LocalCluster.read(settings), fingerprint(settings)
        if cluster and cluster.scheduler.alive() and cluster.fingerprint == wanted:
            address = local_address(settings)
            if address and cluster.worker.alive():
                return address
            if address:
                _write_with_new_worker(settings, cluster)
                return address
        if cluster:
            cluster.stop()
        _file(settings, "scheduler.json").unlink(missing_ok=True)
        renew_local_key(settings)
        with all_or_none() as started:
            cluster = LocalCluster(_start_scheduler(settings, started), _start_worker(settings, started), wanted)
            cluster.write(settings)
            return _wait_for_address(settings, cluster)


def replace_lost_worker(settings: Settings) -> bool:
    """Start the local workers' parent again where it is gone, or has lost its workers; return whether it was started.

    Only while the scheduler lives: without it a connection is lost too, and making
    a new one starts both.
    """
    with file_lock(_file(settings, "cluster.lock")):
        reap()
        cluster = LocalCluster.read(settings)
        if cluster is None or not cluster.scheduler.alive() or _looks_after_workers(cluster):
            return False
        for process in cluster.worker.family():
            with contextlib.suppress(psutil.Error):
                process.kill()
        _write_with_new_worker(settings, cluster)
        return True


def _write_with_new_worker(settings: Settings, cluster: LocalCluster) -> None:
    with all_or_none() as started:
        LocalCluster(cluster.scheduler, _start_worker(settings, started), cluster.fingerprint).write(settings)


def _looks_after_workers(cluster: LocalCluster) -> bool:
    """Whether the workers' parent lives and has a worker, or is young enough to be starting one.

    It begins with a scheduler that it waits for, where both were started together.
    """
    parent, scheduler = cluster.worker, cluster.scheduler
    if not parent.alive():
        return False
    together = scheduler.pid != parent.pid and parent.born - scheduler.born < CHILDLESS_SECONDS
    waited = starved(parent.pid) + (starved(scheduler.pid) if together else 0.0)
    return len(parent.family()) > 1 or since_start() - parent.born - waited < CHILDLESS_SECONDS


def seconds_to_start(settings: Settings, seconds: float) -> float:
    """Return how many of the last seconds the local workers there are could have used to start.

    What came before their parent was born was not theirs, and a machine that is full of other work is no
    reason to begin anew what then starts as slowly: what the youngest waited for a processor does not count.
    """
    cluster = LocalCluster.read(settings)
    if cluster is None:
        return seconds
    seconds = min(seconds, since_start() - cluster.worker.born)
    young = [p.pid for p in cluster.worker.family() if Process.of(p.pid).born > since_start() - seconds - 1]
    return seconds - max(map(starved, young), default=0.0)


def note_start(folder: Path) -> None:
    """Note in a cluster's folder how long this process, a worker, took to get ready, and how long after its parent it was born."""
    worker, parent = Process.of(os.getpid()), Process.of(os.getppid())
    usual = _usual_start(folder)
    lead = worker.born - parent.born
    if lead > CHILDLESS_SECONDS:  # born later, for one that was lost
        lead = usual.lead if usual else 0.0
    _write(folder / STARTED, asdict(UsualStart(round(lead, 2), round(since_start() - worker.born, 2))))


def left_to_start(settings: Settings) -> float | None:
    """Return about how many seconds the local worker that starts still takes, by how long the last one took.

    ``None`` where that is not known, or when it takes longer than the last one did.
    """
    cluster, usual = LocalCluster.read(settings), _usual_start(_file(settings, ""))
    if cluster is None or usual is None:
        return None
    young = [Process.of(p.pid).born for p in cluster.worker.family()[1:]]
    left = max(young) + usual.seconds if young else cluster.worker.born + usual.lead + usual.seconds
    return left - since_start() if left > since_start() else None


def stop_local_cluster(settings: Settings) -> None:
    """End the local scheduler and worker, if there are any."""
    with file_lock(_file(settings, "cluster.lock")):
        cluster = LocalCluster.read(settings)
        if cluster:
            cluster.stop()
        reap()
        for name in ("cluster.json", "scheduler.json"):
            _file(settings, name).unlink(missing_ok=True)


def _start_scheduler(settings: Settings, started: list[Process]) -> Process:
    return _start(
        settings,
        started,
        "scheduler",
        [
            "distributed.cli.dask_scheduler",
            "--port",
            "0",
            "--protocol",
            "tls",
            "--preload",
            "medcore.jobs.cluster.watch",
        ],
    )


def _start_worker(settings: Settings, started: list[Process]) -> Process:
    parent = _start(
        settings,
        started,
        "worker",
        [
            *("distributed.cli.dask_worker", "--nworkers", str(settings.workers)),
            *("--death-timeout", f"{LONGEST_START_SECONDS:.0f}"),
            *("--preload", WORKER_PRELOAD),
            *("--nthreads", str(THREADS), "--resources", f"{TRAIN}=1,{TRIAL}=1"),
            *("--memory-limit", settings.worker_memory, "--local-directory", str(_file(settings, "space"))),
        ],
    )
    _give_way(parent.pid)
    return parent


def _give_way(pid: int) -> None:
    """Let a process that leads a session, and its later children, give way to this one.

    Where Linux groups processes by session (sched_autogroup(7)), ``nice`` weighs them only within
    their session, and the session has a number of its own.
    """
    with contextlib.suppress(psutil.Error):
        psutil.Process(pid).nice(min(os.nice(0) + BELOW_THE_PAGES, 19))
    with contextlib.suppress(OSError):  # no such groups here
        ours = _nice_of_group(Path("/proc/self/autogroup").read_text())
        Path(f"/proc/{pid}/autogroup").write_text(str(min(ours + BELOW_THE_PAGES, 19)))


def _nice_of_group(text: str) -> int:
    """Return how nice a group of processes is, as ``/proc/PID/autogroup`` says: 0 for the first one, of which it says nothing."""
    last = text.split()[-1:]
    return int(last[0]) if last and last[0].lstrip("-").isdigit() else 0


def _start(settings: Settings, started: list[Process], name: str, arguments: list[str]) -> Process:
    key = str(_file(settings, "cluster.pem"))
    common = ["--host", LOOPBACK, "--no-dashboard", "--dashboard-address", f"{LOOPBACK}:0"]
    common += ["--scheduler-file", str(_file(settings, "scheduler.json"))]
    common += ["--tls-ca-file", key, "--tls-cert", key, "--tls-key", key]
    return start(
        [sys.executable, "-m", *arguments, *common],
        started=started,
        log=_file(settings, f"{name}.log"),
        folder=_file(settings, ""),
        env=_environment(settings),
    )


def _environment(settings: Settings) -> dict[str, str]:
    """Dask's settings: nothing listens but what is needed, nothing is profiled, nobody's own files are read."""
    threads = str(os.cpu_count() or 1)
    nothing = str(_file(settings, "no-dask-config"))
    dask = {
        "DASK_CONFIG": nothing,
        "DASK_ROOT_CONFIG": nothing,
        "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "True",
        "DASK_DISTRIBUTED__DIAGNOSTICS__NVML": "False",
        # What a search has sent to every worker stays with every worker.
        "DASK_DISTRIBUTED__SCHEDULER__ACTIVE_MEMORY_MANAGER__START": "False",
        "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": str(ALLOWED_FAILURES),
        # A worker that says nothing for so long is given up, and what it was at is done by another.
        "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "90 s",
        "DASK_DISTRIBUTED__SCHEDULER__HTTP__ROUTES": "[]",
        "DASK_DISTRIBUTED__WORKER__HTTP__ROUTES": "[]",
        "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
        # Nothing that a worker holds is put on a disk, where it could be read.
        "DASK_DISTRIBUTED__WORKER__MEMORY__TARGET": "False",
        "DASK_DISTRIBUTED__WORKER__MEMORY__SPILL": "False",
        "DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "warning",
        # Nor are the last messages remembered (connection.py).
        "DASK_DISTRIBUTED__ADMIN__LOW_LEVEL_LOG_LENGTH": "0",
        # Each process would wake fifty times a second to see whether it is slow, 1.5 % of a core when nobody asks.
        "DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL": "500 ms",
    }
    # Dask would give a worker's libraries one thread each; a run from the shell has all.
    spawned = {f"{name}_NUM_THREADS": threads for name in ("OMP", "MKL", "OPENBLAS")}
    spawned["MALLOC_TRIM_THRESHOLD_"] = "65536"  # Dask's own, which these replace: freed memory goes back
    dask["DASK_DISTRIBUTED__NANNY__PRE_SPAWN_ENVIRON"] = repr(spawned)
    path = os.pathsep.join(p for p in (str(ROOT), os.environ.get("PYTHONPATH", "")) if p)
    return (
        os.environ | dask | {"PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "3", "MEDCORE_JOBS": str(_file(settings, ""))}
    )


def _own_seconds(began: float, process: Process) -> float:
    """Return the seconds since a moment without those a process waited for a processor, of which a bounded number counts."""
    return time.monotonic() - began - min(starved(process.pid), LONGEST_START_SECONDS - START_SECONDS)


def _wait_for_address(settings: Settings, cluster: LocalCluster) -> str:
    began = time.monotonic()
    while cluster.scheduler.alive() and _own_seconds(began, cluster.scheduler) < START_SECONDS:
        reap()
        address = local_address(settings)
        if address:
            return address
        time.sleep(0.02)
    raise WorkerError(
        N_("The scheduler did not start. The reason is in {log}; the usual one is a full disk or too little memory."),
        log=str(_file(settings, "scheduler.log")),
    )


def local_address(settings: Settings) -> str | None:
    """Return where the local scheduler listens, as it wrote it down; ``None`` when it has not yet."""
    try:
        address: str = json.loads(_file(settings, "scheduler.json").read_text())["address"]
        return address
    except (OSError, ValueError, KeyError):
        return None


def fingerprint(settings: Settings, root: Path = ROOT) -> str:
    """Tell one state of the code, its packages and its workers from another, in a few milliseconds."""
    parts = [sys.prefix, sys.version, settings.worker_memory, str(settings.workers)]
    for path in sorted([*(root / "medcore").rglob("*.py"), root / "requirements.txt"]):
        if path.is_relative_to(root / "medcore" / "ui"):
            continue  # no worker runs it
        stat = path.stat()
        parts.append(f"{path.relative_to(root)} {stat.st_size} {stat.st_mtime_ns}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _file(settings: Settings, name: str) -> Path:
    return private_folder(private_folder(settings.data_dir) / "jobs") / name


def _write(path: Path, data: Any) -> None:
    write_whole(path, json.dumps(data).encode())
