"""An installation of its own for each test, and a small table that no patient is in."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medcore.data.cohort import Cohort, Column, Schema, Source
from medcore.settings import Settings
from medcore.studies import Store
from medcore.studies.database import forget_engines


def installed(folder: Path) -> Settings:
    return Settings(
        data_dir=folder,
        database_url=f"sqlite:///{folder / 'medcore.db'}",
        storage_url=(folder / "files").as_uri(),
    )


@pytest.fixture
def studies_settings(tmp_path: Path) -> Iterator[Settings]:
    yield installed(tmp_path / "data")
    forget_engines()


@pytest.fixture(scope="session")
def empty_installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that nobody has worked in, with its key and its tables: all migrations are run once, not for each test."""
    folder = tmp_path_factory.mktemp("empty") / "data"
    Store(installed(folder))
    forget_engines()  # closes the database, so that all of it is in its one file
    return folder


@pytest.fixture
def store(studies_settings: Settings, empty_installation: Path) -> Store:
    shutil.copytree(empty_installation, studies_settings.data_dir)
    return Store(studies_settings)


@pytest.fixture
def cohort() -> Cohort:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "年龄": pd.array([str(a) for a in rng.integers(20, 90, 60)], dtype="str"),
            "ward": pd.array(rng.choice(["A", "B", ""], 60), dtype="str"),
            "disease": pd.array(rng.choice(["yes", "no"], 60), dtype="str"),
        }
    )
    frame.loc[3, "年龄"] = None
    schema = Schema(
        (
            Column(name="年龄", kind="numeric", unit="years", low=0, high=120),
            Column(name="ward", kind="category"),
            Column(name="disease", kind="category", role="outcome"),
        ),
        positive="yes",
    )
    data = frame.to_csv(index=False).encode()
    return Cohort(frame, schema, hashlib.sha256(data).hexdigest(), "ward.csv", Source(n_bytes=len(data)))


@pytest.fixture
def other_cohort(cohort: Cohort) -> Cohort:
    return replace(cohort, sha256="0" * 64, name="other.csv")
