"""What several benchmarks need: a web server of their own, and people's browser tabs over the pages' own protocol."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import connect

from medcore import jobs
from medcore.data.samples import load_sample
from medcore.jobs.cluster.processes import LocalCluster
from medcore.models.contract.settings import TrainSettings
from medcore.settings import ROOT, Settings
from medcore.studies import COOKIE, Store, owner_cookie
from tests.keeper import begin_to_keep

PAGES = ("studies", "data", "train", "evaluate", "patient")
TIMEOUT_SECONDS = 60
STOP_SECONDS = 20


@contextmanager
def installation() -> Iterator[Settings]:
    """Give a new installation, whose processes and folder end with it, also where the benchmark is stopped or killed."""
    begin_to_keep()  # where it is killed, nobody here can end anything
    signal.signal(signal.SIGTERM, leave)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MEDCORE_DATA"] = str(Path(folder) / "data")
        settings = Settings.from_env()
        try:
            yield settings
        finally:
            jobs.stop_keeping(settings)
            jobs.disconnect(settings)
            jobs.stop_local_cluster(settings)


def leave(*_: object) -> None:
    """Leave every ``with`` block on the way out, once: a second request to end must not cut that short."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(128 + signal.SIGTERM)


@contextmanager
def web_server(settings: Settings) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Serve the pages as ``make app`` does; the process and its address without the scheme."""
    port = free_port()
    server = start_server(port)
    try:
        jobs.keep_warm(settings)
        while not jobs.worker_ready(settings):
            time.sleep(0.2)
        yield server, f"localhost:{port}"
    finally:
        stop_server(server)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def start_server(port: int) -> subprocess.Popen[str]:
    """Start a web server and wait until it says that it is ready; one that does not is ended."""
    arguments = [sys.executable, "-m", "medcore", "app", "--port", str(port)]
    process = subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert "ready" in line, line
    except BaseException:
        stop_server(process)
        raise
    return process


def stop_server(process: subprocess.Popen[str]) -> None:
    """Ask a web server to end, and end it where it does not."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def person(number: int) -> str:
    return f"person{number}"


def mark(number: int) -> str:
    """Return a word that is in nobody else's study."""
    return f"Studymark{number:04d}x"


def wait_for(store: Store, owner: str, run_id: str) -> None:
    while store.get_run(owner, run_id).unfinished:
        time.sleep(0.3)
    run = store.get_run(owner, run_id)
    assert run.state == "done", run.error


def studies_with_models(settings: Settings, n: int) -> list[str]:
    """Give each person a study with a model: trained once, and the same for all."""
    store, heart = Store(settings), load_sample("heart")
    first = store.create_study(person(0), mark(0), heart)
    run_id = jobs.start_run(store, person(0), first.id, TrainSettings.preset("logistic"))
    wait_for(store, person(0), run_id)
    run, folder = store.get_run(person(0), run_id), store.result_folder(person(0), run_id)
    studies = [first.id]
    for number in range(1, n):
        study = store.create_study(person(number), mark(number), heart)
        other = store.create_run(person(number), study.id, TrainSettings.preset("logistic"))
        attempt = store.begin_attempt(person(number), other.id)
        store.keep_result(person(number), other.id, folder)
        store.finish_run(person(number), other.id, "done", attempt=attempt, summary=run.summary)
        studies.append(study.id)
    return studies


def processes(settings: Settings, web: int) -> dict[str, psutil.Process]:
    """Return the processes of an installation, and this one, which is its people."""
    cluster = LocalCluster.read(settings)
    assert cluster is not None
    web_process = psutil.Process(web)
    found = {"web": web_process, "scheduler": psutil.Process(cluster.scheduler.pid)}
    return found | {"worker": cluster.worker.family()[-1], "people": psutil.Process()}


def used(some: dict[str, psutil.Process]) -> dict[str, float]:
    """Return the processor seconds that processes have used so far."""
    return {name: sum(p.cpu_times()[:2]) for name, p in some.items()}


class Session:
    """One person's browser tab."""

    def __init__(self, settings: Settings, number: int, study_id: str, host: str) -> None:
        self.number, self.study_id, self.host = number, study_id, host
        self.cookie = owner_cookie(settings, person(number))
        self.times: list[tuple[str, float]] = []
        self.faults: Counter[str] = Counter()
        self.strangers: set[str] = set()

    @asynccontextmanager
    async def tab(self) -> AsyncIterator[Any]:
        """Open the websocket as a browser does."""
        async with connect(
            f"ws://{self.host}/_stcore/stream",
            origin=f"http://{self.host}",  # type: ignore[arg-type]
            additional_headers={"Cookie": f"{COOKIE}={self.cookie}"},
            subprotocols=["streamlit"],  # type: ignore[list-item]
            max_size=None,
        ) as socket_:
            yield socket_

    async def live(self, ready: asyncio.Barrier, seconds: float, every: float) -> None:
        """Look at every page once, unmeasured; when all have, run pages for so long: half the open one, half another."""
        random_ = random.Random(self.number)
        async with self.tab() as socket_:
            for page in PAGES:
                await self.run(socket_, page, measured=False)
            await ready.wait()
            page, moment = PAGES[-1], time.monotonic() + random_.uniform(0, every)
            end = time.monotonic() + seconds
            while moment < end:
                await asyncio.sleep(max(0.0, moment - time.monotonic()))
                if random_.random() < 0.5:
                    page = random_.choice(PAGES)
                await self.run(socket_, page)
                moment = max(moment + every, time.monotonic())

    async def look_at(self, *pages: str) -> None:
        """Open a tab and run pages one after the other."""
        async with self.tab() as socket_:
            for page in pages:
                await self.run(socket_, page)

    async def run(self, socket_: Any, page: str, *, measured: bool = True) -> None:
        """Run a page and wait until it is drawn."""
        asked = BackMsg()
        asked.rerun_script.query_string = f"study={self.study_id}&lang=en"
        asked.rerun_script.page_name = "" if page == "studies" else page
        began = time.monotonic()
        await socket_.send(asked.SerializeToString())
        with contextlib.suppress(TimeoutError):
            while True:
                data = await asyncio.wait_for(socket_.recv(), TIMEOUT_SECONDS)
                message = ForwardMsg.FromString(data)
                self._look(data, message)
                if message.WhichOneof("type") == "script_finished" and message.script_finished == 0:
                    if measured:
                        self.times.append((page, time.monotonic() - began))
                    return
        self.faults["no end"] += 1

    def _look(self, data: bytes, message: ForwardMsg) -> None:
        at = data.find(b"Studymark")
        while at >= 0:
            word = data[at : at + 14].decode("ascii", "replace")
            if word != mark(self.number):
                self.strangers.add(word)
            at = data.find(b"Studymark", at + 1)
        if message.WhichOneof("type") == "delta" and message.delta.WhichOneof("type") == "new_element":
            element = message.delta.new_element
            if element.WhichOneof("type") == "exception" or (
                element.WhichOneof("type") == "alert" and element.alert.format == 1
            ):
                text = element.exception.message or element.alert.body
                self.faults[text[:120]] += 1
