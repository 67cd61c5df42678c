from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from medcore.errors import CancelledError, InputError, SettingsError, TargetError
from medcore.i18n import Message, language
from medcore.models.bundle.bundle import load_bundle
from medcore.models.contract.progress import NullFollower
from medcore.models.contract.settings import TrainSettings
from medcore.models.contract.task import ProgressReporter
from medcore.models.learners.fold_choice import choices
from medcore.models.learners.forest import fit_forest
from medcore.models.learners.prevalence import fit_prevalence
from medcore.models.run.results import save_trained
from medcore.models.run.training import RunRows, task_of


def tiny(model):
    return {"epochs": 3, "layers": (8,), "learning_rate": 0.01} if model == "seed" else {}


@pytest.mark.parametrize("model", ["logistic", "forest", "boosting", "seed"])
def test_every_model_learns_and_is_kept(ward, tmp_path, model):
    trained = ward.train(model, **(tiny(model) | ({"epochs": 40} if model == "seed" else {})))
    assert trained.cross_validated.metrics["auroc"].value > 0.72
    assert {c.name for c in trained.candidates} == {"prevalence", "logistic", model}
    save_trained(trained, tmp_path)
    frame = ward.cohort.frame
    np.testing.assert_allclose(load_bundle(tmp_path).predict(frame), trained.bundle.predict(frame), atol=1e-6)


def test_a_reference_network_that_overfits_is_recalibrated_and_stands_beside_as_it_is(ward):
    trained = ward.train("seed", epochs=60, layers=(64,), learning_rate=0.01)
    raw = trained.results.candidate("seed").cross_validated.metrics
    delivered = trained.cross_validated.metrics
    assert trained.bundle.calibrator.method != "none"
    assert raw["calibration_slope"].value < 0.8 < delivered["calibration_slope"].value
    assert delivered["log_loss"].value < raw["log_loss"].value


@pytest.mark.parametrize("model", ["logistic", "boosting"])
def test_three_classes_are_predicted(three_class_ward, model):
    trained = three_class_ward.train(model, **tiny(model))
    assert trained.oof.shape[1] == 3
    np.testing.assert_allclose(trained.oof.sum(axis=1), 1.0, atol=1e-9)
    assert trained.bundle.predict(three_class_ward.cohort.frame).shape[1] == 3


@pytest.mark.parametrize("model", ["boosting", "seed"])
def test_the_same_seed_gives_the_same_numbers(ward, model):
    first, second = (ward.train(model, seed=5, **tiny(model)) for _ in range(2))
    np.testing.assert_array_equal(first.oof, second.oof)
    np.testing.assert_array_equal(first.test_risk, second.test_risk)


@pytest.mark.parametrize("fit", [fit_prevalence, fit_forest])
def test_out_of_fold_risks_do_not_see_the_held_out_outcome(ward, fit):
    task = RunRows.of(ward.prepared, ward.split, TrainSettings()).task
    held = task.held_out(0)
    turned = task.outcome.copy()
    turned[held] = 1 - turned[held]
    risks = [
        fit(replace(task, outcome=y), ProgressReporter(NullFollower(), {"": 1.0})).oof[held]
        for y in (task.outcome, turned)
    ]
    np.testing.assert_array_equal(risks[0], risks[1])


def test_noise_entered_twice_is_not_recognised(ward):
    rng = np.random.default_rng(0)
    noise = pd.DataFrame(rng.normal(size=(150, 6)).round(3), columns=list("abcdef")).astype(str)
    twice = pd.concat([noise.assign(outcome=rng.choice(["alive", "dead"], 150))] * 2, ignore_index=True)
    doubled = type(ward).of(twice)
    task = task_of(doubled.prepared, doubled.split, TrainSettings())
    risk = fit_forest(task, ProgressReporter(NullFollower(), {})).oof[:, 1]  # 0.98 where copies straddle the folds
    assert 0.35 < roc_auc_score(task.outcome, risk) < 0.62


def test_what_a_fold_uses_is_not_chosen_by_its_own_rows():
    losses = np.array([[0.0, 9.0], [5.0, 1.0], [5.0, 1.0]])  # the first fold alone likes the first option
    chosen, final = choices(losses)
    assert chosen[0] == 1
    assert final == int(losses.sum(axis=0).argmin())


def test_the_reported_auroc_is_that_of_the_out_of_fold_risks(logistic):
    outcome = logistic.results.training.outcome
    assert logistic.cross_validated.metrics["auroc"].value == pytest.approx(roc_auc_score(outcome, logistic.oof[:, 1]))


def test_test_rows_are_never_trained_on(ward, logistic):
    assert not set(logistic.oof_rows) & set(logistic.results.test.rows)
    assert len(logistic.oof_rows) + len(logistic.results.test.rows) == len(ward.prepared.outcome)


def test_without_a_test_set_all_rows_are_trained_on(ward):
    from medcore.data.splitting.split import SplitSettings, make_split

    everyone = replace(ward, split=make_split(ward.prepared, SplitSettings(test_size=0, n_folds=3)))
    trained = everyone.train("logistic")
    assert trained.test is None
    assert len(trained.oof) == len(ward.prepared.outcome)


def test_weighting_classes_is_recalibrated_and_said(ward):
    trained = ward.train("logistic", class_weight="balanced")
    assert trained.bundle.calibrator.method != "none"
    assert "model.class_weight" in {f.code for f in trained.findings}
    assert trained.oof[:, 1].mean() == pytest.approx(trained.results.training.outcome.mean(), abs=0.03)


def test_a_learning_rate_that_diverges_is_said_clearly(ward):
    with pytest.raises(SettingsError, match="learning rate"):
        ward.train("seed", epochs=5, learning_rate=10.0, optimizer="sgd", layers=(512, 512, 512))


def test_more_folds_than_patients_is_refused(ward):
    split = replace(ward.split, n_folds=10_000)
    with pytest.raises(SettingsError, match="fewer folds"):
        replace(ward, split=split).train("logistic")


def test_a_fold_without_events_is_refused(ward):
    outcome = np.where((ward.split.folds == 1), 0, ward.prepared.outcome)
    with pytest.raises(SettingsError, match="Fold 2"):
        replace(ward, prepared=replace(ward.prepared, outcome=outcome)).train("logistic")


def test_one_class_is_refused(ward):
    prepared = replace(ward.prepared, outcome=np.zeros_like(ward.prepared.outcome))
    with pytest.raises(TargetError, match="same outcome"):
        replace(ward, prepared=prepared).train("logistic")


def test_no_outcome_left_beside_the_test_set_is_refused(ward):
    split = replace(ward.split, test=ward.split.test | (ward.prepared.outcome == 1))
    with pytest.raises(SettingsError, match="test set smaller"):
        replace(ward, split=split).train("logistic")


def test_a_batch_larger_than_the_table_is_the_whole_table(ward):
    whole, larger = (ward.train("seed", epochs=2, batch_size=size).oof for size in (1_000, 1_000_000))
    np.testing.assert_array_equal(whole, larger)


def test_a_bundle_that_cannot_be_written_leaves_the_one_before_it(logistic, tmp_path):
    save_trained(logistic, tmp_path / "bundle")
    files = {p: p.read_bytes() for p in (tmp_path / "bundle").rglob("*") if p.is_file()}
    unwritable = replace(logistic, results=replace(logistic.results, folds=np.array([object()])))
    for folder in (tmp_path / "bundle", tmp_path / "new"):
        with pytest.raises(ValueError, match="pickle"):
            save_trained(unwritable, folder)
    assert files == {p: p.read_bytes() for p in (tmp_path / "bundle").rglob("*") if p.is_file()}
    assert not (tmp_path / "new").exists()


def test_no_predictor_is_refused(ward):
    prepared = replace(ward.prepared, predictors=ward.prepared.predictors[[]], kinds={})
    with pytest.raises(InputError, match="predict from"):
        replace(ward, prepared=prepared).train("logistic")


class Impatient:
    checkpoint_dir = None

    def __init__(self, after):
        self.after, self.seen = after, []

    def report(self, progress):
        self.seen.append(progress)

    def cancelled(self):
        return len(self.seen) >= self.after


def test_a_run_stops_when_asked(ward):
    with pytest.raises(CancelledError):
        ward.train("boosting", Impatient(4))


def test_progress_never_goes_back_and_ends_at_one(ward):
    listener = Impatient(10**9)
    ward.train("boosting", listener)
    fractions = [p.fraction for p in listener.seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1.0, abs=0.1)


@pytest.fixture(scope="module")
def automatic(ward):
    return ward.train("auto", epochs=4)


def test_the_automatic_choice_is_one_model_of_weighted_parts(ward, automatic, tmp_path):
    weights = {c.name: c.weight for c in automatic.candidates}
    assert sum(weights.values()) == pytest.approx(1.0)
    assert set(weights) == {"prevalence", "logistic", "kernel", "forest", "extra_trees", "boosting", "network"}
    assert weights["prevalence"] == 0
    save_trained(automatic, tmp_path)
    frame = ward.cohort.frame
    np.testing.assert_allclose(load_bundle(tmp_path).predict(frame), automatic.bundle.predict(frame), atol=1e-6)


def test_the_automatic_choice_says_what_counts_and_whether_the_simple_model_would_do(automatic):
    found = {f.code: str(f.message) for f in automatic.findings}
    assert "Recalibration" in found["model.parts"]
    parts = next(f.message for f in automatic.findings if f.code == "model.parts")
    with language("zh_CN"):
        assert "逻辑回归" in str(Message.from_dict(parts.to_dict()))
    assert "model.simple_is_as_good" in found  # the generated outcome is logistic


def test_the_automatic_choice_is_no_worse_than_its_parts(automatic):
    best = min(c.cross_validated.metrics["log_loss"].value for c in automatic.candidates)
    assert automatic.cross_validated.metrics["log_loss"].value < best + 0.02


def test_a_cohort_is_trained_by_one_function_wherever_it_is_asked_for(ward, tmp_path):
    from medcore.data.splitting.split import SplitSettings
    from medcore.models.run.cohort import train_cohort

    split = SplitSettings(n_folds=3)
    trained = train_cohort(ward.cohort, TrainSettings(model="logistic"), split=split, folder=tmp_path / "kept")
    same = ward.train("logistic")
    np.testing.assert_array_equal(trained.oof, same.oof)
    kept = load_bundle(tmp_path / "kept")
    np.testing.assert_array_equal(kept.predict(ward.cohort.frame), same.bundle.predict(ward.cohort.frame))
    assert trained.findings == (*trained.split.findings, *trained.results.findings)
    assert trained.results.summary()["n_train"] == len(trained.oof)
