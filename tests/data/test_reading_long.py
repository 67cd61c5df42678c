"""Tables of one row a result: recognised, and made one row a patient by a form."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medcore.data.cohort import Cohort, Schema
from medcore.data.long import Pivot, read_pivot
from medcore.data.quality import inspect
from medcore.data.reading.table import read_table, reshape
from medcore.data.values.typed import typed
from medcore.errors import SettingsError

BASE = {"patient": "病案号", "analyte": "检验项目", "value": "结果"}


def long_table(n: int = 40) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = []
    for i in range(n):
        admitted = pd.Timestamp("2023-03-05") + pd.Timedelta(days=i % 20)
        for day in (-3, -1, 2):
            for name, unit, middle in (("钠", "mmol/L", 140), ("血红蛋白", "g/L", 130), ("血型", "", None)):
                value = "A" if middle is None else f"{middle + rng.normal():.1f}"
                if name == "血红蛋白" and i % 4 == 0:
                    value, unit = f"{float(value) / 10:.2f}", "g/dL"
                drawn = (admitted + pd.Timedelta(days=day)).strftime("%Y-%m-%d")
                rows.append([f"Z{9000 + i}", name, value, unit, drawn, admitted.strftime("%Y-%m-%d"), i % 2])
    return pd.DataFrame(rows, columns=["病案号", "检验项目", "结果", "单位", "采样日期", "入院日期", "死亡"])


def read(frame: pd.DataFrame, **pivot: object) -> Cohort:
    chosen = {"pivot": pivot} if pivot else {}
    return read_table(("t.csv", frame.to_csv(index=False).encode()), overrides=chosen)


def test_a_long_table_is_named_with_a_fix_that_makes_it_wide() -> None:
    cohort = read(long_table())
    found = next(f for f in inspect(cohort) if f.code == "table.long")
    assert found.severity == "error" and found.fix is not None and found.fix.action == "read_again"
    proposed = Pivot.from_dict(found.fix.values["pivot"])
    assert (proposed.patient, proposed.analyte, proposed.value) == ("病案号", "检验项目", "结果")
    assert (proposed.unit, proposed.when, proposed.index) == ("单位", "采样日期", "入院日期")
    wide = read_table(("t.csv", long_table().to_csv(index=False).encode()), overrides=dict(found.fix.values))
    assert wide.n_rows == 40 and wide.schema["死亡"].kind == "boolean"
    assert not [f for f in inspect(wide) if f.code == "table.long"]
    assert read_pivot(found.fix.option.removeprefix('--pivot "').removesuffix('"')) == proposed
    again = reshape(cohort, pivot=proposed)
    pd.testing.assert_frame_equal(again.frame, wide.frame)


def test_patients_with_several_visits_are_no_long_table() -> None:
    rng = np.random.default_rng(1)
    visits = pd.DataFrame({"patient_id": np.repeat(np.arange(60), 3) + 1000, "visit": [1, 2, 3] * 60})
    visits["crp"], visits["sodium"] = rng.gamma(2, 10, 180).round(1), rng.normal(140, 4, 180).round()
    visits["ward"] = rng.choice(["A", "B", "C"], 180)
    assert not [f for f in inspect(read(visits)) if f.code == "table.long"]


def test_each_form_is_what_pandas_says() -> None:
    frame = long_table()
    forms = ["first", "last", "minimum", "maximum", "mean", "count", "slope"]
    wide = read(frame, **BASE, unit="单位", when="采样日期", index="入院日期", forms=forms)
    values = typed(wide.frame, wide.schema)
    sodium = frame[frame["检验项目"] == "钠"].assign(
        day=lambda d: (pd.to_datetime(d["采样日期"]) - pd.Timestamp("2023-01-01")).dt.days,
        结果=lambda d: d["结果"].astype(float),
    )
    groups = sodium.groupby("病案号", sort=False)
    for form, expected in (
        ("first", groups["结果"].first()),
        ("last", groups["结果"].last()),
        ("minimum", groups["结果"].min()),
        ("maximum", groups["结果"].max()),
        ("mean", groups["结果"].mean()),
        ("slope", groups.apply(lambda g: np.polyfit(g["day"], g["结果"], 1)[0])),
    ):
        np.testing.assert_allclose(values[f"钠 {form}"], expected, rtol=1e-6, atol=1e-9, err_msg=form)
    assert set(values["血型 count"].dropna()) == {3} and set(values["血型 first"]) == {"A"}
    assert "血型 mean" not in values


def test_units_are_kept_and_brought_to_that_of_most() -> None:
    wide = read(long_table(), **BASE, unit="单位", forms=["first"])
    haemoglobin = wide.schema["血红蛋白"]
    assert haemoglobin.unit == "g/L" and wide.schema["钠"].unit == "mmol/L"
    values = typed(wide.frame, wide.schema)["血红蛋白"]
    assert values.between(120, 140).all()
    assert any("converted" in r.template for r in wide.repairs)


def test_a_window_before_the_index_date_leaves_out_what_came_later() -> None:
    whole = read(long_table(), **BASE, when="采样日期", index="入院日期", forms=["count"])
    before = read(long_table(), **BASE, when="采样日期", index="入院日期", forms=["count"], windows=[[-7, 0]])
    assert set(whole.frame["钠 count"]) == {3} and set(before.frame["钠 count"]) == {2}


def test_new_patients_results_are_read_as_the_models_table_was() -> None:
    wide = read(long_table(), **BASE, unit="单位", forms=["first"])
    kept = Schema.from_dict(wide.schema.to_dict())
    assert kept.pivot == wide.schema.pivot
    one = long_table(1).assign(
        结果=["12.5" if n == "血红蛋白" else v for n, v in long_table(1)[["检验项目", "结果"]].to_numpy()]
    )
    one["单位"] = ["g/dL" if n == "血红蛋白" else u for n, u in one[["检验项目", "单位"]].to_numpy()]
    new = read_table(("n.csv", one.to_csv(index=False).encode()), like=kept)
    assert new.n_rows == 1
    assert typed(new.frame, kept)["血红蛋白"].tolist() == [pytest.approx(125)]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(0, 999)), min_size=8, max_size=60))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_every_result_is_in_some_column(rows: list[tuple[int, int, int]]) -> None:
    frame = pd.DataFrame([(f"P{p}", f"lab {a}", v) for p, a, v in rows], columns=["patient_id", "test", "result"])
    wide = read(frame, patient="patient_id", analyte="test", value="result", forms=["count"])
    counts = wide.frame.drop(columns="patient_id").to_numpy(dtype=float)
    assert counts.sum() == len(rows) and wide.n_rows == frame["patient_id"].nunique()


def test_what_cannot_be_a_pivot_is_refused() -> None:
    for text in (
        "patient=MRN",
        "MRN",
        "patient=a,analyte=b,value=c,forms=middle",
        "patient=a,analyte=b,value=c,days=-7..0",
    ):
        with pytest.raises(SettingsError):
            read_pivot(text)
