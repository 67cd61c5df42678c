"""The network for clinical tables: its pieces, its Keras form, and what it can learn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from medcore.models.network.settings import NetworkSettings
from medcore.models.network.table import TableNetwork
from medcore.models.trainer.train import TrainedNetworks, members_for, train_networks

SETTINGS = NetworkSettings(
    architecture="network", layers=(16, 8), epochs=4, n_submodels=3, n_bins=5, dropout=0.1, bagging=True
)


@pytest.fixture(scope="module")
def table() -> tuple[np.ndarray, np.ndarray]:
    """200 patients; risk rises at both ends of column 0, and with the binary column 1."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 7)).astype(np.float32)
    x[:, 1] = rng.integers(0, 2, 200)
    return x, (np.abs(x[:, 0]) + x[:, 1] + 0.3 * rng.normal(size=200) > 1.2).astype(np.int64)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(
    "changes", [{}, {"n_bins": 0, "linear_path": False}, {"layers": ()}], ids=["all", "plain", "linear"]
)
def test_keras_files_give_the_same_risks_and_can_be_read_back(table, tmp_path, n_classes, changes) -> None:
    import keras

    x, y = table
    y = y + (x[:, 2] > 0.5) if n_classes == 3 else y
    trained = train_networks(x, y, n_classes, members_for(y, n_seeds=2), replace(SETTINGS, **changes))
    models = []
    for m, model in enumerate(trained.keras_models()):
        model.save(tmp_path / f"{m}.keras")
        models.append(keras.models.load_model(tmp_path / f"{m}.keras", safe_mode=True))
    for m, model in enumerate(models):
        expected = trained.member_risk(x)[m] if n_classes == 3 else trained.member_risk(x)[m, :, 1:]
        np.testing.assert_allclose(model(x, training=False), expected, atol=1e-5)
    np.testing.assert_allclose(TrainedNetworks.from_keras(models).risk(x), trained.risk(x), atol=1e-5)


def test_pieces_rise_from_0_to_1_between_the_quantiles_of_the_training_rows(table) -> None:
    x, _ = table
    network = TableNetwork.fitting(x, 1, SETTINGS)
    fixed = network.measure(x)
    np.testing.assert_array_equal(fixed["column"][:6], [0, 2, 3, 4, 5, 6])
    edges = np.quantile(x[:, 2], np.linspace(0, 1, 6))
    np.testing.assert_allclose(fixed["low"][1], edges[:-1], rtol=1e-5)
    np.testing.assert_allclose(1.0 / fixed["steep"][1], np.diff(edges), rtol=1e-5)


def test_wide_tables_get_fewer_pieces() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 3000)).astype(np.float32)
    assert TableNetwork.fitting(x, 1, replace(SETTINGS, n_bins=16)).n_bins == 0
    assert TableNetwork.fitting(x[:, :500], 1, replace(SETTINGS, n_bins=16)).n_bins == 4


def test_risk_that_rises_at_both_ends_of_a_column_is_learnt() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(600, 4)).astype(np.float32)
    y = (np.abs(x[:, 0]) > 1.0).astype(np.int64)
    folds = np.arange(600) % 2
    settings = NetworkSettings.for_table(300, epochs=40, learning_rate=1e-2, n_submodels=4, layers=(16,))
    trained = train_networks(x, y, 2, members_for(y, folds=folds), settings)
    assert roc_auc_score(y[folds == 0], trained.risk(x[folds == 0], members=[0])[:, 1]) > 0.95


def test_the_same_seed_gives_the_same_numbers(table) -> None:
    x, y = table
    first, again = (train_networks(x, y, 2, members_for(y, seed=1), SETTINGS).risk(x) for _ in range(2))
    np.testing.assert_array_equal(first, again)
