"""The built-in samples and the data dictionary."""

import pandas as pd
import pytest

from medcore.data.cohort import Cohort
from medcore.data.quality import inspect
from medcore.data.samples import load_sample, samples
from medcore.data.schema.dictionaries.dictionary import load_dictionary, save_dictionary
from medcore.data.values.typed import read_values
from medcore.errors import InputError, MissingColumnsError, NotFoundError
from medcore.i18n import language


@pytest.mark.parametrize(
    ("key", "n_rows", "n_predictors", "positive", "encoding"),
    [
        ("heart", 920, 13, "yes", "utf-8"),
        ("heart_failure", 299, 11, "1", "utf-8"),
        ("breast", 569, 30, "malignant", "utf-8"),
        ("thyroid", 9172, 29, None, "utf-8"),
        ("heart_zh", 920, 13, "是", "gb18030"),
        ("made_notes", 300, 2, "yes", "utf-8"),
    ],
)
def test_a_sample_opens_ready_to_train(
    key: str, n_rows: int, n_predictors: int, positive: str | None, encoding: str
) -> None:
    cohort = load_sample(key)
    assert (cohort.n_rows, len(cohort.schema.predictors)) == (n_rows, n_predictors)
    assert (cohort.schema.positive, cohort.source.encoding) == (positive, encoding)
    assert cohort.repairs == ()
    assert read_values(cohort.frame, cohort.schema).unreadable == {}
    assert all(c.description for c in cohort.schema.columns)


def test_the_heart_sample_has_four_sites_and_its_zeros_are_missing() -> None:
    cohort = load_sample("heart")
    site = cohort.schema.only("site")
    assert site is not None
    assert cohort.frame[site.name].value_counts().to_dict() == {
        "Cleveland": 304,
        "Hungary": 293,
        "VA Long Beach": 200,
        "Switzerland": 123,
    }
    assert cohort.schema["chol"].missing_codes == ("0",)
    assert cohort.schema["num"].role == "ignored"
    assert (cohort.frame["disease"] == "yes").sum() == 509


def test_the_liver_sample_has_what_its_visits_showed_by_day_400() -> None:
    cohort = load_sample("liver")
    visits = pd.read_csv(next(s.visits for s in samples() if s.key == "liver"))
    known = visits[visits["day"] <= 400].sort_values("day").groupby("id")["albumin (g/dL)"]
    frame = read_values(cohort.frame, cohort.schema).frame
    assert frame["albumin (g/dL) last"].tolist() == known.last().tolist()
    assert cohort.n_rows == 288 and (visits["day"] > 400).sum() > 1000
    assert cohort.schema.follow_up is not None and cohort.schema.follow_up.causes == ("death", "transplant")
    assert not [f for f in inspect(cohort) if f.severity == "error"]
    assert len(cohort.repairs) == 3  # read as visits, summed up, and what is later counted


def test_a_sample_says_what_identifies_its_rows() -> None:
    assert all(load_sample(sample.key).sha256 == sample.sha256 for sample in samples())


def test_both_heart_samples_are_the_same_patients() -> None:
    english, chinese = load_sample("heart"), load_sample("heart_zh")
    left, right = (read_values(c.frame, c.schema).frame for c in (english, chinese))
    for a, b in zip(left.columns, right.columns, strict=True):
        if english.schema[a].kind == "numeric":
            assert left[a].equals(right[b].rename(a))
        else:
            assert left[a].nunique() == right[b].nunique()


def test_titles_and_summaries_are_translated() -> None:
    for sample in samples():
        with language("zh_CN"):
            chinese = sample.to_dict()
        assert chinese["title"] != sample.to_dict()["title"]
        assert chinese["summary"] != sample.to_dict()["summary"]
        assert sample.licence
        assert sample.source


def test_an_unknown_sample_is_refused_by_name() -> None:
    with pytest.raises(NotFoundError, match="heart_zh"):
        load_sample("hart")


@pytest.fixture
def cohort() -> Cohort:
    return load_sample("heart")


def test_a_dictionary_that_was_saved_is_loaded_as_it_was(cohort: Cohort) -> None:
    plain = load_dictionary(cohort.schema, save_dictionary(cohort.schema))
    assert [c.to_dict() | {"confidence": 1, "reason": None} for c in plain.columns] == [
        c.to_dict() | {"confidence": 1, "reason": None} for c in cohort.schema.columns
    ]
    assert plain.positive == cohort.schema.positive


def test_a_dictionary_changes_only_what_it_says(cohort: Cohort) -> None:
    changed = load_dictionary(cohort.schema, "name,unit,high\nchol,mmol/L,30\n")
    assert (changed["chol"].unit, changed["chol"].high, changed["chol"].low) == ("mmol/L", 30.0, 50.0)
    assert changed["age"] == cohort.schema["age"]


def test_a_spreadsheet_runs_no_formula_from_a_dictionary(cohort: Cohort) -> None:
    schema = cohort.schema.change("age", description="=1+1", missing_codes=("-9",))
    text = save_dictionary(schema)
    assert ",=1+1" not in text
    assert load_dictionary(schema, text)["age"].description == "=1+1"
    assert load_dictionary(schema, text)["age"].missing_codes == ("-9",)


@pytest.mark.parametrize(
    ("text", "said", "error"),
    [
        ("a,b\n1,2\n", "lacks the column name", InputError),
        ("name,kind\nage,number\n", "numeric", InputError),
        ("name,low\nage,few\n", "a number", InputError),
        ("name,unit\nagee,years\n", "age", MissingColumnsError),
    ],
)
def test_a_dictionary_that_is_not_understood_says_where(
    cohort: Cohort, text: str, said: str, error: type[InputError]
) -> None:
    with pytest.raises(error, match=said):
        load_dictionary(cohort.schema, text)


def test_the_heart_failure_sample_asks_by_when() -> None:
    schema = load_sample("heart_failure").schema
    assert schema.follow_up is not None
    assert (schema.follow_up.duration, schema.follow_up.unit) == ("time", "days")
    assert (schema.follow_up.horizons, schema.follow_up.main) == ((30.0, 90.0, 182.625), 182.625)
    assert "time" not in [c.name for c in schema.predictors]
