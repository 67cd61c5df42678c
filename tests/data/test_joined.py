"""Sheets and files about the same patients are one table; those about others, and several rows a patient, are not."""

import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medcore.data.cohort import Cohort
from medcore.data.reading.beside.together import TOGETHER
from medcore.data.reading.files import open_cohort
from medcore.data.reading.table import read_table
from medcore.errors import InputError, SettingsError
from tests.commanded import run

N = 60
IDS = [f"P{i:03}" for i in range(N)]
_rng = np.random.default_rng(0)
WHO = pd.DataFrame(
    {
        "patient_id": IDS,
        "sex": _rng.choice(["m", "f"], N),
        "age": _rng.integers(40, 89, N),
        "admitted": pd.date_range("2024-01-01", periods=N).strftime("%Y-%m-%d"),
    }
)
OUTCOME = pd.DataFrame({"Patient_ID": IDS, "sex": WHO["sex"], "death": _rng.integers(0, 2, N)}).sample(
    frac=1, random_state=1
)
LABORATORY = pd.DataFrame(
    {
        "patient_id": [*IDS[5:], "P900", "P901"],
        "crea": _rng.normal(90, 20, N - 3).round(1),
        "age": [*WHO["age"][5:], 50, 51],
    }
)
VISITS = pd.DataFrame(
    {"patient_id": np.repeat(IDS, 3), "day": list(range(3)) * N, "hb": _rng.normal(12, 1, 3 * N).round(1)}
)
Tables = Mapping[str, pd.DataFrame]


def as_workbook(tables: Tables) -> Cohort:
    file = io.BytesIO()
    with pd.ExcelWriter(file, engine="openpyxl") as book:
        for name, frame in tables.items():
            frame.to_excel(book, sheet_name=name, index=False)
    return read_table(("ward.xlsx", file.getvalue()))


def as_archive(tables: Tables) -> Cohort:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        for name, frame in tables.items():
            packed.writestr(f"{name}.csv", frame.to_csv(index=False))
    return read_table(("ward.zip", file.getvalue()))


def as_files(tables: Tables) -> Cohort:
    return open_cohort([(f"{name}.csv", frame.to_csv(index=False).encode()) for name, frame in tables.items()])


WAYS = pytest.mark.parametrize("read", [as_workbook, as_archive, as_files])


@WAYS
def test_tables_about_the_same_patients_are_put_beside_each_other(read: Callable[[Tables], Cohort]) -> None:
    cohort = read({"Patients": WHO, "Outcome": OUTCOME, "Laboratory": LABORATORY})
    frame = cohort.frame.astype(str).set_index("patient_id")
    assert (cohort.source.sheet, list(frame.columns)) == (TOGETHER, ["sex", "age", "admitted", "death", "crea"])
    assert list(frame.index) == [*IDS, "P900", "P901"]
    for table, column in ((OUTCOME, "death"), (LABORATORY, "crea"), (WHO, "age")):
        given = table.set_index(table.columns[0])[column]
        assert pd.to_numeric(frame.loc[given.index, column]).tolist() == given.tolist()
    assert pd.to_numeric(frame.loc[["P900", "P901"], "age"]).tolist() == [50, 51]
    told = " ".join(map(str, cohort.repairs))
    assert "3 sheets or files about the same patients" in told
    assert "2 patients are not in" in told
    assert "others" not in told


def test_it_is_read_so_again_and_one_sheet_where_one_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pd.ExcelWriter(tmp_path / "ward.xlsx", engine="openpyxl") as book:
        WHO.to_excel(book, sheet_name="Patients", index=False)
        OUTCOME.to_excel(book, sheet_name="Outcome", index=False)
    whole = read_table(tmp_path / "ward.xlsx")
    again = read_table(tmp_path / "ward.xlsx", overrides={"sheet": TOGETHER})
    pd.testing.assert_frame_equal(whole.frame, again.frame)
    one = read_table(tmp_path / "ward.xlsx", overrides={"sheet": "Patients"})
    assert list(one.frame.columns) == list(WHO.columns)
    found = run(capsys, "profile", str(tmp_path / "ward.xlsx"), "--target", "death")
    assert [column["name"] for column in found["columns"]] == ["patient_id", "sex", "age", "admitted", "death"]
    with pytest.raises(SettingsError, match="columns or the patients"):
        as_workbook_asked({"A": WHO, "B": pd.DataFrame({"x": [1, 2], "y": [3, 4]})})


def as_workbook_asked(tables: Tables) -> Cohort:
    file = io.BytesIO()
    with pd.ExcelWriter(file, engine="openpyxl") as book:
        for name, frame in tables.items():
            frame.to_excel(book, sheet_name=name, index=False)
    return read_table(("ward.xlsx", file.getvalue()), overrides={"sheet": TOGETHER})


def test_what_two_tables_say_otherwise_is_kept_of_both() -> None:
    later = pd.DataFrame({"patient_id": IDS, "admitted": "2025-01-01", "weight": 70.5})
    frame = as_workbook({"Patients": WHO, "Visit 2": later}).frame
    assert list(frame.columns) == [*WHO.columns, "admitted (Visit 2)", "weight"]


def test_long_tables_beside_them_stay_files_of_their_own() -> None:
    cohort = as_files({"Patients": WHO, "Outcome": OUTCOME, "Visits": VISITS})
    assert (cohort.n_rows, "death" in cohort.frame, len(cohort.attachments.files)) == (N, True, 1)
    for who in (WHO, WHO.assign(**{f"x{i}": 1.5 for i in range(20)})):
        told = " ".join(map(str, as_workbook({"Patients": who, "Visits": VISITS}).repairs))
        assert "Visits: several rows of each patient" in told
    told = " ".join(map(str, as_workbook({"Patients": WHO[["patient_id"]], "Visits": VISITS}).repairs))
    assert "“Visits” was read, which has several rows of each patient; Patients has one" in told


OTHERS = {
    "rows counted": (
        pd.DataFrame({"No.": range(1, 41), "age": _rng.integers(20, 30, 40), "a": 1.5}),
        pd.DataFrame({"No.": range(1, 31), "age": _rng.integers(60, 70, 30), "b": 2.5}),
    ),
    "cases and controls": (
        pd.DataFrame({"ID": range(1, 41), "age": _rng.integers(20, 30, 40), "a": 1.5}),
        pd.DataFrame({"ID": range(1, 31), "age": _rng.integers(60, 70, 30), "b": 2.5}),
    ),
    "others": (WHO, pd.DataFrame({"patient_id": [f"Q{i}" for i in range(40)], "crea": 90.5})),
    "days": (
        pd.DataFrame({"date": pd.date_range("2024-01-01", periods=40).strftime("%Y-%m-%d"), "beds": range(40, 80)}),
        pd.DataFrame({"date": pd.date_range("2024-01-01", periods=40).strftime("%Y-%m-%d"), "nurses": range(4, 44)}),
    ),
    "a part": (WHO, WHO.head(20)[["patient_id", "sex"]]),
    "no patients": (WHO, pd.DataFrame({"sex": ["m", "f"], "n": [30, 30]})),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_what_is_not_of_the_same_patients_is_left_and_named(kind: str) -> None:
    first, second = OTHERS[kind]
    cohort = as_workbook({"First": first, "Second": second})
    assert list(cohort.frame.columns) == list(first.columns)
    assert cohort.n_rows == len(first)
    assert "Second" in " ".join(map(str, cohort.repairs))


def test_files_of_different_patients_are_refused_as_before() -> None:
    first, second = OTHERS["cases and controls"]
    with pytest.raises(InputError, match="not clear which"):
        as_files({"cases": first, "controls": second})
