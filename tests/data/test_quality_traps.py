"""The traps of real tables are each found in the built-in samples, read as if nobody had told what is in them."""

import pytest

from medcore.data.cohort import Cohort
from medcore.data.quality import inspect
from medcore.data.samples import load_sample
from medcore.data.schema.inference import choose_target, infer_schema


def found_in(key, target, positive=None, **changes):
    """Read a sample by inference alone and return what is found, by code."""
    frame = load_sample(key).frame
    schema = choose_target(infer_schema(frame), frame, target, positive=positive)
    for name, fields in changes.items():
        schema = schema.change(name, **fields)
    found = inspect(Cohort(frame=frame, schema=schema, sha256="0" * 64, name=key))
    return {f.code: f for f in reversed(found)}, found


@pytest.fixture(scope="module")
def heart():
    return found_in("heart", "disease", num={"role": "predictor"})


def test_the_grade_behind_the_diagnosis_is_a_copy_of_the_outcome(heart):
    assert heart[0]["leakage.near_copy"].columns == ("num",)


def test_a_cholesterol_of_zero_is_missing(heart):
    assert "chol" in heart[0]["missing.codes"].columns


def test_four_hospitals_differ_in_outcome_and_in_what_they_record(heart):
    assert heart[0]["drift.outcome"].columns == ("site",)
    assert {"ca", "thal"} <= set(heart[0]["drift.missing"].columns)


def test_the_same_traps_are_found_in_the_chinese_export():
    by_code, _ = found_in("heart_zh", "冠心病")
    assert by_code["drift.outcome"].columns == ("医院",)
    assert any("胆固醇" in name for name in by_code["missing.codes"].columns)


def test_rare_classes_and_impossible_ages_are_found_among_thyroid_patients():
    by_code, _ = found_in("thyroid", "diagnosis")
    assert by_code["outcome.rare_class"].n_rows == 34
    assert by_code["values.implausible"].columns == ("age",)
    assert "TBG" in by_code["missing.much"].columns


def test_strong_honest_predictors_raise_no_error():
    _, found = found_in("breast", "diagnosis")
    assert [f.code for f in found if f.severity == "error"] == []
    assert [f.code for f in found if f.code.startswith("privacy")] == []


@pytest.mark.parametrize("key", ["heart", "breast", "thyroid", "heart_zh"])
def test_no_sample_as_it_is_offered_holds_an_error(key):
    assert [f.code for f in inspect(load_sample(key)) if f.severity == "error"] == []
