"""A workbook with a sheet a year, an archive with a table a ward: one table, unless they hold the same patients."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medcore.data.reading.beside.together import TOGETHER
from medcore.data.reading.files import open_cohort
from medcore.data.reading.table import read_table
from medcore.data.values.typed import typed
from medcore.errors import SettingsError
from medcore.studies.kept.identity import content_key
from tests.commanded import run


def ward(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "id": [f"P{seed}{i:03}" for i in range(n)],
            "age": rng.integers(20, 90, n),
            "crp": rng.gamma(2, 20, n).round(1),
            "died": rng.choice(["yes", "no"], n),
        }
    )


def workbook(sheets: Mapping[str, pd.DataFrame]) -> tuple[str, bytes]:
    file = io.BytesIO()
    with pd.ExcelWriter(file, engine="openpyxl") as book:
        for name, frame in sheets.items():
            frame.to_excel(book, sheet_name=name, index=False)
    return "ward.xlsx", file.getvalue()


def archive(tables: Mapping[str, pd.DataFrame]) -> tuple[str, bytes]:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        for name, frame in tables.items():
            packed.writestr(name, frame.to_csv(index=False))
    return "wards.zip", file.getvalue()


YEARS = {
    "2021": ward(60, 1),
    "2022": ward(80, 2)[["id", "crp", "age", "died"]],
    "2023": ward(40, 3).rename(columns={"age": "Age"}),
}


@pytest.mark.parametrize("make", [workbook, lambda t: archive({f"{name}.csv": f for name, f in t.items()})])
def test_sheets_and_files_with_the_same_columns_are_one_table(make) -> None:
    cohort = read_table(make(YEARS))
    assert (cohort.n_rows, cohort.source.sheet) == (180, TOGETHER)
    assert cohort.frame["sheet"].str[:4].value_counts().to_dict() == {"2021": 60, "2022": 80, "2023": 40}
    assert cohort.schema["sheet"].role == "ignored"
    read = typed(cohort.frame, cohort.schema)
    for name, frame in YEARS.items():
        mine = read[cohort.frame["sheet"].str.startswith(name)]
        age = next(column for column in frame if column.casefold() == "age")
        np.testing.assert_array_equal(mine.filter(regex="(?i)^age$").squeeze(), frame[age])
        np.testing.assert_allclose(mine["crp"], frame["crp"])
    assert "180 rows" in str(cohort.repairs[0])
    at = [0, 59, 60, 139, 140, 179] if cohort.frame["sheet"].iloc[0].startswith("2021") else []
    assert cohort.source.rows_in_file(at).tolist() == ([2, 61, 2, 81, 2, 41] if at else [])


def test_one_sheet_can_be_chosen_and_is_another_table() -> None:
    file = workbook(YEARS)
    one = read_table(file, overrides={"sheet": "2021"})
    assert (one.n_rows, one.source.sheet, "sheet" in one.frame) == (60, "2021", False)
    assert content_key(one) != content_key(read_table(file))


def test_a_sheet_of_another_kind_is_left_and_named() -> None:
    codes = pd.DataFrame({"variable": ["age", "crp"], "meaning": ["years", "mg/L"]})
    cohort = read_table(workbook({**YEARS, "Codebook": codes}))
    assert cohort.n_rows == 180 and any("Codebook" in str(message) for message in cohort.repairs)
    alone = read_table(workbook({"Data": ward(30, 1), "Codebook": codes}))
    assert alone.source.sheet == "Data" and "sheet" not in alone.frame


def test_a_copy_is_not_counted_twice() -> None:
    cohort = read_table(workbook({"all": ward(100, 1), "men": ward(100, 1).iloc[:40]}))
    assert cohort.n_rows == 100 and any("40 of its rows" in str(message) for message in cohort.repairs)
    assert (
        read_table(workbook({"all": ward(100, 1), "men": ward(100, 1).iloc[:40]}), overrides={"sheet": "*"}).n_rows
        == 140
    )


@pytest.mark.parametrize("names", [("train", "test"), ("建模组", "验证组"), ("derivation", "external")])
def test_patients_to_judge_by_are_not_mixed_with_those_to_learn_from(names) -> None:
    file = workbook({names[0]: ward(60, 1), names[1]: ward(40, 2)})
    cohort = read_table(file)
    assert cohort.n_rows == 60 and any("kept apart" in str(message) for message in cohort.repairs)
    assert read_table(file, overrides={"sheet": "*"}).n_rows == 100


def test_no_table_of_an_archive_is_left_silently() -> None:
    other = pd.DataFrame({"drug": ["a", "b"], "dose": [1, 2]})
    cohort = read_table(archive({"patients.csv": ward(50, 1), "drugs.csv": other}))
    assert cohort.n_rows == 50 and any("drugs.csv" in str(message) for message in cohort.repairs)
    with pytest.raises(SettingsError, match="No other sheet or file has the columns"):
        read_table(archive({"patients.csv": ward(50, 1), "drugs.csv": other}), overrides={"sheet": "*"})


def test_columns_that_a_spreadsheet_types_otherwise_in_each_sheet_are_read_alike() -> None:
    second = ward(40, 2).astype({"crp": "str"})
    second.loc[3, "crp"] = "<0.5"
    cohort = read_table(workbook({"A": ward(60, 1), "B": second}))
    crp = typed(cohort.frame, cohort.schema)["crp"]
    assert cohort.schema["crp"].kind == "numeric" and crp.notna().all() and crp.iloc[63] == 0.5


def test_new_patients_in_several_sheets_are_all_predicted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, sheets in (("old.xlsx", YEARS), ("new.xlsx", {"north": ward(7, 8), "south": ward(5, 9)})):
        (tmp_path / name).write_bytes(workbook(sheets)[1])
    run(capsys, "train", tmp_path / "old.xlsx", "--target", "died", "--model", "logistic", "--out", tmp_path / "out")
    run(capsys, "predict", tmp_path / "out", tmp_path / "new.xlsx", "--out", tmp_path / "risks.csv")
    assert len(pd.read_csv(tmp_path / "risks.csv")) == 12


def test_several_files_with_the_same_columns_are_one_cohort(tmp_path: Path) -> None:
    files = [(f"{name}.csv", frame.to_csv(index=False).encode()) for name, frame in YEARS.items()]
    cohort = open_cohort(files)
    assert cohort.n_rows == 180 and len(cohort.attachments) == 0
    assert cohort.sha256 != open_cohort(files[:2]).sha256
    again = open_cohort([*files, ("note.md", b"a note")])
    assert again.n_rows == 180 and [file.name for file in again.attachments.files] == ["note.md"]


def test_a_sheet_a_patient_names_no_patient() -> None:
    names = [f"{family}{given}" for family in "王李张刘" for given in ("小明", "芳", "伟")]
    cohort = read_table(workbook({name: ward(9, k).drop(columns="id") for k, name in enumerate(names)}))
    assert cohort.n_rows == 108 and cohort.frame["sheet"].unique().tolist() == [str(n) for n in range(1, 13)]
    assert not any(name in str(message) for message in cohort.repairs for name in names)
    months = read_table(workbook({f"{n}月": ward(9, n) for n in range(1, 13)}))
    assert months.frame["sheet"].iloc[0] == "1月"
