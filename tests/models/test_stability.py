import numpy as np
import pytest

from medcore.errors import SettingsError
from medcore.models.contract.settings import TrainSettings
from medcore.models.run.stability import Refit, _corrected, _sample, refits, stability
from medcore.models.run.training import task_of

SETTINGS = TrainSettings(model="logistic")


@pytest.fixture(scope="module")
def found(ward):
    return refits(ward.prepared, ward.split, SETTINGS, n=5)


def test_refits_are_the_same_however_they_are_parted(ward, found):
    again = refits(ward.prepared, ward.split, SETTINGS, first=4, n=1)[0]
    np.testing.assert_array_equal(again.risk, found[4].risk)
    assert not np.array_equal(found[3].risk, found[4].risk)


def test_figures_are_corrected_by_what_refits_lose_on_the_original_patients(ward, logistic, found):
    result = stability(ward.prepared, ward.split, SETTINGS, logistic.bundle, found)
    auroc, slope = result.figures["auroc"], result.figures["calibration_slope"]
    assert auroc.optimism == pytest.approx(np.mean([f.own["auroc"] - f.original["auroc"] for f in found]))
    assert auroc.optimism > 0
    assert auroc.corrected < auroc.apparent
    assert slope.corrected < slope.apparent
    assert auroc.corrected == pytest.approx(logistic.cross_validated.metrics["auroc"].value, abs=0.04)
    assert auroc.standard_error > 0


def test_instability_is_the_distance_of_refits_from_the_model(ward, logistic, found):
    result = stability(ward.prepared, ward.split, SETTINGS, logistic.bundle, found)
    risks = np.stack([f.risk for f in found])
    np.testing.assert_allclose(result.error, np.abs(risks - result.risk).mean(axis=0))
    assert 0 < result.mean_error < 0.2
    assert (result.low <= result.high).all()
    assert len(result.curves) == 5
    assert set(result.to_dict()) >= {"n_refits", "figures", "mean_absolute_error"}


def test_a_sample_has_whole_patients_and_keeps_copies_in_one_fold(ward):
    task = task_of(ward.prepared, ward.split, SETTINGS)
    rows = _sample(task, 3)
    assert len(rows) == task.n
    assert len(np.unique(rows)) == pytest.approx(0.632 * task.n, rel=0.1)


def test_the_error_of_an_optimism_falls_with_the_number_of_refits():
    rng = np.random.default_rng(0)
    many = [Refit(np.zeros(1), {"auroc": g}, {"auroc": 0.0}) for g in rng.normal(0.05, 0.02, 400)]
    few, all_ = _corrected("auroc", 0.8, many[:25]), _corrected("auroc", 0.8, many)
    assert all_.standard_error == pytest.approx(0.02 / 20, rel=0.1)
    assert few.standard_error > 3 * all_.standard_error


def test_more_than_two_classes_are_refused_in_words(three_class_ward):
    with pytest.raises(SettingsError, match="two classes"):
        refits(three_class_ward.prepared, three_class_ward.split, SETTINGS, n=1)
