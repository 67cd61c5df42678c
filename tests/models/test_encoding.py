import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from medcore.features import UNSEEN, Layout, Rows
from medcore.models.contract.settings import TrainSettings
from medcore.models.contract.task import Task
from medcore.models.learners.encoding import CategoryEncoder, encode_training


@pytest.fixture(scope="module")
def hospitals() -> Task:
    """Thirty hospitals that have nothing to do with the outcome."""
    rng = np.random.default_rng(0)
    n = 900
    codes = np.column_stack([rng.integers(0, 30, n), rng.normal(size=n)]).astype(float)
    kinds = ("category", "numeric")
    return Task(
        rows=Rows(codes),
        outcome=rng.integers(0, 2, n).astype(np.int64),
        folds=np.arange(n) % 5,
        n_folds=5,
        n_classes=2,
        kinds=kinds,
        n_categories=(30, 0),
        layout=Layout.of(codes, kinds),
        settings=TrainSettings(),
    )


def test_a_rows_own_outcome_is_not_in_its_own_number(hospitals):
    rows = np.arange(hospitals.n)
    _encoder, before = encode_training(hospitals, rows)
    turned = hospitals.outcome.copy()
    turned[17] = 1 - turned[17]
    _encoder, after = encode_training(replace(hospitals, outcome=turned), rows)
    np.testing.assert_array_equal(before[17], after[17])


def test_hospitals_without_meaning_do_not_seem_to_predict(hospitals):
    _encoder, codes = encode_training(hospitals, np.arange(hospitals.n))
    assert roc_auc_score(hospitals.outcome, codes[:, 2]) == pytest.approx(0.5, abs=0.08)


def test_the_number_of_a_level_is_its_shrunken_share(hospitals):
    encoder, _codes = encode_training(hospitals, np.arange(hospitals.n))
    here = hospitals.codes[:, 0] == 4
    prior = hospitals.outcome.mean()
    expected = (hospitals.outcome[here].sum() + 20 * prior) / (here.sum() + 20)
    assert encoder.transform(np.array([[4.0, 0.0]]))[0, 2] == pytest.approx(expected)


def test_missing_and_unseen_levels_get_the_share_of_all(hospitals):
    encoder, _codes = encode_training(hospitals, np.arange(hospitals.n))
    numbers = encoder.transform(np.array([[np.nan, 0.0], [UNSEEN, 0.0]]))[:, 2]
    np.testing.assert_allclose(numbers, hospitals.outcome.mean())


def test_few_levels_are_left_alone_and_an_encoder_survives_json(hospitals):
    few = replace(hospitals, n_categories=(8, 0))
    assert encode_training(few, np.arange(few.n))[0].places == ()
    encoder, _codes = encode_training(hospitals, np.arange(hospitals.n))
    again = CategoryEncoder.from_dict(json.loads(json.dumps(encoder.to_dict())))
    np.testing.assert_array_equal(again.transform(hospitals.codes), encoder.transform(hospitals.codes))
