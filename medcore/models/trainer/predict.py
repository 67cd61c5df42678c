"""Trained networks as one compiled function from rows to risks."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from medcore.models.network.parts import (
    Architecture,
    Floats,
    LayeredArchitecture,
    mean_risk,
    pack,
    unpack,
    unpack_tensors,
)
from medcore.models.network.seed import DenseNetwork
from medcore.models.network.table import TableNetwork

Risk = NDArray[np.float64]
_TILE_ROWS = (1, 4, 16, 64, 256, 512)
"""Rows computed at a time, of which the hidden layers stay in the cache. Each size is a program to compile, half a
second or more, and computes at most four times the rows that are asked about, milliseconds. A row has the same last bit
in each; in 28 rows at once it had another."""
_TOGETHER = 64
"""Rows up to which the networks of all folds are asked in one call; with more of them a row had another last bit."""
_TILES = (1, 4, 16, 64)
"""Tiles in one call; of those that are left over none is computed."""


@dataclass(frozen=True, slots=True)
class TrainedNetworks:
    """Networks trained together, one a member, that predict as one or one by one.

    ``history`` maps ``loss``, ``val_loss``, ``auroc`` and ``val_auroc`` to arrays
    (epochs, M); ``best_epoch`` (M,) counts from 1, the epoch whose weights are kept.
    """

    architecture: Architecture
    weights: Floats = field(repr=False)  # (M, P)
    fixed: Floats = field(repr=False)  # (M, Q)
    n_features: int
    history: Mapping[str, NDArray[np.float64]] = field(default_factory=dict, repr=False)
    best_epoch: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64), repr=False)

    @property
    def n_members(self) -> int:
        """Number of networks."""
        return int(self.weights.shape[0])

    @property
    def n_classes(self) -> int:
        """Number of classes, K."""
        return max(2, self.architecture.n_outputs)

    def risk(self, features: Floats, *, members: Sequence[int] | None = None) -> Risk:
        """Return the mean risk (n, K) over all members, or over those chosen, for rows (n, F)."""
        return self._classes(self._run(features, members, mean=True))

    def member_risk(self, features: Floats, *, members: Sequence[int] | None = None) -> Risk:
        """Return each member's risk, (M, n, K), for rows (n, F)."""
        return self._classes(self._run(features, members, mean=False))

    def hazards(self, features: Floats) -> Risk:
        """Return the mean hazards (n, J, C) over all members, for rows (n, F)."""
        return self._hazards(self._run(features, None, mean=True))

    def numbers(self, features: Floats) -> NDArray[np.float64]:
        """Return the mean number (n,) over all members, for rows (n, F)."""
        return self._run(features, None, mean=True)[:, 0].astype(np.float64)

    def choose(self, members: Sequence[int]) -> TrainedNetworks:
        """Return only some members."""
        chosen = list(members)
        return TrainedNetworks(
            self.architecture,
            self.weights[chosen],
            self.fixed[chosen],
            self.n_features,
            {name: values[:, chosen] for name, values in self.history.items()},
            self.best_epoch[chosen] if len(self.best_epoch) else self.best_epoch,
        )

    def keras_models(self) -> list[Any]:
        """Return every member as an ordinary Keras model from (n, F) to (n, 1) or (n, K)."""
        network = cast("LayeredArchitecture", self.architecture)  # a tower is kept as arrays
        return [
            network.keras_model(unpack(self.architecture.parts, w), unpack(self.architecture.fixed, q), self.n_features)
            for w, q in zip(self.weights, self.fixed, strict=True)
        ]

    @classmethod
    def from_keras(cls, models: Iterable[Any]) -> TrainedNetworks:
        """Read back what :meth:`keras_models` made, for instance from ``.keras`` files; each is read before the next one."""
        read: list[tuple[Architecture, Floats, Floats, int]] = []
        for model in models:
            network: Any = TableNetwork if model.name == "network" else DenseNetwork
            architecture, weights, fixed = network.from_keras(model)
            packed = pack(architecture.parts, weights), pack(architecture.fixed, fixed)
            read.append((architecture, *packed, int(model.input_shape[-1])))
        _architectures, all_weights, all_fixed, _n_features = zip(*read, strict=True)
        return cls(read[0][0], np.stack(all_weights), np.stack(all_fixed), read[0][3])

    def _run(self, features: Floats, members: Sequence[int] | None, *, mean: bool) -> Floats:
        chosen = self if members is None else self.choose(members)
        told: Floats = _outputs([chosen], [features], mean=mean)[0]
        return told

    def _hazards(self, found: Floats) -> Risk:
        return found.astype(np.float64).reshape(len(found), -1, self.architecture.n_causes)

    def _classes(self, risk: Floats) -> Risk:
        each = risk.astype(np.float64)
        if self.architecture.n_outputs == 1:
            return np.concatenate([1.0 - each, each], axis=-1)
        total: Risk = each / each.sum(axis=-1, keepdims=True)
        return total


def mean_risk_of_all(networks: Sequence[TrainedNetworks], features: Sequence[Floats]) -> Risk:
    """Return the mean over some networks of their risks (n, K), each of its own matrix (n, F) of the same rows.

    What a call costs is most of what a few patients cost, so that those of one shape are one call for them.
    """
    risk: Risk = np.mean([networks[0]._classes(found) for found in _of_all(networks, features)], axis=0)
    return risk


def mean_hazards_of_all(networks: Sequence[TrainedNetworks], features: Sequence[Floats]) -> Risk:
    """Return the mean over some networks of their hazards (n, J, C), each of its own matrix (n, F) of the same rows."""
    hazards: Risk = np.mean([networks[0]._hazards(found) for found in _of_all(networks, features)], axis=0)
    return hazards


def mean_numbers_of_all(networks: Sequence[TrainedNetworks], features: Sequence[Floats]) -> NDArray[np.float64]:
    """Return the mean over some networks of their numbers (n,), each of its own matrix (n, F) of the same rows."""
    numbers: Risk = np.mean([found[:, 0].astype(np.float64) for found in _of_all(networks, features)], axis=0)
    return numbers


def _of_all(networks: Sequence[TrainedNetworks], features: Sequence[Floats]) -> list[Floats]:
    """Ask all in one call where the rows are few: of many the hidden layers of all would not stay in the cache together."""
    alike = len({(n.architecture, n.weights.shape) for n in networks}) == 1
    if alike and len(features[0]) <= _TOGETHER:
        return list(_outputs(networks, features, mean=True))
    return [_outputs([n], [f], mean=True)[0] for n, f in zip(networks, features, strict=True)]


def _outputs(networks: Sequence[TrainedNetworks], features: Sequence[Floats], *, mean: bool) -> Floats:
    """Return what networks of one shape (G of M members) say of their rows, (G, n, C) in the mean, else (G, M, n, C)."""
    architecture, members = networks[0].architecture, networks[0].n_members
    weights, fixed = (np.concatenate([getattr(n, name) for n in networks]) for name in ("weights", "fixed"))
    n, padded, outputs = len(features[0]), architecture.n_features, architecture.n_outputs
    risk = np.empty((len(networks), *(() if mean else (members,)), n, outputs), np.float32)
    step = _TILE_ROWS[-1] * _TILES[-1]
    for start in range(0, n, step):
        rows = min(step, n - start)
        tile = next((size for size in _TILE_ROWS if rows <= size), _TILE_ROWS[-1])
        tiles = -(-rows // tile)
        x = np.zeros((len(networks), next(size for size in _TILES if tiles <= size) * tile, padded), np.float32)
        for place, matrix in enumerate(features):
            x[place, :rows, : matrix.shape[1]] = matrix[start : start + rows]
        program = _predict_program(architecture, mean, (len(networks), members, x.shape[1], tile))
        answer = program(weights, fixed, x.reshape(len(networks), -1, tile, padded), np.int32(tiles)).numpy()
        risk[..., start : start + rows, :] = answer[..., :rows, :]
    return risk


def filled_in_turn(networks: Iterable[TrainedNetworks]) -> Iterator[Any]:
    """Yield each member of several networks as a Keras model, which the next may take over: building it is what takes time."""
    model, made_for = None, None
    for trained in networks:
        network = cast("LayeredArchitecture", trained.architecture)
        for w, q in zip(trained.weights, trained.fixed, strict=True):
            arrays = unpack(network.parts, w), unpack(network.fixed, q)
            if made_for == (network, trained.n_features):
                network.fill_keras(model, *arrays)
            else:
                model, made_for = network.keras_model(*arrays, trained.n_features), (network, trained.n_features)
            yield model


@lru_cache(maxsize=64)
def _predict_program(
    architecture: Architecture,
    mean: bool,
    shapes: Hashable,  # noqa: ARG001 - one program for each
) -> Callable[[Any, Any, Any, Any], Any]:
    """Return the program rows (G, T, tile, F) → risks (G, n, C) or (G, M, n, C), compiled at its first call."""
    import tensorflow as tf

    def program(weights: Any, fixed: Any, x: Any, tiles: Any) -> Any:
        groups, slots, tile, _ = x.shape
        members, outputs = weights.shape[0] // groups, architecture.n_outputs
        named, measured = unpack_tensors(architecture.parts, weights), unpack_tensors(architecture.fixed, fixed)
        shape = (groups, tile, outputs) if mean else (groups, members, tile, outputs)
        seen = tf.TensorArray(tf.float32, slots, element_shape=shape)

        def body(i: Any, seen: Any) -> Any:
            rows = tf.repeat(x[:, i], members, axis=0)
            risk = mean_risk(architecture.logits(named, measured, rows, None), architecture)
            risk = tf.reshape(risk, (groups, members, tile, outputs))
            return i + 1, seen.write(i, tf.reduce_mean(risk, 1) if mean else risk)

        _, seen = tf.while_loop(lambda i, *_: i < tiles, body, (0, seen))
        risks = seen.stack()  # (slots, …, tile, C)
        inner = risks.shape[1:-2]
        along = tf.transpose(risks, (*range(1, len(inner) + 1), 0, len(inner) + 1, len(inner) + 2))
        return tf.reshape(along, (*inner, slots * tile, outputs))

    compiled: Callable[[Any, Any, Any, Any], Any] = tf.function(program, jit_compile=True, autograph=False)
    return compiled
