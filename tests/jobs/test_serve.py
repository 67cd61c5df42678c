import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from medcore import jobs
from medcore.errors import SettingsError
from medcore.jobs.cluster.processes import LocalCluster
from medcore.jobs.web.serve import check_port, check_python, is_free
from medcore.settings import ROOT, Settings
from medcore.studies.database import forget_engines


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def test_a_taken_port_is_named_with_the_next_free_one(taken: int) -> None:
    with pytest.raises(SettingsError) as raised:
        check_port("127.0.0.1", taken)
    free = int(re.findall(r"--port (\d+)", str(raised.value))[0])
    assert str(taken) in str(raised.value)
    assert free > taken and is_free("127.0.0.1", free)


@pytest.mark.parametrize("port", [0, -1, 70000])
def test_a_port_that_cannot_be_is_refused(port: int) -> None:
    with pytest.raises(SettingsError, match=f"no port {port}"):
        check_port("127.0.0.1", port)


def test_a_python_that_is_too_old_is_named() -> None:
    with pytest.raises(SettingsError, match=re.escape("needs Python 3.11 or newer; this is Python 3.9.2")):
        check_python((3, 9, 2))
    check_python()


@pytest.fixture
def app_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    monkeypatch.setenv("MEDCORE_DATA", str(tmp_path))
    settings = Settings.from_env()
    yield settings
    jobs.stop_local_cluster(settings)
    forget_engines()


def run(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONUNBUFFERED": "1", "LC_ALL": "C"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("-m", "medcore", "app", "--host", "0.0.0.0"),
        ("-m", "streamlit", "run", "app.py", "--server.address=0.0.0.0"),
    ],
)
def test_every_entrance_refuses_an_address_that_others_reach(
    arguments: tuple[str, ...], app_settings: Settings
) -> None:
    process = run(*arguments)
    output, _ = process.communicate(timeout=180)
    assert process.returncode == 2
    assert "without a sign-in" in output
    assert "Traceback" not in output


def test_a_taken_port_ends_the_command_with_one_message(taken: int, app_settings: Settings) -> None:
    process = run("-m", "medcore", "app", "--port", str(taken))
    output, _ = process.communicate(timeout=180)
    assert process.returncode == 2
    assert output.count("\n") == 1
    assert f"Port {taken} is taken" in output


def test_the_dashboard_says_where_it_is_answers_and_leaves_its_worker_to_the_next_one(
    app_settings: Settings,
) -> None:
    port = free_port()
    process = run("-m", "medcore", "app", "--port", str(port))
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line == f"medcore is ready: http://localhost:{port}\n"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=60) as answer:
            assert answer.read() == b"ok"
            assert answer.headers["content-security-policy"]
        end = time.monotonic() + 180
        while LocalCluster.read(app_settings) is None and time.monotonic() < end:
            time.sleep(0.1)
    finally:
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=180)
    assert output == ""
    cluster = LocalCluster.read(app_settings)
    assert cluster is not None and cluster.scheduler.alive() and cluster.worker.alive()


def test_the_dashboard_stops_when_asked_also_while_its_worker_is_being_started(app_settings: Settings) -> None:
    process = run("-m", "medcore", "app", "--port", str(free_port()))
    assert process.stdout is not None
    assert "ready" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=180)
    assert "Traceback" not in output
