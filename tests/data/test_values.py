"""Cells become values."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from medcore.data.cohort import Column, Schema
from medcore.data.describe.mended import mended
from medcore.data.reading.table import read_table
from medcore.data.values.numbers import parse_numbers
from medcore.data.values.time.dates import parse_dates
from medcore.data.values.typed import read_values, typed


def numbers_of(*texts: str, decimal: str | None = None) -> list[float]:
    return parse_numbers(pa.array(texts, type=pa.large_string()), decimal=decimal).value.tolist()


def dates_of(*texts: str) -> list[str]:
    return [str(d)[:16] for d in parse_dates(pa.array(texts, type=pa.large_string())).value]


def one_column(kind: str, cells: list[str | None], **fields: object) -> pd.Series:
    schema = Schema((Column(name="x", kind=kind, **fields),))
    return typed(pd.DataFrame({"x": cells}, dtype="str"), schema)["x"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12.0),
        ("-1.5e3", -1500.0),
        (".5", 0.5),
        ("265,000", 265000.0),
        ("1,234,567.8", 1234567.8),
        ("<0.1", 0.1),
        (">= 500", 500.0),
        ("≥5", 5.0),
        ("12 mg", 12.0),
        ("5.2↑", 5.2),
        ("36.5℃", 36.5),
        ("4.5 10^9/L", 4.5),
        ("170cm", 170.0),
        ("63岁", 63.0),
        ("18:30", 18.5),
        ("45 %", 45.0),
        ("−3", -3.0),
    ],
)
def test_a_number_is_read_however_it_is_written(text: str, value: float) -> None:
    assert numbers_of(text) == [pytest.approx(value)]


@pytest.mark.parametrize(
    "text", ["10-20", "120/80", "abc", "1.2.3", "inf", "nan", "+", "3 to 4", "V45", "2020-01-01", ""]
)
def test_what_is_no_number_becomes_missing(text: str) -> None:
    assert np.isnan(numbers_of(text)[0])


def test_a_column_with_a_certain_decimal_comma_is_read_with_decimal_commas() -> None:
    assert numbers_of("3,7", "1,234", "12") == [3.7, 1.234, 12.0]


def test_a_column_with_groups_of_three_is_read_with_thousands_separators() -> None:
    assert numbers_of("265,000", "1,234") == [265000.0, 1234.0]


def test_the_files_decimal_mark_overrules_the_column() -> None:
    assert numbers_of("1,234", "1.234,5", decimal=",") == [1.234, 1234.5]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2020-01-02", "2020-01-02T00:00"),
        ("2020/1/2 9:05", "2020-01-02T09:05"),
        ("2020年1月2日", "2020-01-02T00:00"),
        ("2020年1月2日 8时30分", "2020-01-02T08:30"),
        ("2020年3月", "2020-03-01T00:00"),
        ("20200102", "2020-01-02T00:00"),
        ("02.01.2020", "2020-01-02T00:00"),
        ("Jan 2, 2020", "2020-01-02T00:00"),
        ("2 January 2020", "2020-01-02T00:00"),
        ("2020-01-02T03:04:05Z", "2020-01-02T03:04"),
        ("43832", "2020-01-02T00:00"),
        ("02/01/20", "2020-01-02T00:00"),
        ("13/01/99 14:30", "1999-01-13T14:30"),
    ],
)
def test_a_date_is_read_however_it_is_written(text: str, value: str) -> None:
    assert dates_of(text) == [value]


@pytest.mark.parametrize("text", ["2020-13-40", "31/31/2020", "hello", "12", "99999999"])
def test_what_is_no_date_becomes_missing(text: str) -> None:
    assert dates_of(text) == ["NaT"]


def test_month_comes_first_when_the_column_proves_it() -> None:
    assert dates_of("1/13/2020", "2/3/2020") == ["2020-01-13T00:00", "2020-02-03T00:00"]
    assert dates_of("13/1/2020", "2/3/2020") == ["2020-01-13T00:00", "2020-03-02T00:00"]


def test_categories_are_trimmed_and_width_folded() -> None:
    assert one_column("category", ["ckd", "ckd\t", " ｃｋｄ ", None, "", "1.0", "1"]).tolist() == [
        "ckd",
        "ckd",
        "ckd",
        None,
        None,
        "1",
        "1",
    ]


def test_booleans_in_many_words_are_written_in_the_columns_own_two() -> None:
    cells = one_column("boolean", ["Yes", "no", "Y", "\tno", "TRUE", "否", None], levels=("no", "yes"))
    assert cells.tolist() == ["yes", "no", "yes", "no", "yes", "no", None]


def test_missing_codes_become_missing_whatever_their_form() -> None:
    assert np.isnan(one_column("numeric", ["-9.0", "-9", "?"], missing_codes=("-9", "?"))).all()
    assert one_column("category", ["NA", "na ", "a"], missing_codes=("NA",)).tolist() == [None, None, "a"]


def test_typed_columns_keep_their_index_and_have_the_kinds_dtype() -> None:
    frame = pd.DataFrame(
        {"a": ["1", "x"], "b": ["2020-01-01", "2020-01-02"], "c": ["u", "v"]}, dtype="str", index=[5, 7]
    )
    schema = Schema(
        (Column(name="a", kind="numeric"), Column(name="b", kind="date"), Column(name="c", kind="category"))
    )
    result = read_values(frame, schema)
    assert list(result.frame.index) == [5, 7]
    assert [str(d) for d in result.frame.dtypes] == ["float64", "datetime64[us]", "object"]
    assert result.unreadable == {"a": 1}


def test_numbers_of_a_typed_file_pass_through() -> None:
    frame = pd.DataFrame({"a": [1, 2, -9], "b": [1.0, 2.0, np.nan], "c": [True, False, True]})
    schema = Schema(
        (
            Column(name="a", kind="numeric", missing_codes=("-9",)),
            Column(name="b", kind="category"),
            Column(name="c", kind="boolean", levels=("False", "True")),
        )
    )
    out = typed(frame, schema)
    np.testing.assert_array_equal(out["a"], [1.0, 2.0, np.nan])
    assert out["b"].tolist() == ["1", "2", None]
    assert out["c"].tolist() == ["True", "False", "True"]


def test_one_hundred_thousand_rows_are_typed_as_pandas_would() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {f"x{i}": rng.normal(size=100_000).round(3).astype(str) for i in range(5)}
        | {f"c{i}": rng.choice(["a", "b "], 100_000) for i in range(5)},
        dtype="str",
    )
    schema = Schema(tuple(Column(name=n, kind="numeric" if n[0] == "x" else "category") for n in frame))
    out = typed(frame, schema)
    np.testing.assert_allclose(out["x0"], frame["x0"].astype(float))


def test_durations_in_chinese_words_are_numbers():
    """As the length of an illness is written in ward notes, where few cells are figures and a unit alone."""
    said = {
        "3天": 3, "半天": 0.5, "2天余": 2, "一周": 7, "两个星期": 14, "10余天": 10, "1天半": 1.5, "3+天": 3, "约5天": 5,
        "三十六小时": 1.5, "2天前": 2, "1周多": 7,
    }  # fmt: skip
    cells = [cell for cell in said for _ in range(20)]
    frame = pd.DataFrame(
        {
            "id": range(len(cells)),
            "病程": cells,
            "月份": ["一月", "二月", "三月", "十月"] * 60,
            "分级": ["一级", "二级", "三级"] * 80,
        }
    )
    cohort = read_table(("病程.csv", frame.to_csv(index=False).encode()))
    assert [c.kind for c in cohort.schema.columns][1:] == ["numeric", "category", "category"]
    read = typed(cohort.frame, cohort.schema)["病程"]
    unit = {"d": 1, "weeks": 7, "h": 1 / 24}[cohort.schema["病程"].reading.unit]
    np.testing.assert_allclose(read * unit, [said[cell] for cell in cells])
    limits = next(m for m in mended(cohort) if "approximate" in str(m.message))
    assert limits.n_cells == 20 * sum(any(mark in cell for mark in "余多约+") for cell in said)


def test_a_word_before_nearly_all_numbers_is_no_category():
    """Unless it names things by number, limits them, or belongs to a date."""
    rng = np.random.default_rng(1)
    n = 240
    whole = rng.integers(1, 60, n)
    frame = pd.DataFrame(
        {
            "id": [f"Patient {i}" for i in range(n)],
            "ef": [f"EF {x}%" for x in whole],
            "hr": [f"HR: {x}" if x % 7 else f"hr {x}" for x in whole],
            "t": [f"体温{x:.1f}℃" for x in whole / 10 + 35],
            "crp": [f"CRP<{x}" if x % 5 else f"CRP={x}" for x in whole],
            "limit": [f"below {x}" for x in whole],
            "bed": [f"Bed {x}" for x in whole],
            "grade": [f"Grade {x % 4}" for x in whole],
            "surgeon": [f"Surgeon {x}" for x in whole],
            "ward": [f"第{x}病区" for x in whole],
            "code": [f"A{x}" for x in whole],
            "seen": [f"民國{90 + x % 20}年{1 + x % 12}月{1 + x % 28}日" for x in whole],
        }
    )
    cohort = read_table(("t.csv", frame.to_csv(index=False).encode()))
    measured = ["ef", "hr", "t", "crp", "limit"]
    assert [c.name for c in cohort.schema.columns if c.kind == "numeric"] == measured
    read = typed(cohort.frame, cohort.schema)
    for name in ("ef", "hr", "crp", "limit"):
        np.testing.assert_array_equal(read[name], whole)
    np.testing.assert_allclose(read["t"], whole / 10 + 35)
    assert [cohort.schema[name].unit for name in ("ef", "t")] == ["%", "°C"]
    one = read_table(("one.csv", frame.iloc[[3]].to_csv(index=False).encode()), like=cohort.schema)
    again = typed(one.frame, cohort.schema)
    assert [again[name].iloc[0] for name in measured] == [read[name].iloc[3] for name in measured]
    assert Schema.from_dict(cohort.schema.to_dict()) == cohort.schema


def test_chinese_thousands_are_multiplied_and_kilograms_are_not():
    assert numbers_of("1.2万", "3,400", "5.6×10^3", "2千", "80万U", "1亿", "3百万", "约2万") == pytest.approx(
        [12e3, 3400, 5600, 2000, 8e5, 1e8, 3e6, 2e4]
    )
    cells = [f"{40 + i % 50}{['千克', 'kg'][i % 2]}" for i in range(120)]
    weights = read_table(("t.csv", "\n".join(["体重", *cells]).encode()))
    assert set(typed(weights.frame, weights.schema)["体重"]) == {*range(40, 90)}
    alike = read_table(("t.csv", "\n".join(["剂量", *[f"{20 * (1 + i % 9)}万U" for i in range(120)]]).encode()))
    assert typed(alike.frame, alike.schema)["剂量"].max() == 180
    assert alike.schema["剂量"].unit == "万U"
    mixed = [f"{5 + i % 30}万" if i % 3 else f"{(5 + i % 30) * 10_000}" for i in range(120)]
    platelets = read_table(("t.csv", "\n".join(["血小板", *mixed]).encode()))
    np.testing.assert_array_equal(
        typed(platelets.frame, platelets.schema)["血小板"], [(5 + i % 30) * 1e4 for i in range(120)]
    )
