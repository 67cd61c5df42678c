"""Runs sent to MLflow: to a real server where MLflow is installed, and every refusal in one sentence."""

import json
import os
import shutil
import socket
import subprocess
import threading
import time
from datetime import UTC, datetime
from urllib.request import urlopen

import pytest

from medcore.data.preparation.recipe import default_recipe, prepare
from medcore.data.samples import load_sample
from medcore.data.splitting.split import SplitSettings, make_split
from medcore.errors import SettingsError, WorkerError
from medcore.models.contract.progress import Progress
from medcore.models.contract.settings import TrainSettings
from medcore.models.run.training import train
from medcore.reporting.logs.tracking import Server, _curves, _figures, send_run

STARTED = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MLFLOW = os.environ.get("MEDCORE_TEST_MLFLOW") or shutil.which("mlflow")
POINTS = [
    Progress(stage="folds", model="seed", epoch=e, n_epochs=1200, loss=1 / e, val_auroc=0.5, seconds=e / 100)
    for e in range(1, 1201)
]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def results():
    cohort = load_sample("heart")
    recipe = default_recipe(cohort.schema)
    prepared = prepare(cohort, recipe)
    split = make_split(prepared, SplitSettings(n_folds=3))
    settings = TrainSettings(model="logistic")
    return train(prepared, split, settings, schema=cohort.schema, recipe=recipe, cohort_sha256=cohort.sha256).results


@pytest.fixture(scope="module")
def mlflow_server(tmp_path_factory):
    """Start a real server for this module and end it."""
    home, port = tmp_path_factory.mktemp("mlflow"), free_port()
    command = [MLFLOW, "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{home}/runs.db", "--artifacts-destination", str(home)]
    address = f"http://127.0.0.1:{port}"
    environment = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    with (
        (home / "log").open("wb") as log,
        subprocess.Popen(command, cwd=home, stdout=log, stderr=log, env=environment, start_new_session=True) as process,
    ):
        try:
            wait_for(f"{address}/health", process)
            yield address
        finally:
            os.killpg(process.pid, 15)


def wait_for(address: str, process: subprocess.Popen, seconds: float = 180.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        try:
            with urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    raise AssertionError("the MLflow server did not start")


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.0 200 OK\r\n\r\n<html>"])
def test_what_is_no_mlflow_server_is_named_after_one_question(results, answer):
    asked = []

    def serve(server):
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            asked.append(connection.recv(65536))
            connection.sendall(answer)
            connection.close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=[server])
        thread.start()
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        try:
            with pytest.raises(WorkerError, match=f"{address} does not answer"):
                send_run(
                    Server(address),
                    run_id="a" * 32,
                    number=7,
                    settings=TrainSettings(model="logistic"),
                    results=results,
                    points=POINTS,
                    started=STARTED,
                    seconds=1.0,
                )
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
    assert len(asked) == 1


@pytest.mark.mlflow
@pytest.mark.skipif(MLFLOW is None, reason="needs requirements-mlflow.txt installed, see the README")
def test_a_real_server_keeps_what_was_sent(mlflow_server, results):
    server = Server(mlflow_server)
    given = {"settings": TrainSettings(model="logistic"), "results": results, "points": POINTS, "started": STARTED}
    first = send_run(server, run_id="a" * 32, number=7, seconds=12.5, **given)
    second = send_run(server, run_id="b" * 32, number=8, seconds=1.0, **given)  # the experiment is there already
    assert first.split("/runs/")[0] == second.split("/runs/")[0]
    run = server.ask("GET", f"runs/get?run_id={first.rpartition('/')[2]}")["run"]
    assert run["info"]["status"] == "FINISHED"
    assert run["info"]["end_time"] - run["info"]["start_time"] == 12_500
    assert {p["key"]: p["value"] for p in run["data"]["params"]}["model"] == "logistic"
    kept = {m["key"]: m["value"] for m in run["data"]["metrics"]}
    assert kept["cross_validated/auroc"] == pytest.approx(results.cross_validated.metrics["auroc"].value)
    history = server.ask(
        "GET", f"metrics/get-history?run_id={run['info']['run_id']}&metric_key=seed/folds/loss/training"
    )["metrics"]
    assert [m["step"] for m in history] == list(range(1, 1201))


def test_nothing_of_the_test_set_and_no_patient_is_sent(results):
    sent = [*_figures(results, 0), *_curves(POINTS, 0)]
    assert all(set(m) == {"key", "value", "timestamp", "step"} for m in sent)
    assert not [m["key"] for m in sent if "test" in m["key"]]
    assert "nan" not in json.dumps(sent).lower()


def test_a_server_that_does_not_answer_is_named_without_its_password():
    address = f"http://ann:secret@127.0.0.1:{free_port()}"
    with pytest.raises(WorkerError, match="does not answer") as caught:
        Server(address).ask("GET", "experiments/get")
    assert "secret" not in str(caught.value) + repr(Server(address))
    assert "127.0.0.1" in str(caught.value)


@pytest.mark.parametrize("address", ["file:///etc/passwd", "mlflow", "http://"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(SettingsError, match="MEDCORE_MLFLOW_URL"):
        Server(address)
