"""A model of a number, recalibrated to other patients: honest figures, a version that loads, the same by shell."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from medcore.cli import main
from medcore.errors import InputError, SettingsError
from medcore.explanation import explain_row
from medcore.models.bundle.bundle import load_bundle
from medcore.models.contract.settings import TrainSettings
from medcore.models.deployed.number import validate_number
from medcore.models.deployed.number_recalibration import number_recalibrations, recalibrate_number
from medcore.models.deployed.versions import save_version
from medcore.models.run.cohort import train_cohort
from medcore.models.run.number.results import read_number_results
from tests.models.test_number import cohort, rows_of, ward


@pytest.fixture(scope="module")
def validated(tmp_path_factory):
    """A linear model, and patients who stay half as long again and two days."""
    folder = tmp_path_factory.mktemp("model")
    bundle = train_cohort(cohort(ward()), TrainSettings(model="linear"), folder=folder / "own").bundle
    frame = ward(200, seed=9)
    frame["los_days"] = [f"{1.5 * float(v) + 2:.2f}" for v in frame["los_days"]]
    return bundle, folder, frame, validate_number(bundle, rows_of(frame))


def test_each_strength_mends_what_it_says_on_patients_that_it_was_not_fitted_to(validated) -> None:
    *_, validation = validated
    before = validation.performance.metrics
    assert before["calibration_intercept"].low > 0 and before["calibration_slope"].low > 1
    shifted, stretched = (r.performance.metrics for r in number_recalibrations(validation))
    for after in (shifted, stretched):
        assert abs(after["calibration_intercept"].value) < 0.2
        assert after["rmse"].value < before["rmse"].value
    assert stretched["calibration_slope"].low < 1 < stretched["calibration_slope"].high
    assert 0.85 < stretched["coverage"].value < 0.95 and before["coverage"].value < 0.5


def test_the_line_is_that_of_least_squares_and_nobody_is_judged_by_one_that_has_seen_them(validated) -> None:
    *_, validation = validated
    found = recalibrate_number(validation, "slope")
    slope, intercept = np.polyfit(validation.predicted, validation.value, 1)
    assert found.layer.parameters["slope"] == pytest.approx((slope,))
    assert found.layer.parameters["intercept"] == pytest.approx((intercept,))
    changed = validation.value.copy()
    changed[7] += 50
    other = recalibrate_number(replace(validation, value=changed), "slope")
    assert other.layer != found.layer and other.predicted[7] == found.predicted[7]


def test_a_version_predicts_the_recalibrated_number_and_leaves_the_model_as_it_was(validated) -> None:
    bundle, folder, frame, validation = validated
    change = recalibrate_number(validation, "slope")
    frame.to_csv(folder / "frame.csv", index=False)
    results = save_version(folder / "own", folder / "new", change, validation)
    kept, again = load_bundle(folder / "new"), read_number_results(folder / "new")
    (slope,), (intercept,) = change.layer.parameters["slope"], change.layer.parameters["intercept"]
    assert kept.predict(frame) == pytest.approx(intercept + slope * bundle.predict(frame), abs=1e-12)
    assert kept.intervals == change.intervals == again.intervals
    assert np.array_equal(load_bundle(folder / "own").predict(frame), bundle.predict(frame))
    assert results is not None and np.array_equal(again.training.risk, results.training.risk)
    assert again.findings[0].code == "model.recalibrated"
    report = folder / "report.html"
    assert main(["evaluate", str(folder / "new"), str(folder / "frame.csv"), "--report", str(report)]) == 0
    assert "its predictions were shifted and stretched" in report.read_text()
    explained = explain_row(kept, frame, 3)
    assert explained.prediction == pytest.approx(kept.predict(frame)[3, 0], abs=1e-4)


def test_the_shell_keeps_a_version_and_tells_of_it(validated, tmp_path, capsys) -> None:
    _bundle, folder, frame, validation = validated
    table = tmp_path / "new.csv"
    frame.to_csv(table, index=False)
    asked = ["evaluate", str(folder / "own"), str(table), "--recalibrate", "slope", "--out", str(tmp_path / "kept")]
    assert main([*asked, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)["recalibration"]
    expected = recalibrate_number(validation, "slope")
    assert said["layer"] == expected.layer.to_dict()
    assert said["cross_validated"] == json.loads(json.dumps(expected.performance.to_dict()))
    assert main(["predict", str(tmp_path / "kept"), str(table), "--out", str(tmp_path / "p.csv")]) == 0


def test_too_few_patients_and_a_strength_that_is_not_there_are_refused_in_one_sentence(validated) -> None:
    *_, validation = validated
    few = replace(validation, value=validation.value[:15], predicted=validation.predicted[:15])
    with pytest.raises(InputError, match="at least 20 are needed"):
        recalibrate_number(few, "intercept")
    with pytest.raises(InputError, match="rise with what was measured"):
        recalibrate_number(replace(validation, value=-validation.value), "slope")
    with pytest.raises(SettingsError, match="no recalibration “refit”"):
        recalibrate_number(validation, "refit")
