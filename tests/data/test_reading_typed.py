"""Spreadsheets and the files of statistics programs."""

import datetime as dt
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from medcore.data.cohort import Cohort
from medcore.data.reading.table import read_table
from medcore.data.values.typed import typed
from medcore.errors import UnreadableFileError
from tests.written_tables import open_document


@pytest.fixture
def patients() -> pd.DataFrame:
    n = 30
    return pd.DataFrame(
        {
            "age": [float(40 + i % 30) for i in range(n)],
            "性别": ["男", "女", None] * 10,
            "admission_date": pd.date_range("2020-01-01", periods=n).astype("datetime64[us]"),
            "glucose": [np.nan, 5.5, 6.5, 7.5, 9.25] * 6,
            "disease": [0.0, 1.0] * 15,
        }
    )


def same(cohort: Cohort, patients: pd.DataFrame) -> None:
    assert list(cohort.frame.columns) == list(patients.columns)
    values = typed(cohort.frame, cohort.schema)
    np.testing.assert_array_equal(values["age"], patients["age"])
    np.testing.assert_array_equal(values["glucose"], patients["glucose"])
    assert values["性别"].tolist() == [None if pd.isna(v) else v for v in patients["性别"]]
    assert values["admission_date"].tolist() == patients["admission_date"].tolist()
    assert set(values["disease"]) == {"0", "1"}
    kinds = {c.name: c.kind for c in cohort.schema.columns}
    assert kinds == {
        "age": "numeric",
        "性别": "category",
        "admission_date": "date",
        "glucose": "numeric",
        "disease": "boolean",
    }


def excel(sheets: dict[str, list[list[object]]]) -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def rows_of(patients: pd.DataFrame) -> list[list[object]]:
    body = [[None if pd.isna(v) else v for v in row] for row in patients.astype(object).to_numpy().tolist()]
    return [list(patients.columns), *body]


def test_an_excel_file_is_read_with_its_types(patients: pd.DataFrame) -> None:
    cohort = read_table(("p.xlsx", excel({"data": rows_of(patients)})))
    same(cohort, patients)
    assert (cohort.source.format, cohort.source.sheet, cohort.source.sheets) == ("xlsx", "data", ("data",))


def test_the_sheet_with_the_table_is_found_and_another_can_be_chosen(patients: pd.DataFrame) -> None:
    data = excel(
        {"notes": [["read me"], ["made on Monday"]], "patients": rows_of(patients), "few": [["a", "b"], [1, 2]]}
    )
    cohort = read_table(("p.xlsx", data))
    assert cohort.source.sheet == "patients"
    assert cohort.source.sheets == ("notes", "patients", "few")
    assert list(read_table(("p.xlsx", data), overrides={"sheet": "few"}).frame.columns) == ["a", "b"]
    with pytest.raises(UnreadableFileError, match="patients"):
        read_table(("p.xlsx", data), overrides={"sheet": "none"})


def test_titles_above_the_table_are_left_out(patients: pd.DataFrame) -> None:
    rows = [["Report of ward 7", None, None, None, None], [None] * 5, *rows_of(patients)]
    cohort = read_table(("p.xlsx", excel({"s": rows})))
    same(cohort, patients)
    assert cohort.source.skip_lines == 2


def test_a_mixed_column_is_read_as_text() -> None:
    rows = [["x", "y"], *[[i, 1] for i in range(20)], ["<5", 2], [dt.datetime(2020, 1, 2), 3], [True, 4]]
    frame = read_table(("p.xlsx", excel({"s": rows}))).frame
    assert frame["x"].tolist()[-4:] == ["19", "<5", "2020-01-02", "True"]


def test_an_open_document_spreadsheet_is_read(patients: pd.DataFrame) -> None:
    cohort = read_table(("p.ods", open_document(rows_of(patients))))
    same(cohort, patients)
    assert cohort.source.format == "ods"


def test_parquet_and_feather_are_read(patients: pd.DataFrame) -> None:
    for write in (patients.to_parquet, patients.to_feather):
        out = io.BytesIO()
        write(out)
        same(read_table(("p.bin", out.getvalue())), patients)


@pytest.mark.parametrize(
    ("writer", "suffix", "kind"),
    [(pyreadstat.write_sav, ".sav", "spss"), (pyreadstat.write_dta, ".dta", "stata")],
)
def test_spss_and_stata_are_read_with_labels(
    patients: pd.DataFrame, tmp_path: Path, writer: object, suffix: str, kind: str
) -> None:
    plain = patients.rename(columns={"性别": "sex"})
    path = tmp_path / f"p{suffix}"
    labels = {"disease": {0.0: "no", 1.0: "yes"}}
    writer(plain, path, column_labels=["Age in years", "", "", "", ""], variable_value_labels=labels)  # type: ignore[operator]
    cohort = read_table(path)
    assert cohort.source.format == kind
    assert cohort.schema["age"].label == "Age in years"
    values = typed(cohort.frame, cohort.schema)
    assert set(values["disease"]) == {"no", "yes"}
    np.testing.assert_array_equal(values["glucose"], plain["glucose"])
    assert values["admission_date"].tolist() == plain["admission_date"].tolist()


def test_sas_transport_files_are_read(patients: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "p.xpt"
    pyreadstat.write_xport(patients[["age", "glucose"]], path, file_format_version=5)
    values = read_table(path).frame
    np.testing.assert_allclose(values["glucose"], patients["glucose"])


@pytest.mark.parametrize("suffix", [".xlsx", ".parquet", ".sav", ".dta"])
def test_a_damaged_file_is_refused_with_one_sentence(patients: pd.DataFrame, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"p{suffix}"
    plain = patients.rename(columns={"性别": "sex"})
    if suffix == ".xlsx":
        path.write_bytes(excel({"s": rows_of(patients)}))
    elif suffix == ".parquet":
        plain.to_parquet(path)
    else:
        (pyreadstat.write_sav if suffix == ".sav" else pyreadstat.write_dta)(plain, path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(UnreadableFileError, match="damaged"):
        read_table(path)


def test_a_sheet_without_rows_is_refused() -> None:
    with pytest.raises(UnreadableFileError, match="no rows"):
        read_table(("p.xlsx", excel({"s": [["a", "b"]]})))
    with pytest.raises(UnreadableFileError, match="empty"):
        read_table(("p.xlsx", excel({"s": []})))
