"""Models of a number: predictions, folds, bundles, explanations, and the same by shell."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from medcore.cli import main
from medcore.data.cohort import Cohort
from medcore.data.preparation.number import choose_number, parts_of, propose_numbers
from medcore.data.preparation.recipe import default_recipe
from medcore.data.schema.inference import infer_schema
from medcore.errors import BundleError, MedcoreError, SettingsError, TargetError
from medcore.explanation import explain_row
from medcore.models.bundle.bundle import load_bundle
from medcore.models.contract.candidate import candidates, offered
from medcore.models.contract.settings import TrainSettings
from medcore.models.deployed.number import predict_number_table, validate_number
from medcore.models.run.cohort import split_cohort, train_cohort
from medcore.models.run.number.results import read_number_results
from medcore.models.run.results import read_results
from medcore.models.run.training import train
from medcore.models.selection.ensemble import blend_numbers
from medcore.statistics.sample_size.development_of_numbers import sample_size_of_numbers
from medcore.targets import Number


def ward(n: int = 240, *, skewed: bool = False, seed: int = 5) -> pd.DataFrame:
    """A made-up ward whose length of stay depends on age, pressure and smoking; everything is text, as in a file."""
    rng = np.random.default_rng(seed)
    age, pressure, smoker = rng.normal(60, 12, n), rng.normal(130, 18, n), rng.choice(["yes", "no"], n)
    score = 0.04 * (age - 60) + 0.0008 * (pressure - 130) ** 2 + 0.5 * (smoker == "yes") + rng.normal(0, 0.4, n)
    table = pd.DataFrame(
        {
            "age": [f"{v:.1f}" for v in age],
            "pressure": [f"{v:.0f}" for v in pressure],
            "smoker": smoker,
            "los_days": [f"{v:.2f}" for v in (np.exp(1.5 + score) if skewed else 20 + 4 * score)],
        },
        dtype="str",
    )
    table.loc[rng.choice(n, n // 12, replace=False), "pressure"] = None
    return table


def rows_of(frame: pd.DataFrame) -> Cohort:
    return Cohort(frame, infer_schema(frame), "0" * 64, "ward.csv")


def cohort(frame: pd.DataFrame, **options: object) -> Cohort:
    rows = rows_of(frame)
    return rows.with_schema(choose_number(rows, "los_days", **options))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("number")
    return train_cohort(cohort(ward(skewed=True)), TrainSettings(model="linear"), folder=folder), folder


def test_a_skewed_number_is_learnt_as_its_logarithm_and_adds_up(trained) -> None:
    results = trained[0].results
    assert results.target == Number(log=True)
    assert results.training.predicted.mean() == pytest.approx(results.training.value.mean(), rel=0.01)
    assert results.cross_validated.metrics["r2"].low > 0.3
    assert 0.85 < results.cross_validated.metrics["coverage"].value < 0.95
    assert results.intervals.grows and (results.training.low > 0).all()


def test_the_model_is_kept_and_predicts_the_same(trained) -> None:
    (made, folder), frame = trained, ward(skewed=True)
    again = load_bundle(folder)
    assert np.array_equal(again.predict(frame), made.bundle.predict(frame)) and again.target == Number(log=True)
    read = read_number_results(folder)
    assert read.cross_validated == made.results.cross_validated and read.intervals == made.results.intervals
    assert np.array_equal(read.training.risk, made.results.training.risk)
    with pytest.raises(BundleError, match="predicts a number"):
        read_results(folder)


def test_the_same_arguments_give_the_same_numbers(trained) -> None:
    once_more = train_cohort(cohort(ward(skewed=True)), TrainSettings(model="linear"))
    assert np.array_equal(once_more.results.training.risk, trained[0].results.training.risk)


@pytest.mark.parametrize("model", ["linear", "forest", "boosting", "network"])
def test_an_explanation_adds_up_in_the_outcomes_unit(model: str, tmp_path) -> None:
    frame = ward(120, skewed=True)
    bundle = train_cohort(cohort(frame), TrainSettings(model=model, epochs=3, n_seeds=1), folder=tmp_path / "b").bundle
    kept, predicted = load_bundle(tmp_path / "b"), bundle.predict(frame)[:, 0]
    assert kept.predict(frame)[:, 0] == pytest.approx(predicted, rel=1e-5)
    found = explain_row(kept, frame, 3)
    assert found.scale == "value" and found.additivity_residual < 1e-6
    assert found.prediction == pytest.approx(predicted[3], rel=1e-5)
    total = found.base_value + sum(c.contribution for c in found.contributions)
    assert total == pytest.approx(found.prediction, rel=1e-9)
    low, high = kept.intervals.around(predicted)
    table = predict_number_table(kept, frame)
    assert (
        table["low"].to_numpy() == pytest.approx(low, rel=1e-5)
        and (low <= predicted).all()
        and (predicted <= high).all()
    )


def test_a_bent_predictor_is_found(trained) -> None:
    (_weight, part), *_others = trained[0].bundle.parts
    assert set(part.splines.places) == {1}  # the pressure alone


def test_weights_follow_the_squared_error() -> None:
    rng = np.random.default_rng(0)
    y, folds = rng.normal(0, 1, 600), np.arange(600) % 5
    near, far = y + rng.normal(0, 0.3, 600), y + rng.normal(0, 3, 600)
    found = blend_numbers({"near": near[:, None], "far": far[:, None]}, y, folds)
    assert found.weights["near"] > 0.95 and sum(found.weights.values()) == pytest.approx(1)
    scaled = blend_numbers({"near": 1e4 * near[:, None], "far": 1e4 * far[:, None]}, 1e4 * y, folds)
    assert scaled.weights["near"] == pytest.approx(found.weights["near"], rel=1e-6)


def test_new_patients_are_judged_in_the_models_words(trained) -> None:
    frame = ward(90, skewed=True, seed=9)
    found = validate_number(trained[0].bundle, rows_of(frame))
    assert found.performance.n == 90 and found.performance.metrics["r2"].value > 0.2
    with pytest.raises(TargetError, match="cannot be judged"):
        validate_number(trained[0].bundle, rows_of(frame.assign(los_days=[*frame["los_days"][:1], *[None] * 89])))


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (lambda t: t.assign(los_days="3.5"), {}, "same number in all rows"),
        (lambda t: t[:30], {}, "Only 30 rows have a number"),
        (lambda t: t.assign(los_days=["1", "2", "3"] * 80), {}, "only 3 different values"),
        (lambda t: t.assign(los_days=["0", *t["los_days"][1:]]), {"log": True}, "no logarithm"),
        (lambda t: t, {"high": 5.0}, "above 5, the first in row"),
        (lambda t: t, {"low": 5.0, "high": 1.0}, "not below the upper limit"),
    ],
)
def test_what_cannot_be_predicted_is_refused_in_one_sentence(change, options, message) -> None:
    with pytest.raises(MedcoreError, match=message):
        cohort(change(ward(skewed=True)), **options)


def test_values_that_cannot_be_read_are_left_out_and_counted() -> None:
    frame = ward(skewed=True)
    frame.loc[[3, 8], "los_days"] = "soon"
    rows = cohort(frame)
    assert "2 value(s) could not be read" in str(rows.schema["los_days"].reason)
    assert train_cohort(rows, TrainSettings(model="linear")).prepared.n_rows == 238


def test_limits_hold_for_every_prediction() -> None:
    rows = cohort(ward(), low=12.0, high=40.0)
    bundle = train_cohort(rows, TrainSettings(model="linear")).bundle
    assert bundle.settled(np.array([[90.0], [-3.0], [20.0]]))[:, 0].tolist() == [40.0, 12.0, 20.0]
    low, high = bundle.intervals.around(np.array([12.0, 40.0]))
    assert low[0] == 12.0 and high[1] == 40.0


def test_models_and_settings_of_other_outcomes_are_refused() -> None:
    rows = cohort(ward())
    with pytest.raises(SettingsError, match="does not predict a number"):
        train_cohort(rows, TrainSettings(model="logistic"))
    with pytest.raises(SettingsError, match="no search"):
        train_cohort(rows, TrainSettings(model="linear", search_minutes=1.0))
    prepared, parts = split_cohort(rows)
    with pytest.raises(TargetError, match="not ready here"):
        train(
            prepared,
            parts,
            TrainSettings(model="logistic"),
            schema=rows.schema,
            recipe=default_recipe(rows.schema),
            cohort_sha256="",
        )
    assert offered(Number()) == ("auto", "network", "tower", "linear", "forest", "boosting")
    assert "mean" in candidates(Number())


def test_a_measurement_is_proposed() -> None:
    rows = rows_of(ward())
    assert propose_numbers(rows.frame, rows.schema)[0].column == "los_days"
    part, names = parts_of(np.array([1.0, 1.0, 1.0, np.nan, 2.0]))
    assert part.max() < len(names) and part[3] == -1


def test_sample_size_is_that_of_pmsampsize() -> None:
    """Riley et al., BMJ 2020;368:m441, table 2 and figure 5: lung function, 25 parameters."""
    found = sample_size_of_numbers(25, 1.9, 0.6, 0.2)
    assert (found.shrinkage, found.optimism, found.variance, found.required) == (918, 401, 259, 918)
    with pytest.raises(SettingsError, match="at least one parameter"):
        sample_size_of_numbers(0, 1.0, 1.0)


def test_the_shell_trains_judges_predicts_and_explains(tmp_path, capsys) -> None:
    data, bundle, out = tmp_path / "ward.csv", tmp_path / "b", tmp_path / "p.csv"
    ward(skewed=True).to_csv(data, index=False)

    def told(*arguments: object) -> dict:
        assert main([*map(str, arguments), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    made = told("train", data, "--target", "los_days", "--model", "linear", "--out", bundle)
    assert made["outcome"] == "number" and made["scale"]["log"] and made["cross_validated"]["metrics"]["r2"]["low"] > 0
    assert told("evaluate", bundle, data)["r2"]["value"] > 0.3
    assert told("predict", bundle, data, "--out", out)["n_rows"] == 240
    assert list(pd.read_csv(out)) == ["row", "predicted", "low", "high", "flags"]
    why = told("explain", bundle, data, "--row", 3)
    assert why["scale"] == "value" and why["prediction"] == pytest.approx(pd.read_csv(out)["predicted"][3])
    plain = told("train", data, "--target", "los_days", "--outcome", "number", "--scale", "plain", "--lowest", 0.5, "--model", "linear", "--out", bundle, "--stability", 2)  # fmt: skip
    assert plain["scale"] == {"log": False, "low": 0.5, "high": None}
    assert plain["stability"]["n_refits"] == 2 and read_number_results(bundle).stability == plain["stability"]
    assert told("evaluate", bundle, data, "--report", tmp_path / "r.html")["report"]
    assert "A patient's number differed" in (tmp_path / "r.html").read_text(encoding="utf-8").replace("&#x27;", "'")
    for wrong, message in (
        (("evaluate", bundle, data, "--threshold", "0.3"), "--threshold cannot be used"),
        (("train", data, "--target", "los_days", "--outcome", "classes", "--out", tmp_path / "c"), "different values"),
        (("train", data, "--target", "los_days", "--outcome", "number", "--positive", "1", "--out", tmp_path / "c"), "no class"),
        (("train", data, "--target", "los_days", "--stability", "1", "--out", tmp_path / "c"), "at least 2 refits"),
    ):  # fmt: skip
        assert main([*map(str, wrong)]) == 2
        assert message in capsys.readouterr().err
