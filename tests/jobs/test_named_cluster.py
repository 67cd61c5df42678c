"""A cluster that is started by hand, with the very commands of docs/it.md: other folders, other workers, the same code."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import ModuleType

import numpy as np
import psutil
import pytest

from medcore import jobs
from medcore.errors import WorkerError
from medcore.explanation.patient import worker_queries
from medcore.jobs.cluster import connection
from medcore.jobs.cluster.connection import connect, places, present_connection, workers_of
from medcore.jobs.cluster.processes import TRAIN, TRIAL
from medcore.jobs.runs.hand_over import hand_over
from medcore.jobs.runs.perform import perform_run, train_study
from medcore.jobs.runs.workers import workers_of_named_cluster
from medcore.models.contract.progress import NullFollower
from medcore.models.contract.settings import TrainSettings
from medcore.models.run.results import read_results
from medcore.settings import ROOT, Settings
from medcore.studies import RunRecord, Store, StudyRecord
from medcore.studies.database import forget_engines

Eventually = Callable[..., None]


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder for each machine; the workers know nothing of the web server's."""
    return {name: tmp_path_factory.mktemp(name) for name in ("web", "scheduler", "one", "other")}


@pytest.fixture(scope="module")
def commands(machines: dict[str, Path]) -> list[str]:
    """The commands of docs/it.md for this machine: key, scheduler, worker, web server."""
    text = (ROOT / "docs" / "it.md").read_text(encoding="utf-8")
    part = text.split("## A cluster of your own")[1].split("\n## ")[0]
    port, programs = free_port(), Path(sys.executable).parent
    part = re.sub(r"10\.0\.0\.\d", "127.0.0.1", part).replace("8786", str(port))
    part = re.sub(
        r"(?<![\w.])cluster\.", f"{machines['web']}/cluster.", part.replace(".venv/bin/", f"exec {programs}/")
    )
    return re.findall(r"```sh\n(.*?)```", part, re.DOTALL)


def start(command: str, folder: Path) -> subprocess.Popen[bytes]:
    """Start a scheduler or a worker as on a machine of its own."""
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            ["sh", "-e", "-c", command.replace("/var/lib/medcore", str(folder / "medcore"))],
            cwd=folder,
            env={name: value for name, value in os.environ.items() if not name.startswith("MEDCORE_")},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def end(process: subprocess.Popen[bytes]) -> None:
    children = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    psutil.wait_procs(children, timeout=3)
    for child in children:
        if child.is_running():
            child.kill()
    process.wait(10)


@pytest.fixture(scope="module")
def scheduler(commands: list[str], machines: dict[str, Path]) -> Iterator[subprocess.Popen[bytes]]:
    key, scheduler, worker, _web = commands
    subprocess.run(["sh", "-e", "-c", key], check=True, capture_output=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(Path(__file__).parent)]))
        started = [start(scheduler, machines["scheduler"])]
        started += [start(worker, machines[name]) for name in ("one", "other")]
        yield started[0]
        for process in reversed(started):
            end(process)


@pytest.fixture(scope="module")
def job_settings(
    commands: list[str], machines: dict[str, Path], scheduler: subprocess.Popen[bytes]
) -> Iterator[Settings]:
    """An installation that uses the cluster; its database and files are elsewhere than its data folder."""
    shared = machines["web"] / "shared"
    shared.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in re.findall(r"(MEDCORE_\w+)=(\S+)", commands[3]):
            patch.setenv(name, value)
        patch.setenv("MEDCORE_DATA", str(machines["web"] / "data"))
        patch.setenv("MEDCORE_DATABASE_URL", f"sqlite:///{shared / 'medcore.db'}")
        patch.setenv("MEDCORE_STORAGE", (shared / "files").as_uri())
        patch.syspath_prepend(str(Path(__file__).parent))
        settings = Settings.from_env()
        yield settings
        jobs.stop_keeping(settings)
        jobs.disconnect(settings)
        forget_engines()


@pytest.fixture
def two_workers(job_settings: Settings, eventually: Eventually) -> None:
    def there() -> bool:
        try:
            return jobs.ensure_cluster(job_settings).n_workers() == 2
        except WorkerError:  # the scheduler is not up yet
            return False

    eventually(there, 120)


@pytest.fixture
def begin(job_store: Store, job_study: StudyRecord, job_settings: Settings, two_workers: None) -> Callable[..., str]:
    def begun(work: Callable[..., object] = train_study, **settings: object) -> str:
        run = job_store.create_run("ann", job_study.id, TrainSettings(**settings))  # type: ignore[arg-type]
        connection = present_connection(job_settings)
        assert connection is not None
        assert hand_over(job_settings, connection, work=work) == 1  # type: ignore[arg-type]
        return run.id

    return begun


def test_a_run_that_searches_ends_there_and_a_patient_of_it_is_explained(
    begin: Callable[..., str],
    finished: Callable[[str], RunRecord],
    job_store: Store,
    job_study: StudyRecord,
    job_settings: Settings,
    machines: dict[str, Path],
) -> None:
    run = finished(begin(model="logistic", search_minutes=0.05))
    assert (run.state, run.error) == ("done", None)
    assert read_results(job_store.result_folder("ann", run.id)).manifest["search"]["trials"]
    model = jobs.ResultOf(job_settings, "ann", run.id)
    rows = job_store.load_cohort("ann", job_study.id).frame.iloc[:1]
    patient = jobs.call(worker_queries.read_risks, model, rows)[0]
    found = jobs.call(worker_queries.explain_patient, model, patient, None, class_index=1)
    assert {c.column for c in found.contributions} == {"age", "pressure"}
    assert not (machines["web"] / "data" / "checkpoints").exists(), "a worker wrote where the web server keeps its own"
    assert any((machines[name] / "medcore" / "checkpoints").exists() for name in ("one", "other"))


def test_a_worker_of_the_documented_command_is_warm_limited_and_listens_where_it_was_told(
    job_settings: Settings, two_workers: None, work: ModuleType
) -> None:
    assert jobs.call(work.is_imported, "tensorflow")
    workers = workers_of(jobs.ensure_cluster(job_settings).client)
    assert set((places(workers, TRAIN) or {}).values()) == {1}
    assert set((places(workers, TRIAL) or {}).values()) == {1}
    limit = min(worker["memory_limit"] for worker in workers.values())
    assert jobs.call(os.getenv, "MEDCORE_WORKER_MEMORY") == f"{limit / 2**20:.0f}MiB"
    assert jobs.call(os.getenv, "OMP_NUM_THREADS") == str(len(os.sched_getaffinity(0)))
    pids = jobs.ensure_cluster(job_settings).client.run(os.getpid).values()
    listening = [c for pid in pids for c in psutil.Process(pid).net_connections() if c.status == "LISTEN"]
    assert {c.laddr.ip for c in listening} == {"127.0.0.1"}


def trials(settings: Settings, work: ModuleType) -> list[dict[str, int]]:
    with workers_of_named_cluster(settings) as workers:
        return list(workers.round(work.whereabouts, [1], range(6), NullFollower()))


def test_a_search_from_a_shell_has_its_trials_made_there(
    job_settings: Settings, two_workers: None, work: ModuleType, eventually: Eventually
) -> None:
    seen: set[int] = set()

    def both() -> bool:
        """Make a round of trials; which worker is given how many of a few short ones is chance."""
        done = trials(job_settings, work)
        assert {where["step"] for where in done} == set(range(6))
        seen.update(where["pid"] for where in done)
        return len(seen) == 2

    eventually(both)
    assert os.getpid() not in seen


def test_a_run_whose_worker_is_killed_begins_again_elsewhere_with_the_same_numbers(
    begin: Callable[..., str],
    finished: Callable[[str], RunRecord],
    job_store: Store,
    job_settings: Settings,
    work: ModuleType,
    eventually: Eventually,
) -> None:
    disturbed = begin(work.descend, epochs=60, learning_rate=0.03)
    eventually(lambda: len(job_store.progress("ann", disturbed)) > 3)
    os.kill(at_work(disturbed, set(jobs.ensure_cluster(job_settings).client.run(os.getpid).values())), signal.SIGKILL)
    peaceful = begin(work.descend, epochs=60, learning_rate=1e-6)
    weights = [finished(run_id).summary["weights"] for run_id in (disturbed, peaceful)]  # type: ignore[index]
    np.testing.assert_array_equal(weights[0], weights[1])
    eventually(lambda: jobs.ensure_cluster(job_settings).n_workers() == 2, 120)


def at_work(run_id: str, pids: set[int]) -> int:
    """Tell which worker has the run's checkpoint in its data folder."""
    folders = {pid: Path(psutil.Process(pid).environ()["MEDCORE_DATA"]) for pid in pids}
    return next(pid for pid, folder in folders.items() if (folder / "checkpoints" / run_id / "state.json").exists())


def test_a_run_that_is_cancelled_leaves_nothing_on_the_workers(
    begin: Callable[..., str], cancelled_without_rest: Callable[[str], None]
) -> None:
    cancelled_without_rest(begin(model="logistic", search_minutes=60))


def test_a_run_whose_worker_cannot_reach_the_database_fails_and_says_so(
    job_settings: Settings, two_workers: None, job_study: StudyRecord, job_store: Store, eventually: Eventually
) -> None:
    run = job_store.create_run("ann", job_study.id, TrainSettings(model="logistic"))
    client = jobs.ensure_cluster(job_settings).client
    elsewhere = Settings(job_settings.data_dir, "sqlite:///only-here.db", job_settings.storage_url)
    failure = client.submit(perform_run, elsewhere, "ann", run.id, train_study, pure=False).result(60)
    assert isinstance(failure, WorkerError) and "MEDCORE_DATABASE_URL" in str(failure)
    jobs.cancel_run(job_store, "ann", run.id)


def test_a_scheduler_that_falls_silent_does_not_hold_up_a_page(
    job_settings: Settings, two_workers: None, scheduler: subprocess.Popen[bytes]
) -> None:
    heard: list[str] = []
    scheduler.send_signal(signal.SIGSTOP)
    try:
        asking = threading.Thread(target=lambda: heard.append(jobs.worker_status(job_settings).state), daemon=True)
        asking.start()
        asking.join(30)
    finally:
        scheduler.send_signal(signal.SIGCONT)
    assert heard and heard[0] != "ready"


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("kind", ["closed", "silent", "unknown"])
def test_a_cluster_that_cannot_be_reached_is_named_and_leaves_no_thread_behind(
    kind: str,
    silent: int,
    commands: list[str],
    machines: dict[str, Path],
    scheduler: object,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "GREET_SECONDS", 1.0)
    host = {"closed": f"127.0.0.1:{free_port()}", "silent": f"127.0.0.1:{silent}", "unknown": "nobody.invalid:8786"}
    certificate = str(machines["web"] / "connection.crt")
    settings = Settings(
        tmp_path,
        "sqlite://",
        "memory://",
        scheduler=f"tls://{host[kind]}",
        tls_ca=certificate,
        tls_cert=certificate,
        tls_key=str(machines["web"] / "connection.key"),
    )
    before = threading.active_count()
    with pytest.raises(WorkerError, match=rf"tls://{host[kind]} cannot be reached.*MEDCORE_SCHEDULER"):
        connect(settings)
    assert threading.active_count() <= before
