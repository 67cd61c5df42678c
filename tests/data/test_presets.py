import json

import pandas as pd
import pytest

from medcore.data.cohort import Column, Schema
from medcore.data.findings import Fix
from medcore.data.preparation.fixes import apply_fix, change_column
from medcore.data.preparation.presets import PRESETS, preset_of
from medcore.data.preparation.recipe import Recipe, Step, default_recipe, prepare
from medcore.data.samples import load_sample
from medcore.i18n import Message, language
from medcore.reporting.preparation import methods_text

HEART = load_sample("heart")


@pytest.mark.parametrize("key", PRESETS)
def test_every_preset_prepares_a_real_table_and_is_known_again(key):
    recipe = PRESETS[key].recipe(HEART.schema)
    assert prepare(HEART, recipe).n_rows > 900
    assert preset_of(recipe, HEART.schema) == key


def test_the_articles_recipe_fills_with_zero_and_says_what_is_wrong():
    prepared = prepare(HEART, PRESETS["article"].recipe(HEART.schema))
    assert not prepared.predictors.isna().any(axis=None)
    assert (prepared.predictors["ca"] == 0).sum() > 500
    assert len(PRESETS["article"].wrong) >= 3


def test_a_recipe_of_ones_own_is_no_preset():
    assert preset_of(default_recipe(HEART.schema).switch("same_case", True), HEART.schema) is None
    assert preset_of(default_recipe(HEART.schema).switch("same_case", False), HEART.schema) == "default"


def test_rows_without_an_outcome_are_counted_even_by_an_empty_recipe():
    frame = HEART.frame.assign(disease=HEART.frame["disease"].where(HEART.frame.index > 9))
    prepared = prepare(type(HEART)(frame, HEART.schema, HEART.sha256, HEART.name), Recipe())
    (entry,) = prepared.log
    assert (entry.step.kind, entry.rows_before - entry.rows_after) == ("drop_rows_without_outcome", 10)


def test_very_old_ages_are_ninety_only_when_asked():
    frame = pd.DataFrame({"age": ["91", "50", "102"] * 5, "y": ["0", "1", "1"] * 5}, dtype="str")
    schema = Schema((Column(name="age", kind="numeric"), Column(name="y", kind="category", role="outcome")))
    cohort = type(HEART)(frame, schema, "0" * 64, "x.csv")
    assert prepare(cohort, default_recipe(schema)).predictors["age"].max() == 102
    capped = prepare(cohort, default_recipe(schema).switch("cap_ages", True)).predictors["age"]
    assert capped.tolist()[:3] == [90.0, 50.0, 90.0]


@pytest.mark.parametrize("lang", ["en", "zh_CN"])
def test_the_methods_section_has_the_counts_and_every_step(lang):
    recipe = default_recipe(HEART.schema).switch("drop_duplicate_rows", True)
    with language(lang):
        text = methods_text(HEART.schema, prepare(HEART, recipe))
        steps = [str(s) for s in recipe.sentences()]
    assert "920" in text
    assert "918" in text
    assert all(s in text for s in steps)


def test_a_fix_changes_columns_or_steps():
    recipe = default_recipe(HEART.schema)
    leave = Fix(label=Message("x"), action="set_column", columns=("ca", "gone"), values={"role": "ignored"})
    schema, same = apply_fix(leave, HEART.schema, recipe)
    assert schema["ca"].role == "ignored"
    assert same == recipe
    step = Fix(label=Message("x"), action="step_on", values={"step": "drop_duplicate_rows"})
    assert apply_fix(step, HEART.schema, recipe)[1].is_on("drop_duplicate_rows")


def test_only_one_column_names_the_patient():
    schema = Schema((Column(name="a", kind="category", role="group"), Column(name="b", kind="category")))
    changed = change_column(schema, "b", role="group")
    assert [c.role for c in changed.columns] == ["identifier", "group"]


def test_recipes_are_plain_json():
    recipe = Recipe((Step("implausible_values", columns=("age",), options={"a": 1}, on=False),))
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe
