"""A model that says by when, recalibrated to other patients: honest figures, a version that loads, the same by shell."""

import json

import numpy as np
import pytest

from medcore.cli import main
from medcore.data.splitting.split import SplitSettings
from medcore.errors import InputError
from medcore.models.bundle.bundle import load_bundle
from medcore.models.contract.settings import TrainSettings
from medcore.models.deployed.timed import validate_timed
from medcore.models.deployed.timed_recalibration import recalibrate_timed, timed_recalibrations
from medcore.models.deployed.versions import save_version
from medcore.models.run.cohort import train_cohort
from medcore.models.run.timed.results import read_timed_results
from medcore.models.selection.calibration import Calibrator
from tests.models.test_event_time import cohort, ward


@pytest.fixture(scope="module", params=[False, True], ids=["one cause", "competing"])
def validated(request, tmp_path_factory):
    """A Cox regression, and patients whose follow-up runs half again as fast, so that its risks are too low."""
    folder, other = tmp_path_factory.mktemp("model"), ["2"] if request.param else []
    rows = cohort(ward(competing=request.param), competing=other)
    split = SplitSettings(test_size=0, n_folds=2)
    bundle = train_cohort(rows, TrainSettings(model="cox"), split=split, folder=folder / "own").bundle
    frame = ward(900 if request.param else 400, competing=request.param, seed=9)
    frame["days"] = [f"{max(float(v) / 1.5, 1):.0f}" for v in frame["days"]]
    new = cohort(frame, competing=other)
    return bundle, folder, frame, validate_timed(bundle, new)


def test_each_strength_mends_what_it_says_on_patients_that_it_was_not_fitted_to(validated) -> None:
    _bundle, _folder, _frame, validation = validated
    before = validation.performance.by(730.5).metrics
    found = timed_recalibrations(validation)
    assert [r.strength for r in found] == ["intercept", "slope", "refit"]
    for change in found:
        after = change.performance.by(730.5).metrics
        assert abs(after["o_e_ratio"].value - 1) < 0.12
        assert after["brier"].value < before["brier"].value + 0.003
    assert found[0].performance.by(730.5).metrics["auroc"].value == pytest.approx(before["auroc"].value, abs=0.02)


def test_the_line_fitted_to_all_has_slope_one_at_each_horizon_afterwards(validated) -> None:
    bundle, _folder, _frame, validation = validated
    layer = recalibrate_timed(validation, "refit").layer
    curve = layer.curves(validation.curve, bundle.times)
    again = validation.__class__(**{n: getattr(validation, n) for n in validation.__slots__} | {"curve": curve})
    twice = recalibrate_timed(again, "refit").layer.parameters
    assert twice["slope"] == pytest.approx([1.0, 1.0], abs=1e-6)
    assert twice["intercept"] == pytest.approx([0.0, 0.0], abs=1e-6)


def test_no_patient_is_judged_by_a_line_that_has_seen_them(validated) -> None:
    """Another outcome of one patient changes everybody's line but not the one that patient is judged by."""
    _bundle, _folder, _frame, validation = validated
    who = int(np.flatnonzero((validation.event == 0) & (validation.duration > 100))[0])
    changed = validation.duration.copy()
    changed[who] -= 50.0
    other = validation.__class__(**{n: getattr(validation, n) for n in validation.__slots__} | {"duration": changed})
    one, two = (recalibrate_timed(v, "slope") for v in (validation, other))
    assert one.layer != two.layer
    assert one.curve[who] == pytest.approx(two.curve[who], abs=0)


def test_a_version_predicts_the_recalibrated_curve_and_leaves_the_model_as_it_was(validated) -> None:
    bundle, folder, frame, validation = validated
    change = recalibrate_timed(validation, "refit")
    results = save_version(folder / "own", folder / "new", change, validation)
    kept = load_bundle(folder / "new")
    rows = kept.encode(frame)
    assert kept.curve(rows) == pytest.approx(change.layer.curves(bundle.curve(rows), bundle.times), abs=1e-12)
    event = kept.curve(rows)[:, :1]
    assert np.diff(event, axis=2).min() > -1e-12
    others = np.minimum(bundle.curve(rows)[:, 1:], 1 - event)  # as they were, but for whom there is no room
    assert kept.curve(rows)[:, 1:] == pytest.approx(others, abs=1e-7)
    assert (kept.curve(rows).sum(axis=1) <= 1 + 1e-12).all()
    place = int(np.searchsorted(kept.times, 365.25))
    assert kept.at(365.25).risk(rows)[:, 1] == pytest.approx(kept.curve(rows)[:, 0, place], abs=1e-12)
    assert load_bundle(folder / "own").curve(rows) == pytest.approx(bundle.curve(rows), abs=0)
    again = read_timed_results(folder / "new")
    assert results is not None
    assert again.training.curve == pytest.approx(results.training.curve)
    assert again.findings[0].code == "model.recalibrated"
    assert kept.manifest["recalibration"]["strength"] == "refit"


def test_the_shell_keeps_a_version_and_tells_of_it(validated, tmp_path, capsys) -> None:
    _bundle, folder, frame, validation = validated
    table = tmp_path / "new.csv"
    frame.to_csv(table, index=False)
    asked = ["evaluate", str(folder / "own"), str(table), "--recalibrate", "intercept", "--out", str(tmp_path / "kept")]
    assert main([*asked, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["recalibration"]
    expected = recalibrate_timed(validation, "intercept")
    assert told["layer"] == expected.layer.to_dict()
    assert told["cross_validated"]["horizons"] == expected.performance.to_dict()["horizons"]
    assert load_bundle(tmp_path / "kept").calibrator == Calibrator().followed_by(expected.layer)


def test_too_few_events_are_refused_in_one_sentence(validated) -> None:
    *_, validation = validated
    few = np.where(np.cumsum(validation.event == 1) > 3, 0, validation.event)
    rare = validation.__class__(**{n: getattr(validation, n) for n in validation.__slots__} | {"event": few})
    with pytest.raises(InputError, match="do not allow the recalibration"):
        recalibrate_timed(rare, "intercept")
    assert timed_recalibrations(rare) == ()


def test_lines_join_the_horizons_and_a_layer_is_read_back() -> None:
    layer = Calibrator("complementary", {"time": (1.0, 3.0), "intercept": (0.0, 0.4), "slope": (1.0, 1.2)})
    assert layer.at(2.0).parameters == {"time": (2.0,), "intercept": (0.2,), "slope": (1.1,)}
    assert Calibrator.from_dict(layer.to_dict()) == layer
    risk = np.array([[0.6, 0.3, 0.1]])
    event = 1 - np.exp(-np.exp(0.2 + 1.1 * np.log(-np.log(0.7))))
    assert layer.at(2.0).apply(risk)[0] == pytest.approx([0.9 - event, event, 0.1], abs=1e-12)
    crowded = layer.at(2.0).apply(np.array([[0.0, 0.7, 0.3]]))[0]
    assert crowded[1] > 0.75 and crowded == pytest.approx([0.0, crowded[1], 1 - crowded[1]], abs=1e-12)
