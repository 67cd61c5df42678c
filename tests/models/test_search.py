"""The search for better settings: honest, repeatable, resumable, within its budget."""

import json
from dataclasses import replace

import numpy as np
import pytest

from medcore.errors import CancelledError
from medcore.models.bundle.bundle import load_bundle
from medcore.models.contract import candidate
from medcore.models.contract.candidate import candidates, offered, searched_with
from medcore.models.contract.progress import NullFollower
from medcore.models.contract.settings import TrainSettings
from medcore.models.contract.task import ProgressReporter
from medcore.models.contract.trials import Trial
from medcore.models.contract.workers import ThisProcess
from medcore.models.run.results import save_trained
from medcore.models.run.training import RunRows
from medcore.models.selection import search, step
from medcore.models.selection.journal import Journal, Kept
from medcore.models.selection.search import fit_searched
from medcore.models.selection.space import as_tuned, space
from medcore.models.selection.step import LEAST_INNER_FOLDS, judge, subtask


def search_two_models(patch):
    quick = {n: replace(c, searched_by_auto=n in ("logistic", "boosting")) for n, c in candidates().items()}
    patch.setattr(candidate, "candidates", lambda _target=None: quick)


@pytest.fixture(autouse=True)
def quick_models(monkeypatch):
    search_two_models(monkeypatch)


class Listener:
    """Keeps what it is told, and stops a run after a number of trials."""

    def __init__(self, folder=None, *, after=10**9):
        self.checkpoint_dir, self.after, self.seen = folder, after, []

    def report(self, progress):
        self.seen.append(progress)

    def cancelled(self):
        return len(self.seen) >= self.after


class Backwards:
    """Finishes the last step first, as several workers may."""

    def round(self, work, shared, steps, sign):
        yield from [work(shared, step, sign) for step in reversed(steps)]


def searching(ward, model="logistic", follower=None, *, n_trials=5, monkeypatch=None, task=None, workers=None):
    task = task or task_of(ward, model)
    monkeypatch.setattr(search, "MOST_TRIALS", n_trials)
    workers = workers or ThisProcess()
    return fit_searched(
        task, ProgressReporter(follower or NullFollower(), {"searched": 1.0}, model="searched", workers=workers)
    )


def task_of(ward, model="logistic"):
    return RunRows.of(ward.prepared, ward.split, TrainSettings.preset(model, search_minutes=60)).task


def without_seconds(trials):
    return [replace(t, seconds=0.0) for t in trials]


@pytest.fixture(scope="module")
def seven_trials(ward):
    """A search of all that `auto` searches, one trial after the other."""
    with pytest.MonkeyPatch.context() as patch:
        search_two_models(patch)
        return searching(ward, "auto", n_trials=7, monkeypatch=patch)


def test_the_same_seed_tries_the_same_settings(ward, seven_trials, monkeypatch):
    first, second = seven_trials, searching(ward, "auto", n_trials=7, monkeypatch=monkeypatch)
    assert without_seconds(first.search.trials) == without_seconds(second.search.trials)
    np.testing.assert_array_equal(first.oof, second.oof)


def test_an_interrupted_search_goes_on_and_gives_the_same_numbers(ward, monkeypatch, tmp_path):
    left_alone = searching(ward, n_trials=14, monkeypatch=monkeypatch)
    with pytest.raises(CancelledError):
        searching(ward, follower=Listener(tmp_path, after=46), n_trials=14, monkeypatch=monkeypatch)
    with (tmp_path / "search.jsonl").open("a") as file:
        file.write('{"place": 1, "tri')  # killed in the middle of a line
    kept = len((tmp_path / "search.jsonl").read_text().splitlines())
    assert kept == 47
    made = []
    monkeypatch.setattr(search, "judge", lambda task, step, sign: made.append(step) or judge(task, step, sign))
    resumed = searching(ward, follower=Listener(tmp_path), n_trials=14, monkeypatch=monkeypatch)
    assert len(made) == 4 * 14 - 46
    assert without_seconds(resumed.search.trials) == without_seconds(left_alone.search.trials)
    np.testing.assert_array_equal(resumed.oof, left_alone.oof)


def test_the_order_in_which_trials_are_finished_changes_no_number(ward, seven_trials, monkeypatch):
    first, second = seven_trials, searching(ward, "auto", n_trials=7, monkeypatch=monkeypatch, workers=Backwards())
    assert without_seconds(first.search.trials) == without_seconds(second.search.trials)
    assert without_seconds(first.search.fold_choices) == without_seconds(second.search.fold_choices)
    np.testing.assert_array_equal(first.oof, second.oof)


def test_a_round_that_was_not_finished_does_not_count_in_whatever_order_it_was_begun(ward, monkeypatch):
    monkeypatch.setattr(search._Nested, "_time_is_up", lambda self, _number: self.n_fits == 4 * 5 + 2)
    found = searching(ward, monkeypatch=monkeypatch, n_trials=9, workers=Backwards()).search
    assert len(found.trials) == 5
    assert all(t.number < 5 for t in found.fold_choices)


def test_the_budget_counts_the_seconds_that_went_by_and_the_journal_keeps_them(tmp_path):
    trial = Trial(number=0, model="logistic", settings={}, loss=0.5, seconds=8.0)
    Journal(tmp_path / "search.jsonl").add(2, trial, 3.0)
    assert Journal(tmp_path / "search.jsonl").find(2, 0) == Kept(trial, 3.0)
    earlier = json.dumps({"place": 1, "trial": trial.to_dict()})
    (tmp_path / "search.jsonl").write_text(earlier + "\n")
    assert Journal(tmp_path / "search.jsonl").find(1, 0) == Kept(trial, 8.0)


def test_a_fold_s_risks_know_nothing_of_its_outcomes(ward, monkeypatch):
    task = task_of(ward, "auto")
    held = task.held_out(1)
    turned = task.outcome.copy()
    turned[held] = 1 - turned[held]
    one, other = (
        searching(ward, n_trials=6, monkeypatch=monkeypatch, task=replace(task, outcome=outcome))
        for outcome in (task.outcome, turned)
    )
    np.testing.assert_array_equal(one.oof[held], other.oof[held])
    assert without_seconds([one.search.fold_choices[1]]) == without_seconds([other.search.fold_choices[1]])


def test_searches_begin_with_the_usual_settings_and_never_choose_worse(ward, monkeypatch):
    found = searching(ward, "auto", n_trials=8, monkeypatch=monkeypatch).search
    usual = found.trials[: len(searched_with("auto"))]
    assert [t.model for t in usual] == list(searched_with("auto"))
    assert not any(t.settings for t in usual)
    assert found.best.loss <= min(t.loss for t in usual)
    assert all(t.settings for t in found.trials[len(usual) :])


def test_a_budget_that_is_up_ends_the_search_after_the_usual_settings(ward):
    task = task_of(ward).with_settings(search_minutes=1e-6)
    found = fit_searched(task, ProgressReporter(NullFollower(), {"searched": 1.0}, model="searched")).search
    assert len(found.trials) == 1


def test_a_round_that_was_not_finished_does_not_count(ward, monkeypatch):
    task = task_of(ward)
    monkeypatch.setattr(search._Nested, "_time_is_up", lambda self, _number: self.n_fits == 4 * 5 + 2)
    found = fit_searched(task, ProgressReporter(NullFollower(), {"searched": 1.0}, model="searched")).search
    assert len(found.trials) == 5
    assert all(t.number < 5 for t in found.fold_choices)


def test_every_trial_on_all_patients_is_told_once(ward, monkeypatch):
    listener = Listener()
    found = searching(ward, follower=listener, n_trials=4, monkeypatch=monkeypatch).search
    told = [Trial.from_dict(p.trial) for p in listener.seen if p.trial]
    assert told == list(found.trials)
    assert len({(p.stage, p.epoch) for p in listener.seen}) == len(listener.seen)


def test_settings_that_cannot_be_trained_have_no_loss_and_are_not_chosen(ward, monkeypatch):
    from medcore.errors import SettingsError

    usual = candidates()["logistic"].learner

    def fragile(task, reporter):
        if task.tuned:
            raise SettingsError("it diverged")
        return usual(task, reporter)

    known = {"logistic": replace(candidates()["logistic"], learner=fragile)}
    monkeypatch.setattr(step, "candidates", lambda _target=None: known)
    found = searching(ward, n_trials=3, monkeypatch=monkeypatch).search
    assert [t.loss is None for t in found.trials] == [False, True, True]
    assert found.best.number == 0


@pytest.mark.parametrize("model", ["logistic", "forest", "extra_trees", "boosting"])
def test_every_setting_of_the_space_changes_what_is_learned(ward, model):
    task = subtask(task_of(ward, "auto"), np.arange(120))
    reporter = ProgressReporter(NullFollower(), {model: 1.0}, model=model)
    usual = candidates()[model].learner(task, reporter).oof
    lowest = {n: getattr(d, "low", None) or d.choices[0] for n, d in space(model).items() if n != "max_features"}
    assert not np.allclose(candidates()[model].learner(replace(task, tuned=lowest), reporter).oof, usual)


def test_every_model_can_be_searched():
    assert all(space(m) for model in offered() for m in searched_with(model))


def test_groups_stay_whole_when_a_single_fold_is_left(ward):
    task = task_of(ward)
    groups = np.arange(task.n) // 3
    task = replace(task, groups=groups, folds=(groups % 2).astype(np.int64), n_folds=2)
    inner = subtask(task, task.training(0))
    assert inner.n_folds == LEAST_INNER_FOLDS
    assert all(len(set(inner.folds[inner.groups == g])) == 1 for g in np.unique(inner.groups))


def test_a_searched_run_is_a_bundle_that_says_what_was_found(ward, monkeypatch, tmp_path):
    monkeypatch.setattr(search, "MOST_TRIALS", 4)
    trained = ward.train("boosting", search_minutes=60)
    own = [c for c in trained.candidates if c.name in ("searched", "boosting")]  # the best first
    assert [c.weight for c in own] == [1.0, 0.0]
    assert "model.search" in {f.code for f in trained.findings}
    assert trained.bundle.manifest["search"]["n_trials"] == 4
    assert trained.bundle.manifest["search"]["n_fits"] == 16
    save_trained(trained, tmp_path)
    frame = ward.cohort.frame
    np.testing.assert_allclose(load_bundle(tmp_path).predict(frame), trained.bundle.predict(frame), atol=1e-6)


def test_settings_are_written_whole_and_without_markup():
    settings = {"num_leaves": 12, "learning_rate": 0.03125, "scaling": "robust"}
    trial = Trial(number=1, model="boosting", settings=settings, loss=0.5, seconds=1.0)
    assert trial.words == "num leaves 12, learning rate 0.0312, scaling robust"
    assert Trial.from_dict(trial.to_dict()) == trial


@pytest.mark.slow
def test_a_network_learns_with_the_settings_it_is_given(ward):
    task = task_of(ward, "seed").with_settings(epochs=1)
    tuned = as_tuned({"layers": "128 64", "learning_rate": 0.01, "dropout": 0.5, "weight_decay": 0.01})
    part = (
        candidates()["seed"]
        .learner(replace(task, tuned=tuned), ProgressReporter(NullFollower(), {"seed": 1.0}, model="seed"))
        .part
    )
    units = [layer.units for layer in part.networks[0].keras_models()[0].layers if hasattr(layer, "units")]
    assert units[:2] == [128, 64]
