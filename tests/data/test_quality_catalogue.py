"""Each check finds its own trap, and stays silent on a clean table."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from medcore.data.cohort import Cohort, Column, Schema
from medcore.data.preparation.fixes import apply_fix
from medcore.data.preparation.recipe import default_recipe
from medcore.data.quality import CHECKS, inspect
from medcore.data.quality.association import single_column_auroc
from medcore.data.quality.checking.view import View
from medcore.data.reading.table import read_table
from medcore.data.schema.inference import choose_target, infer_schema
from medcore.errors import SettingsError
from medcore.statistics.sample_size.development import max_cox_snell, riley_sample_size

N = 400


def clean_table(n=N, seed=0):
    rng = np.random.default_rng(seed)
    age, crp = rng.integers(20, 85, n), rng.gamma(2, 10, n).round(3)
    risk = 1 / (1 + np.exp(-(age - 55) / 15 - (crp - 20) / 20))
    return pd.DataFrame(
        {
            "age": age.astype(str),
            "crp": crp.astype(str),
            "smoker": rng.choice(["yes", "no"], n),
            "stage": rng.choice(["I", "II", "III"], n),
            "died": (rng.random(n) < risk).astype(int).astype(str),
        },
        dtype="str",
    )


def cohort_of(frame, target="died", positive="1", **changes):
    schema = infer_schema(frame)
    if target:
        schema = choose_target(schema, frame, target, positive=positive)
    for name, fields in changes.items():
        schema = schema.change(name, **fields)
    return Cohort(frame=frame, schema=schema, sha256="0" * 64, name="ward.csv")


def codes(cohort):
    return [f.code for f in inspect(cohort)]


def finding(cohort, code):
    return next(f for f in inspect(cohort) if f.code == code)


def test_a_clean_table_raises_nothing():
    assert codes(cohort_of(clean_table())) == []


def test_few_whole_numbers_read_as_amounts_are_told_until_somebody_says_what_they_are():
    few = np.random.default_rng(3).choice(["1", "2", "3", "4"], N)
    found = finding(cohort_of(clean_table().assign(vessels=few, slope=few)), "categories.amounts")
    assert (found.columns, found.severity) == (("vessels", "slope"), "info")
    assert found.fix.options() == '--kind "vessels=category" --kind "slope=category"'
    table = cohort_of(clean_table().assign(vessels=few, slope=few))
    one = found.fix.clicks()[1]
    schema, _ = apply_fix(one, table.schema, default_recipe(table.schema))
    assert (schema["vessels"].kind, schema["slope"].kind) == ("numeric", "category")
    assert finding(table.with_schema(schema), "categories.amounts").columns == ("vessels",)
    for said in ({"kind": "category"}, {"kind": "numeric", "confidence": 1.0}, {"level_labels": {"1": "typical"}}):
        assert "categories.amounts" not in codes(cohort_of(clean_table().assign(slope=few), slope=said))


@pytest.mark.parametrize("name", ["cp", "restecg", "ChestPainType", "静息心电图"])
def test_few_numbers_whose_name_says_that_they_are_codes_are_categories(name):
    few = np.random.default_rng(3).choice(["1", "2", "3", "4"], N)
    assert cohort_of(clean_table().assign(**{name: few})).schema[name].kind == "category"
    measured = clean_table().assign(**{name: lambda table: table["crp"]})
    assert cohort_of(measured).schema[name].kind == "numeric"


def test_every_code_is_given_once():
    names = [c.code for c in CHECKS]
    assert len(names) == len(set(names))


def test_a_copy_of_the_outcome_is_an_error_and_can_be_left_out():
    frame = clean_table().assign(grade=lambda d: d["died"].map({"0": "0", "1": "3"}))
    found = finding(cohort_of(frame), "leakage.near_copy")
    assert (found.severity, found.columns) == ("error", ("grade",))
    assert found.fix.values == {"role": "ignored"}


def test_a_column_that_nearly_tells_the_outcome_is_a_warning():
    rng = np.random.default_rng(1)
    frame = clean_table()
    frame["marker"] = (frame["died"].astype(int) * 2.6 + rng.normal(0, 1, N)).round(2).astype(str)
    found = finding(cohort_of(frame), "leakage.single_column")
    assert (found.severity, found.columns) == ("warning", ("marker",))


def test_a_many_valued_category_without_meaning_is_no_leak():
    rng = np.random.default_rng(2)
    frame = clean_table().assign(code=rng.integers(0, 200, N))
    frame["code"] = "c" + frame["code"].astype(str)
    assert not any(c.startswith("leakage") for c in codes(cohort_of(frame)))


@pytest.mark.parametrize(
    "name", ["discharge_status", "unitdischargeoffset", "hospitalMortalityPredicted", "死亡时间天数"]
)
def test_names_of_what_comes_afterwards_are_flagged(name):
    frame = clean_table()
    frame[name] = np.random.default_rng(3).normal(size=N).round(2).astype(str)
    assert finding(cohort_of(frame), "leakage.name").columns == (name,)


def test_a_discharge_date_is_flagged_although_it_is_not_used():
    frame = clean_table()
    frame["出院时间"] = pd.date_range("2020-01-01", periods=N, freq="7h").strftime("%Y-%m-%d %H:%M")
    assert "出院时间" in finding(cohort_of(frame), "leakage.name").columns


def test_missingness_that_tells_the_outcome_is_flagged():
    frame = clean_table()
    rng = np.random.default_rng(4)
    frame["lactate"] = rng.normal(2, 1, N).round(1).astype(str)
    frame.loc[(frame["died"] == "0") & (rng.random(N) < 0.6), "lactate"] = None
    assert finding(cohort_of(frame), "missing.predicts_outcome").columns == ("lactate",)


def test_missingness_by_chance_is_not():
    frame = clean_table()
    frame.loc[np.random.default_rng(5).random(N) < 0.3, "crp"] = None
    found = codes(cohort_of(frame))
    assert "missing.predicts_outcome" not in found
    assert "missing.table" in found


def test_empty_constant_and_near_constant_columns_are_named():
    frame = clean_table().assign(nothing=None, same="a", rare=["b"] + ["a"] * (N - 1))
    cohort = cohort_of(frame, nothing={"role": "predictor"}, same={"role": "predictor"}, rare={"role": "predictor"})
    columns = [f.columns for f in inspect(cohort) if f.code == "columns.constant"]
    assert ("nothing",) in columns
    assert ("same",) in columns
    assert finding(cohort, "columns.near_constant").columns == ("rare",)


def test_repeated_rows_are_counted_and_can_be_dropped():
    frame = pd.concat([clean_table(), clean_table().head(30)], ignore_index=True)
    found = finding(cohort_of(frame), "rows.duplicate")
    assert found.n_rows == int(frame.duplicated().sum())
    assert (found.fix.action, found.fix.values) == ("step_on", {"step": "drop_duplicate_rows"})


def test_the_same_values_under_two_identifiers_are_noticed():
    frame = clean_table().assign(extra=np.arange(N).astype(str), more=np.arange(N)[::-1].astype(str))
    frame = pd.concat([frame, frame.head(5)], ignore_index=True)
    frame.insert(0, "patient_id", [f"P{i}" for i in range(len(frame))])
    assert finding(cohort_of(frame), "rows.same_values").n_rows == 5


def test_repeated_patients_are_measured_and_offered_as_groups():
    frame = clean_table()
    frame.insert(0, "patient_nbr", (np.arange(N) // 4 + 70000).astype(str))
    undecided = cohort_of(frame, patient_nbr={"role": "identifier"})
    found = finding(undecided, "patients.repeated")
    assert (found.severity, found.fix.values) == ("warning", {"role": "group"})
    assert "100 patients in 400 rows" in str(found.message)
    handled = finding(cohort_of(frame, patient_nbr={"role": "group"}), "patients.repeated")
    assert handled.severity == "info"
    assert str(handled.remedy).startswith("Nothing to do")


def test_a_patient_inside_a_text_column_is_found():
    frame = clean_table()
    frame.insert(0, "name", [f"phon_R01_S{i // 5:02d}_{i % 5 + 1}" for i in range(N)])
    found = finding(cohort_of(frame), "patients.repeated")
    assert "inside the text" in str(found.message)
    assert "80 patients" in str(found.message)


def test_impossible_values_are_counted_with_their_range():
    frame = clean_table()
    frame.loc[:2, "age"] = "65526"
    found = finding(cohort_of(frame), "values.implausible")
    assert (found.columns, found.n_rows) == (("age",), 3)
    kept = inspect(cohort_of(frame), recipe=default_recipe(cohort_of(frame).schema).switch("implausible_values", False))
    assert next(f for f in kept if f.code == "values.implausible").fix.values == {"step": "implausible_values"}


def test_values_in_another_unit_are_noticed():
    frame = clean_table()
    rng = np.random.default_rng(8)
    glucose = rng.normal(105, 12, N)
    glucose[:40] = rng.normal(5.6, 0.5, 40)
    frame["glucose"] = glucose.round(1).astype(str)
    found = finding(cohort_of(frame), "values.mixed_units")
    assert (found.columns, found.n_rows) == (("glucose",), 40)
    assert "mmol/L among values in mg/dL" in str(found.message)


def test_no_finding_shows_a_value_of_a_patient():
    frame = clean_table()
    frame.loc[:2, "age"] = "65526"
    frame["note"] = [f"Mr. Smith {i} came by bus and felt much better" for i in range(N)]
    text = json.dumps([f.to_dict() for f in inspect(cohort_of(frame))])
    assert "65526" not in text
    assert "Smith" not in text


def test_dirty_categories_are_found_in_columns_and_outcome():
    frame = clean_table()
    frame.loc[:9, "stage"] = "II\t"
    frame.loc[10:19, "stage"] = "ii"
    cohort = cohort_of(frame)
    assert finding(cohort, "categories.untidy").n_rows == 10
    assert finding(cohort, "categories.same_word").fix.values == {"step": "same_case"}


def test_a_running_number_among_the_predictors_is_an_identifier():
    frame = clean_table().assign(entry=[str(100 + i) for i in range(N)])
    cohort = cohort_of(frame, entry={"role": "predictor", "kind": "numeric"})
    assert finding(cohort, "columns.identifier").columns == ("entry",)


def test_dates_among_the_predictors_are_named():
    frame = clean_table().assign(seen=pd.date_range("2020-01-01", periods=N).strftime("%Y-%m-%d"))
    assert finding(cohort_of(frame, seen={"role": "predictor"}), "columns.date").columns == ("seen",)


def test_columns_that_rise_together_are_paired():
    frame = clean_table()
    frame["crp_mgdl"] = (frame["crp"].astype(float) / 10).astype(str)
    assert finding(cohort_of(frame), "columns.correlated").columns == ("crp", "crp_mgdl")


def test_few_events_and_rare_classes_are_found():
    few = clean_table(60)
    assert finding(cohort_of(few), "outcome.few_events").severity == "warning"
    many = clean_table().assign(died=["a"] * 200 + ["b"] * 192 + ["c"] * 8)
    found = finding(cohort_of(many, positive=None), "outcome.rare_class")
    assert (found.n_rows, found.severity) == (8, "error")
    assert "outcome.imbalance" in codes(cohort_of(many, positive=None))


def test_sites_that_differ_are_found_in_outcome_values_and_gaps():
    frame = pd.concat([clean_table(300, s) for s in range(3)], ignore_index=True)
    frame.insert(0, "site", np.repeat(["A", "B", "C"], 300))
    frame["calcium"] = np.random.default_rng(6).normal(2.3, 0.1, 900).round(2).astype(str)
    assert not any(c.startswith("drift") for c in codes(cohort_of(frame)))
    frame.loc[frame["site"] == "C", "calcium"] = None
    frame.loc[frame["site"] == "B", "age"] = (frame["age"].astype(int) // 4 + 70).astype(str)
    frame.loc[(frame["site"] == "A") & (np.arange(900) % 2 == 0), "died"] = "1"
    cohort = cohort_of(frame)
    assert finding(cohort, "drift.missing").columns == ("calcium",)
    assert "age" in finding(cohort, "drift.columns").columns
    assert finding(cohort, "drift.outcome").columns == ("site",)


def test_findings_come_worst_first_and_an_outcome_is_proposed_when_none_is_chosen():
    frame = clean_table().assign(grade=lambda d: d["died"])
    order = [f.severity for f in inspect(cohort_of(frame, target=None))]
    assert order == sorted(order, key=["error", "warning", "info"].index)
    assert order[0] == "warning"
    assert inspect(cohort_of(frame, target="died"))[0].severity == "error"


def test_an_empty_table_has_no_findings():
    frame = clean_table().head(0)
    schema = Schema(tuple(Column(name=c, kind="numeric") for c in frame.columns))
    assert inspect(Cohort(frame=frame, schema=schema, sha256="0" * 64, name="x.csv")) == ()


def test_a_numeric_column_is_judged_by_its_own_order():
    frame = clean_table()
    view = View.of(cohort_of(frame), None)
    found = single_column_auroc(view.levels("age"), view.outcome.codes, 2, view.folds)
    assert found >= roc_auc_score(frame["died"].astype(int), frame["age"].astype(float)) - 1e-9


def test_rileys_published_example_is_met():
    size = riley_sample_size(24, 0.174, 0.288)
    assert (size.shrinkage, size.optimism, size.prevalence) == (623, 662, 221)
    assert size.required == size.error == 801  # the fourth criterion, of BMJ 2020; pmsampsize has three
    assert max_cox_snell(0.174) == pytest.approx(0.603, abs=0.001)


@pytest.mark.parametrize("arguments", [(0, 0.1), (5, 0.0), (5, 0.5, 0.9)])
def test_a_sample_size_of_nonsense_is_refused(arguments):
    with pytest.raises(SettingsError):
        riley_sample_size(*arguments)


def test_a_table_of_one_row_is_said_to_hold_one_row():
    cohort = read_table(("one.csv", b"age,died\n61,1\n"))
    assert [f.n_rows for f in inspect(cohort) if f.code == "rows.hardly_any"] == [1]
    twenty = read_table(("some.csv", b"age,died\n" + b"61,1\n48,0\n" * 10))
    assert "rows.hardly_any" not in {f.code for f in inspect(twenty)}
