"""Numbers: decimal marks, thousands, limits, units, footnotes."""

import numpy as np
import pandas as pd
import pytest

from medcore.data.values.column import UNREADABLE
from medcore.data.values.typed import read_values


def test_a_decimal_comma_with_three_decimals_is_read_as_one(values):
    assert values("h02_comma_one_patient")[["lactate", "ph"]].iloc[0].tolist() == [2.268, 7.35]


def test_one_patient_is_read_by_the_marks_learnt_from_many(values):
    one = values("h02_comma_one_patient", "one.csv", learnt_from="train.csv")
    assert one[["lactate", "ph"]].iloc[0].tolist() == [2.125, 7.282]


def test_a_point_where_commas_were_is_reported_and_never_two_thousand(case):
    schema = case("h02_comma_one_patient").schema
    read = read_values(case("h02_comma_one_patient", "one_point.csv").frame, schema)
    assert read.frame["lactate"].isna().all()
    assert read.status["lactate"].tolist() == [UNREADABLE]


def test_one_column_with_points_in_a_file_of_commas_keeps_its_points(values):
    assert values("h03_comma_file_point_column")["troponin"].max() < 10
    new = values("h03_comma_file_point_column", "new_point.csv", learnt_from="train.csv")
    assert new[["crp", "troponin"]].iloc[0].tolist() == [23.4, 0.135]


def test_a_decimal_comma_beside_a_code_for_missing(case, values):
    assert case("p09_german").schema["base_excess"].missing_codes == ("-9999,0",)
    assert values("p09_german")["base_excess"].min() > -100
    assert values("p09_german")["crp"].iloc[:3].tolist() == [23.4, 6.2, 42.4]


def test_units_in_cells_are_converted_into_one(case, values):
    raw, read = case("h09_unit_in_cell").frame, values("h09_unit_in_cell")
    grams = raw["antibiotic_dose"].str.extract(r"([\d.]+) (g|mg)")
    right = grams[0].astype(float) * np.where(grams[1] == "g", 1000, 1)
    np.testing.assert_allclose(read["antibiotic_dose"], right)
    old = raw["creatinine"].str.endswith("mg/dL")
    assert read.loc[old, "creatinine"].median() == pytest.approx(read.loc[~old, "creatinine"].median(), rel=0.3)
    assert read["fio2"].between(21, 100).all()
    days = raw["age"].str.endswith("d")
    assert (read.loc[days, "age"] < 0.1).all()


def test_units_of_new_patients_are_converted_as_those_of_training(values):
    new = values("h09_unit_in_cell", "new.csv", learnt_from="train.csv")
    assert new["antibiotic_dose"].iloc[:2].tolist() == [1000.0, 1000.0]
    assert new["age"].iloc[2] == pytest.approx(0.25)


def test_ages_of_years_and_months_and_90_plus_are_years(values):
    assert values("h10_bp_age_gcs")["age"].iloc[0] == pytest.approx(85 + 11 / 12)
    assert values("h20_age_90plus")["age"].iloc[0] == 90


def test_a_score_with_letters_stays_numeric_and_the_letters_are_told(case, findings):
    assert case("h10_bp_age_gcs").schema["gcs"].kind == "numeric"
    told = [f for f in findings("h10_bp_age_gcs") if f.code == "values.unreadable"]
    assert told[0].columns == ("gcs",) and told[0].n_rows == 27


def test_footnotes_are_no_digits(values):
    assert values("h23_footnote_marks")["ph"].iloc[0] == 7.38
    assert values("h23_footnote_marks")["glucose_count"].iloc[0] == 11
    assert values("h23_footnote_marks").isna().sum().sum() == 0


def test_durations_over_a_day_are_hours(case, values):
    raw = case("h28_durations").frame["or_duration"].str.split(":", expand=True).astype(float)
    np.testing.assert_allclose(values("h28_durations")["or_duration"], raw[0] + raw[1] / 60)


def test_numbers_of_several_styles_are_all_numbers(values):
    read = values("h29_number_styles")
    assert read[["score", "wbc", "delta"]].notna().all().all()
    assert read["delta"].iloc[0] == -1.7 and read["score"].iloc[1] == 21.5 and read["wbc"].iloc[0] == 8.0


def test_codes_for_missing_inside_the_plausible_range_are_found(case):
    schema = case("h34_sentinel_in_range").schema
    assert [schema[c].missing_codes for c in ("platelets", "glucose", "creatinine")] == [("999",), ("99.9",), ("999",)]


@pytest.mark.parametrize("file", ["train.csv", "train.parquet"])
def test_infinite_values_are_counted_from_every_format(case, file):
    cohort = case("p06_inf", file)
    assert read_values(cohort.frame, cohort.schema).unreadable == {"crp": 2}


def test_a_measurement_with_words_stays_numeric(case, values):
    assert case("p19_text_in_numbers").schema["potassium"].kind == "numeric"
    assert values("p19_text_in_numbers", "new.csv", learnt_from="train.csv")["potassium"].tolist() == [6.9, 2.1]


def test_an_empty_cell_of_a_category_is_missing_and_no_level(values):
    assert values("p13_empty_category")["education"].isna().sum() == 24


@pytest.mark.parametrize("name", ["days_in_ward", "icd_shocks", "cd4_number", "sample_volume_ul", "index_creatinine"])
def test_a_name_alone_makes_no_code_and_no_identifier(case, name):
    column = case("h40_names_mislead").schema[name]
    assert (column.kind, column.role) == ("numeric", "predictor")


def test_long_whole_numbers_are_exact_from_every_format(case, values):
    for file in ("train.csv", "train.parquet"):
        assert case("p11_big_ids", file).schema["patient_id"].role == "group"
        assert values("p11_big_ids", file)["patient_id"].nunique() == 120
        assert case("h31_cn_id_parquet", file).schema["证件号"].role == "identifier"
    pd.testing.assert_series_equal(
        values("p11_big_ids")["patient_id"], values("p11_big_ids", "train.parquet")["patient_id"]
    )
