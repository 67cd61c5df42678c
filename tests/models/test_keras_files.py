"""Members in ``.keras`` files: built once and filled in turn, and still each what Keras alone makes of its file."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest

from medcore.models.network.keras_files import from_keras_files, to_keras_file
from medcore.models.network.parts import pack
from medcore.models.network.seed import DenseNetwork
from medcore.models.network.settings import NetworkSettings
from medcore.models.network.table import TableNetwork
from medcore.models.trainer.predict import TrainedNetworks, filled_in_turn

SETTINGS = NetworkSettings(architecture="network", n_submodels=3, n_bins=5)


def drawn(rng: np.random.Generator, *, table: bool = True, layers: tuple[int, ...] = (8, 4)) -> TrainedNetworks:
    """Two networks as they begin, which measured other rows."""
    x = rng.normal(size=(2, 60, 6)).astype(np.float32)
    network: TableNetwork | DenseNetwork = DenseNetwork(6, 1, layers, "relu", 0.1)
    if table:
        network = TableNetwork.fitting(x[0], 1, replace(SETTINGS, layers=layers))
    weights = np.stack([pack(network.parts, network.initial(rng, 6)) for _ in x])
    return TrainedNetworks(network, weights, np.stack([pack(network.fixed, network.measure(each)) for each in x]), 6)


@pytest.mark.parametrize("table", [True, False])
def test_every_member_is_what_keras_alone_makes_of_its_file(table) -> None:
    from keras.src.saving.saving_lib import load_model

    rng = np.random.default_rng(0)
    networks = [drawn(rng, table=table), drawn(rng, table=table), drawn(rng, table=table, layers=(4,))]
    files = [to_keras_file(model) for model in filled_in_turn(networks)]
    assert len(files) == 6
    apart = [model for trained in networks for model in trained.keras_models()]
    read = ([a.copy() for a in model.get_weights()] for model in from_keras_files(files))
    for file, own, found in zip(files, apart, read, strict=True):
        alone = load_model(BytesIO(file), compile=False, safe_mode=True)
        for one, other, third in zip(alone.get_weights(), own.get_weights(), found, strict=True):
            np.testing.assert_array_equal(one, other)
            np.testing.assert_array_equal(one, third)


def test_a_model_is_built_once_for_files_of_one_architecture() -> None:
    rng = np.random.default_rng(1)
    files = [to_keras_file(model) for model in filled_in_turn([drawn(rng), drawn(rng)])]
    other = to_keras_file(next(filled_in_turn([drawn(rng, layers=(4,))])))
    models = list(from_keras_files([*files, other, files[0]]))
    assert len({id(model) for model in models[:4]}) == 1
    assert len({id(model) for model in models}) == 3


def test_a_member_with_code_in_it_is_refused() -> None:
    import keras

    code = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x + 1)])
    with pytest.raises(ValueError, match="unsafe"):
        list(from_keras_files([to_keras_file(code)]))
