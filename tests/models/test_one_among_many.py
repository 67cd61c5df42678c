"""A patient's risk is the same to the last bit alone and among others; forests answer few rows as scikit-learn does."""

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier, RandomForestRegressor

from medcore.models.contract.progress import NullFollower
from medcore.models.contract.settings import TrainSettings
from medcore.models.contract.task import ProgressReporter
from medcore.models.learners.few_rows import FEW
from medcore.models.learners.forest import answers
from medcore.models.learners.kernel import fit_kernel
from medcore.models.run.training import RunRows


@pytest.fixture(scope="module")
def table() -> np.ndarray:
    rng = np.random.default_rng(0)
    table = rng.normal(size=(400, 6)).astype(np.float32)
    table[rng.random(table.shape) < 0.1] = np.nan
    return table


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("kind", [RandomForestClassifier, ExtraTreesClassifier])
def test_few_rows_get_scikit_learns_own_probabilities(kind: type, n_classes: int, table: np.ndarray) -> None:
    outcome = np.random.default_rng(1).integers(n_classes, size=len(table))
    model = kind(40, random_state=0, min_samples_leaf=2).fit(table, outcome)
    model.n_jobs = 1
    for n in (1, 2, FEW):
        assert np.array_equal(answers(model, "predict_proba", table[:n].astype(float)), model.predict_proba(table[:n]))


def test_few_rows_get_scikit_learns_own_numbers(table: np.ndarray) -> None:
    model = RandomForestRegressor(40, random_state=0).fit(table, np.nan_to_num(table).sum(axis=1))
    model.n_jobs = 1
    for n in (1, 5, FEW, FEW + 1):
        assert np.array_equal(answers(model, "predict", table[:n].astype(float)), model.predict(table[:n]))


@pytest.mark.parametrize("model", ["network", "logistic"])
def test_a_patients_risk_is_the_same_to_the_last_bit_alone_and_among_others(model: str, ward) -> None:
    bundle = ward.train(model, epochs=2).bundle
    rows = bundle.encode(ward.cohort.frame)
    all_at_once = bundle.risk(rows)
    for first, n in ((0, 1), (7, 1), (2, 3), (3, 5), (5, 28), (30, 64), (31, 65), (1, 130)):
        assert np.array_equal(bundle.risk(rows.take(slice(first, first + n))), all_at_once[first : first + n])


def test_a_kernels_answer_about_a_row_has_the_same_last_bit_whichever_rows_are_asked_about_with_it(ward) -> None:
    task = RunRows.of(ward.prepared, ward.split, TrainSettings.preset("logistic")).task
    part = fit_kernel(task, ProgressReporter(NullFollower(), {"kernel": 1.0}, model="kernel")).part
    all_at_once = part.risk(task.rows)
    for first, n in ((0, 1), (7, 1), (3, 5), (30, 64), (1, 130)):
        assert np.array_equal(part.risk(task.rows.take(slice(first, first + n))), all_at_once[first : first + n])
