"""Columns that another hospital calls differently are found, and renamed to what a model knows."""

import pytest

from medcore.data.reading.table import read_table
from medcore.data.schema.matching import propose_names, with_names
from medcore.errors import MissingColumnsError


def new_table():
    return read_table(("new.csv", b"Age (years),SEX,troponin_I,died\n60,f,1.2,yes\n70,m,0.1,no\n"))


def test_each_name_gets_the_nearest_column_once() -> None:
    wanted = ["age", "sex", "troponin", "died"]
    assert propose_names(wanted, list(new_table().frame.columns)) == {
        "age": "Age (years)",
        "sex": "SEX",
        "troponin": "troponin_I",
        "died": "died",
    }


def test_a_column_that_nothing_is_like_is_left_open() -> None:
    assert propose_names(["lactate"], ["age", "sex"]) == {"lactate": None}
    assert propose_names(["年龄", "性别"], ["性别(男/女)", "年龄(岁)"]) == {"年龄": "年龄(岁)", "性别": "性别(男/女)"}


def test_an_abbreviation_finds_the_whole_word() -> None:
    assert propose_names(["chol"], ["age", "cholesterol"]) == {"chol": "cholesterol"}


def test_renaming_changes_frame_and_schema_and_keeps_the_original() -> None:
    cohort = new_table()
    named = with_names(cohort, {"age": "Age (years)", "sex": "SEX"})
    assert list(named.frame.columns) == ["age", "sex", "troponin_I", "died"] == list(named.schema.names)
    assert next(iter(cohort.frame.columns)) == "Age (years)"
    assert named.frame["age"].tolist() == cohort.frame["Age (years)"].tolist()


def test_a_column_of_the_name_gives_way_to_the_one_that_is_meant() -> None:
    named = with_names(new_table(), {"died": "SEX"})
    assert list(named.frame.columns) == ["Age (years)", "died", "troponin_I"]
    assert named.frame["died"].tolist() == ["f", "m"]


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(MissingColumnsError, match="Sexx"):
        with_names(new_table(), {"sex": "Sexx"})
