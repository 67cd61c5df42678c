"""What the service answers in a second, beside MLflow's model server with the same bundle.

``python benchmarks/service.py`` trains `auto` on the heart sample (13 columns), releases it, starts
``python -m medcore serve``, waits until it is ready, and sends ``--rate`` calls of one patient a second, at
moments drawn beforehand (an open loop: a slow answer does not slow down the next question, and its time
counts from the moment drawn): patients of the sample; made patients whose numbers never came before;
patients of the sample while explanations are asked for one after the other. Then explanations alone, then
``--calls`` calls as fast as they are answered, watching the memory. Risks are compared with
``python -m medcore predict``, as written. Service and caller share the machine's processors: what each took
of them is told with every figure, and the load of the machine. With ``--mlflow PYTHON`` (an environment with
MLFLOW beside what medcore needs) the same bundle is served by MLflow and asked the same.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
from installation import leave

from medcore.data.samples import load_sample
from medcore.models.contract.settings import TrainSettings
from medcore.models.run.cohort import train_cohort
from medcore.settings import Settings
from medcore.studies import LOCAL_OWNER, Store
from medcore.studies.use_records import Terms
from tests.keeper import begin_to_keep

PORT, PEER_PORT = 8611, 8612
MLFLOW_MODEL = """
import mlflow, pandas as pd
from pathlib import Path

class Heart(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        from medcore.models.bundle.bundle import load_bundle
        self.bundle = load_bundle(Path(context.artifacts["bundle"]))

    def predict(self, context, model_input, params=None):
        return self.bundle.predict(model_input.astype("str").where(model_input.notna(), None))[:, -1].tolist()

mlflow.pyfunc.save_model({path!r}, python_model=Heart(), artifacts={{"bundle": {bundle!r}}}, pip_requirements=[])
"""


class Caller:
    """Some connections that are kept open, and a call that goes by a free one."""

    def __init__(self, port: int, path: str, token: str = "") -> None:
        self._port, self._free = port, asyncio.LifoQueue[tuple[asyncio.StreamReader, asyncio.StreamWriter]]()
        self._head = f"POST {path} HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: application/json\r\n"
        self._head += f"Authorization: Bearer {token}\r\n" if token else ""

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Return a free connection that the server has not closed meanwhile, or a new one."""
        while not self._free.empty():
            reader, writer = self._free.get_nowait()
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
        return await asyncio.open_connection("127.0.0.1", self._port)

    async def call(self, body: bytes) -> bytes:
        """Return the body of the answer."""
        reader, writer = await self._connection()
        writer.write(f"{self._head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        head = await reader.readuntil(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        length = int(
            next(line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
        )
        answer = await reader.readexactly(length)
        self._free.put_nowait((reader, writer))
        if status != 200:
            raise RuntimeError(f"{status}: {answer[:300]!r}")
        return answer


async def open_loop(call: Callable[[int], Awaitable[Any]], rate: float, seconds: float) -> dict[str, float]:
    """Ask at random moments, ``rate`` a second on average; return how long answers took."""
    rng = np.random.default_rng(0)
    moments = np.cumsum(rng.exponential(1 / rate, int(rate * seconds)))
    begin, took = time.perf_counter(), np.zeros(len(moments))

    async def one(place: int) -> None:
        await call(place)
        took[place] = time.perf_counter() - begin - moments[place]

    tasks = []
    for place, moment in enumerate(moments):
        await asyncio.sleep(max(0.0, begin + moment - time.perf_counter()))
        tasks.append(asyncio.create_task(one(place)))
    await asyncio.gather(*tasks)
    wall = time.perf_counter() - begin
    return {"calls": len(took), "a_second": round(len(took) / wall, 1)} | percentiles(took)


def percentiles(seconds: np.ndarray) -> dict[str, float]:
    """Return the usual percentiles, in milliseconds."""
    return {f"p{p}_ms": round(1000 * float(np.percentile(seconds, p)), 1) for p in (50, 95, 99)}


def processor_seconds(process: psutil.Process) -> float:
    """Return what a service took of the processors, with its process that explains."""
    times = [one.cpu_times() for one in (process, *process.children(recursive=True))]
    return sum(t.user + t.system for t in times)


def megabytes(process: psutil.Process) -> list[int]:
    """Return what a service holds, and its process that explains."""
    return [round(one.memory_info().rss / 1e6) for one in (process, *process.children(recursive=True))]


@contextlib.contextmanager
def processor_of(process: psutil.Process, found: dict[str, Any]) -> Iterator[None]:
    """Add to what was ``found`` of some calls what service and caller took of the processors, a call, and the load."""
    before, own = processor_seconds(process), time.process_time()
    yield
    served, n = processor_seconds(process) - before, max(1, found.get("calls", 1))
    found |= {"service_cpu_ms": round(1000 * served / n, 2), "load": round(os.getloadavg()[0], 1)}
    found["caller_cpu_ms"] = round(1000 * (time.process_time() - own) / n, 2)
    sys.stderr.write(json.dumps(found) + "\n")  # what ends too early takes nothing with it


def made(rows: list[dict[str, Any]], n: int) -> list[dict[str, Any]]:
    """Return patients of nobody: each value is somebody's of the sample, and numbers have decimals that none has."""
    rng, found = np.random.default_rng(1), []
    for _patient in range(n):
        drawn = {name: rows[rng.integers(len(rows))][name] for name in rows[0]}
        moved = {k: round(v + rng.random(), 3) for k, v in drawn.items() if isinstance(v, float)}
        found.append(drawn | moved)
    return found


async def service(args: argparse.Namespace, token: str, rows: list[dict[str, Any]], pid: int) -> dict[str, Any]:
    """Ask the service."""
    predict, explain = (Caller(PORT, f"/v1/models/heart/{what}", token) for what in ("predict", "explain"))
    process, found = psutil.Process(pid), {}
    bodies = [json.dumps({"patients": [{"values": row}]}).encode() for row in rows]
    fresh = [json.dumps({"patients": [{"values": row}]}).encode() for row in made(rows, int(args.rate * args.seconds))]
    reasons = [json.dumps({"patient": {"values": row}}).encode() for row in rows]
    for body in bodies:
        await predict.call(body)

    async def risks(name: str, bodies: list[bytes]) -> None:
        found[name] = {"calls": int(args.rate * args.seconds)}
        with processor_of(process, found[name]):
            found[name] |= await open_loop(lambda i: predict.call(bodies[i % len(bodies)]), args.rate, args.seconds)

    await risks("risk", bodies)
    await risks("risk_of_new_values", fresh)
    took: list[float] = []
    asking = asyncio.create_task(one_after_the_other(explain, reasons, took))
    await risks("risk_beside_explanations", bodies)
    asking.cancel()
    found["risk_beside_explanations"]["explanations"] = {"calls": len(took)} | percentiles(np.array(took or [np.nan]))
    took = []
    found["explanation"] = {"calls": args.explanations}
    with processor_of(process, found["explanation"]):
        await one_after_the_other(explain, reasons[: args.explanations], took)
    found["explanation"] |= percentiles(np.array(took or [np.nan]))
    found["memory_mb"] = {"calls": args.calls}
    with processor_of(process, found["memory_mb"]):
        found["memory_mb"] |= await many(predict, bodies, args.calls, process)
    return found


async def one_after_the_other(caller: Caller, bodies: list[bytes], took: list[float]) -> None:
    """Ask the next when the last is answered, and note how long each took."""
    for body in bodies:
        begin = time.perf_counter()
        await caller.call(body)
        took.append(time.perf_counter() - begin)


async def many(caller: Caller, bodies: list[bytes], calls: int, process: psutil.Process) -> dict[str, Any]:
    """Ask as fast as is answered, by 32 at once; return the memory along the way."""
    done, begin = 0, time.perf_counter()
    memory = {0: megabytes(process)}

    async def worker(first: int) -> None:
        nonlocal done
        for place in range(first, calls, 32):
            await caller.call(bodies[place % len(bodies)])
            done += 1
            if done % max(1, calls // 10) == 0:
                memory[done] = megabytes(process)

    await asyncio.gather(*(worker(first) for first in range(32)))
    return {"after_calls": memory, "a_second": round(calls / (time.perf_counter() - begin), 1)}


async def peer(args: argparse.Namespace, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Ask MLflow's server as much as it answers: at the same rate, and one after the other."""
    caller = Caller(PEER_PORT, "/invocations")
    bodies = [json.dumps({"dataframe_records": [row]}).encode() for row in rows]
    took = []
    for body in bodies[:50]:
        begin = time.perf_counter()
        await caller.call(body)
        took.append(time.perf_counter() - begin)
    found: dict[str, Any] = {"one_after_the_other": percentiles(np.array(took))}
    seconds = min(args.seconds, 15)
    found["risk"] = await open_loop(lambda i: caller.call(bodies[i % len(bodies)]), args.rate, seconds)
    return found


@contextlib.contextmanager
def running(command: list[str], environment: dict[str, str], port: int) -> Iterator[int]:
    """Run a server for the length of a ``with`` block."""
    process = subprocess.Popen(command, env=environment, start_new_session=True)
    try:
        for _ in range(1200):
            if process.poll() is not None:
                raise SystemExit(f"the server did not start (is port {port} taken?)")
            with (
                contextlib.suppress(OSError),
                contextlib.closing(__import__("socket").create_connection(("127.0.0.1", port), 1)),
            ):
                break
            time.sleep(0.1)
        if port == PORT:
            wait_until_ready()
        yield process.pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def wait_until_ready() -> None:
    """Wait until the service has opened its models: what is measured is service, not start."""
    for _ in range(1200):
        if httpx.get(f"http://127.0.0.1:{PORT}/healthz", timeout=30).json().get("ready"):
            return
        time.sleep(0.1)
    raise SystemExit("the service was not ready within two minutes")


def release(store: Store, bundle: Path) -> str:
    """Keep a bundle as a finished run, release it, and return a token."""
    heart = load_sample("heart")
    study = store.create_study(LOCAL_OWNER, "Heart", heart)
    run = store.create_run(LOCAL_OWNER, study.id, TrainSettings.preset("auto"))
    attempt = store.begin_attempt(LOCAL_OWNER, run.id)
    store.keep_result(LOCAL_OWNER, run.id, bundle)
    store.finish_run(LOCAL_OWNER, run.id, "done", attempt=attempt)
    terms = Terms(intended_use="A benchmark.", for_whom="Nobody.", threshold=0.5)
    store.release(LOCAL_OWNER, run.id, "heart", terms)
    return store.new_token(LOCAL_OWNER, "benchmark", days=1)[0]


def same_as_shell(folder: Path, bundle: Path, token: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Compare risks of one call each with those that the shell writes, as text."""
    table = folder / "patients.csv"
    load_sample("heart").frame.iloc[: len(rows)].to_csv(table, index=False)
    command = [sys.executable, "-m", "medcore", "predict", str(bundle), str(table), "--out", str(folder / "out.csv")]
    subprocess.run(command, check=True, capture_output=True)
    with (folder / "out.csv").open(encoding="utf-8") as file:
        written = [row["risk_yes"] for row in csv.DictReader(file)]
    caller = Caller(PORT, "/v1/models/heart/predict", token)

    async def ask() -> list[str]:
        bodies = [json.dumps({"patients": [{"values": row}], "record": False}).encode() for row in rows]
        answers = await asyncio.gather(*map(caller.call, bodies))
        return [repr(json.loads(answer)["predictions"][0]["risks"]["yes"]) for answer in answers]

    told = asyncio.run(ask())
    return {"n": len(rows), "the_same_text": sum(a == b for a, b in zip(told, written, strict=True))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=200.0)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--explanations", type=int, default=60)
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--bundle", type=Path, help="a bundle trained before on the heart sample")
    parser.add_argument("--mlflow", metavar="PYTHON")
    args = parser.parse_args()
    begin_to_keep()  # where it is killed, nobody here can end anything
    signal.signal(signal.SIGTERM, leave)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["MEDCORE_DATA"] = str(folder / "data")
        heart = load_sample("heart")
        bundle = args.bundle or folder / "bundle"
        if args.bundle is None:
            train_cohort(heart, TrainSettings.preset("auto"), folder=bundle)
        names = [c.name for c in heart.schema.predictors]
        rows = json.loads(heart.frame[names].iloc[:300].to_json(orient="records"))
        token = release(Store(Settings.from_env()), bundle)
        serve = [sys.executable, "-m", "medcore", "serve", "--port", str(PORT)]
        with running(serve, dict(os.environ), PORT) as pid:
            found = {"same_as_shell": same_as_shell(folder, bundle, token, rows)}
            found |= asyncio.run(service(args, token, rows, pid))
        sys.stderr.write(json.dumps(found) + "\n")  # a peer that does not start takes nothing with it
        if args.mlflow:
            script = MLFLOW_MODEL.format(path=str(folder / "mlflow"), bundle=str(bundle))
            environment = dict(os.environ) | {"MLFLOW_DISABLE_ENV_CREATION": "true", "GIT_PYTHON_REFRESH": "quiet"}
            environment["PATH"] = f"{Path(args.mlflow).parent}:{environment['PATH']}"
            subprocess.run([args.mlflow, "-c", script], check=True, env=environment)
            command = [
                args.mlflow,
                "-m",
                "mlflow",
                "models",
                "serve",
                "-m",
                str(folder / "mlflow"),
                "-p",
                str(PEER_PORT),
            ]
            with running([*command, "--env-manager", "local", "--workers", "2"], environment, PEER_PORT):
                found["mlflow"] = asyncio.run(peer(args, rows))
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
