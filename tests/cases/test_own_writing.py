"""Ways of writing that hospitals' exports have: each is understood whole, or reported, in the table and in one row alone."""

import io

import pandas as pd
import pytest
from openpyxl import Workbook

from medcore.data.preparation.fixes import change_column
from medcore.data.quality import inspect
from medcore.data.reading.table import read_table
from medcore.data.values.typed import typed

AGES = [41, 52, 63, 74, 58, 66]


def read(cells, name="x", *, sep=",", encoding="utf-8", kind=None):
    """Read a table of 60 rows whose second column has these cells again and again; return cohort and its values."""
    column = (list(cells) * 60)[:60]
    rows = [f"id{sep}{name}{sep}age", *(f"p{k}{sep}{cell}{sep}{AGES[k % 6]}" for k, cell in enumerate(column))]
    cohort = read_table(("ward.csv", ("\n".join(rows) + "\n").encode(encoding)))
    if kind is not None:
        assert cohort.schema[name].kind == kind
    return cohort, typed(cohort.frame, cohort.schema)[name]


def alone(cohort, row, name="x"):
    """Read one row by itself as a new table, under what was learnt from the whole."""
    text = cohort.frame.iloc[[row]].to_csv(index=False)
    return typed(read_table(("one.csv", text.encode()), like=cohort.schema).frame, cohort.schema)[name].iloc[0]


@pytest.mark.parametrize(
    ("cells", "expected", "unit"),
    [
        (["4.5x10^3", "1.3 x 10^4", "9.85E+02", "2×10³"], [4500, 13000, 985, 2000], None),
        (["4.5x10^9/L", "6.1x10^9/L", "7.0x10^9/L"], [4.5, 6.1, 7.0], "x10^9/L"),
        (["€ 1597.76", "€ 20.50", "€ 300.00"], [1597.76, 20.5, 300], "€"),
        (["￥1200", "￥80.5", "￥999"], [1200, 80.5, 999], "¥"),
        (["41 pack-years", "3 pack-years", "0 pack-years", "20 pack-years"], [41, 3, 0, 20], "pack-years"),
        (["3 episodes", "1 episodes", "12 episodes", "4 episodes", "7 episodes"], [3, 1, 12, 4, 7], "episodes"),
        (["1h49", "53 min", "2h03", "1h 10"], [109, 53, 123, 70], "min"),
        (["4:41am", "7:22 PM", "12:05 a.m.", "12:30pm"], [4 + 41 / 60, 19 + 22 / 60, 5 / 60, 12.5], "h"),
        (["上午9点", "下午3点20分", "晚上11:05", "凌晨2点半"], [9, 15 + 1 / 3, 23 + 5 / 60, 2.5], "h"),
    ],
)
def test_numbers_are_understood_whole_and_alone(cells, expected, unit):
    cohort, values = read(cells, kind="numeric")
    assert values.head(len(cells)).tolist() == pytest.approx(expected)
    assert cohort.schema["x"].unit == unit
    for row in range(len(cells)):
        assert alone(cohort, row) == pytest.approx(expected[row])


@pytest.mark.parametrize("minus", ["-", "－"])
def test_a_minus_among_strengths_is_the_weakest_of_them(minus):
    cohort, values = read([minus, "±", "1+", "2+", "3+"], name="protein", kind="category")
    assert cohort.schema["protein"].levels == ("-", "±", "1+", "2+", "3+")
    assert values.notna().all() and not cohort.schema["protein"].missing_codes
    assert alone(cohort, 0, "protein") == "-"


@pytest.mark.parametrize(
    "pair", [("wahr", "falsch"), ("да", "нет"), ("sim", "não"), ("はい", "いいえ"), ("vrai", "faux")]
)
def test_yes_and_no_of_other_languages_are_booleans(pair):
    cohort, values = read(pair, kind="boolean")
    assert cohort.schema["x"].levels == pair[::-1]
    assert values.notna().all()


@pytest.mark.parametrize("mark", ['"', "〃", "同上", "ditto"])
def test_a_ditto_mark_is_the_value_above_and_told(mark):
    cells = ["A", mark, mark, "", mark, "B", mark]
    text = "\n".join(["ward\tage\tdied", *(f"{cell}\t{50 + k}\t{k % 2}" for k, cell in enumerate(cells * 6))]) + "\n"
    cohort = read_table(("ward.tsv", text.encode()))
    got = [None if pd.isna(v) else v for v in cohort.frame["ward"].head(7)]
    assert got == ["A", "A", "A", None, None, "B", "B"]
    told = [str(m) for m in cohort.repairs]
    assert [m for m in told if "24 cell(s) hold a ditto mark" in m and "never closed" not in m]
    assert not [m for m in told if "never closed" in m]


def test_errors_of_a_spreadsheet_are_counted():
    book, file = Workbook(), io.BytesIO()
    book.active.append(["id", "crp", "died"])
    for k in range(30):
        book.active.append([k, "#N/A" if k % 10 == 0 else "#DIV/0!" if k == 5 else k / 2, k % 2])
    book.save(file)
    cohort = read_table(("ward.xlsx", file.getvalue()))
    assert any(str(m).startswith("4 cell(s) hold an error of the spreadsheet") for m in cohort.repairs)
    assert int(cohort.frame["crp"].isna().sum()) == 4


def test_words_behind_codes_are_no_units():
    cohort, _values = read(["12A", "3B", "7C", "12C", "5A"], name="bed")
    assert cohort.schema["bed"].kind != "numeric"


def test_pairs_of_numbers_are_no_free_text():
    text = "bp,age,died\n" + "".join(f"{110 + k}/{70 + k % 9},{40 + k},{k % 2}\n" for k in range(60))
    found = {f.code for f in inspect(read_table(("ward.csv", text.encode())))}
    assert "columns.pairs" in found
    assert "privacy.free_text" not in found


def test_numbers_grouped_as_in_india_are_numbers() -> None:
    cohort, values = read(["1,50,000", "2,75,000", "95,000", "12,40,500"], sep=";", kind="numeric")
    assert values.tolist()[:4] == [150_000, 275_000, 95_000, 1_240_500]
    assert alone(cohort, 2) == 95_000


@pytest.mark.parametrize("other", ["({}.1)", "{} on 2L", "{} RA ?"])
def test_a_measurement_that_is_read_as_categories_is_told_until_a_person_decides(other: str) -> None:
    cells = [other.format(80 + k) if k % 2 else str(80 + k) for k in range(40)]
    cohort, _values = read(cells, kind="category")
    found = next(f for f in inspect(cohort) if f.code == "categories.measured")
    assert (found.columns, found.n_rows) == (("x",), 30)
    assert found.fix is not None
    assert (found.fix.action, found.fix.values) == ("set_column", {"kind": "numeric"})
    decided = cohort.with_schema(change_column(cohort.schema, "x", kind="category"))
    assert "categories.measured" not in {f.code for f in inspect(decided)}


def test_codes_with_letters_among_them_are_no_measurement() -> None:
    cells = [f"{240 + k}.{k % 10}" if k % 2 else f"V{10 + k}" for k in range(40)]
    cohort, _values = read(cells, kind="category")
    assert "categories.measured" not in {f.code for f in inspect(cohort)}
