"""Labels: what a column and its codes are in words is kept, shown everywhere the same way, and changes no number."""

import pandas as pd
import pytest

from medcore.charts.drawing import theme
from medcore.charts.patients import explanation as charts
from medcore.data.cohort import Column, Schema
from medcore.data.describe.table_one import table_one
from medcore.data.preparation.recipe import default_recipe, prepare
from medcore.data.quality import inspect
from medcore.data.samples import load_sample, samples
from medcore.data.schema.dictionaries.dictionary import load_dictionary, save_dictionary
from medcore.data.shown import Shown, named
from medcore.evaluation.groups.grouping import GroupKey, Level
from medcore.evaluation.groups.mistakes import Condition
from medcore.explanation.shapley.results import Contribution, Explanation
from medcore.i18n import Message
from medcore.studies.kept.identity import content_key, plan_identity

CP = Column(name="cp", kind="category", label="Chest pain type", level_labels={"1": "typical", "4": "none"})
SCHEMA = Schema((CP, Column(name="age", kind="numeric", unit="years", label="Age")))


@pytest.fixture(scope="module")
def heart():
    """The heart sample."""
    return load_sample("heart")


def test_a_label_is_shown_with_its_name_and_one_that_says_no_more_is_not():
    assert str(SCHEMA.shown("cp")) == "Chest pain type (cp)"
    assert (SCHEMA.shown("cp").words, SCHEMA.shown("cp").aside, SCHEMA.shown("cp").value("4")) == (
        "Chest pain type",
        "cp",
        "none",
    )
    assert str(SCHEMA.shown("age")) == "age"
    assert SCHEMA.shown("age").unit == "years"
    assert SCHEMA.shown("made later") == Shown("made later")


def test_a_schema_of_before_labels_shows_names():
    data = SCHEMA.to_dict()
    for column in data["columns"]:
        del column["label"], column["level_labels"]
    assert str(Schema.from_dict(data).shown("cp")) == "cp"


def test_a_dictionary_carries_labels_and_what_codes_mean():
    bare = Schema(tuple(Column(name=c.name, kind=c.kind) for c in SCHEMA.columns))
    back = load_dictionary(bare, save_dictionary(SCHEMA))
    assert (back["cp"].label, dict(back["cp"].level_labels)) == (CP.label, dict(CP.level_labels))
    odd = SCHEMA.change("cp", level_labels={"<=5": "low = good", "+": "posi|tive"})
    assert load_dictionary(bare, save_dictionary(odd))["cp"].level_labels == {"<=5": "low = good", "+": "posi/tive"}


def test_a_sentence_within_a_sentence_is_told_by_names_as_well():
    told = Message("{event} {unit}", {"event": Message("The event is {event}.", {"event": "1"}), "unit": "In days."})
    assert str(named(told, lambda code: Shown(code, "death"), ["1"])) == "The event is death (1). In days."


def test_labels_change_no_identity():
    bare = Schema(tuple(Column(name=c.name, kind=c.kind) for c in SCHEMA.columns))
    assert plan_identity("x", SCHEMA, None, None) == plan_identity("x", bare, None, None)


def test_the_plan_of_a_table_is_told_as_by_versions_before(heart):
    """Another identity shows every run of an earlier version as out of date: change it only where a plan means something else."""
    told = plan_identity(content_key(heart), heart.schema, None, None)
    assert told == "b4779aa2fd89980f2c3f982cf7e086e68b5fa318c6e57b4fa42bb1e3ef30c2c4"


def test_the_samples_have_labels(heart):
    assert str(heart.schema.shown("cp")) == "Chest pain type (cp)"
    assert heart.schema.shown("fbs").value("TRUE") == "yes"
    for sample in samples():
        schema, series = load_sample(sample.key).schema, sample.series
        named = [c for c in schema.columns if series is None or not series.summarises(c.name)]  # summaries are words
        assert sample.key == "heart_zh" or all(c.label for c in named)


def test_findings_and_table_one_call_columns_as_they_are_shown(heart):
    about = next(f for f in inspect(heart) if f.columns and f.columns[0] in str(f.message))
    shown = about.shown(heart.schema.shown)
    assert str(heart.schema.shown(about.columns[0])) in str(shown.message)
    assert (shown.columns, shown.fix) == (about.columns, about.fix)
    table = table_one(prepare(heart, default_recipe(heart.schema)))
    lines = table.frame(naming=heart.schema.shown).iloc[:, 0].tolist()
    assert "Chest pain type (cp) = asymptomatic" in lines
    assert "Chest pain type (cp) = non-anginal pain" in lines
    assert "Total cholesterol (chol), mg/dL" in lines
    pd.testing.assert_frame_equal(table.frame().iloc[:, 1:], table.frame(naming=heart.schema.shown).iloc[:, 1:])


def test_a_waterfall_has_the_label_with_the_name_small_and_the_levels_label():
    found = Explanation(
        prediction=0.4,
        base_value=0.2,
        scale="probability",
        contributions=(Contribution("cp", "4", 0.2), Contribution("age", None, 0.0, unit="years")),
        additivity_residual=0.0,
        method="exact",
        n_background=10,
        n_evaluations=10,
        seconds=0.1,
        class_name="yes",
    )
    figure = charts.waterfall(found, naming=SCHEMA.shown)
    small = 'Chest pain type <span style="font-size:80%">cp</span>'
    assert f"{small}<br>= none" in figure.layout.yaxis.ticktext
    assert "Chest pain type (cp)" in theme.alt_text(figure)
    hostile = Schema((Column(name="<a>", kind="category", label="<a href=x>"),))
    assert "<a" not in theme.column(hostile.shown("<a>"))


def test_groups_and_conditions_are_named_by_labels_and_found_by_codes():
    key = GroupKey((Level("level", "4"), Level("missing")))
    assert str(key.shown([SCHEMA.shown("cp"), SCHEMA.shown("age")])) == "none · not known"
    assert str(Condition("cp", "=", Level("level", "1")).shown(SCHEMA.shown)) == "Chest pain type = typical"
