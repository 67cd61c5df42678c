"""A released model with a year of patients behind it: the sample of heart disease, and two months in other units."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import numpy as np

from medcore.data.samples import load_sample
from medcore.jobs.runs.perform import perform_run, train_study
from medcore.models.bundle.bundle import load_bundle
from medcore.models.contract.settings import TrainSettings
from medcore.settings import Settings
from medcore.studies import LOCAL_OWNER, Store
from medcore.studies.use_records import AskedPatient, Release, Terms

TERMS = Terms(intended_use="Who is sent on for angiography.", for_whom="Adults with chest pain.", threshold=0.4)
COLUMN = "thalach"
"""The column that comes as a tenth of what it was in August and in December."""


def used_model(settings: Settings, *, n: int = 1500, seed: int = 0) -> tuple[str, Release]:
    """Train, release, and use a model for a year; return the study and the release. Outcomes of December are not known."""
    store, rng = Store(settings), np.random.default_rng(seed)
    study = store.create_study(LOCAL_OWNER, "Heart", load_sample("heart"))
    run = store.create_run(LOCAL_OWNER, study.id, TrainSettings(model="logistic"))
    perform_run(settings, LOCAL_OWNER, run.id, train_study)
    while store.get_run(LOCAL_OWNER, run.id).unfinished:  # where a server runs, its worker may have taken it first
        time.sleep(0.1)
    release = store.release(LOCAL_OWNER, run.id, "heart-disease", TERMS)
    bundle = load_bundle(store.release_folder(LOCAL_OWNER, release.id))
    frame = load_sample("heart").frame.sample(n, replace=True, random_state=seed).reset_index(drop=True)
    days = np.sort(rng.integers(0, 365, n))
    moments = [datetime(2025, 1, 1, 9, tzinfo=UTC) + timedelta(days=int(day)) for day in days]
    elsewhere = np.array([m.month in (8, 12) for m in moments])
    known = frame[COLUMN].notna() & elsewhere
    frame.loc[known, COLUMN] = [f"{float(value) / 10:g}" for value in frame.loc[known, COLUMN]]
    risk = bundle.predict(frame)
    # Outcomes follow the risks of the values as they should have been.
    truth = bundle.predict(load_sample("heart").frame.sample(n, replace=True, random_state=seed).reset_index(drop=True))
    names = [c.name for c in bundle.schema.columns if c.role in ("predictor", "site")]
    asked = [
        AskedPatient(
            values={name: None if value != value else value for name, value in frame.iloc[i][names].items()},
            risk=float(risk[i, 1]),
            risks=[float(p) for p in risk[i]],
            called=bool(risk[i, 1] >= 0.4),
            at=moments[i],
            patient=f"P{i:05d}",
        )
        for i in range(n)
    ]
    store.keep_answers(LOCAL_OWNER, release, asked, route="test")
    outcomes = {f"P{i:05d}": float(rng.random() < truth[i, 1]) for i in range(n) if moments[i].month < 12}
    store.enter_outcomes(LOCAL_OWNER, release.model, outcomes)
    return study.id, release
