"""Networks for coalitions: their forward pass begun with shares, and gone on with as the network itself does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from medcore.features import FeatureMaker, Rows
from medcore.models.coalitions.layers import Floats32, LayeredCoalitions
from medcore.models.coalitions.pairs import FirstSums
from medcore.models.contract.concurrency import side_by_side
from medcore.models.network.parts import LayeredArchitecture, mean_risk, unpack, unpack_tensors
from medcore.models.trainer.predict import TrainedNetworks

_CERTAIN = 30.0
"""Logits beyond are all the same."""
_ROUND = 16
"""A product of a width that this divides is faster."""


@dataclass(frozen=True, slots=True)
class AfterFirstKernel:
    """A network from the products with its first kernel (and its linear path) on; the mean over its members.

    Of a network of hazards these, in its first ``n_intervals``.
    """

    network: LayeredArchitecture
    width: int
    linear: bool
    n_intervals: int = 0

    @property
    def is_mean(self) -> bool:
        """Whether it gives the mean of what each member would give by itself: not where hazards are put together afterwards."""
        return not self.n_intervals

    def __call__(self, sums: Any, weights: Any) -> Any:
        """Map first sums (M, tile, H) to risks (tile, C)."""
        import tensorflow as tf

        straight = sums[:, :, self.width : self.width + self.network.n_scores] if self.linear else None
        logits = self.network.after_first(weights, sums[:, :, : self.width], straight, None)
        if self.n_intervals:
            return _mean_hazards(logits, self.n_intervals, self.network.n_causes)
        return tf.reduce_mean(mean_risk(logits, self.network), 0)


def _mean_hazards(logits: Any, n_intervals: int, n_causes: int) -> Any:
    """Return the mean hazards (tile, J · C) in the first J intervals of logits (M, tile, S, all of them · C).

    As :func:`~medcore.models.network.parts.hazards_of` has them, cause by cause: a softmax along the last axis, of two
    or three, cannot be computed several at a time.
    """
    import tensorflow as tf

    by_cause = [logits[..., cause : n_intervals * n_causes : n_causes] for cause in range(n_causes)]
    if n_causes == 1:
        hazards = [tf.sigmoid(by_cause[0])]
    else:
        odds = [tf.exp(tf.clip_by_value(each, -_CERTAIN, _CERTAIN)) for each in by_cause]
        total = 1.0 + tf.add_n(odds)
        hazards = [each / total for each in odds]
    each = tf.stack([tf.reduce_mean(hazard, (0, 2)) for hazard in hazards], -1)
    return tf.reshape(each, (each.shape[0], n_intervals * n_causes))


def network_coalitions(makers: Sequence[FeatureMaker], networks: Sequence[TrainedNetworks]) -> LayeredCoalitions | None:
    """Take networks of one shape apart, all members together; None where their shapes differ.

    ``networks[i]`` reads the matrix of ``makers[i]``.
    """
    if len({(n.architecture, n.n_members) for n in networks}) > 1:
        return None
    network = layered(networks[0])
    named = [unpack_tensors(network.parts, n.weights) for n in networks]
    kernels, width = first_kernels(networks)
    linear = "linear" in named[0]
    later = [part.name for part in network.parts if part.name not in network.first_parts]
    shares = [partial(table_shares, *three) for three in zip(makers, networks, kernels, strict=True)]
    return LayeredCoalitions(
        lambda rows: np.concatenate([of(rows) for of in shares], axis=1),
        np.zeros((sum(n.n_members for n in networks), kernels[0].shape[2]), np.float32),
        {name: np.concatenate([weights[name].numpy() for weights in named]) for name in later},
        AfterFirstKernel(network, width, linear),
        len(makers[0].blocks_),
        network.n_submodels,
        (table_sums(makers, networks, kernels),),
    )


def layered(networks: TrainedNetworks) -> LayeredArchitecture:
    """Return what networks that can be taken apart are."""
    return cast("LayeredArchitecture", networks.architecture)


def first_kernels(networks: Sequence[TrainedNetworks]) -> tuple[list[Floats32], int]:
    """Return the first kernels of networks of one shape, (M, D, H) each, their linear paths behind; and the width without these."""
    kernels, width = [], 0
    for members in networks:
        network = layered(members)
        weights = unpack_tensors(network.parts, members.weights)
        kernel = network.first_kernel(weights).numpy()
        width = kernel.shape[2]
        kernel = _with_linear(kernel, weights["linear"].numpy()) if "linear" in weights else kernel
        kernels.append(np.pad(kernel, ((0, 0), (0, 0), (0, -kernel.shape[2] % _ROUND))))
    return kernels, width


def _with_linear(first: Floats32, linear: Floats32) -> Floats32:
    return np.concatenate([first, linear], axis=2)


def table_sums(
    makers: Sequence[FeatureMaker], networks: Sequence[TrainedNetworks], kernels: Sequence[Floats32]
) -> FirstSums:
    """Return the first sums of the networks of all makers, which read their own matrices, as one product."""
    pairs, kernel = list(zip(makers, networks, strict=True)), np.concatenate(kernels)
    owners = np.concatenate([_owners(maker, members) for maker, members in pairs])
    each = [(of, member) for of, members in enumerate(networks) for member in range(members.n_members)]

    def alone(rows: Rows, place: int) -> list[Floats32]:
        blocks = side_by_side([partial(maker.block, rows, place) for maker in makers])

        def share(at: int, of: int, member: int) -> Floats32:
            inputs = _inputs_of_block(*pairs[of], member, blocks[of], place)
            found: Floats32 = inputs @ kernel[at][owners[at] == place]
            return found

        return side_by_side([partial(share, at, *which) for at, which in enumerate(each)])

    return FirstSums(
        lambda rows: np.concatenate([_inputs(maker, members, rows) for maker, members in pairs])[:, :, None],
        kernel,
        owners[:, None],
        alone,
    )


def _inputs_of_block(
    maker: FeatureMaker, networks: TrainedNetworks, member: int, block: Floats32, place: int
) -> Floats32:
    """Return what the first kernel of one network is multiplied with of the column at ``place``, whose ``block`` (n, F) is written."""
    network, where = layered(networks), maker.blocks_[place]
    narrow, fixed = network.narrowed(unpack(network.fixed, networks.fixed[member]), np.arange(where.start, where.stop))
    inputs = narrow.inputs({name: array[None] for name, array in fixed.items()}, block[None])
    own: Floats32 = np.asarray(inputs)[0]
    return own


def _inputs(maker: FeatureMaker, networks: TrainedNetworks, rows: Rows) -> Floats32:
    """Return what the first kernels of the networks of one maker are multiplied with, (M, n, D)."""
    import tensorflow as tf

    network = layered(networks)
    matrix = np.zeros((len(rows), network.n_features), np.float32)
    matrix[:, : maker.n_columns_] = maker.transform(rows)
    fixed = unpack_tensors(network.fixed, networks.fixed)
    inputs: Floats32 = network.inputs(fixed, tf.repeat(matrix[None], networks.n_members, axis=0)).numpy()
    return inputs


def _owners(maker: FeatureMaker, networks: TrainedNetworks) -> NDArray[np.int32]:
    """Say of the inputs of each network (M, D) which predictor each is made of, −1 of padding."""
    network = layered(networks)
    columns = np.full(network.n_features, -1, np.intp)
    for place, block in enumerate(maker.blocks_):
        columns[block] = place
    fixed = [unpack(network.fixed, one) for one in networks.fixed]
    return np.stack([network.owners(own, columns) for own in fixed]).astype(np.int32)


def table_shares(maker: FeatureMaker, networks: TrainedNetworks, kernels: Floats32, rows: Rows) -> Floats32:
    """Return each column's share in the first sums of the networks of one maker, (n, M, P, H)."""
    inputs, owners = _inputs(maker, networks, rows), _owners(maker, networks)
    shares = np.zeros((len(rows), networks.n_members, len(maker.blocks_), kernels.shape[2]), np.float32)
    for m in range(networks.n_members):
        for place in range(len(maker.blocks_)):
            own = np.flatnonzero(owners[m] == place)
            shares[:, m, place] = inputs[m][:, own] @ kernels[m][own]
    return shares
