"""Ways of writing that hospitals' exports have: each is understood whole, or reported, in the table and in one row alone."""

import io

import pandas as pd
import pytest
from openpyxl import Workbook

from medcore.data.describe.mended import mended
from medcore.data.preparation.fixes import apply_fix, change_column
from medcore.data.preparation.recipe import default_recipe
from medcore.data.quality import inspect
from medcore.data.reading.table import read_table
from medcore.data.values.column import UNREADABLE
from medcore.data.values.typed import read_values, typed

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
    "cells",
    [
        [f"{k}{ward}" for k in range(1, 8) for ward in "AB"],
        ["1A", "2A", "3A", "4A"],
        ["5.2 H", "7.9 H", "6.6 H", "8.1 H", "9.4 H", "3.3"],
        ["7 mmol", "8 mmol/L", "9 mol", "11 mmol/L", "6 mmol/L"],
        ["1组", "2组", "3组", "4组", "5组", "6组"],
        ["1病区", "2病区", "3病区", "4病区", "5病区", "6病区"],
        ["20/40", "20/25", "20/20", "20/60", "20/200", "20/100"],
        ["120/80", "118/80", "130/80", "142/80", "125/80"],
    ],
)
def test_a_mark_behind_numbers_is_no_unit_of_its_own(cells):
    cohort, _values = read(cells)
    assert cohort.schema["x"].unit in (None, "mmol/L")


@pytest.mark.parametrize(
    ("cells", "expected", "unit"),
    [
        (["4.5x10^3", "1.3 x 10^4", "9.85E+02", "2×10³"], [4500, 13000, 985, 2000], None),
        (["4.5x10^9/L", "6.1x10^9/L", "7.0x10^9/L"], [4.5, 6.1, 7.0], "x10^9/L"),
        (["€ 1597.76", "€ 20.50", "€ 300.00"], [1597.76, 20.5, 300], "€"),
        (["￥1200", "￥80.5", "￥999"], [1200, 80.5, 999], "¥"),
        (["41 pack-years", "3 pack-years", "0 pack-years", "20 pack-years"], [41, 3, 0, 20], "pack-years"),
        (["3 episodes", "1 episodes", "12 episodes", "4 episodes", "7 episodes"], [3, 1, 12, 4, 7], "episodes"),
        (["71 J", "54 J", "38J", "82 J", "47 j", "n.b."], [71, 54, 38, 82, 47], "J"),
        (["3 episodes", "1 episode", "12 episodes", "4 episodes", "7 episodes"], [3, 1, 12, 4, 7], "episodes"),
        (["3/10", "0/10", "7/10", "5 / 10", "10/10"], [3, 0, 7, 5, 10], "/10"),
        (["27/30", "30/30", "12.5/30", "19/30", "8/30", "n.d."], [27, 30, 12.5, 19, 8], "/30"),
        (["0.03(阴性)", "1.2 (阳性)", "阴性 <0.05", "0.4", "弱阳性：0.11"], [0.03, 1.2, 0.05, 0.4, 0.11], None),
        (["0.03 (negative)", "Positive (1.7)", "negative: 0.1", "0.6 pos"], [0.03, 1.7, 0.1, 0.6], None),
        (["3 Tage", "1 Tag", "12 Tage", "2 Wochen"], [3, 1, 12, 14], "d"),
        (["2 ans", "1 an", "12 ans", "6 mois"], [2, 1, 12, 0.5], "years"),
        (["2.5 Std.", "11.5 Std.", "7 Std.", "8.25 Std."], [2.5, 11.5, 7, 8.25], "Std."),
        (["45 años", "18 meses", "90 días"], [45, 1.5, 90 / 365.25], "years"),
        (["1h49", "53 min", "2h03", "1h 10"], [109, 53, 123, 70], "min"),
        (["4:41am", "7:22 PM", "12:05 a.m.", "12:30pm"], [4 + 41 / 60, 19 + 22 / 60, 5 / 60, 12.5], "h"),
        (["2.5", "↑7.1", "↓1.2", "6.4↑", "3.3"], [2.5, 7.1, 1.2, 6.4, 3.3], None),
        (["6.3 (high)", "3.5", "1.2 (LOW)", "4.4 (偏高)", "4.1 正常"], [6.3, 3.5, 1.2, 4.4, 4.1], None),
        (["4.9 [3.5-5.1]", "3.2 (3.5–5.1 mmol/L)", "7.9 (ref: 3.5 to 5.1)", "0.2 [<0.4]"], [4.9, 3.2, 7.9, 0.2], None),
        (["~37", "ca. 34", "approx 41", "大约52", "49?", "38", "44"], [37, 34, 41, 52, 49, 38, 44], None),
        (["–1.8", "0.4", "‐2.2", "4.7"], [-1.8, 0.4, -2.2, 4.7], None),
        (["٧٩", "٥٥٫٥", "٦٦"], [79, 55.5, 66], None),
        (["१२०", "९५", "१०१"], [120, 95, 101], None),
        (["38+3", "40+0", "26+6", "39"], [38 + 3 / 7, 40, 26 + 6 / 7, 39], "weeks"),
        (["孕38周+3天", "孕41周", "27+5周", "38w2d"], [38 + 3 / 7, 41, 27 + 5 / 7, 38 + 2 / 7], "weeks"),
        (["33 0/7", "40 6/7", "37 2/7"], [33, 40 + 6 / 7, 37 + 2 / 7], "weeks"),
        (["5' 9''", "5′11″", "6'0”", "4' 10''"], [69, 71, 72, 58], "in"),
        (["5 ft 9 in", "6 ft", "5ft2", "4 feet 11 inches"], [69, 72, 62, 59], "in"),
        (["1m75", "1.8 m", "1 m 68", "1米5厘米"], [1.75, 1.8, 1.68, 1.05], "m"),
        (["3 kg 250 g", "2.9 kg", "4kg50g", "3公斤400克"], [3.25, 2.9, 4.05, 3.4], "kg"),
        (["7 lb 8 oz", "9 lbs 15.2 oz", "6 lb"], [7.5, 9.95, 6], "lb"),
        (["上午9点", "下午3点20分", "晚上11:05", "凌晨2点半"], [9, 15 + 1 / 3, 23 + 5 / 60, 2.5], "h"),
    ],
)
def test_numbers_are_understood_whole_and_alone(cells, expected, unit):
    cohort, values = read(cells, kind="numeric")
    assert values.head(len(expected)).tolist() == pytest.approx(expected)
    assert cohort.schema["x"].unit == unit
    for row in range(len(expected)):
        assert alone(cohort, row) == pytest.approx(expected[row])


def test_a_height_in_feet_is_converted_beside_centimetres():
    _cohort, values = read(["170 cm", "5'9''", "181 cm", "165 cm"], name="height_cm", kind="numeric")
    assert values.head(4).tolist() == pytest.approx([170, 175.26, 181, 165])


@pytest.mark.parametrize("cells", [["3+4", "4+3", "3+3", "4+5"], ["4'05''", "3'48''", "3'59''", "4'31''"]])
def test_a_gleason_score_is_no_gestation_and_a_run_of_minutes_no_height(cells):
    _cohort, values = read(cells, kind="category")
    assert set(values) == set(cells)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["E4V5M6", "E1 V1 M2", "m5 e3 v4", "E4VTM6"], {"E": [4, 1, 3], "V": [5, 1, 4], "M": [6, 2, 5]}),
        (["9/10/10", "7 / 8 / 9", "3/5/8", "9/10/x"], {"(1)": [9, 7, 3], "(2)": [10, 8, 5], "(3)": [10, 9, 8]}),
        (["G2P1A0", "G1P0A0", "G4P2A1", "G3P1A1"], {"G": [2, 1, 4, 3], "P": [1, 0, 2, 1], "A": [0, 0, 1, 1]}),
    ],
)
def test_several_measurements_in_a_cell_become_columns_by_one_click(cells, expected):
    cohort, _values = read(cells, name="score")
    asked = cohort.with_schema(cohort.schema.change("age", role="outcome"))
    (finding,) = [f for f in inspect(asked) if f.code == "columns.pairs"]
    schema, _recipe = apply_fix(finding.fix, cohort.schema, default_recipe(cohort.schema))
    split = read_values(cohort.with_schema(schema).frame, schema)
    for name, values in expected.items():
        assert split.frame[f"score {name}"].head(len(values)).tolist() == values
    told = split.status[f"score {next(iter(expected))}"][:4].tolist()
    assert told[3:] == [0 if len(values) == 4 else UNREADABLE]


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


@pytest.mark.parametrize(
    "cells",
    [
        ["1 low", "2 normal", "3 high"],
        ["0 (normal)", "1 (low)", "2 (high)"],
        ["10–20", "20–30", "5 (3)", "30–40"],
        ["*1", "*2", "*17"],
        ["ca", "about 5 to 6 weeks", "high", "H"],
    ],
)
def test_words_beside_numbers_that_are_no_flag_of_a_measurement_stay_words(cells):
    cohort, values = read(cells)
    assert cohort.schema["x"].kind == "category"
    assert values.head(len(cells)).tolist() == cells


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["Male", "F", "M", "female", "Male", "F"], ["Male", "F", "Male", "F", "Male", "F"]),
        (["男", "女", "男性", "女", "男", "F"], ["男", "女", "男", "女", "男", "女"]),
        (["M", "W", "M", "F", "W"], ["M", "W", "M", "W", "W"]),
        (["M", "F", "M", "F"], ["M", "F", "M", "F"]),
        (["Male", "M", "F", "other"], ["Male", "M", "F", "other"]),
    ],
)
def test_a_sex_in_several_spellings_is_one(cells, expected):
    """Two words for one sex are one category, counted; a third answer leaves all as written."""
    cohort, values = read(cells, "sex", kind="category")
    assert values.tolist()[: len(expected)] == expected
    assert [alone(cohort, row, "sex") for row in range(len(cells))] == expected
    n = sum(given != meant for given, meant in zip((cells * 60)[:60], values, strict=True))
    assert sum(mend.n_cells for mend in mended(cohort) if mend.kind == "spelling") == n
