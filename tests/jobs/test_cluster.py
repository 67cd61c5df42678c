import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import psutil
import pytest

from medcore import jobs
from medcore.errors import SettingsError, TargetError, WorkerError
from medcore.explanation.patient import worker_queries
from medcore.jobs.cluster import connection as cluster_module
from medcore.jobs.cluster import process as process_module
from medcore.jobs.cluster import processes
from medcore.jobs.cluster.client import EndingClient
from medcore.jobs.cluster.packed import Packed, do
from medcore.jobs.cluster.process import Process, since_start
from medcore.jobs.cluster.processes import BELOW_THE_PAGES, LocalCluster, fingerprint, running_scheduler
from medcore.jobs.cluster.security import cluster_security
from medcore.settings import ROOT, Settings
from tests.aside import run_aside

Eventually = Callable[..., None]


@pytest.fixture(scope="module")
def cluster(job_settings: Settings) -> LocalCluster:
    jobs.ensure_cluster(job_settings)
    found = LocalCluster.read(job_settings)
    assert found is not None
    return found


def family(cluster: LocalCluster) -> list[psutil.Process]:
    parents = [psutil.Process(p.pid) for p in (cluster.scheduler, cluster.worker)]
    return parents + [child for parent in parents for child in parent.children(recursive=True)]


def test_a_worker_answers_a_question_with_its_result(job_settings: Settings) -> None:
    assert jobs.call(divmod, 7, 2) == (3, 1)
    assert jobs.worker_ready(job_settings)
    assert (job_settings.data_dir / "jobs" / processes.STARTED).is_file()  # how long it took to start


def test_a_notebook_whose_event_loop_runs_in_this_thread_reaches_the_cluster(job_settings: Settings) -> None:
    async def cell() -> int:
        client = cluster_module.connect(job_settings)
        try:
            return int(client.submit(sum, (1, 2)).result(60))
        finally:
            client.close()

    assert run_aside(cell()) == 3


def test_a_functions_own_error_comes_back_as_it_was(job_settings: Settings, work: ModuleType) -> None:
    with pytest.raises(TargetError, match="The outcome has 1 class"):
        jobs.call(work.refuse, None, None, None)


def test_no_end_of_a_connection_remembers_what_was_asked(job_settings: Settings) -> None:
    assert jobs.call(str.upper, "Zhelyazkova") == "ZHELYAZKOVA"
    client = jobs.ensure_cluster(job_settings).client

    def remembered(dask_scheduler: Any) -> int:
        comms = (*dask_scheduler.client_comms.values(), *dask_scheduler.stream_comms.values())
        return sum(len(comm.recent_message_log) for comm in comms) + len(dask_scheduler.transition_log)

    def of_worker(dask_worker: Any) -> int:
        return len(dask_worker.batched_stream.recent_message_log) + len(dask_worker.state.stimulus_log)

    assert len(client.scheduler_comm.recent_message_log) == 0
    assert client.run_on_scheduler(remembered) == 0
    assert set(client.run(of_worker).values()) == {0}


def test_the_scheduler_imports_nothing_of_what_it_passes_on(job_settings: Settings) -> None:
    def imported() -> set[str]:
        import sys

        return {"medcore.studies", "medcore.models", "pandas", "sklearn", "sqlalchemy"} & set(sys.modules)

    jobs.call(worker_queries.forget)
    assert jobs.ensure_cluster(job_settings).client.run_on_scheduler(imported) == set()
    alone = "import sys, medcore.jobs.cluster.watch, medcore.jobs.cluster.preload; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", alone], cwd=ROOT, check=False).returncode == 0


def test_work_on_its_way_tells_nothing_of_itself() -> None:
    assert repr(Packed.of(str.upper, "Zhelyazkova")) == "Packed()"
    assert do(Packed.of(str.upper), "Zhelyazkova") == "ZHELYAZKOVA"


def test_an_unforeseen_error_comes_back_without_its_text(job_settings: Settings) -> None:
    with pytest.raises(WorkerError, match="ValueError") as raised:
        jobs.call(int, "Mrs Miller")
    assert "Miller" not in str(raised.value)
    logs = "".join(p.read_text() for p in (job_settings.data_dir / "jobs").glob("*.log"))
    assert "Miller" not in logs


def test_an_answer_that_takes_too_long_is_given_up(job_settings: Settings) -> None:
    with pytest.raises(WorkerError, match=r"0\.2 seconds"):
        jobs.call(time.sleep, 2, timeout=0.2)


def _loops() -> int:
    return sum(thread.name == "IO loop" for thread in threading.enumerate())


def test_a_connection_that_fails_or_is_lost_leaves_no_thread(job_settings: Settings) -> None:
    jobs.ensure_cluster(job_settings)
    before = _loops()
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(OSError):  # it takes the call and says nothing
        EndingClient(f"tcp://127.0.0.1:{silent.getsockname()[1]}", timeout=0.3, set_as_default=False)
    assert _loops() == before
    for lost in (False, True):
        client = cluster_module.connect(job_settings)
        assert _loops() == before + 1
        if lost:
            client.sync(client._close)  # as it does by itself when its scheduler does not come back
        client.close()
        assert _loops() == before


def test_a_cluster_that_could_not_be_reached_is_not_tried_again_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def nobody(_settings: Settings) -> Any:
        asked.append(1)
        raise WorkerError("Nobody is there.")

    monkeypatch.setattr(cluster_module, "connect", nobody)
    settings = Settings(tmp_path, "sqlite://", "memory://")
    for _ in range(3):
        with pytest.raises(WorkerError, match="Nobody is there"):
            jobs.ensure_cluster(settings)
    assert len(asked) == 1


def test_workers_give_way_to_the_pages(cluster: LocalCluster) -> None:
    jobs.call(divmod, 7, 2)  # a worker is there
    here = os.nice(0)
    assert psutil.Process(cluster.scheduler.pid).nice() == here
    nicer = min(here + BELOW_THE_PAGES, 19)
    assert {p.nice() for p in cluster.worker.family()} == {nicer}
    ours = Path("/proc/self/autogroup")
    if ours.exists():
        groups = {
            processes._nice_of_group(Path(f"/proc/{p.pid}/autogroup").read_text()) for p in cluster.worker.family()
        }
        assert groups == {min(processes._nice_of_group(ours.read_text()) + BELOW_THE_PAGES, 19)}


@pytest.mark.parametrize(("text", "nice"), [("/autogroup-12 nice 0\n", 0), ("/autogroup-7 nice -4\n", -4), ("", 0)])
def test_the_group_of_the_first_process_has_no_name_and_is_no_error(text: str, nice: int) -> None:
    """A program that a container's first process starts is in that group: its file is empty."""
    assert processes._nice_of_group(text) == nice


def _ours(folder: Path) -> list[int]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("MEDCORE_JOBS") == str(folder / "jobs"):
                found.append(process.pid)
    return found


@pytest.mark.parametrize("step", ["_born", "_give_way", "_write", "_wait_for_address", "local_address"])
def test_a_start_that_fails_at_any_step_leaves_no_process(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: set[int] = set()
    others = {child.pid for child in process_module._children}

    def fails(*_: object) -> None:
        seen.update({child.pid for child in process_module._children} - others)
        raise IndexError("list index out of range")

    monkeypatch.setattr(process_module if step == "_born" else processes, step, fails)
    settings = Settings(tmp_path, "sqlite://", "memory://")
    for _ in range(2):
        with pytest.raises(IndexError):
            running_scheduler(settings)
    assert len(seen) == (2 if step == "_born" else 4)
    for child in process_module._children:
        if child.pid in seen:
            child.wait(10)
    assert not _ours(tmp_path)


def test_why_nothing_computes_is_told_and_not_only_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    def fails(*_: object) -> None:
        raise IndexError("list index out of range")

    monkeypatch.setattr(processes, "_give_way", fails)
    settings = Settings(tmp_path, f"sqlite:///{tmp_path}/medcore.db", "memory://")
    jobs.keep_warm(settings)
    eventually(lambda: jobs.worker_status(settings).state == "absent")
    assert "IndexError" in str(jobs.worker_status(settings).problem)
    jobs.stop_keeping(settings)
    eventually(lambda: not _ours(tmp_path))


def test_nothing_listens_but_on_loopback(cluster: LocalCluster) -> None:
    listening = [c for process in family(cluster) for c in process.net_connections() if c.status == "LISTEN"]
    assert listening
    assert {c.laddr.ip for c in listening} == {"127.0.0.1"}


def test_whoever_lacks_the_key_is_not_let_in(cluster: LocalCluster, job_settings: Settings, tmp_path: Path) -> None:
    from distributed import Client, Security

    from medcore.jobs.cluster.security import renew_local_key

    address = running_scheduler(job_settings)
    other = str(renew_local_key(Settings(tmp_path, "sqlite://", "memory://")))
    wrong = Security(require_encryption=True, tls_ca_file=other, tls_client_cert=other, tls_client_key=other)
    with pytest.raises(OSError):
        Client(address, security=wrong, timeout=3, set_as_default=False)


def test_the_key_and_its_folder_are_closed_to_other_users(cluster: LocalCluster, job_settings: Settings) -> None:
    folder = job_settings.data_dir / "jobs"
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "cluster.pem").stat().st_mode & 0o077 == 0


START = """
from medcore.jobs.cluster import processes
from medcore.settings import Settings
processes.fingerprint = lambda _settings: "as tested"
print(processes.running_scheduler(Settings.from_env()))
"""


def test_processes_that_start_at_once_share_one_cluster(cluster: LocalCluster, job_settings: Settings) -> None:
    both = [
        subprocess.Popen([sys.executable, "-c", START], cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    addresses = {process.communicate(timeout=120)[0] for process in both}
    assert addresses == {running_scheduler(job_settings) + "\n"}
    assert LocalCluster.read(job_settings) == cluster


def test_a_killed_scheduler_is_replaced_and_nothing_of_the_old_cluster_stays(
    cluster: LocalCluster, job_settings: Settings, eventually: Eventually
) -> None:
    old = family(cluster)
    os.kill(cluster.scheduler.pid, signal.SIGKILL)
    eventually(lambda: not cluster.scheduler.alive())
    assert jobs.call(divmod, 9, 4) == (2, 1)
    again = LocalCluster.read(job_settings)
    assert again is not None and again.scheduler != cluster.scheduler
    eventually(lambda: not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in old))


def test_a_cluster_of_older_code_is_replaced(job_settings: Settings) -> None:
    old = LocalCluster.read(job_settings)
    assert old is not None
    LocalCluster(old.scheduler, old.worker, "of another version").write(job_settings)
    jobs.disconnect(job_settings)
    jobs.ensure_cluster(job_settings)
    new = LocalCluster.read(job_settings)
    assert new is not None and new.scheduler != old.scheduler
    assert not old.scheduler.alive() and not old.worker.alive()


def test_a_change_of_what_a_worker_runs_has_another_fingerprint_and_one_of_a_page_has_not(tmp_path: Path) -> None:
    settings = Settings(tmp_path, "sqlite://", "memory://")
    for folder in ("models", "ui"):
        (tmp_path / "medcore" / folder).mkdir(parents=True)
        (tmp_path / "medcore" / folder / "one.py").write_text("x = 1")
    (tmp_path / "requirements.txt").write_text("numpy==2")
    before = fingerprint(settings, tmp_path)
    (tmp_path / "medcore" / "ui" / "one.py").write_text("x = 22")
    assert fingerprint(settings, tmp_path) == before
    (tmp_path / "medcore" / "models" / "one.py").write_text("x = 22")
    assert fingerprint(settings, tmp_path) != before


@pytest.mark.parametrize("then", ["", "processes.stop_local_cluster(Settings.from_env())"])
def test_a_web_server_that_ends_says_nothing_of_the_cluster_it_leaves_or_has_stopped(
    then: str, idle_settings: Settings
) -> None:
    command = [sys.executable, "-W", "always::ResourceWarning", "-c", START + then]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    cluster = LocalCluster.read(idle_settings)
    assert (cluster is None) == bool(then)
    assert cluster is None or (cluster.scheduler.alive() and cluster.worker.alive())
    assert ended.stderr == ""


@pytest.fixture
def idle_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    monkeypatch.setenv("MEDCORE_DATA", str(tmp_path))
    monkeypatch.setenv("MEDCORE_IDLE_SECONDS", "3")
    settings = Settings.from_env()
    yield settings
    jobs.stop_local_cluster(settings)


def test_an_idle_cluster_ends_by_itself_once_no_web_server_is_about(
    idle_settings: Settings, eventually: Eventually
) -> None:
    connection = jobs.ensure_cluster(idle_settings)
    cluster = LocalCluster.read(idle_settings)
    assert cluster is not None
    eventually(connection.n_workers)
    time.sleep(6)
    assert cluster.scheduler.alive(), "a web server is connected"
    processes = family(cluster)
    jobs.disconnect(idle_settings)
    eventually(lambda: not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes))


def test_a_named_cluster_without_encryption_is_refused(tmp_path: Path) -> None:
    for scheduler, ca in (("tcp://10.0.0.7:8786", "ca.pem"), ("tls://10.0.0.7:8786", None)):
        settings = Settings(tmp_path, "sqlite://", "memory://", scheduler=scheduler, tls_ca=ca, tls_cert=ca)
        with pytest.raises(SettingsError, match="unencrypted"):
            cluster_security(settings)


def test_a_worker_that_nobody_looks_after_is_absent_and_asking_starts_nothing(tmp_path: Path) -> None:
    settings = Settings(tmp_path, "sqlite://", "memory://")
    assert jobs.worker_status(settings).state == "absent"
    assert list(tmp_path.iterdir()) == []


def test_a_clock_that_is_set_makes_no_process_a_stranger(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = Process.of(os.getpid())
    boot = psutil.boot_time()
    for step in (-86_400.0, 3_600.0):
        monkeypatch.setattr(psutil, "boot_time", lambda step=step: boot + step)
        monkeypatch.setattr(psutil.Process, "create_time", lambda _self, step=step: ours.born + boot + step)
        assert Process.of(os.getpid()) == ours
        assert ours.alive()
    assert not Process(os.getpid(), ours.born + 5).alive()
    assert not Process(2**22 + 1, ours.born).alive()


def test_a_parent_without_a_worker_is_given_up_after_time_of_its_own_not_of_others(
    monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    monkeypatch.setattr(processes, "CHILDLESS_SECONDS", 1.0)
    core = f"import os; os.sched_setaffinity(0, {{{min(os.sched_getaffinity(0))}}})"
    busy = f"{core}\nwhile True: pass"
    commands = (busy, f"import os; os.nice(19)\n{busy}", "import time; time.sleep(60)")
    _busy, starved, idle = started = [subprocess.Popen([sys.executable, "-S", "-c", c]) for c in commands]
    try:
        alone, waits = Process.of(idle.pid), Process.of(starved.pid)
        eventually(lambda: not processes._looks_after_workers(LocalCluster(Process(1, 0.0), alone, "")))
        assert processes.starved(starved.pid) > 0.3
        assert processes._looks_after_workers(LocalCluster(Process(1, 0.0), waits, ""))
        monkeypatch.setattr(processes, "starved", {waits.pid: 3600.0, alone.pid: 0.0}.__getitem__)
        assert processes._looks_after_workers(LocalCluster(waits, alone, ""))  # it waits for its scheduler
    finally:
        for process in started:
            process.kill()
            process.wait()


def test_workers_that_another_web_server_began_just_now_are_given_their_time(tmp_path: Path) -> None:
    settings = Settings(tmp_path, "sqlite://", "memory://")
    assert processes.seconds_to_start(settings, 500.0) == 500.0
    with subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE) as waiting:
        young = Process.of(waiting.pid)
        LocalCluster(young, young, "").write(settings)
        assert processes.seconds_to_start(settings, 1e9) < 60.0
        waiting.kill()
    LocalCluster(young, Process(waiting.pid, since_start() - 500.0), "").write(settings)
    assert processes.seconds_to_start(settings, 1e9) > 400.0
