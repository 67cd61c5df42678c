"""The learning curve: honest by folds, nested sizes, a verdict that follows from the numbers."""

import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from medcore.models.contract.settings import TrainSettings
from medcore.models.run import learning
from medcore.models.run.learning import SHARES, LearningGain, affordable_models, learning_curve
from medcore.models.run.training import task_of

SETTINGS = TrainSettings(model="logistic")


@pytest.fixture(scope="module")
def curve(ward):
    return learning_curve(ward.prepared, ward.split, SETTINGS)


def test_sizes_grow_to_all_training_patients_of_a_fold(ward, curve):
    sizes = [p.n_train for p in curve.points]
    assert sizes == sorted(sizes)
    assert len(sizes) == len(SHARES)
    assert sizes[-1] == round((~ward.split.test).sum() * 2 / 3)


def test_all_patients_give_the_figures_of_a_fit_on_each_fold(ward, curve):
    from sklearn.metrics import roc_auc_score

    task = task_of(ward.prepared, ward.split, SETTINGS)
    risk = learning._out_of_fold(task, "logistic", 1.0)[:, 1]
    assert curve.points[-1].auroc.value == pytest.approx(roc_auc_score(task.outcome, risk))
    assert curve.points[-1].auroc.low < curve.points[-1].auroc.value < curve.points[-1].auroc.high


def test_the_last_point_and_the_run_give_one_interval(curve, logistic):
    run = logistic.results.candidate("logistic").cross_validated
    assert curve.points[-1].auroc.to_dict() == run.metrics["auroc"].to_dict()
    here, there = (np.array([e.value, e.low, e.high]) for e in (curve.points[-1].log_loss, run.metrics["log_loss"]))
    np.testing.assert_allclose(here, there, atol=1e-4)  # the run's penalty is chosen once more for each fold


def test_smaller_shares_are_part_of_larger_ones_and_patients_stay_whole(ward):
    task = task_of(ward.prepared, ward.split, SETTINGS)
    task = replace(task, groups=np.arange(task.n) // 3, folds=(np.arange(task.n) // 3 % 3).astype(np.int64))
    parts = [set(learning._some(task, 0, share)) for share in SHARES]
    assert all(small < large for small, large in pairwise(parts))
    for part in parts:
        assert not part & set(task.held_out(0))
        chosen = {task.groups[row] for row in part}
        assert part == {row for row in task.training(0) if task.groups[row] in chosen}


def test_held_out_outcomes_have_no_part(ward):
    task = task_of(ward.prepared, ward.split, SETTINGS)
    held = task.held_out(0)
    turned = task.outcome.copy()
    turned[held] = 1 - turned[held]
    risks = [learning._out_of_fold(replace(task, outcome=y), "logistic", 0.5)[held] for y in (task.outcome, turned)]
    np.testing.assert_array_equal(risks[0], risks[1])


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(0.01, 0.03, "probably help"), (-0.01, 0.03, "cannot be shown"), (-0.03, -0.01, "did not help")],
)
def test_the_verdict_follows_the_interval(low, high, said):
    assert said in str(LearningGain("logistic", 50, 100, (low + high) / 2, low, high).sentence)


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(-0.01, 0.03, "(fell by 0.0100, −0.0100 to 0.0300)"), (-0.03, 0.01, "(rose by 0.0100, −0.0100 to 0.0300)")],
)
def test_a_change_is_said_to_the_side_on_which_it_lies(low, high, said):
    assert said in str(LearningGain("logistic", 50, 100, (low + high) / 2, low, high).sentence)


def test_three_classes_have_a_curve(three_class_ward):
    curve = learning_curve(three_class_ward.prepared, three_class_ward.split, SETTINGS)
    assert curve.points[-1].log_loss.value < curve.points[0].log_loss.value


def test_slow_models_and_networks_are_left_out(logistic):
    results = logistic.results
    simple = results.candidate("logistic")

    def among(**changes):
        return affordable_models(replace(results, candidates=(simple, replace(simple, **changes))))

    assert among(name="boosting", weight=2.0) == ("logistic", "boosting")
    assert among(name="boosting", weight=2.0, seconds=60.0) == ("logistic",)
    assert among(name="network", weight=2.0) == ("logistic",)
    searched = replace(results, model="boosting", candidates=(simple, replace(simple, name="boosting", weight=0.0)))
    assert affordable_models(searched) == ("logistic", "boosting")


def test_results_are_read_without_tensorflow():
    code = (
        "import medcore.jobs.queries.learning, medcore.models.run.learning, sys; sys.exit('tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
