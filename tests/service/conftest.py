"""A small released model behind the service, in an installation of its own; nothing is faked."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from medcore.data.cohort import Cohort
from medcore.data.samples import load_sample
from medcore.models.contract.settings import TrainSettings
from medcore.models.run.cohort import train_cohort
from medcore.service.app import build
from medcore.settings import Settings
from medcore.studies import Store
from medcore.studies.database import forget_engines
from medcore.studies.use_records import Release, Terms

CODES: dict[str, Any] = {
    "age": {"patient": "age"},
    "sex": {"patient": "gender", "levels": {"male": "Male", "female": "Female"}},
    "trestbps": {"observation": ["http://loinc.org|8480-6"]},
    "thalach": {"observation": ["http://loinc.org|8867-4"], "hours": 48},
    "exang": {"condition": ["http://snomed.info/sct|39065001"], "present": "TRUE", "absent": "FALSE"},
}


@dataclass(frozen=True)
class Ward:
    """The service, who may ask it, and the bundle behind it."""

    client: httpx.Client
    app: Any
    store: Store
    release: Release
    folder: Path
    cohort: Cohort
    token: str

    def post(self, path: str, body: Any, **headers: str) -> Any:
        return self.client.post(path, json=body, headers={"Authorization": f"Bearer {self.token}"} | headers)

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(path, headers={"Authorization": f"Bearer {self.token}"} | headers)


@pytest.fixture(scope="session")
def heart_bundle(tmp_path_factory: pytest.TempPathFactory) -> tuple[Cohort, Path]:
    heart = load_sample("heart")
    folder = tmp_path_factory.mktemp("heart") / "bundle"
    train_cohort(heart, TrainSettings(model="logistic"), folder=folder)
    return heart, folder


@pytest.fixture(scope="session")
def ward(heart_bundle: tuple[Cohort, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    heart, folder = heart_bundle
    data = tmp_path_factory.mktemp("installation") / "data"
    store = Store(Settings(data, f"sqlite:///{data / 'medcore.db'}", (data / "files").as_uri()))
    study = store.create_study("ann", "Heart", heart)
    run = store.create_run("ann", study.id, TrainSettings(model="logistic"))
    attempt = store.begin_attempt("ann", run.id)
    store.keep_result("ann", run.id, folder)
    store.finish_run("ann", run.id, "done", attempt=attempt)
    terms = Terms(intended_use="Triage.", for_whom="Adults with chest pain.", threshold=0.4, codes=CODES)
    release = store.release("ann", run.id, "heart-disease", terms)
    token, _kept = store.new_token("ann", "tests")
    app = build(store, pages="http://localhost:8501")
    with listening(app) as address, httpx.Client(base_url=address, timeout=60) as client:
        yield Ward(client, app, store, release, folder, heart, token)
    forget_engines()


@contextmanager
def listening(app: Any) -> Iterator[str]:
    """Serve an application on a free port of loopback, in a thread, for the length of a ``with`` block."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield f"http://localhost:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(20)
