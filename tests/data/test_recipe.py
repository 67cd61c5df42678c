import json

import numpy as np
import pandas as pd
import pytest

from medcore.data.cohort import Cohort, Column, Schema
from medcore.data.preparation.recipe import (
    Recipe,
    Step,
    default_recipe,
    outcome_codes,
    prepare,
    prepare_evaluation,
    prepare_predictors,
    required_columns,
)
from medcore.errors import MissingColumnsError, SettingsError, TargetError

FRAME = pd.DataFrame(
    {
        "id": ["a", "a", "b", "c", "d"],
        "age": ["63", "65526", "?", "41", "63"],
        "sex": ["F", "Ｆ ", "M", None, "F"],
        "admitted": ["2020-01-01", "2020-01-03", "2020-02-01", "2020-03-01", "2020-01-01"],
        "sampled": ["2020-01-02", "2020-01-03", None, "2020-03-11", "2020-01-02"],
        "note": ["seen well", "came back", "no letter", "see file", "seen well"],
        "died": ["0", "1", "1", None, "0"],
        "region": ["N", "N", "S", "S", "N"],
    },
    dtype="str",
)
SCHEMA = Schema(
    (
        Column(name="id", kind="text", role="group"),
        Column(name="age", kind="numeric", low=0, high=120, missing_codes=("?",), sensitive=True),
        Column(name="sex", kind="category"),
        Column(name="admitted", kind="date"),
        Column(name="sampled", kind="date"),
        Column(name="note", kind="text"),
        Column(name="died", kind="category", role="outcome"),
        Column(name="region", kind="category", role="site"),
    ),
    positive="1",
)


def cohort_of(frame=FRAME, schema=SCHEMA):
    return Cohort(frame=frame, schema=schema, sha256="0" * 64, name="ward.csv")


def test_rows_without_an_outcome_are_dropped_and_counted():
    prepared = prepare(cohort_of(), default_recipe(SCHEMA))
    assert prepared.rows.tolist() == [0, 1, 2, 4]
    entry = next(e for e in prepared.log if e.step.kind == "drop_rows_without_outcome")
    assert (entry.rows_before, entry.rows_after) == (5, 4)


def test_codes_and_implausible_values_become_missing_and_are_counted():
    prepared = prepare(cohort_of(), default_recipe(SCHEMA))
    np.testing.assert_array_equal(prepared.predictors["age"], [63.0, np.nan, np.nan, 63.0])
    counts = {e.step.kind: e.cells_changed for e in prepared.log}
    assert counts["missing_codes"] == 1
    assert counts["implausible_values"] == 1
    assert counts["tidy_categories"] == 1


def test_implausible_values_stay_when_the_step_is_off():
    prepared = prepare(cohort_of(), default_recipe(SCHEMA).switch("implausible_values", False))
    assert prepared.predictors["age"].max() == 65526


def test_full_width_spellings_are_one_category():
    prepared = prepare(cohort_of(), default_recipe(SCHEMA))
    assert prepared.predictors["sex"].tolist() == ["F", "F", "M", "F"]


def test_dates_are_days_from_the_reference_and_the_reference_is_set_aside():
    prepared = prepare(cohort_of(), default_recipe(SCHEMA))
    np.testing.assert_array_equal(prepared.predictors["sampled"], [1.0, 0.0, np.nan, 1.0])
    assert "admitted" not in prepared.predictors
    assert "counted from it" in str(prepared.set_aside["admitted"])
    assert prepared.kinds == {"age": "numeric", "sex": "category", "sampled": "numeric"}


def test_a_lone_date_and_free_text_are_set_aside_with_a_reason():
    schema = SCHEMA.drop(["sampled"])
    prepared = prepare(cohort_of(schema=schema), default_recipe(schema))
    assert list(prepared.predictors) == ["age", "sex"]
    assert set(prepared.set_aside) == {"admitted", "note"}


def test_dates_are_set_aside_when_their_step_is_off():
    prepared = prepare(cohort_of(), default_recipe(SCHEMA).switch("dates_to_intervals", False))
    assert {"admitted", "sampled", "note"} == set(prepared.set_aside)


def test_groups_sites_and_sensitive_columns_follow_the_rows():
    prepared = prepare(cohort_of(), default_recipe(SCHEMA))
    assert prepared.groups.tolist() == [0, 0, 1, 3]
    assert prepared.n_patients == 3
    assert prepared.sites.tolist() == ["N", "N", "S", "N"]
    assert list(prepared.sensitive) == ["age", "region"]
    assert prepared.column("note").tolist() == ["seen well", "came back", "no letter", "seen well"]


def test_new_patients_are_prepared_as_the_training_rows_were():
    recipe = default_recipe(SCHEMA)
    prepared = prepare(cohort_of(), recipe)
    shuffled = FRAME.loc[:, ["died", "sampled", "sex", "admitted", "age"]].iloc[prepared.rows].assign(extra="x")
    new = prepare_predictors(shuffled, SCHEMA, recipe)
    pd.testing.assert_frame_equal(new, prepared.predictors)


def test_no_new_patient_is_ever_dropped():
    recipe = default_recipe(SCHEMA).switch("drop_duplicate_rows", True).switch("last_row_per_patient", True)
    assert len(prepare_predictors(pd.concat([FRAME, FRAME]), SCHEMA, recipe)) == 10


def test_a_lacking_column_is_named_with_the_nearest_there_is():
    with pytest.raises(MissingColumnsError, match=r"age.*Age \(years\)"):
        prepare_predictors(FRAME.rename(columns={"age": "Age (years)"}), SCHEMA, default_recipe(SCHEMA))


def test_only_used_columns_are_required_of_new_patients():
    assert required_columns(SCHEMA, default_recipe(SCHEMA)) == ("age", "sex", "admitted", "sampled")
    without_dates = default_recipe(SCHEMA).switch("dates_to_intervals", False)
    assert required_columns(SCHEMA, without_dates) == ("age", "sex")


def test_the_positive_class_is_last():
    assert prepare(cohort_of(), default_recipe(SCHEMA)).classes == ("0", "1")
    flipped = Schema(SCHEMA.columns, positive="0")
    prepared = prepare(cohort_of(schema=flipped), default_recipe(flipped))
    assert prepared.classes == ("1", "0")
    assert prepared.outcome.tolist() == [1, 0, 0, 1]


def test_other_classes_are_one_when_a_positive_class_is_chosen_among_many():
    frame = FRAME.assign(died=["NO", "<30", ">30", "NO", "<30"])
    schema = Schema(SCHEMA.columns, positive="<30")
    prepared = prepare(cohort_of(frame, schema), default_recipe(schema))
    assert prepared.classes == ("not <30", "<30")
    assert prepared.outcome.tolist() == [0, 1, 0, 0, 1]
    codes = outcome_codes(frame, schema, default_recipe(schema), prepared.classes)
    assert codes.tolist() == [0, 1, 0, 0, 1]


def test_many_classes_stay_in_numeric_order():
    frame = FRAME.assign(died=["10", "2", "1", "10", "2"])
    schema = Schema(SCHEMA.columns)
    assert prepare(cohort_of(frame, schema), default_recipe(schema)).classes == ("1", "2", "10")


@pytest.mark.parametrize(
    ("values", "positive", "words"),
    [
        (["1"] * 5, "1", "1 class"),
        (["0", "1", "0", "1", "0"], "yes", "no class “yes”"),
    ],
)
def test_an_outcome_that_cannot_be_predicted_is_refused(values, positive, words):
    schema = Schema(SCHEMA.columns, positive=positive)
    with pytest.raises(TargetError, match=words):
        prepare(cohort_of(FRAME.assign(died=values), schema), default_recipe(schema))


def test_an_outcome_that_was_not_chosen_is_asked_for():
    schema = SCHEMA.change("died", role="ignored")
    with pytest.raises(TargetError, match="No outcome is chosen"):
        prepare(cohort_of(schema=schema), default_recipe(schema))


def test_judging_keeps_the_models_classes_and_every_row_with_an_outcome():
    recipe = default_recipe(SCHEMA).switch("drop_duplicate_rows", True)
    frame = pd.concat([FRAME.iloc[[1]], FRAME.iloc[[1]], FRAME.iloc[[3]]], ignore_index=True)
    prepared = prepare_evaluation(cohort_of(frame), recipe, ("0", "1"))
    assert prepared.outcome.tolist() == [1, 1]
    with pytest.raises(TargetError, match="does not know"):
        prepare_evaluation(cohort_of(frame.assign(died="maybe")), recipe, ("0", "1"))


def test_repeated_rows_and_patients_are_dropped_only_when_asked():
    twice = pd.concat([FRAME, FRAME.iloc[[0]]], ignore_index=True)
    recipe = default_recipe(SCHEMA)
    assert prepare(cohort_of(twice), recipe).n_rows == 5
    assert prepare(cohort_of(twice), recipe.switch("drop_duplicate_rows", True)).n_rows == 4
    assert prepare(cohort_of(), recipe.switch("last_row_per_patient", True)).rows.tolist() == [1, 2, 4]


def test_the_patient_is_read_from_names_with_a_counter():
    names = [f"phon_R01_S{i:02d}_{j}" for i in range(12) for j in range(1, 4)]
    frame = pd.DataFrame({"name": names, "x": "1", "y": ["0", "1", "1"] * 12}, dtype="str")
    schema = Schema(
        (
            Column(name="name", kind="text", role="group"),
            Column(name="x", kind="numeric"),
            Column(name="y", kind="category", role="outcome"),
        )
    )
    assert prepare(cohort_of(frame, schema), default_recipe(schema)).n_patients == 12
    assert prepare(cohort_of(frame, schema), default_recipe(schema).switch("patient_part", False)).n_patients == 36


def test_a_recipe_is_read_back_from_json():
    recipe = default_recipe(SCHEMA).switch("implausible_values", False)
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe
    assert len(recipe.sentences()) == sum(s.on for s in recipe.steps)


def test_unknown_steps_and_fixed_steps_are_refused():
    with pytest.raises(SettingsError, match="no step “shake”"):
        Step("shake")
    with pytest.raises(SettingsError, match="cannot be switched off"):
        default_recipe(SCHEMA).switch("drop_rows_without_outcome", False)


def test_results_are_plain_json_without_rows():
    text = json.dumps(prepare(cohort_of(), default_recipe(SCHEMA)).to_dict())
    assert "seen well" not in text
    assert "65526" not in text


def test_a_lacking_column_is_not_said_to_be_one_that_is_needed_by_itself():
    problem = MissingColumnsError.between(wanted=["exang", "sex", "thal"], got=["sex", "thal_1"], table="new.csv")
    assert "exang, thal" in str(problem)
    assert "it has thal_1." in str(problem)
