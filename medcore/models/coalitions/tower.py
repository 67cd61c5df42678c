"""Networks with a tower for coalitions: what tables and patches of time give at first are sums, the rest is gone on with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np

from medcore.features import FeatureMaker, Rows
from medcore.models.coalitions.layers import Floats32, LayeredCoalitions
from medcore.models.coalitions.networks import first_kernels, table_shares, table_sums
from medcore.models.coalitions.pairs import FirstSums
from medcore.models.network.parts import mean_risk, unpack_tensors
from medcore.models.network.sequences import SequenceScaler
from medcore.models.network.tower import PATCH, WIDTH, TowerNetwork
from medcore.models.trainer.predict import TrainedNetworks

Inputs = tuple[SequenceScaler, FeatureMaker]


@dataclass(frozen=True, slots=True)
class AfterFirstSums:
    """A tower and the table network beside it from the first sums on; the mean over its members."""

    network: TowerNetwork
    width: int
    of_table: int
    is_mean: ClassVar[bool] = True

    def __call__(self, sums: Any, weights: Any) -> Any:
        """Map first sums (M, tile, H) to risks (tile, C)."""
        import tensorflow as tf

        network = self.network
        straight = sums[:, :, self.width : self.width + network.n_scores] if network.table.linear else None
        patches = sums[:, :, self.of_table :]
        logits = network.after_sums(weights, sums[:, :, : self.width], straight, patches, None)
        return tf.reduce_mean(mean_risk(logits, network), 0)


def tower_coalitions(inputs: Sequence[Inputs], networks: Sequence[TrainedNetworks]) -> LayeredCoalitions:
    """Take networks of one shape apart, all members together; ``networks[i]`` reads what ``inputs[i]`` writes."""
    network = networks[0].architecture
    assert isinstance(network, TowerNetwork)
    tables = [_table_of(network, members) for members in networks]
    kernels, width = first_kernels(tables)
    of_table, of_patches = kernels[0].shape[2], network.n_patches * WIDTH
    named = [unpack_tensors(network.parts, members.weights) for members in networks]
    later = [part.name for part in network.parts if part.name not in {*network.table.first_parts, "patch", "fading"}]
    shares = [partial(_shares, *four) for four in zip(inputs, networks, tables, kernels, strict=True)]
    return LayeredCoalitions(
        lambda rows: np.concatenate([of(rows) for of in shares], axis=1),
        np.zeros((sum(n.n_members for n in networks), of_table + of_patches), np.float32),
        {name: np.concatenate([weights[name].numpy() for weights in named]) for name in later},
        AfterFirstSums(network, width, of_table),
        len(inputs[0][1].blocks_),
        network.n_submodels,
        (table_sums([maker for _sequences, maker in inputs], tables, kernels), _patch_sums(inputs, networks)),
    )


def _table_of(network: TowerNetwork, members: TrainedNetworks) -> TrainedNetworks:
    """Return the table networks alone: their weights are the first."""
    size = sum(part.size for part in network.table.parts)
    columns = members.n_features - network.n_told
    return TrainedNetworks(network.table, members.weights[:, :size], members.fixed, columns)


def _shares(
    inputs: Inputs, members: TrainedNetworks, table: TrainedNetworks, kernels: Floats32, rows: Rows
) -> Floats32:
    """Return each column's share in the first sums of the networks of one fold, (n, M, P, H)."""
    sequences, maker = inputs
    of_table = table_shares(maker, table, kernels, rows)
    of_patches = _patch_shares(members, sequences.transform(rows))
    n, n_members, n_columns, width = of_table.shape
    shares = np.zeros((n, n_members, n_columns, width + of_patches.shape[3]), np.float32)
    shares[..., :width] = of_table
    shares[:, :, sequences.places, width:] = of_patches
    return shares


def _patch_sums(inputs: Sequence[Inputs], networks: Sequence[TrainedNetworks]) -> FirstSums:
    """Return the patches of all networks as one product, whose kernel is the same at every place of the time."""
    n_members = sum(members.n_members for members in networks)
    network = networks[0].architecture
    assert isinstance(network, TowerNetwork)
    places = np.full(network.n_series, -1, np.int32)
    places[: len(inputs[0][0].places)] = inputs[0][0].places
    owners = np.tile(places, (n_members, network.n_patches, PATCH * 3))
    pairs = list(zip(inputs, networks, strict=True))
    return FirstSums(
        lambda rows: np.concatenate([_steps(own, sequences.transform(rows))[0] for (sequences, _m), own in pairs]),
        np.concatenate([_steps(own, None)[1] for _inputs, own in pairs]),
        owners,
        lambda rows, place: [
            one for (sequences, _maker), own in pairs for one in _patch_share(own, sequences, rows, place)
        ],
    )


def _patch_share(members: TrainedNetworks, sequences: SequenceScaler, rows: Rows, place: int) -> Floats32:
    """Return the share of the measurement at ``place`` in the patches of rows, (M, n, N · WIDTH)."""
    network = members.architecture
    assert isinstance(network, TowerNetwork)
    weights, at = unpack_tensors(network.parts, members.weights), int(np.flatnonzero(sequences.places == place)[0])
    kernel = weights["patch"].numpy().reshape(members.n_members, PATCH * 3, network.n_series, WIDTH)[:, :, at]
    alone = replace(network, n_series=1)
    told = np.repeat(sequences.only(at).transform(rows)[None], members.n_members, axis=0)
    steps = alone.told({"fading": weights["fading"][:, at : at + 1]}, told).numpy()
    found: Floats32 = steps.reshape(members.n_members, -1, PATCH * 3) @ kernel
    return found.reshape(members.n_members, len(rows), -1)


def _steps(members: TrainedNetworks, told: Floats32 | None) -> tuple[Floats32, Floats32]:
    """Return what rows told (n, 2 · T · V) give to patches, (M, n, N, inputs), and the kernel of these (M, inputs, WIDTH)."""
    import tensorflow as tf

    network = members.architecture
    assert isinstance(network, TowerNetwork)
    weights = unpack_tensors(network.parts, members.weights)
    kernel: Floats32 = weights["patch"].numpy()
    if told is None:
        return kernel[:0], kernel
    steps: Floats32 = network.told(weights, tf.repeat(told[None], members.n_members, axis=0)).numpy()
    return steps.reshape(members.n_members, len(told), network.n_patches, -1), kernel


def _patch_shares(members: TrainedNetworks, told: Floats32) -> Floats32:
    """Return each measurement's share in the patches of rows told (n, 2 · T · V): (n, M, V, N · WIDTH)."""
    network = members.architecture
    assert isinstance(network, TowerNetwork)
    n, v = len(told), network.n_series
    steps, kernel = _steps(members, told)
    steps = steps.reshape(members.n_members, n, network.n_patches, PATCH * 3, v)
    kernel = kernel.reshape(members.n_members, PATCH * 3, v, WIDTH)
    # (M, V, n · N, inputs of one measurement) @ (M, V, inputs, WIDTH)
    by_series = steps.transpose(0, 4, 1, 2, 3).reshape(members.n_members, v, n * network.n_patches, PATCH * 3)
    found = by_series @ kernel.transpose(0, 2, 1, 3)
    found = found.reshape(members.n_members, v, n, network.n_patches * WIDTH)
    return np.ascontiguousarray(found.transpose(2, 0, 1, 3))
