"""Tables made for this project in the kinds that hospitals export, Chinese ones among them."""

import numpy as np
import pandas as pd
import pytest

from medcore.data.preparation.fixes import split_column
from medcore.data.preparation.recipe import default_recipe, prepare
from medcore.data.values.column import UNKNOWN_UNIT, UNREADABLE
from medcore.data.values.typed import read_values, typed


def codes(found):
    return {(f.code, *f.columns): f for f in found}


def test_chinese_limits_and_full_width_digits_are_numbers(values, findings):
    read = values("v01_cn_limits")
    assert read["肌钙蛋白"].iloc[0] == 0.01 and read["葡萄糖"].iloc[:2].tolist() == [4.0, 4.1]
    assert codes(findings("v01_cn_limits"))["values.words_among_numbers", "肌钙蛋白"].n_rows == 12


def test_ratings_have_their_order(case):
    schema = case("v02_cn_ratings").schema
    assert schema["尿蛋白"].levels == ("阴性", "弱阳性", "阳性", "强阳性")
    assert schema["ketones"].levels == ("neg", "±", "1+", "2+", "3+")
    assert schema["gram"].levels == ("-", "+", "++", "+++")


def test_morning_and_afternoon_are_hours(values):
    read = values("v03_cn_times")
    hours = (read["检查时间"] - read["入院时间"]) / pd.Timedelta(hours=1)
    np.testing.assert_allclose(hours, read["true_hours"], atol=1e-6)


def test_chinese_ages_are_years(values):
    assert values("v04_cn_ages")["年龄"].iloc[:4].round(4).tolist() == [
        65,
        round(3 + 2 / 12, 4),
        round(10 / 365.25, 4),
        round(8 / 12, 4),
    ]


def test_a_mark_that_no_cell_proves_is_read_by_what_the_quantity_can_be(values):
    assert values("v05_comma_unclear")["lactate"].max() < 10


@pytest.mark.parametrize(
    ("folder", "column", "first"),
    [
        ("v06_german_thousands", "thrombozyten", 150000),
        ("v06_german_thousands", "ferritin", 1000.5),
        ("v07_swiss_thousands", "leukos", 4000),
        ("v07_swiss_thousands", "nt_probnp", 1000.5),
        ("v11_titres", "titre", 10),
    ],
)
def test_thousands_and_titres_are_numbers(values, folder, column, first):
    assert values(folder)[column].iloc[0] == first and values(folder)[column].notna().all()


@pytest.mark.parametrize(
    ("folder", "column", "truth"),
    [
        ("v08_temperatures", "temperature", "true_c"),
        ("v09_weights", "weight", "true_kg"),
        ("v10_molar", "glucose", "true_glucose"),
        ("v23_marks", "potassium", "true_k"),
        ("v24_spans", "stay", "true_days"),
    ],
)
def test_units_and_marks_in_cells_come_out_as_one_measurement(values, folder, column, truth):
    read = values(folder)
    np.testing.assert_allclose(read[column], read[truth], atol=1e-3)


def test_new_temperatures_are_converted_cell_by_cell(values):
    assert values("v08_temperatures", "new.csv", learnt_from="train.csv")["temperature"].tolist() == [40.0, 40.0, 40.0]


def test_a_unit_that_does_not_convert_is_no_number_and_is_told(case, findings):
    read = read_values(case("v12_unknown_unit").frame, case("v12_unknown_unit").schema)
    assert set(read.frame["dose"].dropna()) == {250, 500, 1000}
    assert (read.status["dose"] == UNKNOWN_UNIT).sum() == 15
    assert codes(findings("v12_unknown_unit"))["values.unknown_unit", "dose"].n_rows == 15


def test_the_order_of_day_and_month_is_kept_for_new_patients(case):
    read = read_values(case("v13_month_first", "new.csv").frame, case("v13_month_first").schema)
    assert str(read.frame["visit"].iloc[0])[:10] == "2023-02-03"
    assert read.status["visit"].tolist() == [0, UNREADABLE]


def test_dates_follow_the_order_that_another_column_proves(values):
    assert str(values("v14_sibling_dates")["onset"].iloc[1])[:10] == "2022-02-02"
    assert str(values("v14_sibling_dates")["onset"].iloc[2])[:10] == "2022-03-03"


def test_a_time_without_zone_among_times_with_is_reported(case):
    read = read_values(case("v15_zones", "new.csv").frame, case("v15_zones").schema)
    assert str(read.frame["taken"].iloc[0]) == "2023-01-01 00:00:00"
    assert read.status["taken"].tolist() == [0, UNREADABLE]


def test_pressures_with_units_and_gaps_are_split(case, findings):
    cohort = case("v16_pressures", target="died")
    assert ("columns.pairs", "blood_pressure") in codes(findings("v16_pressures"))
    split = cohort.with_schema(split_column(cohort.schema, "blood_pressure", ("(1)", "(2)")))
    predictors = prepare(split, default_recipe(split.schema)).predictors
    assert predictors[["blood_pressure systolic", "blood_pressure diastolic"]].iloc[1].tolist() == [111, 61]
    assert predictors["blood_pressure systolic"].isna().sum() == 8


def test_symbols_are_values_and_na_in_sex_is_missing(values):
    read = values("v17_symbols")
    assert (read["electrolyte"] == "Na").sum() == 40 and (read["country"] == "NA").sum() == 30
    assert read["sex"].isna().sum() == 12


def test_words_for_nothing_are_values_unless_results_stand_beside_them(values, case):
    read = values("v18_none_words")
    assert read[["alcohol", "oedema", "mri"]].notna().all().all()
    assert read["a1c"].isna().sum() == 48 and read["swab"].isna().sum() == 40
    assert case("v18_none_words").schema["swab"].levels == ("negative", "positive")


def test_an_unknown_outcome_is_no_survivor(case, findings):
    cohort = case("v19_outcome_unknown", target="vital")
    assert cohort.schema.positive == "Dead"
    assert prepare(cohort, default_recipe(cohort.schema)).n_rows == 90
    assert codes(findings("v19_outcome_unknown", target="vital"))["outcome.words", "vital"].n_rows == 30


def test_a_range_is_found_by_rows_and_not_by_different_values(case, findings):
    assert case("v20_range_by_rows").schema["sbp"].high == 375
    assert codes(findings("v20_range_by_rows"))["values.implausible", "sbp"].n_rows == 60


@pytest.mark.parametrize("file", ["train.parquet", "train.feather"])
def test_whole_numbers_of_any_width_are_exact(values, case, file):
    read = values("v21_wide_integers", file)
    assert read["patient_id"].nunique() == 60 and read["patient_id"].iloc[0] == "9007199254740993"
    assert read["scan"].iloc[0] == "18446744073709551000"
    assert case("v21_wide_integers", file).schema["patient_id"].role == "group"


def test_codes_are_kept_as_written_and_lists_are_told(values, findings):
    assert set(values("v22_codes")["icd9"]) == {"250", "250.0", "401.9", "428.0"}
    assert ("columns.lists", "procedures") in codes(findings("v22_codes"))


@pytest.mark.parametrize("name", ["ward_temp_c", "no_of_visits", "sample_ph", "index_hb", "record_volume_ml"])
def test_names_that_sound_like_codes_are_measurements_where_the_values_say_so(case, name):
    assert (case("v25_names").schema[name].kind, case("v25_names").schema[name].role) == ("numeric", "predictor")


def test_a_third_answer_makes_no_boolean_and_is_never_the_other_side(case):
    schema = case("v26_three_answers").schema
    assert [schema[c].kind for c in ("culture", "smoker", "flu")] == ["category", "category", "boolean"]
    new = typed(case("v26_three_answers", "new.csv").frame, schema)
    assert new["flu"].tolist() == ["Neg", "not done"]


def test_spikes_of_eights_and_nines_are_suspected(case):
    schema = case("v27_spikes").schema
    assert (schema["platelets"].missing_codes, schema["crp2"].missing_codes) == (("888",), ("99.9",))
