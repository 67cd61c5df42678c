"""Rows that are no patients: units, labels, names again, totals and notes; names in storeys; where a table begins."""

import io
import random

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medcore.data.cohort import Cohort
from medcore.data.reading.table import read_table
from medcore.data.values.typed import typed
from medcore.errors import UnreadableFileError

HEADER = ["patient_id", "age", "sex", "crp", "sodium", "died"]
UNITS = ["", "years", "M/F", "mg/L", "mmol/L", "0/1"]


def patients(n: int, seed: int = 0) -> list[list[str]]:
    draw = random.Random(seed)
    return [
        [
            f"P{i:04d}",
            str(draw.randint(18, 95)),
            draw.choice("MF"),
            f"{draw.uniform(0.5, 99):.1f}",
            str(draw.randint(125, 150)),
            draw.choice("01"),
        ]
        for i in range(n)
    ]


def csv_of(rows: list[list[str]]) -> bytes:
    return "\n".join(",".join(row) for row in rows).encode()


def read(rows: list[list[str]], **overrides: object) -> Cohort:
    return read_table(("t.csv", csv_of(rows)), overrides=overrides)


def same(found: Cohort, plain: Cohort) -> None:
    assert found.schema.names == plain.schema.names
    assert [c.kind for c in found.schema.columns] == [c.kind for c in plain.schema.columns]
    pd.testing.assert_frame_equal(typed(found.frame, found.schema), typed(plain.frame, plain.schema))


FOOTERS = [
    ["Mean", "", "", "31.0", "138.9", ""],
    ["合计", "", "", "", "12345", "17"],
    ["", "54.2", "", "31.0", "138.9", "0.34"],
    ["Total 40 patients"],
    ["Exported by LabSystem 2024-01-05 08:00"],
    ["* CRP by nephelometry; values below the limit are given as the limit"],
    ["打印日期：2023年3月5日", "", "", "", "", ""],
]


@given(
    n=st.integers(40, 120),
    seed=st.integers(0, 10_000),
    with_units=st.booleans(),
    repeated=st.lists(st.integers(5, 35), max_size=3, unique=True),
    footers=st.lists(st.sampled_from(FOOTERS[3:]), max_size=3),
    summary=st.sampled_from([*FOOTERS[:3], None]),
)
@settings(max_examples=30, deadline=None, derandomize=True)
def test_rows_that_are_no_patients_change_nothing_and_are_counted(
    n: int,
    seed: int,
    with_units: bool,
    repeated: list[int],
    footers: list[list[str]],
    summary: list[str] | None,
) -> None:
    rows = patients(n, seed)
    body = list(rows)
    for at in sorted(repeated, reverse=True):
        body.insert(at, HEADER)
    below = ([summary] if summary and (footers or summary[0]) else []) + footers
    found = read([HEADER, *([UNITS] if with_units else []), *body, *below])
    same(found, read([HEADER, *rows]))
    expected = {"units": int(with_units), "repeated": len(repeated), "footers": len(below)}
    assert dict(found.source.aside) == {k: v for k, v in expected.items() if v}
    assert found.n_rows + sum(found.source.aside.values()) == len(body) + with_units + len(below)


def test_every_row_is_a_patient_on_request() -> None:
    rows = [HEADER, UNITS, *patients(50), ["Mean", "", "", "31.0", "138.9", ""]]
    assert read(rows).n_rows == 50
    kept = read(rows, every_row=True)
    assert kept.n_rows == 52 and kept.source.every_row and not kept.source.aside


def test_units_under_the_names_become_the_columns_units() -> None:
    names = ["住院号", "年龄", "血红蛋白", "白细胞", "转归"]
    draw = random.Random(1)
    rows = [
        [str(90000 + i), str(draw.randint(20, 90)), str(draw.randint(80, 160)), f"{draw.uniform(2, 15):.2f}", "好转"]
        for i in range(40)
    ]
    schema = read([names, ["", "岁", "g/L", "×10^9/L", ""], *rows]).schema
    assert schema["血红蛋白"].unit == "g/L" and schema["白细胞"].unit == "10^9/L"
    assert schema["血红蛋白"].low is not None


def test_labels_under_the_names_become_the_columns_labels() -> None:
    labels = ["Patient", "Age at admission", "Sex at birth", "C-reactive protein", "Serum sodium", "Died in hospital"]
    found = read([HEADER, labels, *patients(40)])
    same(found, read([HEADER, *patients(40)]))
    assert found.schema["crp"].label == "C-reactive protein" and found.source.aside == {"labels": 1}


def test_patients_with_little_known_are_patients() -> None:
    rows = patients(60)
    rows[-1][1:] = [""] * 5
    rows[-2][1:] = ["", "F", "", "", ""]
    rows[-3][1] = "未做"
    assert read([HEADER, *rows]).n_rows == 60


def test_titles_over_names_that_repeat_go_before_them() -> None:
    rows = [[str(i), str(40 + i % 30), f"{4 + i % 3}.1", f"{i % 9}.5", f"{5 + i % 2}.2"] for i in range(30)]
    found = read([["编号", "年龄", "入院", "", "出院"], ["", "", "血糖", "CRP", "血糖"], *rows])
    assert found.schema.names == ("编号", "年龄", "入院 血糖", "CRP", "出院 血糖")
    assert found.source.aside == {"titles": 1} and found.n_rows == 30


def test_a_nameless_column_of_words_is_no_second_row_of_names() -> None:
    found = read([["", "age", "crp"], *[[f"P{i}", str(30 + i), f"{i}.5"] for i in range(30)]])
    assert found.n_rows == 30 and found.schema.names == ("column 1", "age", "crp")


def test_rows_that_end_with_a_delimiter_shift_no_column() -> None:
    rows = [[*row, "", ""] for row in patients(50)]
    same(read([HEADER, *rows]), read([HEADER, *patients(50)]))


def test_a_table_that_begins_lower_and_to_the_right_is_found() -> None:
    rows = [["", "", *row] for row in [HEADER, *patients(50)]]
    found = read([["Report of the ward"], [], *rows])
    same(found, read([HEADER, *patients(50)]))


def test_cells_written_as_text_for_a_spreadsheet_are_read() -> None:
    rows = [[f'="{i:03d}"', f"'{i}.5", "M" if i % 2 else "F"] for i in range(30)]
    found = read([["id", "crp", "sex"], *rows])
    assert found.frame["id"].tolist()[:2] == ["000", "001"] and found.schema["crp"].kind == "numeric"


def test_a_column_that_counts_the_rows_is_no_predictor() -> None:
    rows = [[str(i), *row[1:]] for i, row in enumerate(patients(40))]
    assert read([["", *HEADER[1:]], *rows]).schema["column 1"].role == "identifier"


def test_empty_cells_take_the_value_above_on_request() -> None:
    rows = [[row[0] if i % 3 == 0 else "", *row[1:]] for i, row in enumerate(patients(60))]
    found = read([HEADER, *rows], fill_down=("patient_id",))
    assert found.schema["patient_id"].role == "group" and found.frame["patient_id"].nunique() == 20


def workbook(sheets: dict[str, list[list[object]]], hidden: tuple[str, ...] = (), merge: tuple[str, ...] = ()) -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        sheet.sheet_state = "hidden" if name in hidden else "visible"
        for row in rows:
            sheet.append(row)
    for place in merge:
        book.worksheets[0].merge_cells(place)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def cells(rows: list[list[str]]) -> list[list[object]]:
    def cell(text: str) -> object:
        try:
            return float(text) if text else None
        except ValueError:
            return text

    return [[cell(c) for c in row] for row in rows]


def test_a_hidden_sheet_is_named_and_not_read() -> None:
    data = workbook(
        {
            "病人": cells([HEADER, *patients(40)]),
            "字典表": cells([["code", "text"], *[[str(i), "x"] for i in range(900)]]),
        },
        hidden=("字典表",),
    )
    found = read_table(("t.xlsx", data))
    assert found.source.sheet == "病人" and found.source.hidden_sheets == ("字典表",) and found.n_rows == 40
    assert read_table(("t.xlsx", data), overrides={"sheet": "字典表"}).n_rows == 900


def test_merged_cells_of_a_spreadsheet_count_for_all_their_rows() -> None:
    rows = [[row[0] if i % 3 == 0 else "", *row[1:]] for i, row in enumerate(patients(30))]
    data = workbook({"S": cells([HEADER, *rows])}, merge=tuple(f"A{i}:A{i + 2}" for i in range(2, 32, 3)))
    found = read_table(("t.xlsx", data))
    assert found.frame["patient_id"].nunique() == 10 and found.frame["patient_id"].notna().all()


def test_a_spreadsheet_with_units_totals_and_two_rows_of_names_is_read_as_the_plain_table() -> None:
    rows = patients(60)
    titles = ["Patient", "", "", "Labs", "", "Outcome"]
    data = workbook(
        {"S": cells([["Ward 5"], [], titles, HEADER, UNITS, *rows, [], ["Mean", "55.1", "", "31.0", "138.9", "0.4"]])}
    )
    found = read_table(("t.xlsx", data))
    same(found, read_table(("t.xlsx", workbook({"S": cells([HEADER, *rows])}))))
    assert found.source.aside == {"titles": 1, "units": 1, "footers": 1, "blank": 1}


def test_a_protected_spreadsheet_is_refused_in_one_sentence() -> None:
    data = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512) + "EncryptedPackage".encode("utf-16-le") + bytes(512)
    with pytest.raises(UnreadableFileError, match="password"):
        read_table(("t.xlsx", data))
