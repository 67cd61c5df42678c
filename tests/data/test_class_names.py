"""What the event and its absence are called."""

from __future__ import annotations

import pandas as pd
import pytest

from medcore.data.cohort import Column, Schema
from medcore.data.schema.class_names import class_names, event_name, name_classes
from medcore.data.schema.inference import choose_target
from medcore.data.schema.targets import absence, diseases_first
from medcore.errors import SettingsError, TargetError
from medcore.i18n import language


def schema_of(name: str, cells: list[str]) -> tuple[Schema, pd.DataFrame]:
    frame = pd.DataFrame({name: pd.Series(cells, dtype="str")})
    return choose_target(Schema((Column(name=name, kind="category"),)), frame, name), frame


@pytest.mark.parametrize(
    ("column", "classes", "called"),
    [
        ("disease", ("no", "yes"), ["no disease", "disease"]),
        ("DEATH_EVENT", ("0", "1"), ["no death", "death"]),
        ("died", ("0", "1"), ["not died", "died"]),
        ("stroke", ("1", "0"), ["stroke", "no stroke"]),
        ("target", ("1", "2"), ["no event", "the event"]),
        ("covid test", ("negative", "positive"), ["negative covid test", "positive covid test"]),
        ("diagnosis", ("benign", "malignant"), ["benign", "malignant"]),
        ("num", ("0", "1", "2"), ["num 0", "num 1", "num 2"]),
        ("num", ("not 2", "2"), ["no num 2", "num 2"]),
    ],
)
def test_codes_and_bare_answers_are_named_after_their_column(column, classes, called) -> None:
    assert [str(n) for n in class_names(classes, Column(name=column, kind="category"))] == called


def test_the_label_of_a_column_and_names_of_a_dictionary_go_before_its_name() -> None:
    labelled = Column(name="target", kind="category", label="heart disease")
    assert [str(n) for n in class_names(("0", "1"), labelled)] == ["no heart disease", "heart disease"]
    told = Column(name="target", kind="category", level_labels={"0": "healthy", "1.0": "stenosis"})
    assert [str(n) for n in class_names(("0", "1"), told)] == ["healthy", "stenosis"]


def test_two_classes_never_share_a_name() -> None:
    told = Column(name="grade", kind="category", level_labels={"1": "low", "2": "low"})
    assert [str(n) for n in class_names(("1", "2"), told)] == ["1", "2"]
    schema, frame = schema_of("grade", ["1", "2", "1"])
    with pytest.raises(SettingsError, match="grade"):
        name_classes(schema, frame, {"1": "low", "2": "low"})


def test_names_follow_the_language_until_a_person_gives_one() -> None:
    schema, frame = schema_of("target", ["0", "1", "0"])
    with language("zh_CN"):
        assert [str(n) for n in class_names(("0", "1"), schema.outcome)] == ["无事件", "事件"]
        assert event_name(schema) == "事件"
    named = name_classes(schema, frame, {"1": "stroke"})
    assert event_name(named) == "stroke"
    assert Schema.from_dict(named.to_dict()) == named


def test_a_class_that_is_not_there_cannot_be_named() -> None:
    schema, frame = schema_of("target", ["0", "1", "0"])
    with pytest.raises(TargetError, match="no class 3"):
        name_classes(schema, frame, {"3": "stroke"})


def test_the_class_that_means_none_of_these_is_recognised_or_said() -> None:
    classes = ["a", "negative", "b"]
    assert diseases_first([3, 900, 40], absence(classes)) == [2, 0, 1]
    assert diseases_first([3, 900, 40], absence(classes, "b")) == [1, 0, 2]
    schema, frame = schema_of("kind", ["a", "b", "c", "a", "b", "c"])
    said = name_classes(schema, frame, {}, absence="c")
    assert Schema.from_dict(said.to_dict()).absence == "c"
    assert choose_target(said, frame, "kind").absence == "c"
