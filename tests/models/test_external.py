"""A frozen model on new patients: how they differ, what recalibration gives, and the version that is kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.special import expit, logit

from medcore.data.cohort import Cohort
from medcore.data.schema.inference import infer_schema
from medcore.errors import InputError, SettingsError
from medcore.evaluation import evaluate
from medcore.models.bundle.bundle import load_bundle, read_manifest
from medcore.models.deployed.external import validate
from medcore.models.deployed.recalibration import recalibrate, recalibrations, strengths
from medcore.models.deployed.versions import judge_saved, save_version
from medcore.models.run.results import read_results, save_trained
from medcore.models.selection.calibration import Calibrator


def distorted(validation, *, slope: float, shift: float, n: int = 3000, seed: int = 0):
    """Give a validation many patients whose true log-odds are a straight line of the model's."""
    rng = np.random.default_rng(seed)
    risk = rng.beta(1.5, 3.0, n).clip(0.01, 0.99)
    outcome = (rng.random(n) < expit(shift + slope * logit(risk))).astype(np.int64)
    both = np.column_stack([1 - risk, risk])
    judged = evaluate(outcome, both, validation.evaluation.classes, n_boot=100)
    return replace(validation, outcome=outcome, risk=both, rows=np.arange(n), groups=None, evaluation=judged)


def table_of(frame: pd.DataFrame) -> Cohort:
    return Cohort(frame, infer_schema(frame), "1" * 64, "new.csv")


@pytest.fixture(scope="module")
def saved(logistic, tmp_path_factory):
    folder = tmp_path_factory.mktemp("original") / "bundle"
    save_trained(logistic, folder)
    return folder


@pytest.fixture(scope="module")
def validation(saved, ward):
    return validate(load_bundle(saved), table_of(ward.cohort.frame.iloc[:150]))


@pytest.mark.parametrize("strength", ["intercept", "slope"])
def test_the_fitted_numbers_are_those_of_statsmodels(validation, strength) -> None:
    new = distorted(validation, slope=0.6, shift=-0.8)
    x, y = logit(new.risk[:, 1]), new.outcome
    if strength == "intercept":
        theirs = [1.0, *sm.GLM(y, np.ones((len(y), 1)), family=sm.families.Binomial(), offset=x).fit().params]
    else:
        theirs = sm.GLM(y, sm.add_constant(x), family=sm.families.Binomial()).fit().params[::-1]
    parameters = recalibrate(new, strength).layer.parameters
    np.testing.assert_allclose([parameters["slope"][0], parameters["intercept"][0]], theirs, rtol=1e-6)


def test_each_strength_mends_what_it_says_on_patients_it_was_not_fitted_to(validation) -> None:
    new = distorted(validation, slope=0.6, shift=-0.8)
    figures = {r.strength: r.evaluation.metrics for r in recalibrations(new)}
    assert abs(new.evaluation.metrics["calibration_intercept"].value) > 0.5
    assert abs(figures["intercept"]["calibration_intercept"].value) < 0.02
    assert figures["intercept"]["calibration_slope"].value == pytest.approx(0.6, abs=0.1)
    assert figures["slope"]["calibration_slope"].value == pytest.approx(1.0, abs=0.05)
    assert figures["refit"]["brier"].value == pytest.approx(figures["slope"]["brier"].value, abs=0.003)
    assert figures["slope"]["auroc"].value == pytest.approx(new.evaluation.metrics["auroc"].value, abs=0.005)


def test_the_honest_figures_are_worse_than_those_of_the_patients_fitted_to(validation) -> None:
    new = distorted(validation, slope=1.0, shift=0.0, n=60)
    found = recalibrate(new, "slope")
    risk = found.layer.apply(new.risk)
    flattering = evaluate(new.outcome, risk, validation.evaluation.classes, n_boot=50).metrics["log_loss"].value
    assert found.evaluation.metrics["log_loss"].value > flattering


def test_patients_of_one_outcome_do_not_allow_a_recalibration(validation) -> None:
    alike = replace(validation, outcome=np.zeros(validation.n_patients, dtype=np.int64))
    assert recalibrations(alike) == ()
    with pytest.raises(InputError, match="too few"):
        recalibrate(alike, "intercept")


def test_more_classes_are_shifted_and_stretched_but_have_no_single_curve(three_class_ward) -> None:
    trained = three_class_ward.train("logistic")
    found = validate(trained.bundle, table_of(three_class_ward.cohort.frame))
    assert [r.strength for r in recalibrations(found)] == list(strengths(3)) == ["intercept", "slope"]
    with pytest.raises(SettingsError, match="refit"):
        recalibrate(found, "refit")


def test_a_version_gives_the_recalibrated_risks_and_says_where_it_came_from(saved, validation, ward, tmp_path) -> None:
    before = {p.name: p.read_bytes() for p in saved.rglob("*") if p.is_file()}
    new = distorted(validation, slope=0.6, shift=-0.8)
    change = recalibrate(new, "slope")
    save_version(saved, tmp_path / "second", change, new, run="first")
    old, fresh = load_bundle(saved), load_bundle(tmp_path / "second")
    frame = ward.cohort.frame.head(20)
    np.testing.assert_allclose(fresh.predict(frame), change.layer.apply(old.predict(frame)))
    assert {p.name: p.read_bytes() for p in saved.rglob("*") if p.is_file()} == before
    note = read_manifest(tmp_path / "second")["recalibration"]
    assert (note["strength"], note["n_patients"], note["run"]) == ("slope", 3000, "first")
    results = read_results(tmp_path / "second")
    np.testing.assert_allclose(results.training.risk, change.layer.apply(read_results(saved).training.risk))
    assert results.findings[0].code == "model.recalibrated"


def test_a_version_of_a_version_keeps_both_changes(saved, validation, ward, tmp_path) -> None:
    first = recalibrate(distorted(validation, slope=0.6, shift=-0.8), "slope")
    second = recalibrate(distorted(validation, slope=1.5, shift=0.4), "intercept")
    save_version(saved, tmp_path / "a", first, validation)
    save_version(tmp_path / "a", tmp_path / "b", second, validation)
    frame = ward.cohort.frame.head(20)
    expected = second.layer.apply(first.layer.apply(load_bundle(saved).predict(frame)))
    np.testing.assert_allclose(load_bundle(tmp_path / "b").predict(frame), expected)
    assert read_manifest(tmp_path / "b")["recalibration"]["earlier"]["strength"] == "slope"


def test_no_version_replaces_another(saved, validation, tmp_path) -> None:
    change = recalibrate(distorted(validation, slope=0.6, shift=-0.8), "intercept")
    with pytest.raises(InputError, match="there already"):
        save_version(saved, saved, change, validation)


def test_a_calibrator_and_what_follows_it_come_back_from_json() -> None:
    one, two = (Calibrator("platt", {"slope": (b,), "intercept": (a,)}) for a, b in ((0.3, 0.5), (-1.0, 2.0)))
    both = one.followed_by(two)
    risk = np.array([[0.8, 0.2], [0.1, 0.9]])
    np.testing.assert_allclose(Calibrator.from_dict(both.to_dict()).apply(risk), two.apply(one.apply(risk)))


def test_the_same_patients_cannot_be_told_apart_and_others_can(saved, ward) -> None:
    bundle, frame = load_bundle(saved), ward.cohort.frame
    same = validate(bundle, table_of(frame)).membership
    assert same.auroc.value < 0.6
    assert "hardly be told" in str(same.meaning)
    older = frame.assign(age=[f"{float(a) + 30:.1f}" for a in frame["age"]])
    other = validate(bundle, table_of(older)).membership
    assert other.auroc.value > 0.85
    assert "of another kind" in str(other.meaning)


def test_a_membership_of_a_handful_of_patients_is_not_given(saved, ward) -> None:
    found = validate(load_bundle(saved), table_of(ward.cohort.frame.head(6))).membership
    assert not found.auroc.exists
    assert "Fewer than 10" in str(found.meaning)


def test_columns_of_other_names_give_the_same_risks(saved, ward) -> None:
    frame = ward.cohort.frame.iloc[:100]
    other = frame.rename(columns={"age": "Age (years)", "pressure": "RR systolic", "outcome": "state"})
    mapped = judge_saved(
        saved, table_of(other), names={"age": "Age (years)", "pressure": "RR systolic", "outcome": "state"}
    )
    plain = judge_saved(saved, table_of(frame))
    np.testing.assert_array_equal(mapped.validation.risk, plain.validation.risk)


def test_the_training_table_itself_is_recognised_even_when_written_anew(saved, ward) -> None:
    bundle, frame = load_bundle(saved), ward.cohort.frame
    same = validate(bundle, ward.cohort)
    assert same.same_table or bundle.manifest["data_sha256"] != ward.cohort.sha256
    shuffled = validate(bundle, table_of(frame.sample(frac=1, random_state=1).reset_index(drop=True)))
    assert not shuffled.same_table
    assert shuffled.known == 1
    assert "trained on" in str(shuffled.warnings()[0])
    named = validate(load_bundle(saved), replace(table_of(frame), sha256=bundle.manifest["data_sha256"]))
    assert "not an external validation" in str(named.warnings()[0])
    assert named.lines()[0] == named.warnings()[0]


def test_other_patients_are_not_taken_for_those_of_training(saved, ward) -> None:
    frame = ward.cohort.frame.copy()
    numbers = [c.name for c in ward.cohort.schema.columns if c.kind == "numeric" and c.role == "predictor"]
    for name in numbers:
        frame[name] = (frame[name].astype(float) * 1.01).astype(str)
    assert validate(load_bundle(saved), table_of(frame)).warnings() == ()


def test_table_one_is_kept_beside_the_bundle(saved, logistic) -> None:
    assert read_results(saved).table_one == logistic.results.table_one
    assert sum(read_results(saved).table_one.counts) == len(logistic.results.training.outcome) + (
        len(logistic.results.test.outcome) if logistic.results.test else 0
    )
