"""What the trainer computes, against Keras and scikit-learn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.preprocessing import StandardScaler

from medcore.errors import SettingsError
from medcore.models.network.parts import bucket, unpack
from medcore.models.network.settings import NetworkSettings
from medcore.models.trainer.metrics import batch_auroc
from medcore.models.trainer.predict import TrainedNetworks as Predicting
from medcore.models.trainer.train import Member, TrainedNetworks, members_for, train_networks

SMALL = NetworkSettings(layers=(8,), epochs=5)


@pytest.fixture(scope="module")
def cancer() -> tuple[np.ndarray, np.ndarray]:
    x, y = load_breast_cancer(return_X_y=True)
    return StandardScaler().fit_transform(x).astype(np.float32), (1 - y).astype(np.int64)


@pytest.fixture(scope="module")
def iris() -> tuple[np.ndarray, np.ndarray]:
    x, y = load_iris(return_X_y=True)
    return StandardScaler().fit_transform(x).astype(np.float32), y.astype(np.int64)


def keras_after(x, y, n_classes: int, settings: NetworkSettings, member: Member, steps: int):
    """Train the same first weights on the same full batches by Keras itself."""
    import keras

    start = train_networks(x, y, n_classes, [member], replace(settings, epochs=1, learning_rate=1e-30))
    model = start.keras_models()[0]
    optimizers = {
        "adam": keras.optimizers.Adam(settings.learning_rate),
        "adamw": keras.optimizers.AdamW(settings.learning_rate, weight_decay=settings.weight_decay),
        "sgd": keras.optimizers.SGD(settings.learning_rate),
        "rmsprop": keras.optimizers.RMSprop(settings.learning_rate),
    }
    loss = "binary_crossentropy" if n_classes == 2 else "sparse_categorical_crossentropy"
    model.compile(optimizers[settings.optimizer], loss=loss)
    for _ in range(steps):
        model.train_on_batch(x[member.rows], y[member.rows].astype(np.float32))
    return model


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "rmsprop"])
def test_full_batch_training_gives_the_weights_that_keras_gives(cancer, optimizer) -> None:
    x, y = cancer
    member = Member(rows=np.arange(200), seed=3)
    decay = 0.01 if optimizer == "adamw" else 0.0
    settings = replace(SMALL, optimizer=optimizer, batch_size=256, learning_rate=0.01, weight_decay=decay)
    ours = train_networks(x, y, 2, [member], settings)
    theirs = keras_after(x, y, 2, settings, member, settings.epochs)
    for got, expected in zip(ours.keras_models()[0].get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(got, expected, atol=2e-5)


def test_three_classes_give_the_weights_that_keras_gives(iris) -> None:
    x, y = iris
    member = Member(rows=np.arange(150), seed=1)
    settings = replace(SMALL, batch_size=256, activation="tanh", learning_rate=0.01)
    ours = train_networks(x, y, 3, [member], settings)
    theirs = keras_after(x, y, 3, settings, member, settings.epochs)
    np.testing.assert_allclose(ours.risk(x), theirs(x, training=False), atol=2e-5)


def test_the_reference_network_ranks_as_well_as_one_fitted_by_keras(cancer) -> None:
    import keras

    x, y = cancer
    train, test = np.arange(569) % 5 != 0, np.arange(569) % 5 == 0
    trained = train_networks(x, y, 2, members_for(y, folds=np.where(train, 0, 1), n_seeds=1)[1:], NetworkSettings())
    keras.utils.set_random_seed(0)
    model = DenseReference(x.shape[1])
    model.fit(x[train], y[train], epochs=20, batch_size=32, verbose=0)
    ours = roc_auc_score(y[test], trained.risk(x[test])[:, 1])
    assert abs(ours - roc_auc_score(y[test], np.asarray(model(x[test], training=False))[:, 0])) < 0.01


def DenseReference(n_features: int):  # noqa: N802 - reads as a model
    import keras

    layers = [keras.layers.Dense(width, activation="relu") for width in (128, 64, 32)]
    model = keras.Sequential([keras.Input((n_features,)), *layers, keras.layers.Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy")
    return model


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others(cancer) -> None:
    x, y = cancer
    first, again = (train_networks(x, y, 2, members_for(y, seed=1), SMALL).risk(x) for _ in range(2))
    other = train_networks(x, y, 2, members_for(y, seed=2), SMALL).risk(x)
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.01


def test_a_member_learns_the_same_alone_as_among_others(cancer) -> None:
    x, y = cancer
    settings = replace(SMALL, dropout=0.2)
    members = members_for(y, folds=np.arange(569) % 3, n_seeds=2)
    together = train_networks(x, y, 2, members, settings).member_risk(x)
    alone = train_networks(x, y, 2, members[3:4], settings).member_risk(x)
    np.testing.assert_allclose(together[3], alone[0], atol=1e-4)


def test_own_features_of_a_member_take_the_place_of_the_shared_ones(cancer) -> None:
    x, y = cancer
    members = members_for(y, folds=np.arange(569) % 2)
    own = [replace(m, features=np.hstack([x, x[:, :1]]) if i else x) for i, m in enumerate(members)]
    shared = train_networks(x, y, 2, members, SMALL).member_risk(x, members=[0])
    mixed = train_networks(None, y, 2, own, SMALL).member_risk(x, members=[0])
    np.testing.assert_allclose(shared, mixed, atol=0.05)


def test_risks_are_probabilities_whatever_the_number_of_rows(iris) -> None:
    x, y = iris
    trained = train_networks(x, y, 3, members_for(y, n_seeds=2), SMALL)
    for n in (0, 1, 3, 150):
        risk = trained.risk(x[:n])
        assert risk.shape == (n, 3)
        np.testing.assert_allclose(risk.sum(1), np.ones(n), atol=1e-9)
    np.testing.assert_allclose(trained.member_risk(x).mean(0), trained.risk(x), atol=1e-6)
    many = np.tile(x, (400, 1))
    np.testing.assert_allclose(trained.risk(many)[-150:], trained.risk(x), atol=1e-6)


def test_history_holds_the_losses_and_the_auroc_of_each_member(cancer) -> None:
    x, y = cancer
    members = members_for(y, n_seeds=2)
    trained = train_networks(x, y, 2, members, SMALL)
    assert {name: v.shape for name, v in trained.history.items()} == dict.fromkeys(trained.history, (5, 2))
    for m, member in enumerate(members):
        risk = trained.member_risk(x[member.validation])[m, :, 1]
        assert trained.history["val_auroc"][-1, m] == pytest.approx(roc_auc_score(y[member.validation], risk), abs=1e-6)
        assert trained.history["val_loss"][-1, m] == pytest.approx(log_loss(y[member.validation], risk), abs=1e-5)


def test_early_stopping_keeps_the_weights_of_the_best_epoch(cancer) -> None:
    x, y = cancer
    settings = replace(SMALL, layers=(64, 64), epochs=60, early_stopping=4, learning_rate=0.01)
    members = members_for(y, n_seeds=2, validation_share=0.3)
    trained = train_networks(x, y, 2, members, settings)
    assert len(trained.history["loss"]) < 60
    for m, member in enumerate(members):
        assert trained.best_epoch[m] == 1 + np.nanargmin(trained.history["val_loss"][:, m])
        risk = trained.member_risk(x[member.validation])[m, :, 1]
        assert log_loss(y[member.validation], risk) == pytest.approx(trained.history["val_loss"][:, m].min(), abs=1e-5)


def test_class_weights_raise_the_mean_risk_of_a_rare_class(cancer) -> None:
    x, y = cancer
    rows = np.concatenate([np.flatnonzero(y == 0), np.flatnonzero(y == 1)[:40]])
    settings = replace(SMALL, epochs=15, learning_rate=0.01)
    plain, weighted = (
        train_networks(x[:, :2], y, 2, [Member(rows=rows)], replace(settings, class_weight=w)).risk(x[rows, :2])
        for w in (None, "balanced")
    )
    assert weighted[:, 1].mean() > plain[:, 1].mean() + 0.05


def test_focal_loss_pulls_risks_towards_the_middle(cancer) -> None:
    x, y = cancer
    settings = replace(SMALL, epochs=15, learning_rate=0.01)
    plain, focal = (
        train_networks(x, y, 2, [Member(rows=np.arange(569))], replace(settings, focal_gamma=g)).risk(x)
        for g in (0.0, 3.0)
    )
    assert np.abs(focal[:, 1] - 0.5).mean() < np.abs(plain[:, 1] - 0.5).mean()
    assert roc_auc_score(y, focal[:, 1]) > 0.98


def test_keras_files_give_the_same_risks_and_can_be_read_back(cancer, tmp_path) -> None:
    import keras

    x, y = cancer
    trained = train_networks(x, y, 2, members_for(y, n_seeds=2), replace(SMALL, dropout=0.1))
    files = [tmp_path / f"{i}.keras" for i in range(2)]
    for model, file in zip(trained.keras_models(), files, strict=True):
        model.save(file)
    models = [keras.models.load_model(file) for file in files]
    theirs = np.mean([np.asarray(model(x, training=False))[:, 0] for model in models], axis=0)
    np.testing.assert_allclose(trained.risk(x)[:, 1], theirs, atol=1e-6)
    np.testing.assert_allclose(TrainedNetworks.from_keras(models).risk(x), trained.risk(x), atol=1e-6)


def test_a_learning_rate_that_diverges_is_named(cancer) -> None:
    x, y = cancer
    settings = replace(SMALL, optimizer="sgd", learning_rate=1e6, activation="relu", epochs=50, layers=(16, 16))
    with pytest.raises(SettingsError, match="learning rate"):
        train_networks(x * 1e4, y, 2, members_for(y), settings)


def test_layers_too_large_for_memory_are_refused_before_they_are_made(cancer) -> None:
    x, y = cancer
    with pytest.raises(SettingsError, match=r"about \d+\.\d GB .* smaller layers"):
        train_networks(x, y, 2, members_for(y), replace(SMALL, layers=(8192,) * 12))


def test_networks_that_fit_the_machine_but_not_a_worker_are_refused(cancer, monkeypatch) -> None:
    x, y = cancer
    monkeypatch.setenv("MEDCORE_WORKER_MEMORY", "1 kB")
    with pytest.raises(SettingsError, match="MEDCORE_WORKER_MEMORY"):
        train_networks(x, y, 2, members_for(y), SMALL)


def test_a_member_without_patients_is_refused(cancer) -> None:
    x, y = cancer
    with pytest.raises(SettingsError, match="no patients"):
        train_networks(x, y, 2, [Member(rows=np.zeros(0, np.int64))], SMALL)


@pytest.mark.parametrize(
    "wrong",
    [{"epochs": 0}, {"learning_rate": -1.0}, {"layers": (0,)}, {"optimizer": "magic"}, {"dropout": 1.5}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_settings_outside_what_can_work_are_named(wrong) -> None:
    with pytest.raises(SettingsError):
        NetworkSettings(**wrong)


def test_settings_survive_json() -> None:
    settings = NetworkSettings(layers=(5, 4), clip_norm=1.0)
    assert NetworkSettings.from_dict(settings.to_dict()) == settings


def test_members_part_rows_by_fold_class_and_group() -> None:
    y = (np.arange(200) % 10 == 0).astype(np.int64)
    folds = np.where(np.arange(200) < 20, -1, np.arange(200) % 4)
    groups = np.arange(200) // 2
    members = members_for(y, folds=folds, n_seeds=2, seed=5, validation_share=0.25, groups=groups)
    assert len(members) == 8
    assert len({m.seed for m in members}) == 8
    for i, m in enumerate(members):
        assert set(folds[m.rows]) == set(folds[m.validation]) == set(range(4)) - {i // 2}
        assert not set(groups[m.rows]) & set(groups[m.validation])
        assert y[m.validation].sum() > 0


def test_batch_auroc_equals_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, (4, 60))
    risk = rng.integers(0, 6, (4, 60, 3)) / 6.0
    padded = np.concatenate([y, np.full((4, 7), -1)], axis=1)
    got = batch_auroc(padded, np.concatenate([risk, rng.random((4, 7, 3))], axis=1))
    expected = [np.mean([roc_auc_score(y[m] == c, risk[m, :, c]) for c in range(3)]) for m in range(4)]
    np.testing.assert_allclose(got, expected)
    assert np.isnan(batch_auroc(np.zeros((1, 5), int), rng.random((1, 5, 1))))[0]


def test_buckets_waste_at_most_a_quarter() -> None:
    for n in range(8, 5000, 7):
        assert n <= bucket(n) <= 1.25 * n + 1


def test_padded_columns_never_gain_weight(cancer) -> None:
    x, y = cancer
    trained = train_networks(x[:, :9], y, 2, members_for(y), SMALL)
    kernel = unpack(trained.architecture.parts, trained.weights[0])["kernel_0"]
    assert trained.architecture.n_features == 10
    assert np.all(kernel[9:] == 0.0)
    assert isinstance(trained, Predicting)
