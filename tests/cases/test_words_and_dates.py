"""Words and dates: what means nothing, what is yes, which number is the month."""

import numpy as np
import pandas as pd
import pytest


def test_none_is_a_class_of_the_outcome(case, values):
    assert values("h04_outcome_none")["complication"].value_counts()["None"] == 159


def test_words_for_nothing_are_values_where_the_other_words_say_so(values):
    read = values("h05_none_words")
    assert read[["allergy", "alcohol", "ecg"]].notna().all().all()
    assert read["culture"].isna().sum() >= 17
    assert (read["culture"].value_counts().drop("Not done", errors="ignore") > 0).all()


def test_codes_with_decimals_are_kept_as_written(values):
    assert {"250", "250.0"} <= set(values("h16_icd_lists")["icd9"])


def test_contradictory_dates_stay_dates_and_are_counted(case, findings):
    assert case("h17_mixed_dates").schema["admission_date"].kind == "date"
    told = [f for f in findings("h17_mixed_dates") if f.code == "values.unreadable"]
    assert told[0].n_rows == 71


def test_impossible_dates_are_told_as_unreadable_numbers_are(findings):
    told = [f for f in findings("h33_bad_dates") if f.code == "values.unreadable"]
    assert set(told[0].columns) == {"onset_date", "surgery_date"}


def test_dates_of_a_british_file_are_read_day_first(values):
    read = values("p10_uk_dates")
    assert str(read["visit"].iloc[0])[:10] == "2018-03-01" and str(read["dob"].iloc[1])[:10] == "1955-03-02"


@pytest.mark.parametrize("folder", ["p20_am_pm", "p21_time_zones"])
def test_intervals_are_right_with_am_and_pm_and_zones(values, folder):
    read = values(folder)
    hours = (read["lab_time"] - read["admission_time"]) / pd.Timedelta(hours=1)
    np.testing.assert_allclose(hours, read["true_hours"], atol=1 / 60)


def test_codes_without_their_leading_zeros_are_matched(values):
    new = values("p14_leading_zeros", "new.csv", learnt_from="train.csv")
    assert new["region_code"].tolist() == values("p14_leading_zeros")["region_code"].tolist()


def test_codes_written_as_decimals_are_those_written_whole(values):
    new = values("p08_rare_float_category", "new.csv", learnt_from="train.csv")
    assert new["loan_type"].tolist() == values("p08_rare_float_category")["loan_type"].tolist()


def test_an_outcome_in_ones_and_zeros_is_that_in_true_and_false(values):
    new = values("p03_bool_strings", "new.csv", learnt_from="train.csv")
    assert new["died"].tolist() == values("p03_bool_strings")["died"].tolist()
    assert values("p01_float_target")["died"].tolist() == values("p01_float_target", "new.csv")["died"].tolist()
