"""Names that are planted in a table, its file's name and a study's are readable nowhere: at rest, at work, and afterwards."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from medcore import jobs
from medcore.data.long import Pivot
from medcore.data.preparation.event_time import choose_event_time
from medcore.data.preparation.fixes import change_column
from medcore.data.preparation.number import choose_number
from medcore.data.reading.long.series import with_series
from medcore.data.reading.table import read_table
from medcore.data.schema.inference import choose_target
from medcore.explanation.patient import worker_queries
from medcore.jobs.queries.deletion import purge_study
from medcore.jobs.web.uploads import read_upload
from medcore.models.contract.settings import TrainSettings
from medcore.sealing import is_sealed
from medcore.settings import Settings
from medcore.studies import RunRecord, Store

NAMES = ("Zhelyazkova", "木村拓哉")
SEALED_PLACES = ("files", "checkpoints", "cache", "scratch")


@pytest.fixture(scope="module")
def gets_ready() -> bool:
    return True


@pytest.fixture(scope="module", autouse=True)
def temporary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A temporary folder of this test's own, for every process that it starts."""
    folder = tmp_path_factory.mktemp("temporary")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder))
        patch.setattr(tempfile, "tempdir", None)
        yield folder


def table() -> bytes:
    """300 made patients, whose ward and nurse are called by the planted names."""
    rng = np.random.default_rng(0)
    age = rng.integers(30, 90, 300)
    ward = rng.choice([*NAMES, "North"], 300)
    died = np.where(rng.random(300) < 1 / (1 + np.exp(-(age - 60) / 10)), "yes", "no")
    file = io.BytesIO()
    pd.DataFrame({"age": age, "ward": ward, "died": died}).to_csv(file, index=False)
    return file.getvalue()


def readable(settings: Settings, temporary: Path) -> list[str]:
    """Name every file that shows a planted name, and every one that should be sealed and is not."""
    found = []
    for path in [p for root in (settings.data_dir, temporary) for p in root.rglob("*")]:
        found += [path.name for name in NAMES if name in path.name]
        try:
            data = path.read_bytes() if path.is_file() else b""
        except FileNotFoundError:  # removed meanwhile
            continue
        if path.is_relative_to(settings.data_dir) and path.relative_to(settings.data_dir).parts[0] in SEALED_PLACES:
            found += [] if is_sealed(data) or not data else [f"{path} is not sealed"]
        for name in NAMES:
            forms = (name.encode(), json.dumps(name)[1:-1].encode(), name.encode("utf-16-le"), name.encode("utf-32-le"))
            found += [f"{path} shows {name}" for form in forms if form in data]
    return found


def ward_followed() -> tuple[pd.DataFrame, pd.DataFrame]:
    """200 made patients with a nurse and notes that hold the planted names, a time and a number, and their measurements."""
    rng = np.random.default_rng(1)
    n = 200
    age = rng.integers(30, 90, n)
    nurse = rng.choice([*NAMES, "Smith"], n)
    days = rng.exponential(900 * np.exp((60 - age) / 20)).round() + 1
    patients = pd.DataFrame({"id": range(1, n + 1), "age": age, "nurse": nurse, "days": days})
    patients["status"] = (rng.random(n) < 0.6).astype(int)
    patients["los_days"] = (age / 8 + rng.normal(0, 1, n)).round(2)
    patients["note"] = [
        f"Seen by {who}. {'Dyspnoea' if a > 60 else 'No dyspnoea'}." for who, a in zip(nurse, age, strict=True)
    ]
    series = pd.DataFrame(
        {"id": rng.integers(1, n + 1, 900), "at": rng.uniform(0, 24, 900), "test": f"Score of {NAMES[0]}"}
    )
    return patients, series.assign(result=rng.normal(80, 9, 900).round(1))


def test_planted_names_of_times_numbers_notes_and_series_can_be_read_nowhere(
    job_settings: Settings, job_store: Store, temporary: Path, eventually: Callable[..., None], work: ModuleType
) -> None:
    patients, series = ward_followed()
    measured = Pivot(patient="id", analyte="test", value="result", when="at", when_unit="h", forms=("mean",), windows=((None, 1.0),), beside=True)  # fmt: skip
    read, long = (read_table((f"{NAMES[0]}.csv", t.to_csv(index=False).encode())) for t in (patients, series))
    joined = with_series(
        read.with_schema(change_column(read.schema, "note", kind="note", role="predictor")), long, measured
    )
    by_when = joined.with_schema(choose_event_time(joined, "status", when="days", event="1"))
    number = joined.with_schema(choose_number(joined, "los_days"))
    runs = {}
    connection = jobs.ensure_cluster(job_settings)
    eventually(connection.n_workers)
    connection.client.run(work.explain_one_patient)
    for cohort, model in ((by_when, "cox"), (number, "linear")):
        study = job_store.create_study("ann", f"Ward of {NAMES[1]}", cohort)
        runs[study.id] = jobs.start_run(job_store, "ann", study.id, TrainSettings(model=model))
    for study_id, run_id in runs.items():
        eventually(lambda run_id=run_id: not job_store.get_run("ann", run_id).unfinished, 240)
        assert job_store.get_run("ann", run_id).state == "done", job_store.get_run("ann", run_id).error
        model = jobs.ResultOf(job_settings, "ann", run_id)
        (patient,) = jobs.call(worker_queries.read_risks, model, joined.frame.head(1))
        told = jobs.call(worker_queries.explain_patient, model, patient, None, class_index=0)
        assert {"nurse", "note", f"Score of {NAMES[0]} mean"} <= {c.column for c in told.contributions}
        eventually(lambda run_id=run_id: job_store.first_patients("ann", run_id), 120)
        assert readable(job_settings, temporary) == []
        purge_study(job_store, "ann", study_id)
    assert readable(job_settings, temporary) == []


def test_planted_names_can_be_read_nowhere_before_and_after_deletion(
    job_settings: Settings, job_store: Store, temporary: Path, eventually: Callable[..., None]
) -> None:
    data = table()
    cohort = read_upload(f"{NAMES[0]}.csv", data)
    cohort = cohort.with_schema(choose_target(cohort.schema, cohort.frame, "died", positive="yes"))
    study = job_store.create_study("ann", f"Ward of {NAMES[1]}", cohort, original=data)
    job_store.save_answers("ann", study.id, {"purpose": f"to help {NAMES[0]}"})
    assert readable(job_settings, temporary) == []
    jobs.ensure_cluster(job_settings)
    run_id = jobs.start_run(job_store, "ann", study.id, TrainSettings(model="logistic"))
    seen: list[str] = []

    def over() -> RunRecord | None:
        seen.extend(readable(job_settings, temporary))
        run = job_store.get_run("ann", run_id)
        return None if run.unfinished else run

    eventually(over, 240)
    assert job_store.get_run("ann", run_id).state == "done"
    model = jobs.ResultOf(job_settings, "ann", run_id)
    (patient,) = jobs.call(worker_queries.read_risks, model, cohort.frame.head(1))
    told = jobs.call(worker_queries.explain_patient, model, patient, None, class_index=1)
    assert {c.column for c in told.contributions} == {"age", "ward"}
    assert job_store.load_original("ann", study.id) == data
    eventually(lambda: job_store.first_patients("ann", run_id), 120)
    assert seen == [] and readable(job_settings, temporary) == []
    receipt = purge_study(job_store, "ann", study.id)
    assert (receipt.n_rows, receipt.n_originals, receipt.n_results) == (300, 1, 1)
    assert readable(job_settings, temporary) == []
    assert [p for p in (job_settings.data_dir / "files").rglob("*") if p.is_file()] == []
