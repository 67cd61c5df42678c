"""Tables as hospitals export them: what is wrong with each, and what reading it rightly means, is in its README."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from medcore.data.cohort import Cohort
from medcore.data.findings import Finding
from medcore.data.quality import inspect
from medcore.data.reading.table import read_table
from medcore.data.schema.inference import choose_target
from medcore.data.values.typed import typed

FILES = Path(__file__).parent / "files"


@cache
def read_case(folder: str, file: str = "train.csv", target: str | None = None) -> Cohort:
    """Read one file of a case as the pages do, with its outcome chosen if one is named."""
    cohort = read_table(FILES / folder / file)
    return cohort.with_schema(choose_target(cohort.schema, cohort.frame, target)) if target else cohort


@cache
def findings_of(folder: str, file: str = "train.csv", target: str | None = None) -> tuple[Finding, ...]:
    """Look at one file of a case with every check."""
    return inspect(read_case(folder, file, target))


@pytest.fixture
def case() -> Callable[..., Cohort]:
    """Give the reader of cases."""
    return read_case


@pytest.fixture
def findings() -> Callable[..., tuple[Finding, ...]]:
    """Give the inspector of cases."""
    return findings_of


@pytest.fixture
def values() -> Callable[..., pd.DataFrame]:
    """Give the typed frame of a case, under its own schema or under that learnt from another file."""

    def read(folder: str, file: str = "train.csv", *, learnt_from: str | None = None) -> pd.DataFrame:
        schema = read_case(folder, learnt_from or file).schema
        return typed(read_case(folder, file).frame, schema)

    return read
