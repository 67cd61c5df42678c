import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import r2_score, roc_auc_score

from medcore.data.splitting.split import SplitSettings
from medcore.models.contract.settings import TrainSettings
from medcore.models.run.cohort import train_cohort
from medcore.models.run.stability import Refit, _corrected, _sample, instability, refits, stability, told
from medcore.models.run.training import task_of
from medcore.statistics.survival.censoring import Censoring
from medcore.targets import Target
from tests.models import test_event_time as timed
from tests.models import test_number as numbers

SETTINGS = TrainSettings(model="logistic")


@pytest.fixture(scope="module")
def found(ward):
    return refits(ward.prepared, ward.split, SETTINGS, n=5)


def test_refits_are_the_same_however_they_are_parted(ward, found):
    again = refits(ward.prepared, ward.split, SETTINGS, first=4, n=1)[0]
    np.testing.assert_array_equal(again.risk, found[4].risk)
    assert not np.array_equal(found[3].risk, found[4].risk)


def test_figures_are_corrected_by_what_refits_lose_on_the_original_patients(ward, logistic, found):
    result = stability(ward.prepared, ward.split, SETTINGS, logistic.bundle, found)[1]
    auroc, slope = result.figures["auroc"], result.figures["calibration_slope"]
    outcome = task_of(ward.prepared, ward.split, SETTINGS).outcome
    gaps = [roc_auc_score(outcome[f.rows], f.risk[f.rows, 1]) - roc_auc_score(outcome, f.risk[:, 1]) for f in found]
    assert auroc.optimism == pytest.approx(np.mean(gaps))
    assert auroc.optimism > 0
    assert auroc.corrected < auroc.apparent
    assert slope.corrected < slope.apparent
    assert auroc.corrected == pytest.approx(logistic.cross_validated.metrics["auroc"].value, abs=0.04)
    assert auroc.standard_error > 0


def test_instability_is_the_distance_of_refits_from_the_model(ward, logistic, found):
    result = stability(ward.prepared, ward.split, SETTINGS, logistic.bundle, found)[1]
    risks = np.stack([f.risk[:, 1] for f in found])
    np.testing.assert_allclose(result.error, np.abs(risks - result.risk).mean(axis=0))
    assert 0 < result.mean_error < 0.2
    assert (result.low <= result.high).all()
    assert len(result.curves) == 5
    assert set(result.to_dict()) >= {"n_refits", "figures", "mean_absolute_error"}


def test_instability_is_that_of_r_pminternal():
    golden = Path(__file__).parent.parent / "golden"
    judged, expected = (json.loads((golden / f"{name}.json").read_text()) for name in ("judged", "stability"))
    outcome, risks = np.array(judged["outcome"]), np.array([expected["risk"], *expected["refits"]])
    both = np.stack([1 - risks, risks], axis=-1)
    found = [Refit(risk, np.array(rows)) for risk, rows in zip(both[1:], judged["samples"], strict=True)]
    result = instability(1, Target(2), outcome, both[0], found)
    np.testing.assert_allclose(result.error, expected["mape"], rtol=0, atol=1e-9)
    assert result.mean_error == pytest.approx(expected["mean_mape"], abs=1e-9)
    np.testing.assert_allclose([result.low, result.high], [expected["low"], expected["high"]], rtol=0, atol=1e-9)
    gaps = [result.figures[name].optimism for name in ("auroc", "brier")]
    np.testing.assert_allclose(gaps, judged["optimism"], rtol=0, atol=1e-6)  # risks are kept with nine figures


def test_a_sample_has_whole_patients_and_keeps_copies_in_one_fold(ward):
    task = task_of(ward.prepared, ward.split, SETTINGS)
    rows = _sample(task, 3)
    assert len(rows) == task.n
    assert len(np.unique(rows)) == pytest.approx(0.632 * task.n, rel=0.1)


def test_the_error_of_an_optimism_falls_with_the_number_of_refits():
    rng = np.random.default_rng(0)
    many = [(g, 0.0) for g in rng.normal(0.05, 0.02, 400)]
    few, all_ = _corrected(0.8, many[:25]), _corrected(0.8, many)
    assert all_.standard_error == pytest.approx(0.02 / 20, rel=0.1)
    assert few.standard_error > 3 * all_.standard_error


def test_each_of_more_classes_is_judged_and_of_an_order_each_step_up(three_class_ward):
    ward = three_class_ward
    bundle = ward.train("logistic").bundle
    found = refits(ward.prepared, ward.split, SETTINGS, n=2)
    by_question = stability(ward.prepared, ward.split, SETTINGS, bundle, found)
    task = task_of(ward.prepared, ward.split, SETTINGS)
    assert list(by_question) == [*task.target.told, *task.target.cuts]
    for question, result in by_question.items():
        _event, own = task.target.split(question, task.outcome, bundle.risk(task.rows))
        np.testing.assert_array_equal(result.risk, own)
        assert 0 < result.mean_error < 0.3
    classes = ward.prepared.classes
    kept = told(task.target, classes, by_question)
    assert kept["or_higher"] == task.target.ordered
    assert list(kept["by_class"]) == list(classes[1:] if task.target.ordered else classes)
    free = told(Target(3), classes, by_question)
    assert list(free["by_class"]) == list(classes) and not free["or_higher"]


@pytest.mark.parametrize("competing", [False, True])
def test_risks_by_a_horizon_are_compared_with_those_of_refits(competing):
    rows = timed.cohort(timed.ward(150, competing=competing), competing=["2"] if competing else [])
    settings = TrainSettings(model="cox")
    trained = train_cohort(rows, settings, split=SplitSettings(test_size=0, n_folds=2))
    found = refits(trained.prepared, trained.split, settings, n=3)
    result = stability(trained.prepared, trained.split, settings, trained.bundle, found)
    assert set(result) == {0, 1}
    own, risks = trained.bundle.at(365.25).risk(trained.bundle.encode(rows.frame))[:, 1], [f.risk[:, 0] for f in found]
    assert result[0].risk == pytest.approx(own, abs=1e-9)
    np.testing.assert_allclose(result[0].error, np.abs(np.array(risks) - own).mean(axis=0), atol=1e-9)
    task = task_of(trained.prepared, trained.split, settings)
    happened = (task.outcome == 1) & (task.duration <= 365.25)
    weights = Censoring.of(task.duration, task.outcome).weights(365.25)
    brier = result[0].figures["brier"]
    assert brier.apparent == pytest.approx((weights * (own - happened) ** 2).mean())
    assert brier.optimism < 0 < brier.corrected and 0.5 < result[1].figures["auroc"].corrected < 1
    assert len(result[0].curves) == 3


def test_numbers_are_compared_with_those_of_refits():
    rows = numbers.cohort(numbers.ward(150))
    settings = TrainSettings(model="linear")
    trained = train_cohort(rows, settings, split=SplitSettings(test_size=0, n_folds=2))
    found = refits(trained.prepared, trained.split, settings, n=3)
    result = stability(trained.prepared, trained.split, settings, trained.bundle, found)[0]
    own, value = trained.bundle.predict(rows.frame)[:, 0], trained.prepared.value
    assert result.risk == pytest.approx(own)
    numbers_of = np.array([f.risk[:, 0] for f in found])
    np.testing.assert_allclose(result.error, np.abs(numbers_of - own).mean(axis=0))
    assert result.mean_error > 0
    gaps = [r2_score(value[f.rows], p[f.rows]) - r2_score(value, p) for f, p in zip(found, numbers_of, strict=True)]
    r2 = result.figures["r2"]
    assert r2.apparent == pytest.approx(r2_score(value, own)) and r2.optimism == pytest.approx(np.mean(gaps))
    slope = np.polyfit(own, value, 1)[0]
    assert result.figures["calibration_slope"].apparent == pytest.approx(slope)
    assert told(trained.results.target, trained.results.classes, {0: result}) == result.to_dict()
