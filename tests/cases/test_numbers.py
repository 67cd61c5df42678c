"""Numbers: decimal marks, thousands, limits, marks of all sorts."""

import pytest


def test_a_decimal_comma_with_three_decimals_is_read_as_one(values):
    assert values("h02_comma_one_patient")[["lactate", "ph"]].iloc[0].tolist() == [2.268, 7.35]


def test_a_decimal_comma_beside_a_code_for_missing(case, values):
    assert case("p09_german").schema["base_excess"].kind == "numeric"
    assert values("p09_german")["crp"].iloc[:3].tolist() == [23.4, 6.2, 42.4]


@pytest.mark.parametrize("name", ["hb", "crp"])
def test_an_empty_cell_of_a_category_is_missing_and_no_level(values, name):
    assert values("p13_empty_category")[name].notna().all()
    assert values("p13_empty_category")["education"].isna().sum() == 24
