"""Parts that begin with sums over the columns: networks, the kernel part, logistic regression.

What the first layer makes of a mixed row is a sum over the columns, so each column's
share in it is worked out once for the patient and once for every background row. A
mixed row is then only a row of zeros and ones, and its first layer one small product.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.features import FeatureMaker, Rows
from medcore.models.coalitions.rest import Dense, Rest, Scores, Table, Waves
from medcore.models.coalitions.tiles import SLOTS, Tiles
from medcore.models.contract.task import Indices, Part, Risk
from medcore.models.learners.kernel import KernelPart, clipped
from medcore.models.learners.logistic import LogisticPart
from medcore.models.learners.networks import NetworkPart
from medcore.models.network.parts import unpack
from medcore.models.network.seed import DenseNetwork
from medcore.models.network.table import TableNetwork
from medcore.models.trainer.predict import TrainedNetworks

Floats32 = NDArray[np.float32]
Shares = Callable[[Rows], Floats32]


@dataclass(frozen=True, slots=True)
class Layered:
    """A part as first sums and the rest; M members, P columns, H sums.

    ``shares`` maps rows (n, P) to each column's share in the sums, (n, M, P, H);
    the sums begin at ``start``, (M, H).
    """

    shares: Shares = field(repr=False)
    start: Floats32 = field(repr=False)
    weights: tuple[Floats32, ...] = field(repr=False)
    rest: Rest
    n_columns: int
    n_repeats: int = 1
    """How often the later weights are used for one row: once for every sub-model."""

    @property
    def n_floats(self) -> int:
        """Number of shares of one row."""
        return int(self.start.size * self.n_columns)

    @property
    def n_sums(self) -> int:
        """Multiplications for one mixed row, about."""
        return self.n_floats + self.n_repeats * sum(w.size for w in self.weights)

    @classmethod
    def of(cls, part: Part) -> Layered | None:
        """Take a part apart; None where it does not begin with sums over the columns."""
        if isinstance(part, LogisticPart):
            return cls(
                partial(_matrix_shares, part.matrix, part.blocks, part.coefficients.astype(np.float32)),
                part.intercepts.astype(np.float32)[None],
                (),
                Scores(),
                len(part.maker.blocks_),
            )
        if isinstance(part, KernelPart):
            turns = np.float32(1 / (2 * np.pi))
            return cls(
                partial(_matrix_shares, _clipped(part.maker), part.maker.blocks_, part.directions * turns),
                (part.phases * turns)[None],
                (part.coefficients * np.float32(np.sqrt(2.0 / len(part.phases))), part.intercepts.astype(np.float32)),
                Waves(),
                len(part.maker.blocks_),
            )
        return _of_networks(part) if isinstance(part, NetworkPart) else None


def _matrix_shares(
    matrix_of: Callable[[Rows], NDArray[Any]], blocks: Sequence[slice | Indices], kernel: Floats32, rows: Rows
) -> Floats32:
    """Return each column's share in ``matrix @ kernel``, (n, 1, P, H)."""
    matrix = matrix_of(rows).astype(np.float32, copy=False)
    shares = np.zeros((len(rows), 1, len(blocks), kernel.shape[1]), np.float32)
    for place, block in enumerate(blocks):
        shares[:, 0, place] = matrix[:, block] @ kernel[block]
    return shares


def _clipped(maker: FeatureMaker) -> Callable[[Rows], Floats32]:
    return lambda rows: clipped(maker.transform(rows))


def _of_networks(part: NetworkPart) -> Layered | None:
    network = part.networks[0].architecture
    if len({(n.architecture, n.n_members) for n in part.networks}) > 1:
        return None
    if not isinstance(network, (DenseNetwork, TableNetwork)):
        return None
    members = [unpack(network.parts, weights) for n in part.networks for weights in n.weights]
    dense = isinstance(network, DenseNetwork)
    if isinstance(network, DenseNetwork):
        first, start = [m["kernel_0"] for m in members], [m["bias_0"] for m in members]
        later: list[str] = [p.name for p in network.parts[2:]]
        rest: Rest = Dense(network)
    else:
        taken = [_first_of_table(network, m) for m in members]
        first, start = [kernel for kernel, _ in taken], [begin for _, begin in taken]
        later = [p.name for p in network.parts if p.name not in _TAKEN and not (p.name in _LAST and not network.layers)]
        rest = Table(network)
    kernels, place = [], 0
    for networks in part.networks:
        kernels.append(np.stack(first[place : place + networks.n_members]))
        place += networks.n_members
    shares = [
        partial(_network_shares, maker, networks, kernel, dense=dense)
        for maker, networks, kernel in zip(part.makers, part.networks, kernels, strict=True)
    ]
    return Layered(
        lambda rows: np.concatenate([of(rows) for of in shares], axis=1),
        np.stack(start),
        tuple(np.stack([m[name] for m in members]) for name in later),
        rest,
        len(part.makers[0].blocks_),
        1 if isinstance(network, DenseNetwork) else network.n_submodels,
    )


_TAKEN = ("linear", "kernel_0", "scale_in_0", "scale_out_0", "bias_0")
_LAST = ("head", "bias")


def _first_of_table(network: TableNetwork, weights: dict[str, Floats32]) -> tuple[Floats32, Floats32]:
    """Return the first kernel of all sub-models with the linear path beside it (D, H), and where the sums start (H,)."""
    k, D = network.n_submodels, network.n_inputs
    if network.layers:
        kernel = weights["scale_in_0"].T[:, :, None] * weights["kernel_0"][:, None] * weights["scale_out_0"][None]
        start = weights["bias_0"]
    else:
        kernel, start = weights["head"].transpose(1, 0, 2), weights["bias"]
    straight = weights["linear"] if network.linear else np.zeros((D, network.n_outputs), np.float32)
    first = np.hstack([kernel.reshape(D, -1), straight])
    spare = -first.shape[1] % 16  # a product of a round width is faster
    begin = np.concatenate([start.reshape(-1), np.zeros(network.n_outputs + spare, np.float32)])
    assert len(start) == k
    return np.pad(first, ((0, 0), (0, spare))).astype(np.float32), begin.astype(np.float32)


def _network_shares(
    maker: FeatureMaker, networks: TrainedNetworks, kernels: Floats32, patients: Rows, *, dense: bool
) -> Floats32:
    """Return each column's share in the first layer of the networks of one maker, (n, M, P, H)."""
    matrix = maker.transform(patients)
    network = networks.architecture
    shares = np.zeros((len(patients), len(kernels), len(maker.blocks_), kernels.shape[2]), np.float32)
    for m, kernel in enumerate(kernels):
        inputs = matrix
        owners = np.repeat(np.arange(len(maker.blocks_)), [b.stop - b.start for b in maker.blocks_])
        rows = np.arange(matrix.shape[1])
        if not dense and isinstance(network, TableNetwork):
            fixed = unpack(network.fixed, networks.fixed[m])
            inputs = _inputs_of_table(network, fixed, matrix)
            cut = owners[fixed["column"].astype(int)] if network.n_bins else np.zeros(0, int)
            owners = np.concatenate([owners, np.repeat(cut, network.n_bins)])
            rows = np.concatenate([rows, np.arange(network.n_features, network.n_inputs)])
        for place in range(len(maker.blocks_)):
            mine = np.flatnonzero(owners == place)
            shares[:, m, place] = inputs[:, mine] @ kernel[rows[mine]]
    return shares


def _inputs_of_table(network: TableNetwork, fixed: Mapping[str, Floats32], matrix: Floats32) -> Floats32:
    """Return the clipped columns and their pieces, as the network makes them for itself."""
    if not network.n_bins:
        return clipped(matrix)
    pieces = (matrix[:, fixed["column"].astype(int), None] - fixed["low"]) * fixed["steep"]
    pieces = np.clip(pieces, 0.0, 1.0) - fixed["mean"]
    return np.hstack([clipped(matrix), pieces.reshape(len(matrix), -1)])


def prepare_layers(layers: Layered, rows: Rows, group_size: int, *, kept: bool) -> LayeredBackground:
    """Prepare a part for background rows (m, P), worked on in groups; ``kept`` keeps all groups in memory."""
    prepared = LayeredBackground(layers, rows, group_size, {}, _tensors(layers.weights))
    if kept:
        for group in range(-(-len(rows) // group_size)):
            prepared.groups[group] = prepared.work_out(group)
    return prepared


@dataclass(frozen=True, slots=True)
class LayeredBackground:
    """A part with the shares of the background rows, by group."""

    layers: Layered
    rows: Rows = field(repr=False)
    group_size: int
    groups: dict[int, tuple[Any, Any]] = field(repr=False)
    weights: Any = field(repr=False)

    def work_out(self, group: int) -> tuple[Any, Any]:
        """Return the shares (G, M, P, H) of a group's rows, and their whole first sums (G, M, H)."""
        rows = self.rows.take(slice(group * self.group_size, (group + 1) * self.group_size))
        shares = self.layers.shares(rows)
        whole = shares.sum(axis=2) + self.layers.start
        spare = self.group_size - len(rows)
        pad = [(0, spare), (0, 0), (0, 0)]
        shares, whole = _tensors((np.pad(shares, [*pad, (0, 0)]) if spare else shares, np.pad(whole, pad)))
        return shares, whole

    def group(self, number: int) -> tuple[Any, Any]:
        """Return what is known of a group."""
        return self.groups[number] if number in self.groups else self.work_out(number)

    def against(self, row: Rows, /) -> LayeredMixer:
        """Take in a patient (1, P)."""
        return LayeredMixer(self, _tensors((self.layers.shares(row)[0],))[0])


@dataclass(frozen=True, slots=True)
class LayeredMixer:
    """A part with the shares of the patient's columns, (M, P, H)."""

    background: LayeredBackground
    shares: Any = field(repr=False)

    def risk(self, tiles: Tiles, group: int, /) -> Risk:
        """Predict for the mixed rows of tiles of one group: (T · tile, K)."""
        known, layers = self.background, self.background.layers
        shares, whole = known.group(group)
        n, size, n_columns = tiles.masks.shape
        owner, masks = np.zeros(SLOTS, np.int32), np.zeros((SLOTS, size, n_columns), np.uint8)
        owner[:n], masks[:n] = tiles.owner - group * known.group_size, tiles.masks
        given = (self.shares, shares, whole, known.weights, *_tensors((owner, masks, np.int32(n))))
        shapes = (tuple(shares.shape), masks.shape, *(tuple(w.shape) for w in known.weights))
        answer = _program(layers.rest, shapes).of(given)(*given).numpy()
        risk: Risk = answer[:n].reshape(n * size, -1).astype(np.float64)
        return np.column_stack([1.0 - risk[:, 0], risk[:, 0]]) if risk.shape[1] == 1 else risk


def _tensors(arrays: tuple[Any, ...]) -> Any:
    import tensorflow as tf

    return tuple(tf.constant(array) for array in arrays)


@dataclass(slots=True)
class _Program:
    """A program and, after its first call, what TensorFlow made of it: to be called without being matched each time."""

    whole: Any
    concrete: Callable[..., Any] | None = None

    def of(self, given: tuple[Any, ...]) -> Callable[..., Any]:
        """Return the program for arguments of the shapes of ``given``."""
        if self.concrete is None:
            self.concrete = self.whole.get_concrete_function(*given)
        return self.concrete


@lru_cache(maxsize=64)
def _program(rest: Rest, shapes: Hashable) -> _Program:  # noqa: ARG001 - one program for each
    """Return the program tiles of masks (T, tile, P) → risks (T, tile, C), compiled at its first call."""
    import tensorflow as tf

    def program(theirs: Any, shares: Any, whole: Any, weights: Any, owner: Any, masks: Any, n: Any) -> Any:
        slots = masks.shape[0]
        members = theirs.shape[0]

        def risk_of(i: Any) -> Any:
            mine = tf.gather(owner, i)  # an index in brackets would compile the program anew for every owner
            steps = theirs - tf.gather(shares, mine)
            mask = tf.repeat(tf.cast(tf.gather(masks, i), tf.float32)[None], members, axis=0)
            return rest(tf.matmul(mask, steps) + tf.gather(whole, mine)[:, None], weights)

        shape = risk_of(0).shape
        seen = tf.TensorArray(tf.float32, slots, element_shape=shape)
        body = lambda i, seen: (i + 1, seen.write(i, risk_of(i)))  # noqa: E731
        return tf.while_loop(lambda i, *_: i < n, body, (0, seen))[1].stack()

    return _Program(tf.function(program, jit_compile=True, autograph=False))
