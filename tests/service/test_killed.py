"""The service killed in the middle of its work: what was answered is kept, and what is sent again is kept once."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from medcore.studies import Store


@contextlib.contextmanager
def process(data: Path, port: int) -> Iterator[subprocess.Popen]:
    """Run the service as an IT officer does, and end it."""
    environment = os.environ | {"MEDCORE_DATA": str(data), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-m", "medcore", "serve", "--port", str(port)]
    with subprocess.Popen(command, env=environment, start_new_session=True, stderr=subprocess.DEVNULL) as running:
        try:
            while running.poll() is None:
                with contextlib.suppress(httpx.HTTPError):
                    if httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=5).json()["healthy"]:
                        break
                time.sleep(0.1)
            yield running
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_what_was_answered_is_kept_and_what_is_sent_again_is_kept_once(ward, port: int) -> None:
    store: Store = ward.store
    store.release("ann", ward.release.run_id, "killed", ward.release.terms)
    answered: set[str] = set()

    def send(client: httpx.Client, name: str) -> None:
        body = {"patients": [{"id": name, "values": {"age": 60, "sex": "Male"}}]}
        reply = client.post("/v1/models/killed/predict", json=body, headers={"Idempotency-Key": name})
        assert reply.status_code == 200, reply.text
        answered.add(name)

    def connect() -> httpx.Client:
        token = {"Authorization": f"Bearer {ward.token}"}
        return httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=token, timeout=60)

    names = [f"K-{i}" for i in range(200)]
    with process(store.settings.data_dir, port) as running, connect() as client:
        send(client, names[0])

        def send_until_it_is_gone() -> None:
            with contextlib.suppress(httpx.HTTPError):
                for name in names[1:]:
                    send(client, name)

        sending = threading.Thread(target=send_until_it_is_gone)
        sending.start()
        while len(answered) < 10:
            time.sleep(0.002)
        others = psutil.Process(running.pid).children(recursive=True)
        os.kill(running.pid, signal.SIGKILL)
        sending.join()
        assert not psutil.wait_procs(others, timeout=120)[1]  # who explains goes with the service
    before = set(answered)
    kept = {entry.identifier for entry in store.worklist("ann", "killed")}
    assert before <= kept
    assert len(kept) < len(names)
    with process(store.settings.data_dir, port), connect() as client:
        for name in names[: len(kept) + 3]:
            send(client, name)
    assert {entry.n_predictions for entry in store.worklist("ann", "killed")} == {1}
    assert store.verify_trail().whole
