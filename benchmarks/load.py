"""Fifty people at once, over the pages' own protocol, while a model trains; and memory over many studies.

``python benchmarks/load.py`` starts a web server of its own with a study and a trained model for each
person, opens a websocket for each (Streamlit's protocol, a signed cookie, ``Origin`` as a browser sends it),
and lets each run a page every two seconds for two minutes: half of them the page they are on, half another
one. Measured is the time from the request to the end of the page's run. No page may fail, and no person may
be sent a word of another one's study.

``python benchmarks/load.py --studies 100`` uploads, trains and deletes so many studies one after the other
instead, and tells the memory of web server and worker.

The load of the machine and the processor seconds of each process are told beside the figures: others may be
at work on it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
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

PAGES = ("studies", "data", "train", "evaluate", "patient")
FAULTS = ("exception",)
TIMEOUT_SECONDS = 60


def person(number: int) -> str:
    return f"person{number}"


def mark(number: int) -> str:
    """Return a word that is in nobody else's study."""
    return f"Studymark{number:04d}x"


class Session:
    """One person's browser tab."""

    def __init__(self, number: int, study_id: str, cookie: str, host: str) -> None:
        self.number, self.study_id, self.cookie, self.host = number, study_id, cookie, host
        self.times: list[tuple[str, float]] = []
        self.faults: Counter[str] = Counter()
        self.strangers: set[str] = set()

    async def live(self, begin: float, end: float, every: float) -> None:
        """Open the websocket and run pages until the end."""
        random_ = random.Random(self.number)
        headers = {"Cookie": f"{COOKIE}={self.cookie}"}
        async with connect(
            f"ws://{self.host}/_stcore/stream",
            origin=f"http://{self.host}",  # type: ignore[arg-type]
            additional_headers=headers,
            subprotocols=["streamlit"],  # type: ignore[list-item]
            max_size=None,
        ) as socket_:
            page = "studies"
            await self._run(socket_, page, measured=False)
            moment = begin + random_.uniform(0, every)
            while moment < end:
                await asyncio.sleep(max(0.0, moment - time.monotonic()))
                if random_.random() < 0.5:
                    page = random_.choice(PAGES)
                await self._run(socket_, page, measured=True)
                moment = max(moment + every, time.monotonic())

    async def _run(self, socket_: Any, page: str, *, measured: bool) -> None:
        asked = BackMsg()
        asked.rerun_script.query_string = f"study={self.study_id}&lang=en"
        asked.rerun_script.page_name = "" if page == "studies" else page
        began = time.monotonic()
        await socket_.send(asked.SerializeToString())
        try:
            while True:
                data = await asyncio.wait_for(socket_.recv(), TIMEOUT_SECONDS)
                message = ForwardMsg.FromString(data)
                self._look(data, message)
                if message.WhichOneof("type") == "script_finished" and message.script_finished == 0:
                    break
        except TimeoutError:
            self.faults["no end"] += 1
        if measured:
            self.times.append((page, time.monotonic() - began))

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


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def start_server(port: int) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-m", "medcore", "app", "--port", str(port)]
    process = subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert "ready" in line, line
    return process


def wait_for(store: Store, owner: str, run_id: str) -> None:
    while store.get_run(owner, run_id).unfinished:
        time.sleep(0.3)
    run = store.get_run(owner, run_id)
    assert run.state == "done", run.error


def prepare(settings: Settings, n: int) -> list[str]:
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
    cluster = LocalCluster.read(settings)
    assert cluster is not None
    family = cluster.worker.family()
    return {"web": psutil.Process(web), "scheduler": psutil.Process(cluster.scheduler.pid), "worker": family[-1]}


def used(some: dict[str, psutil.Process]) -> dict[str, float]:
    return {name: sum(p.cpu_times()[:2]) for name, p in some.items()}


async def crowd(sessions: list[Session], seconds: float, every: float) -> None:
    begin = time.monotonic() + 15
    await asyncio.gather(*(s.live(begin, begin + seconds, every) for s in sessions))


def load(settings: Settings, options: argparse.Namespace) -> dict[str, Any]:
    port = free_port()
    host = f"localhost:{port}"
    server = start_server(port)
    try:
        jobs.keep_warm(settings)
        studies = prepare(settings, options.sessions)
        sessions = [Session(n, s, owner_cookie(settings, person(n)), host) for n, s in enumerate(studies)]
        some = processes(settings, server.pid)
        store = Store(settings)
        trainings: list[str] = []
        before, idle_before, began = used(some), psutil.cpu_times(), time.monotonic()

        async def train_all_the_while() -> None:
            while True:
                run_id = await asyncio.to_thread(
                    jobs.start_run, store, person(0), studies[0], TrainSettings(epochs=200, seed=len(trainings))
                )
                trainings.append(run_id)
                while store.get_run(person(0), run_id).unfinished:
                    await asyncio.sleep(0.5)

        async def everything() -> None:
            training = asyncio.create_task(train_all_the_while())
            await crowd(sessions, options.seconds, options.every)
            training.cancel()

        asyncio.run(everything())
        after, idle_after = used(some), psutil.cpu_times()
        seconds = time.monotonic() - began
        for run_id in trainings:
            jobs.cancel_run(store, person(0), run_id)
    finally:
        jobs.stop_keeping(settings)
        jobs.disconnect(settings)
        server.terminate()
        server.wait()
        jobs.stop_local_cluster(settings)
    by_page: dict[str, list[float]] = defaultdict(list)
    for session in sessions:
        for page, t in session.times:
            by_page[page].append(1000 * t)
    every_time = [t for times in by_page.values() for t in times]
    busy = sum(idle_after[:3]) - sum(idle_before[:3])
    ours = sum(after.values()) - sum(before.values())
    return {
        "sessions": len(sessions),
        "runs of pages": len(every_time),
        "p50 ms": round(float(np.percentile(every_time, 50))),
        "p95 ms": round(float(np.percentile(every_time, 95))),
        "p99 ms": round(float(np.percentile(every_time, 99))),
        "by page, p50 and p95": {p: [round(float(np.percentile(t, q))) for q in (50, 95)] for p, t in by_page.items()},
        "faults": dict(sum((s.faults for s in sessions), Counter())),
        "words of others": sorted(set().union(*(s.strangers for s in sessions))),
        "trainings begun": len(trainings),
        "processor seconds": {name: round(after[name] - before[name], 1) for name in before},
        "processor seconds of others": round(busy - ours, 1),
        "seconds": round(seconds),
        "load of the machine": [round(x, 1) for x in os.getloadavg()],
        "web MB": round(_megabytes(server.pid) if psutil.pid_exists(server.pid) else 0),
    }


def _megabytes(pid: int) -> float:
    try:
        return psutil.Process(pid).memory_info().rss / 1e6
    except psutil.Error:
        return 0.0


def memory(settings: Settings, n: int) -> dict[str, Any]:
    """Upload, train, look, and remove for good, so many times; and tell the memory along the way."""
    port = free_port()
    host = f"localhost:{port}"
    server = start_server(port)
    store, curve = Store(settings), []
    data = (
        (ROOT / "assets" / "samples" / "heart.csv").read_bytes()
        if (ROOT / "assets" / "samples" / "heart.csv").exists()
        else None
    )
    try:
        jobs.keep_warm(settings)
        while not jobs.worker_ready(settings):
            time.sleep(0.2)
        for number in range(n):
            cohort = load_sample("heart")
            study = store.create_study(person(0), mark(0), cohort, original=data)
            run_id = jobs.start_run(store, person(0), study.id, TrainSettings.preset("logistic", seed=number))
            wait_for(store, person(0), run_id)
            session = Session(0, study.id, owner_cookie(settings, person(0)), host)
            asyncio.run(look_at_everything(session))
            assert not session.faults, session.faults
            store.delete_study(person(0), study.id)
            store.purge_study(person(0), study.id)
            megabytes = {name: round(_megabytes(p.pid)) for name, p in processes(settings, server.pid).items()}
            curve.append(megabytes)
            if number % 10 == 9 or number < 3:
                print(number + 1, megabytes, flush=True)
    finally:
        jobs.stop_keeping(settings)
        jobs.disconnect(settings)
        server.terminate()
        server.wait()
        jobs.stop_local_cluster(settings)
    tenth = max(1, n // 10)
    first = {k: round(float(np.median([c[k] for c in curve[tenth : 2 * tenth]]))) for k in curve[0]}
    last = {k: round(float(np.median([c[k] for c in curve[-tenth:]]))) for k in curve[0]}
    return {"studies": n, "MB after the first tenth": first, "MB in the last tenth": last}


async def look_at_everything(session: Session) -> None:
    async with connect(
        f"ws://{session.host}/_stcore/stream",
        origin=f"http://{session.host}",  # type: ignore[arg-type]
        additional_headers={"Cookie": f"{COOKIE}={session.cookie}"},
        subprotocols=["streamlit"],  # type: ignore[list-item]
        max_size=None,
    ) as socket_:
        for page in PAGES:
            await session._run(socket_, page, measured=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--every", type=float, default=2)
    parser.add_argument("--studies", type=int, default=0, help="measure memory over so many studies instead")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"MEDCORE_DATA": str(Path(folder) / "data")}
        settings = Settings.from_env()
        found = memory(settings, options.studies) if options.studies else load(settings, options)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
