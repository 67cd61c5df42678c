"""Parts that begin with sums over the columns: logistic regression, random Fourier features, networks.

What the first layer makes of a composite row is a sum over the columns, so each
column's share in it is worked out once for the patient and once for every background
row. A composite row is then only a row of zeros and ones, and its first layer one
small product.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.features import Rows
from medcore.models.coalitions.after_sums import AfterSums
from medcore.models.coalitions.apart import ModelPairs, Models, ModelsOfPatient, risk_of_sums, weights_of
from medcore.models.coalitions.pairs import FirstSums, LayeredPairs, PairedLayers, PairedPatient, of_two
from medcore.models.coalitions.tiles import SLOTS, Tiles
from medcore.models.contract.concurrency import side_by_side
from medcore.models.contract.task import Indices, Risk
from medcore.statistics.threads import one_blas_thread

Floats32 = NDArray[np.float32]
Sums = Floats32 | NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LayeredCoalitions:
    """A part as first sums and what comes after them; M members, P columns, H sums.

    ``shares`` maps rows (n, P) to each column's share in the sums, (n, M, P, H);
    the sums begin at ``start``, (M, H). ``weights`` are those of ``after``, by name. All are
    of one precision, in which everything is computed.
    """

    shares: Callable[[Rows], Sums] = field(repr=False)
    start: Sums = field(repr=False)
    weights: Mapping[str, Sums] = field(repr=False)
    after: AfterSums
    n_columns: int
    n_repeats: int = 1
    """How often the later weights are used for one row: once for every sub-model."""
    first: tuple[FirstSums, ...] = field(default=(), repr=False)
    """The same sums as products, side by side; where there are none, coalitions do not tell of all columns at once."""

    @property
    def n_floats(self) -> int:
        """Number of shares of one row."""
        return int(self.start.size * self.n_columns)

    @property
    def n_sums(self) -> int:
        """Multiplications for one composite row, about."""
        return self.n_floats + self.n_repeats * sum(w.size for w in self.weights.values())

    @property
    def can_pair(self) -> bool:
        """Whether its first sums are known as products."""
        return bool(self.first)

    def one_column(self, rows: Rows, first: Indices, group: Indices, place: int, /) -> Risk:
        """Predict for rows (n, P) that are, but for the column at ``place``, the row ``first[group]`` of them: (n, K)."""
        weights = dict(zip(self.weights, _tensors(tuple(self.weights.values())), strict=True))
        if not self.first:
            sums = self.shares(rows).sum(axis=2).transpose(1, 0, 2) + self.start[:, None]
            return of_two(self.after(_tensors((sums,))[0], weights).numpy().astype(np.float64))
        with one_blas_thread():  # a product a member: threads would wait for each other longer than they work
            each = [one.but_for_one(rows, first, place) for one in self.first]

        def sums_of(k: int) -> Sums:
            found = [base[k][group] if given is None else base[k][group] + given[k] for base, given in each]
            whole: Sums = (found[0] if len(found) == 1 else np.concatenate(found, axis=1)) + self.start[k]
            return whole

        n_models = len(self.start)
        if not self.n_models:
            sums = np.stack([sums_of(k) for k in range(n_models)])
            return of_two(self.after(_tensors((sums,))[0], weights).numpy().astype(np.float64))

        def risk(k: int) -> Risk:
            return risk_of_sums(self.after, sums_of(k), weights_of(weights, k, n_models))

        return np.asarray(np.mean(side_by_side([partial(risk, k) for k in range(n_models)]), axis=0))

    @property
    def n_models(self) -> int:
        """How many models it is the mean of, 0 where it is something else of several."""
        n_models = len(self.start)
        return n_models if n_models == 1 or getattr(self.after, "is_mean", False) else 0

    def prepare(self, rows: Rows, group_size: int, *, kept: bool) -> LayeredBackground:
        """Prepare background rows (m, P), worked on in groups; ``kept`` keeps all groups in memory."""
        names = sorted(self.weights)
        tensors = dict(zip(names, _tensors(tuple(self.weights[name] for name in names)), strict=True))
        prepared = LayeredBackground(self, rows, group_size, {}, tensors, [], [])
        if kept:
            for group in range(-(-len(rows) // group_size)):
                prepared.groups[group] = prepared.work_out(group)
        return prepared


def column_shares(
    matrix_of: Callable[[Rows], NDArray[Any]], blocks: Sequence[slice | Indices], kernel: NDArray[Any], rows: Rows
) -> NDArray[Any]:
    """Return each column's share in ``matrix @ kernel``, (n, 1, P, H); ``blocks`` says which of the matrix are whose."""
    matrix = matrix_of(rows).astype(kernel.dtype, copy=False)
    shares = np.zeros((len(rows), 1, len(blocks), kernel.shape[1]), kernel.dtype)
    for place, block in enumerate(blocks):
        shares[:, 0, place] = matrix[:, block] @ kernel[block]
    return shares


@dataclass(frozen=True, slots=True)
class LayeredBackground:
    """A part with the shares of the background rows, by group."""

    layers: LayeredCoalitions
    rows: Rows = field(repr=False)
    group_size: int
    groups: dict[int, tuple[Any, Any]] = field(repr=False)
    weights: Any = field(repr=False)
    products: list[PairedLayers] = field(repr=False)
    """The products of the first sums with these rows, once they are asked for."""
    each: list[Models]
    """The same of each model by itself."""

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

    def against(self, row: Rows, /) -> LayeredPatient:
        """Take in a patient (1, P)."""
        return LayeredPatient(self, row, {})

    def paired(self) -> PairedLayers:
        """Return the products of the first sums, which tell of all columns at once."""
        if not self.products:
            layers = self.layers
            self.products.append(PairedLayers.of(layers.after, layers.first, layers.start, self.weights, self.rows))
        return self.products[0]

    def models(self) -> Models:
        """Return the models by themselves, each with its products of the first sums."""
        if not self.each:
            layers = self.layers
            self.each.append(Models.of(layers.after, layers.first, layers.start, self.weights, self.rows))
        return self.each[0]


@dataclass(frozen=True, slots=True)
class LayeredPatient:
    """A part that knows a patient (1, P); ``kept`` is what it worked out of them when it was first asked."""

    background: LayeredBackground
    row: Rows = field(repr=False)
    kept: dict[str, Any] = field(repr=False)

    @property
    def shares(self) -> Any:
        """The shares of the patient's columns, (M, P, H)."""
        if "shares" not in self.kept:
            self.kept["shares"] = _tensors((self.background.layers.shares(self.row)[0],))[0]
        return self.kept["shares"]

    @property
    def can_pair(self) -> bool:
        """Whether its first sums are known as products."""
        return self.background.layers.can_pair

    @property
    def n_models(self) -> int:
        """How many models it is the mean of, 0 where it is something else of several."""
        return self.background.layers.n_models

    def apart(
        self, rows: Indices, present: NDArray[np.bool_], halves: NDArray[np.bool_], class_index: int, /
    ) -> ModelPairs:
        """Ask each model about the risk of a class at coalitions of its own (V, n, P)."""
        if "apart" not in self.kept:
            self.kept["apart"] = self.background.models().against(self.row)
        patient: ModelsOfPatient = self.kept["apart"]
        return patient.asked(rows, present, halves, class_index)

    def pairs(self, rows: Indices, present: NDArray[np.bool_], /) -> LayeredPairs:
        """Ask about coalitions and their opposites, with what having each column changes."""
        if "paired" not in self.kept:
            self.kept["paired"] = self.background.paired().against(self.row)
        paired: PairedPatient = self.kept["paired"]
        return paired.pairs(rows, present)

    def risk(self, tiles: Tiles, group: int, /) -> Risk:
        """Predict for the composite rows of tiles of one group: (T · tile, K)."""
        known, layers = self.background, self.background.layers
        shares, whole = known.group(group)
        n, size, n_columns = tiles.masks.shape
        owner, masks = np.zeros(SLOTS, np.int32), np.zeros((SLOTS, size, n_columns), np.uint8)
        owner[:n], masks[:n] = tiles.owner - group * known.group_size, tiles.masks
        given = (self.shares, shares, whole, known.weights, *_tensors((owner, masks, np.int32(n))))
        shapes = (tuple(shares.shape), masks.shape, *(tuple(w.shape) for w in known.weights.values()))
        answer = _program(layers.after, (shares.dtype, shapes)).of(given)(*given).numpy()
        return of_two(answer[:n].reshape(n * size, -1).astype(np.float64))


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
def _program(after: AfterSums, kind: Hashable) -> _Program:  # noqa: ARG001 - one program for each
    """Return the program tiles of masks (T, tile, P) → risks (T, tile, C), compiled at its first call."""
    import tensorflow as tf

    def program(theirs: Any, shares: Any, whole: Any, weights: Any, owner: Any, masks: Any, n: Any) -> Any:
        slots = masks.shape[0]
        members = theirs.shape[0]

        def risk_of(i: Any) -> Any:
            mine = tf.gather(owner, i)  # an index in brackets would compile the program anew for every owner
            steps = theirs - tf.gather(shares, mine)
            mask = tf.repeat(tf.cast(tf.gather(masks, i), steps.dtype)[None], members, axis=0)
            return after(tf.matmul(mask, steps) + tf.gather(whole, mine)[:, None], weights)

        shape = risk_of(0).shape
        seen = tf.TensorArray(theirs.dtype, slots, element_shape=shape)
        body = lambda i, seen: (i + 1, seen.write(i, risk_of(i)))  # noqa: E731
        return tf.while_loop(lambda i, *_: i < n, body, (0, seen))[1].stack()

    return _Program(tf.function(program, jit_compile=True, autograph=False))
