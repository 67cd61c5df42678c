"""A real local cluster for each module, in an installation of its own."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from medcore import jobs
from medcore.data.cohort import Cohort, Column, Schema, Source
from medcore.jobs.cluster import processes
from medcore.jobs.runs import hand_over
from medcore.settings import Settings
from medcore.studies import RunRecord, Store, StudyRecord
from medcore.studies.database import forget_engines


@pytest.fixture(scope="module")
def n_workers() -> int:
    """How many workers a module's cluster has; a module may say otherwise."""
    return 1


@pytest.fixture(scope="module")
def warm() -> bool:
    """Whether a module's workers import before they answer what runs and predictions need, as they do for people."""
    return False


@pytest.fixture(scope="module")
def gets_ready(warm: bool) -> bool:
    """Whether a finished run's model is made ready for patients, as for people; the tests' own work leaves none."""
    return warm


@pytest.fixture(scope="module")
def job_settings(
    tmp_path_factory: pytest.TempPathFactory, n_workers: int, warm: bool, gets_ready: bool
) -> Iterator[Settings]:
    """An installation whose cluster is stopped when the module's tests are done."""
    here = str(Path(__file__).parent)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDCORE_DATA", str(tmp_path_factory.mktemp("installation")))
        patch.setenv("MEDCORE_WORKERS", str(n_workers))
        patch.setenv("PYTHONPATH", os.pathsep.join([here, os.environ.get("PYTHONPATH", "")]))
        patch.syspath_prepend(here)
        # Somebody may edit the code while the tests run; that is another test's concern.
        patch.setattr(processes, "fingerprint", lambda _settings: "as tested")
        if not warm:
            patch.setattr(processes, "WORKER_PRELOAD", "medcore_test_preload")
        if not gets_ready:
            patch.setattr(hand_over, "get_ready_for_patients", import_module("medcore_test_work").leave_it)
        settings = Settings.from_env()
        yield settings
        jobs.stop_keeping(settings)
        jobs.disconnect(settings)
        jobs.stop_local_cluster(settings)
        forget_engines()


@pytest.fixture(scope="module")
def job_store(job_settings: Settings) -> Store:
    return Store(job_settings)


@pytest.fixture(scope="module")
def job_study(job_store: Store) -> StudyRecord:
    rng = np.random.default_rng(0)
    age, pressure = rng.integers(30, 85, 240), rng.normal(130, 15, 240).round(0)
    risk = 1 / (1 + np.exp(-(0.08 * (age - 60) + 0.03 * (pressure - 130))))
    frame = pd.DataFrame(
        {
            "age": pd.array([str(a) for a in age], dtype="str"),
            "pressure": pd.array([f"{p:g}" for p in pressure], dtype="str"),
            "event": pd.array(np.where(rng.random(240) < risk, "yes", "no"), dtype="str"),
        }
    )
    schema = Schema(
        (
            Column(name="age", kind="numeric"),
            Column(name="pressure", kind="numeric"),
            Column(name="event", kind="boolean", role="outcome"),
        ),
        positive="yes",
    )
    data = frame.to_csv(index=False).encode()
    made = Cohort(frame, schema, hashlib.sha256(data).hexdigest(), "made.csv", Source(n_bytes=len(data)))
    return job_store.create_study("ann", "Made", made)


def wait_until(true: Callable[[], object], seconds: float = 180.0) -> None:
    """Wait for something to become true; fail when it does not in time, which is long: other tests may have the machine.

    What takes long is asked for less often, at a tenth of what it took so far: whoever looks takes the time of what works.
    """
    begun = time.monotonic()
    while not true():
        waited = time.monotonic() - begun
        assert waited < seconds, "not in time"
        time.sleep(min(max(0.02, waited / 10), 0.3))


@pytest.fixture
def eventually() -> Callable[..., None]:
    return wait_until


@pytest.fixture
def finished(job_store: Store, eventually: Callable[..., None]) -> Callable[[str], RunRecord]:
    """Wait until a run is no longer waiting or working, and return it."""

    def run(run_id: str) -> RunRecord:
        eventually(lambda: not job_store.get_run("ann", run_id).unfinished, 240)
        return job_store.get_run("ann", run_id)

    return run


@pytest.fixture
def cancelled_without_rest(
    job_store: Store,
    job_settings: Settings,
    eventually: Callable[..., None],
    finished: Callable[[str], RunRecord],
) -> Callable[[str], None]:
    """Cancel a run in the middle of its search, and wait until the cluster holds nothing of it."""

    def held() -> list[str]:
        client = jobs.ensure_cluster(job_settings).client
        keys: list[str] = client.run_on_scheduler(lambda dask_scheduler: list(dask_scheduler.tasks))
        return [key for key in keys if not key.startswith("run-")]

    def cancel(run_id: str) -> None:
        eventually(lambda: sum(p.progress.stage == "search" for p in job_store.progress("ann", run_id)) > 3, 120)
        jobs.cancel_run(job_store, "ann", run_id)
        assert finished(run_id).state == "cancelled"
        eventually(lambda: not held())

    return cancel


@pytest.fixture(scope="module")
def work(job_settings: Settings) -> ModuleType:
    """The tests' own work, importable here and on the worker."""
    return import_module("medcore_test_work")
