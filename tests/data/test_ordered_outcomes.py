"""The order of an outcome's classes: said, recognised, asked for, or none."""

import io

import pandas as pd
import pyreadstat
import pytest

from medcore.data.cohort import Column
from medcore.data.quality import inspect
from medcore.data.reading.table import read_table
from medcore.data.schema.dictionaries.dictionary import load_dictionary
from medcore.data.schema.inference import choose_target
from medcore.data.schema.ordered import order_of_classes
from medcore.errors import TargetError


def cohort(values, name="severity"):
    frame = pd.DataFrame({"age": range(40, 40 + len(values)), name: values})
    return read_table(("t.csv", frame.to_csv(index=False).encode()))


def chosen(table, name="severity", **asked):
    return choose_target(table.schema, table.frame, name, **asked)


@pytest.mark.parametrize(
    ("name", "classes", "order"),
    [
        ("severity", ["severe", "mild", "moderate"], ("mild", "moderate", "severe")),
        ("病情", ["重度", "轻度", "中度"], ("轻度", "中度", "重度")),
        ("stage", ["III", "I", "IIB", "IIA"], ("I", "IIA", "IIB", "III")),
        ("outcome", ["Grade 3", "Grade 1", "Grade 2"], ("Grade 1", "Grade 2", "Grade 3")),
        ("NYHA", ["4", "2", "3", "1"], ("1", "2", "3", "4")),
        ("mRS 90 days", ["6", "0", "3"], ("0", "3", "6")),
        ("分期", ["2期", "1期", "3期"], ("1期", "2期", "3期")),
        ("urine protein", ["2+", "neg", "1+", "±"], ("neg", "±", "1+", "2+")),
        ("diagnosis", ["3", "1", "2"], ()),
        ("NSP", ["1", "2", "3"], ()),
        ("ward", ["icu", "surgery", "medicine"], ()),
        ("stage", ["I", "2", "III"], ()),
        ("stage", ["I", "II"], ()),
    ],
)
def test_an_order_is_recognised_by_words_or_by_a_scales_name(name, classes, order):
    assert order_of_classes(Column(name=name, kind="category"), classes) == order


def test_what_was_asked_for_counts_and_is_told():
    table = cohort(["a", "b", "c"] * 20)
    assert not chosen(table).target.ordered
    schema = chosen(table, order=["c", "A", "b"])
    assert (schema["severity"].levels, schema.target.ordered) == (("c", "a", "b"), True)
    assert "c < a < b" in str(schema["severity"].reason)


def test_a_recognised_order_can_be_refused():
    table = cohort(["mild", "moderate", "severe"] * 20)
    assert chosen(table).target.ordered
    for nothing in ([], ["none"]):
        assert not chosen(table, order=nothing).target.ordered
    assert chosen(table, positive="severe").target.event == 1


@pytest.mark.parametrize(
    ("values", "order", "words"),
    [
        (["a", "b", "c"] * 20, ["a", "b"], "each of its classes once"),
        (["a", "b", "c"] * 20, ["a", "b", "b", "c"], "each of its classes once"),
        (["a", "b"] * 20, ["a", "b"], "two classes only"),
    ],
)
def test_an_order_that_cannot_be_is_refused(values, order, words):
    with pytest.raises(TargetError, match=words):
        chosen(cohort(values), order=order)


def test_the_data_dictionary_says_the_order():
    table = cohort(["a", "b", "c"] * 20)
    schema = load_dictionary(table.schema, "name,levels\nseverity,b|a|c\n")
    assert choose_target(schema, table.frame, "severity").target.ordered


def test_files_that_know_the_order_of_their_categories_say_it(tmp_path):
    frame = pd.DataFrame({"age": range(40, 100), "state": [0.0, 1.0, 2.0] * 20})
    words = {0: "well", 1: "frail", 2: "dead"}
    pyreadstat.write_sav(
        frame, tmp_path / "t.sav", variable_value_labels={"state": words}, variable_measure={"state": "ordinal"}
    )
    told = [read_table(tmp_path / "t.sav")]
    factor = frame.assign(state=pd.Categorical(frame["state"].map(words), list(words.values()), ordered=True))
    for write in (factor.to_parquet, factor.to_feather):
        out = io.BytesIO()
        write(out)
        told.append(read_table(("t.bin", out.getvalue())))
    for table in told:
        assert chosen(table, "state")["state"].levels == ("well", "frail", "dead")
    pyreadstat.write_sav(frame, tmp_path / "u.sav", variable_value_labels={"state": words})
    assert not chosen(read_table(tmp_path / "u.sav"), "state").target.ordered


def test_riley_counts_one_equation_for_an_order_and_one_a_class_without():
    table = cohort(["mild", "moderate", "severe"] * 20)
    ordered, free = (chosen(table, **asked) for asked in ({}, {"order": ["none"]}))
    for schema, parameters, words in ((ordered, 1, "one equation for classes in order"), (free, 2, "all equations")):
        found = {f.code: f for f in inspect(table.with_schema(schema))}
        finding = found["outcome.sample_size"]
        assert words in str(finding.message)
        assert f"{parameters} candidate parameter" in str(finding.message)
