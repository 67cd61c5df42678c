import json
import warnings

import numpy as np
import pandas as pd
import pytest
from tableone import TableOne as Reference

from medcore.charts import profile as charts
from medcore.charts.drawing.theme import alt_text
from medcore.data.cohort import Cohort, Column, Schema
from medcore.data.describe.profile import profile
from medcore.data.describe.table_one import table_one
from medcore.data.preparation.recipe import default_recipe, prepare
from medcore.data.samples import load_sample
from medcore.data.schema.inference import choose_target, infer_schema
from medcore.data.splitting.split import SplitSettings, make_split

HEART = load_sample("heart")
PREPARED = prepare(HEART, default_recipe(HEART.schema))


@pytest.fixture(scope="module")
def reference():
    vessels = PREPARED.predictors["ca"].map(lambda v: f"{int(v)}", na_action="ignore").astype(object)
    frame = PREPARED.predictors.assign(outcome=PREPARED.outcome, ca=vessels)  # 0 to 3: counted as categories
    categories = [n for n, kind in PREPARED.kinds.items() if kind == "category" or n == "ca"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tableone's own, of pandas to come
        return Reference(
            frame,
            columns=list(PREPARED.kinds),
            categorical=categories,
            groupby="outcome",
            decimals=dict.fromkeys(frame, 6),
            smd=True,
            missing=True,
            pval=False,
            include_null=False,
        ).tableone


def test_counts_shares_means_and_deviations_are_tableones(reference):
    by_name = {str(i[0]).split(",")[0]: i[0] for i in reference.index}
    column = reference.columns.get_level_values(1)
    places = {0: list(column).index("Overall"), 1: list(column).index("0"), 2: list(column).index("1")}
    compared = 0
    for row in table_one(PREPARED).rows:
        level = "" if row.level is None else row.level
        line = reference.loc[(by_name[row.column], level)]
        for place, cell in enumerate(row.cells):
            first, second = str(line.iloc[places[place]]).rstrip(")").split(" (")
            if row.level is None:
                assert float(first) == pytest.approx(cell.mean, abs=1e-5)
                assert float(second) == pytest.approx(cell.sd, abs=1e-5)
            else:
                assert int(first) == cell.n
                assert float(second) == pytest.approx(100 * cell.share, abs=1e-5)
            compared += 1
    assert compared > 50


def test_standardised_differences_are_tableones(reference):
    smds = reference[("Grouped by outcome", "SMD (0,1)")]
    found = {row.column: row.smd for row in table_one(PREPARED).rows if row.smd is not None}
    expected = {str(i[0]).split(",")[0]: abs(float(v)) for i, v in smds.items() if str(v).strip()}
    assert set(found) == set(expected)
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=6e-4), name


def test_small_counts_are_hidden_unless_told_otherwise():
    frame = pd.DataFrame(
        {"x": ["a"] * 3 + ["b"] * 47, "age": np.arange(50).astype(str), "y": ["0", "1"] * 25}, dtype="str"
    )
    cohort = cohort_of(frame)
    one = table_one(prepare(cohort, default_recipe(cohort.schema)))
    hidden = one.frame().astype(str).map(lambda text: text == "*")
    assert hidden.loc[:1].sum(axis=1).tolist() == [3, 3]  # with only the small ones hidden, subtraction would tell
    assert not one.frame(suppress=False).astype(str).map(lambda text: text == "*").any(axis=None)


def test_codes_are_counted_as_categories_and_missing_values_by_outcome():
    frame = pd.DataFrame({"cp": ["1", "2", "3", "4", ""] * 40, "y": ["0", "1"] * 100}, dtype="str")
    cohort = cohort_of(frame)
    schema = cohort.schema.change("cp", kind="numeric")
    found = table_one(prepare(cohort.with_schema(schema), default_recipe(schema)))
    assert [row.level for row in found.rows] == ["1", "2", "3", "4"]
    table = found.frame()
    assert table["Column"].tolist()[-1] == "cp: missing"
    assert table.iloc[-1, 1:4].tolist() == ["40 (20.0%)", "20 (20.0%)", "20 (20.0%)"]


def test_many_levels_are_gathered_and_none_is_lost():
    frame = pd.DataFrame({"c": [f"k{i % 300}" for i in range(1200)], "y": ["0", "1"] * 600}, dtype="str")
    cohort = cohort_of(frame)
    rows = table_one(prepare(cohort, default_recipe(cohort.schema))).rows
    assert (len(rows), rows[-1].level) == (20, "… (+281)")
    assert sum(row.cells[0].n for row in rows) == 1200


def test_bands_of_age_come_in_their_order_and_other_levels_by_frequency():
    bands = ["[70-80)"] * 6 + ["<60"] * 3 + ["[60-70)"] * 4 + ["≥80"] * 2 + ["100+"]
    frame = pd.DataFrame({"age": bands * 10, "ward": ["b"] * 90 + ["a"] * 70, "y": ["0", "1"] * 80}, dtype="str")
    cohort = cohort_of(frame)
    levels = [row.level for row in table_one(prepare(cohort, default_recipe(cohort.schema))).rows]
    assert levels == ["<60", "[60-70)", "[70-80)", "≥80", "100+", "b", "a"]


def test_table_one_by_split_has_the_splits_sizes():
    split = make_split(PREPARED, SplitSettings())
    one = table_one(PREPARED, split=split)
    assert one.counts == (int(split.train.sum()), int(split.test.sum()))


def cohort_of(frame, target="y", positive="1"):
    schema = choose_target(infer_schema(frame), frame, target, positive=positive)
    return Cohort(frame=frame, schema=schema, sha256="0" * 64, name="x.csv")


def test_numbers_are_numpys():
    found = profile(HEART)
    prepared = PREPARED.predictors["age"].to_numpy()
    numbers = found["age"].numbers
    assert numbers.median == pytest.approx(np.median(prepared))
    assert (numbers.q1, numbers.q3) == pytest.approx(tuple(np.quantile(prepared, [0.25, 0.75])))
    assert (numbers.mean, numbers.sd) == pytest.approx((prepared.mean(), prepared.std(ddof=1)))
    assert sum(map(sum, numbers.counts)) == len(prepared)


def test_what_is_missing_is_counted_with_codes_and_by_class():
    found = profile(HEART)["chol"]
    values = pd.to_numeric(HEART.frame["chol"], errors="coerce").replace(0, np.nan)
    assert found.n_missing == int(values.isna().sum())
    shares = [values.isna()[PREPARED.rows[PREPARED.outcome == k]].mean() for k in (0, 1)]
    assert found.missing_by_class == pytest.approx(shares)


def test_names_and_free_text_have_no_values_in_a_profile():
    n = 60
    frame = pd.DataFrame(
        {
            "patient_id": [f"secret-{i}" for i in range(n)],
            "note": [f"a long letter about person {i} who came in the evening" for i in range(n)],
            "age": [str(20 + i) for i in range(n)],
            "y": ["0", "1"] * (n // 2),
        },
        dtype="str",
    )
    text = json.dumps(profile(cohort_of(frame)).to_dict())
    assert "secret-1" not in text
    assert "evening" not in text


def test_rare_categories_are_counted_together():
    frame = pd.DataFrame({"c": [f"k{i % 40}" for i in range(400)], "y": ["0", "1"] * 200}, dtype="str")
    found = profile(cohort_of(frame))["c"].categories
    assert (len(found.names), found.n_others, found.rows_of_others) == (12, 28, 280)


@pytest.mark.parametrize("name", ["age", "cp", "fbs", "ca", "site"])
def test_a_distribution_is_drawn_as_shares_within_each_class(name):
    found = profile(HEART)
    chart = charts.distribution(found[name], found.classes)
    assert len(chart.data) == 2
    assert chart.layout.yaxis.title.text or chart.layout.xaxis.title.text
    assert name in alt_text(chart)


def test_three_hundred_columns_and_a_hostile_name_stay_readable():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({f"c{i}": rng.normal(size=80).round(2).astype(str) for i in range(300)}, dtype="str")
    frame = frame.mask(rng.random(frame.shape) < 0.2).rename(columns={"c0": "<a href='http://e.org'>x</a>"})
    frame["y"] = ["0", "1"] * 40
    found = profile(cohort_of(frame))
    chart = charts.missing_share(found)
    assert len(chart.data[0].y) == charts.MOST_BARS
    assert "<a" not in charts.distribution(found.columns[0], found.classes).to_json()
    assert chart.layout.height < 1000


def test_a_profile_without_an_outcome_draws_all_rows():
    schema = HEART.schema.change("disease", role="predictor")
    found = profile(HEART.with_schema(schema))
    assert found.classes == ()
    assert len(charts.distribution(found["age"], found.classes).data) == 1
    assert len(charts.missing_share(found).data) == 1


def test_table_one_writes_numbers_without_powers_of_ten_and_ranges_below_zero_in_words():
    schema = Schema((Column(name="bnp", kind="numeric"), Column(name="y", kind="category", role="outcome")))
    cells = [str(v) for v in (-3000.5, -200.0, 4.0, 100000.0, 2500000.0)] * 4
    frame = pd.DataFrame({"bnp": cells, "y": ["0", "1"] * 10}, dtype="str")
    cohort = Cohort(frame, schema, "0" * 64, "x.csv")
    text = " ".join(table_one(prepare(cohort, default_recipe(schema))).frame().iloc[0])
    assert "e+" not in text
    assert "[−200 to 100000]" in text
