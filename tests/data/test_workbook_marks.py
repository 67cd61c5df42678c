"""What a workbook says beside its cells' values is told: hidden, struck out, coloured, commented, formulas without a value."""

import io
from collections.abc import Callable

import pytest
from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.worksheet.worksheet import Worksheet

from medcore.data.reading.table import read_table

N = 40


def told(change: Callable[[Worksheet], None]) -> list[str]:
    book = Workbook()
    sheet = book.active
    sheet.append(["Made in May"])
    sheet.append(["id", "age", "crea", "died"])
    for i in range(N):
        sheet.append([f"P{i:03}", 40 + i, 80.5 + i, i % 2])
    change(sheet)
    file = io.BytesIO()
    book.save(file)
    cohort = read_table(("ward.xlsx", file.getvalue()))
    assert cohort.n_rows == N
    return [str(message) for message in cohort.repairs if "above the column names" not in str(message)]


def _hide_rows(sheet: Worksheet) -> None:
    for row in (1, 5, 6, 7):
        sheet.row_dimensions[row].hidden = True


def _strike(sheet: Worksheet) -> None:
    for row in (2, 9, 10):
        for cell in sheet[row]:
            cell.font = Font(strike=True)


def _colour(sheet: Worksheet) -> None:
    for row in (2, 4, 5, 6):
        for cell in sheet[row]:
            cell.fill = PatternFill("solid", fgColor="FFFF0000")


def _colour_all(sheet: Worksheet) -> None:
    for row in range(1, N + 3):
        sheet.cell(row, 1).fill = PatternFill("solid", fgColor="FFDDDDDD")
        sheet.cell(row, 2).fill = PatternFill("solid", fgColor="FFFFFFFF")


def _comment(sheet: Worksheet) -> None:
    for row in (4, 8):
        sheet.cell(row, 3).comment = Comment("haemolysed", "lab")


def _hide_column(sheet: Worksheet) -> None:
    sheet.column_dimensions["C"].hidden = True


def _formula(sheet: Worksheet) -> None:
    sheet["C4"] = "=B4*2"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda _sheet: None, []),
        (_hide_rows, ["3 row(s) are hidden in the file"]),
        (_strike, ["2 row(s) have cells that are struck out"]),
        (_colour, ["3 row(s) are coloured"]),
        (_colour_all, []),
        (_comment, ["2 cell(s) have a comment"]),
        (_hide_column, ["1 column(s) are hidden in the file and were read like the others: crea"]),
        (_formula, ["1 cell(s) hold a formula without its value"]),
    ],
)
def test_what_stands_beside_the_values_is_told(change: Callable[[Worksheet], None], said: list[str]) -> None:
    found = told(change)
    assert len(found) == len(said), found
    assert all(sentence.startswith(start) for sentence, start in zip(found, said, strict=True))
