"""Columns as wards write them: what each cell means, in the table and in one patient's row alone."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

from medcore.data.cohort import Cohort, Schema
from medcore.data.describe.mended import mended
from medcore.data.notation import Reading
from medcore.data.parts import are_joined, parts_of
from medcore.data.preparation.fixes import apply_fix
from medcore.data.preparation.recipe import default_recipe, prepare
from medcore.data.quality import inspect
from medcore.data.reading.table import read_table
from medcore.data.schema.inference import choose_target
from medcore.data.values.typed import typed
from tests.data.test_values import one_column

OTHERS = {"age_at_entry": [str(20 + i % 60) for i in range(240)], "died": ["yes", "no", "no"] * 80}


def read(name: str, cells: list[str]) -> Cohort:
    table = pd.DataFrame({**OTHERS, name: [cells[i % len(cells)] for i in range(240)]}, dtype="str")
    return read_table(("ward.csv", table.to_csv(index=False).encode()))


def means(cohort: Cohort, name: str) -> dict[str, object]:
    return dict(zip(cohort.frame[name], typed(cohort.frame, cohort.schema)[name], strict=True))


def kinds_of_mends(cohort: Cohort) -> set[str]:
    return {mend.kind for mend in mended(cohort)}


def some(*said: Mapping[str, float]) -> dict[str, float]:
    return {cell: value for each in said for cell, value in each.items()}


MEASURED: dict[str, dict[str, float]] = {
    # An L that is a litre, and one that is a laboratory's flag for low.
    "urine": some({f"{300 + 37 * i}ml": 300 + 37 * i for i in range(30)}, {"1.2L": 1200, "0.8 L": 800, "950": 950}),
    "drain": some({f"{i / 10 + 0.4:.1f} L": i / 10 + 0.4 for i in range(20)}, {"600 mL": 0.6, "450ml": 0.45}),
    "semen volume": some({f"{i / 10 + 1.5:.1f} mL": i / 10 + 1.5 for i in range(20)}, {"1.2 L": 1.2, "0.9 L": 0.9}),
    "mcv": some({f"{80 + i} fL": 80 + i for i in range(15)}, {f"{60 + i} L": 60 + i for i in range(9)}),
    # Hours and minutes without a mark between.
    "onset": {"14:30": 14.5, "0730": 7.5, "07:15": 7.25, "23:45": 23.75, "1545": 15.75, "8:05": 8 + 5 / 60, "0:30": 0.5},
    "arrival": {"1915h": 19.25, "0730h": 7.5, "2300h": 23, "1206h": 12.1, "0015h": 0.25, "0100h": 1},
    "就诊时刻": {"7点30分": 7.5, "下午3点": 15, "8点半": 8.5, "16时": 16, "上午9点15分": 9.25, "0点": 0, "10点": 10},
    # Ages and durations in words.
    "ill for": {
        **{f"{i} days": i for i in range(2, 14)},
        "half a day": 0.5, "a week": 7, "two weeks ago": 14, "about 3 weeks": 21, "1-2 weeks": 10.5, "x4d": 4,
        "a week and a half": 10.5, "3+ weeks": 21, "> 2 weeks": 14, "for the last 2 weeks": 14, "3 to 5 days": 4,
    },
    "Krankheitsdauer": {
        **{f"seit {i} Tagen": i for i in range(2, 14)},
        "eine Woche": 7, "vor 2 Wochen": 14, "ca. 3 Tage": 3, "2-4 Wochen": 21, "zwei Tage": 2,
    },
    "病程": {**{f"{i}天": i for i in range(2, 14)}, "三四天": 3.5, "3-5天": 4, ">2周": 14, "两周": 14, "超过1周": 7},
    "history": {"3/7": 3, "10/7": 10, "2/52": 14, "6/52": 42, "4/7": 4, "1/52": 7, "6/7": 6},
    # Units that were none.
    "smoking_pack_years": some({f"{i} pack years": i for i in range(9)}, {"20 py": 20, "15 pack-years": 15, "12": 12}),
    "tobacco": some({f"{i / 2} ppd": i / 2 for i in range(8)}, {"1.2 packs/day": 1.2}),
    "mass": some(
        {f"{60 + i} kg": 60 + i for i in range(20)}, {"11 st 4 lb": 71.6676, "10st": 63.503, "150 lb": 68.0389}
    ),
    "stature": {'69"': 69, "5'10\"": 70, "5 ft 8 in": 68, "66 in": 66, '64"': 64, "62 inches": 62},
    "bsa": {f"{1.4 + i / 50:.2f} m²": 1.4 + i / 50 for i in range(25)},
    "pulse rate": {"82次/分": 82, "64/min": 64, "90 bpm": 90, "71次/分": 71, "77/min": 77, "102次/分": 102},
    "viral load": {"4.5 log": 4.5, "5.47 log10": 5.47, "6.1 lg": 6.1, "2.3 log": 2.3, "3.9 log": 3.9, "4.4 log10": 4.4},
    # A number that is said in two, or with something beside it.
    "ef": some({f"{i}%": i for i in range(20, 60)}, {"30-35%": 32.5, "55 to 60 %": 57.5, "45%-50%": 47.5}),
    "crp": {f"{i / 4 + 1:.2f}±0.3": i / 4 + 1 for i in range(20)},
    "tablets": {"1/2": 0.5, "1": 1, "1 1/2": 1.5, "2": 2, "½": 0.5, "1½": 1.5, "3": 3, "2 1/2": 2.5},
    "base excess": {"− 5.3": -5.3, "–2.1": -2.1, "+1.4": 1.4, "- 0.7": -0.7, "0.2": 0.2, "3.1": 3.1, "+ 2.2": 2.2},
    "gcs": {"15 (E4V5M6)": 15, "12 (E3V4M5)": 12, "8(E2V2M4)": 8, "14 (E4V4M6)": 14, "3 (E1V1M1)": 3, "9 (E2V2M5)": 9},
    "mmse": some({f"{i}/30": i for i in range(10, 30, 2)}, {f"{i}": i for i in range(11, 30, 3)}),
    "体温": some({f"{36 + i / 10:.1f}": 36 + i / 10 for i in range(9)}, {f"T{37 + i / 10:.1f}": 37 + i / 10 for i in range(9)}, {"38.5度": 38.5}),
    "岁数": {"三十二": 32, "四十": 40, "一百零二": 102, "六十五": 65, "十八": 18, "七十一": 71, "二十九": 29, "八": 8},
}  # fmt: skip

IN_DAYS = ("ill for", "Krankheitsdauer", "病程", "history")
"""Lengths of illness, whose unit is that of most cells."""


@pytest.mark.parametrize("name", MEASURED)
def test_a_measurement_is_read_as_its_ward_means_it(name: str) -> None:
    meant = MEASURED[name]
    cohort = read(name, list(meant))
    found = means(cohort, name)
    reading = cohort.schema[name].reading
    assert reading is not None
    unit = {"d": 1, "weeks": 7}[reading.unit] if name in IN_DAYS else 1
    assert cohort.schema[name].kind == "numeric"
    np.testing.assert_allclose([found[cell] * unit for cell in meant], list(meant.values()), rtol=1e-5)
    assert Schema.from_dict(cohort.schema.to_dict()) == cohort.schema


@pytest.mark.parametrize("name", MEASURED)
def test_one_row_alone_is_read_as_in_its_table(name: str) -> None:
    cohort = read(name, list(MEASURED[name]))
    together = means(cohort, name)
    for cell in list(MEASURED[name])[::3]:
        alone = pd.DataFrame({**{c: [cohort.frame[c].iloc[0]] for c in OTHERS}, name: [cell]}, dtype="str")
        one = read_table(("one.csv", alone.to_csv(index=False).encode()), like=cohort.schema)
        assert typed(one.frame, cohort.schema)[name].iloc[0] == together[cell]


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("group", ["18-29", "30-44", "45-59", "60-74", "75+"]),
        ("score", ["0", "1-2", "3-5", ">5"]),
        ("steatosis", ["1", "1/2", "2", "2/3", "3"]),
        ("acuity", ["6/6", "6/9", "6/12", "6/60"]),
        ("month", ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二"]),
        ("code", [f"{i % 24:02}{i % 60:02}" for i in range(60)]),
        ("bed", [f"Bed {i}" for i in range(30)] + [f"{i}" for i in range(30, 40)]),
        ("operated", [f"R {i}" for i in range(30)] + [f"{i}" for i in range(30, 40)]),
        ("gene", [f"k{i}" for i in range(40)]),
        ("year", ["2018", "2019", "2019-2020"]),
    ],
)
def test_what_names_something_stays_a_category(name: str, cells: list[str]) -> None:
    assert read(name, cells).schema[name].kind == "category"


@pytest.mark.parametrize(
    ("cells", "first"),
    [
        (["112/01/05", "98/12/30", "111/03/04", "110/5/6", "109/10/11"], "2023-01-05"),
        (["民國112年1月5日", "民國98年12月30日", "民国100年3月4日"], "2023-01-05"),
        (["令和5年1月5日", "平成30年2月1日", "R3.4.5", "H29/03/04", "昭和63年5月1日"], "2023-01-05"),
        (["05/01/2566", "28/02/2565", "13/12/2564", "01/02/2563"], "2023-01-05"),
        (["2023-01-05", *[str(44900 + i) for i in range(9)], "2022-03-04"], "2023-01-05"),
    ],
)
def test_years_of_other_calendars_and_days_of_a_spreadsheet_are_dates(cells: list[str], first: str) -> None:
    cohort = read("seen", cells)
    assert (cohort.schema["seen"].kind, str(means(cohort, "seen")[cells[0]])[:10]) == ("date", first)
    assert typed(cohort.frame, cohort.schema)["seen"].notna().all()
    assert kinds_of_mends(cohort) & {"era", "serial"}
    alone = pd.DataFrame({**{c: [cohort.frame[c].iloc[0]] for c in OTHERS}, "seen": [cells[1]]}, dtype="str")
    one = read_table(("one.csv", alone.to_csv(index=False).encode()), like=cohort.schema)
    assert typed(one.frame, cohort.schema)["seen"].iloc[0] == means(cohort, "seen")[cells[1]]


def test_seven_digits_are_a_date_only_where_the_name_says_so() -> None:
    cells = [f"{98 + i % 15:03}{1 + i % 12:02}{1 + i % 28:02}" for i in range(120)]
    assert read("就诊日期", cells).schema["就诊日期"].kind == "date"
    assert read("lot", cells).schema["lot"].kind != "date"


@pytest.mark.parametrize(
    ("cells", "kind", "levels"),
    [
        (["阳性(+)", "阴性(-)", "阳性", "阴性", "阴性"], "boolean", ("阴性", "阳性")),
        (["positive (+)", "NEG (-)", "Pos.", "negative", "negative", "POS"], "boolean", ("negative", "positive")),
        (["弱阳性(±)", "阴性", "阳性(+)", "阴性(-)", "弱阳性"], "category", ("阴性", "弱阳性", "阳性")),
        (["II", "NYHA II", "II级", "III", "Class III", "I", "2"], "category", None),
        (["G3a", "G2", "stage 3a", "CKD 2", "3b", "G3b"], "category", None),
    ],
)
def test_spellings_of_one_answer_are_one(cells: list[str], kind: str, levels: tuple[str, ...] | None) -> None:
    cohort = read("result", cells)
    column = cohort.schema["result"]
    found = set(means(cohort, "result").values())
    assert column.kind == kind and found <= set(column.levels) and len(found) < len(cells)
    assert levels is None or {level.casefold() for level in column.levels} == {level.casefold() for level in levels}
    assert "spelling" in kinds_of_mends(cohort)


@pytest.mark.parametrize("cells", [["Rh+", "Rh-", "+", "-"], ["T1", "T2", "T3"], ["type 1", "type 2"], ["A(+)", "A"]])
def test_what_is_no_other_spelling_stays_apart(cells: list[str]) -> None:
    assert set(means(read("result", cells), "result").values()) == set(cells)


def test_pressures_with_words_and_sides_are_offered_to_be_split() -> None:
    rng = np.random.default_rng(0)
    pairs = [f"{a}/{b}" for a, b in zip(rng.integers(90, 180, 240), rng.integers(50, 90, 240), strict=True)]
    cells = [(f"BP {p}", f"{p} mmHg", f"{p}(左)", p)[i % 4] for i, p in enumerate(pairs)]
    cohort = read("pressure", cells)
    assert cohort.schema["pressure"].role != "identifier"
    found = next(f for f in inspect(cohort) if f.fix is not None and f.fix.action == "split_column")
    assert found.n_rows == 240
    shares = read("cells", [f"{40 + i % 30}%/{10 + i % 20}%" for i in range(240)])
    assert any(f.fix is not None and f.fix.action == "split_column" for f in inspect(shares))


def test_ranges_and_other_calendars_are_told() -> None:
    cohort = read("ef", list(MEASURED["ef"]))
    told = next(mend for mend in mended(cohort) if mend.kind == "range")
    assert told.n_cells == sum(cell in ("30-35%", "55 to 60 %", "45%-50%") for cell in cohort.frame["ef"])


def test_capital_letters_make_no_classes_of_an_outcome() -> None:
    cohort = read("outcome", ["Died", "died ", "Survived", "survived", "Survived", "Died"])
    schema = choose_target(cohort.schema, cohort.frame, "outcome")
    prepared = prepare(cohort.with_schema(schema), default_recipe(schema))
    assert prepared.classes == ("Survived", "Died") and prepared.n_rows == 240


@pytest.mark.parametrize(("lost", "alive", "dead"), [("LTFU", "Survived", "Died"), ("失访", "存活", "死亡")])
def test_patients_who_were_lost_are_no_class(lost: str, alive: str, dead: str) -> None:
    cohort = read("outcome", [alive, dead, lost, alive])
    cohort = cohort.with_schema(choose_target(cohort.schema, cohort.frame, "outcome"))
    found = next(f for f in inspect(cohort) if f.code == "outcome.lost")
    assert found.n_rows == 60 and found.fix is not None
    assert found.fix.options() == f'--missing "outcome={lost}"'
    schema, recipe = apply_fix(found.fix, cohort.schema, default_recipe(cohort.schema))
    prepared = prepare(cohort.with_schema(schema), recipe)
    assert (prepared.classes, prepared.n_rows, schema.positive) == ((alive, dead), 180, dead)
    assert not any(f.code == "outcome.lost" for f in inspect(cohort.with_schema(schema)))


def test_codes_of_an_order_are_still_filled_with_zeros() -> None:
    found = one_column("category", ["1", "02", "3"], levels=("01", "02", "03"), reading=Reading(width=2))
    assert found.tolist() == ["01", "02", "03"]


def test_leaving_lost_patients_out_keeps_the_other_codes_for_missing() -> None:
    cohort = read("outcome", ["Survived", "Died", "LTFU", "Unknown"])
    cohort = cohort.with_schema(choose_target(cohort.schema, cohort.frame, "outcome"))
    fix = next(f.fix for f in inspect(cohort) if f.code == "outcome.lost")
    assert fix is not None and fix.options() == '--missing "outcome=Unknown,LTFU"'


@pytest.mark.parametrize("cell", ["a" + " " * 60_000 + "b", "120/80" + " " * 60_000 + "x"])
def test_a_long_gap_in_a_cell_is_no_pair(cell: str) -> None:
    assert not are_joined([cell]) and parts_of(cell) == {}
