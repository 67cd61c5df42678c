"""Parts that begin with sums: what each column would change about a coalition and its opposite, all columns at once.

A column's share in the first sums is small beside the whole where a table is wide, so that the slope of what comes
after tells what taking the column from the other patient would do, to the second order of the share: one pass back
through the part instead of one composite row for every column. A coalition and its opposite change a column from both
ends, so that in their mean the second order falls out. Their first sums together are those of the patient and of the
background row, so that the opposite needs no product of its own, neither forth nor back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from medcore.features import Rows
from medcore.models.coalitions.after_sums import AfterSums
from medcore.models.contract.task import Indices, Risk

AT_ONCE = 100
"""Composite rows of one call, for which the program is made."""


@dataclass(frozen=True, slots=True)
class FirstSums:
    """First sums as a product: what a part reads of rows, ``inputs`` (M, n, R, D), times its ``kernel`` (M, D, H).

    There are M members, and R places of the sums that share a kernel. ``owners`` (M, R, D) says of which column
    each input is, −1 of none.
    """

    inputs: Callable[[Rows], NDArray[Any]] = field(repr=False)
    kernel: NDArray[Any] = field(repr=False)
    owners: NDArray[np.int32] = field(repr=False)
    alone: Callable[[Rows, int], Sequence[NDArray[Any]]] | None = field(default=None, repr=False)
    """What the column at a place gives to the sums of rows, (n, R · H) a member, where that takes less than reading them whole."""

    def sums(self, read: NDArray[Any]) -> NDArray[Any]:
        """Return the sums (M, n, R · H) of what was read (M, n, R, D)."""
        members, n, _places, width = read.shape
        found: NDArray[Any] = (read.reshape(members, -1, width) @ self.kernel).reshape(members, n, -1)
        return found

    def step(self, apart: NDArray[Any], column: int) -> NDArray[Any]:
        """Return what a column adds to the sums (M, n, R · H) of rows that read ``apart`` (M, n, R, D) from others."""
        each = []
        for member, kernel in enumerate(self.kernel):
            inputs = np.flatnonzero((self.owners[member] == column).any(axis=0))
            each.append((apart[member][:, :, inputs] @ kernel[inputs]).reshape(apart.shape[1], -1))
        return np.stack(each)

    def but_for_one(self, rows: Rows, first: Indices, place: int) -> tuple[NDArray[Any], Sequence[NDArray[Any]] | None]:
        """Return what the sums of rows begin with that are, but for the column at ``place``, the rows ``first`` (k,) of them, (M, k, R · H).

        And what the column adds to those of all rows, (n, R · H) a member; None where it adds nothing.
        """
        begun = self.sums(self.inputs(rows.take(first)))
        if not (self.owners == place).any():
            return begun, None
        given = list(self.step(self.inputs(rows), place)) if self.alone is None else self.alone(rows, place)
        for sums, own in zip(begun, given, strict=True):
            sums -= own[first]
        return begun, given


def one_product(
    matrix_of: Callable[[Rows], NDArray[Any]],
    block_of: Callable[[Rows, int], NDArray[Any]],
    blocks: Sequence[slice | Indices],
    kernel: NDArray[Any],
) -> FirstSums:
    """Return ``matrix @ kernel`` as first sums; ``blocks`` says which columns of the matrix are whose, ``block_of`` writes those of one."""
    owners = np.full((1, 1, len(kernel)), -1, np.int32)
    for place, block in enumerate(blocks):
        owners[0, 0, block] = place
    return FirstSums(
        lambda rows: matrix_of(rows).astype(kernel.dtype)[None, :, None],
        kernel[None],
        owners,
        lambda rows, place: [block_of(rows, place).astype(kernel.dtype) @ kernel[blocks[place]]],
    )


@dataclass(frozen=True, slots=True)
class PairedLayers:
    """A part's first sums with what they read of the background rows (M, m, R, D), all as tensors."""

    after: AfterSums
    first: tuple[FirstSums, ...] = field(repr=False)
    products: tuple[tuple[Any, ...], ...] = field(repr=False)
    """Kernel, owners and what was read of the background rows, a product each."""
    start: Any = field(repr=False)
    whole: Any = field(repr=False)
    """The first sums of the background rows, (M, m, S), without the start."""
    weights: Any = field(repr=False)

    @classmethod
    def of(
        cls, after: AfterSums, first: tuple[FirstSums, ...], start: NDArray[Any], weights: Any, rows: Rows
    ) -> PairedLayers:
        """Read the background rows (m, P)."""
        import tensorflow as tf

        reads = [one.inputs(rows) for one in first]
        whole = np.concatenate([one.sums(read) for one, read in zip(first, reads, strict=True)], axis=2)
        products = tuple(
            tuple(map(tf.constant, (one.kernel, np.where(one.owners < 0, rows.shape[1], one.owners), read)))
            for one, read in zip(first, reads, strict=True)
        )
        return cls(after, first, products, tf.constant(start), tf.constant(whole), weights)

    def against(self, row: Rows) -> PairedPatient:
        """Take in a patient (1, P)."""
        import tensorflow as tf

        reads = [one.inputs(row) for one in self.first]
        own = np.concatenate([one.sums(read) for one, read in zip(self.first, reads, strict=True)], axis=2)
        return PairedPatient(self, tuple(map(tf.constant, reads)), self.whole + own, {})


@dataclass(frozen=True, slots=True)
class PairedPatient:
    """The first sums with what they read of a patient, ``own``, a tensor (M, 1, R, D) a product; ``kept`` are :meth:`steps`."""

    layers: PairedLayers
    own: tuple[Any, ...] = field(repr=False)
    both: Any = field(repr=False)
    """The first sums of the patient and of each background row together, (M, m, S)."""
    kept: dict[int, Any] = field(repr=False)

    def pairs(self, rows: Indices, present: NDArray[np.bool_]) -> LayeredPairs:
        """Ask about coalitions of background rows (n,) that have the columns ``present`` (n, P), and their opposites."""
        layers, n, spare = self.layers, len(rows), -len(rows) % AT_ONCE
        places = np.pad(rows, (0, spare)).astype(np.int32).reshape(-1, AT_ONCE)
        masks = np.pad(present, ((0, spare), (0, 1))).astype(layers.start.dtype.as_numpy_dtype)
        masks = masks.reshape(-1, AT_ONCE, masks.shape[1])
        shapes = (masks.shape[1:], *(tuple(z.shape) for _kernel, _owners, z in layers.products))
        programs = _programs(layers.after, (layers.start.dtype, shapes))
        kept, risks = [], []
        for place, mask in zip(places, masks, strict=True):
            given = (self.own, self.both, layers.products, layers.start, layers.weights)
            sums, risk = programs[0](place, mask, *given)
            kept.append((place, sums))
            risks.append(risk.numpy())
        found = np.concatenate(risks, axis=1)[:, :n].astype(np.float64)
        return LayeredPairs(self, kept, programs[1:], found, present)

    def steps(self, columns: Sequence[int]) -> list[Any]:
        """Return what each column adds to the first sums (M, m, S) where it is the patient's and not a background row's."""
        import tensorflow as tf

        new = [column for column in columns if column not in self.kept]
        if new:
            pairs = zip(self.own, self.layers.products, strict=True)
            apart = [own.numpy() - others.numpy() for own, (_kernel, _owners, others) in pairs]
            for column in new:
                each = [one.step(a, column) for one, a in zip(self.layers.first, apart, strict=True)]
                self.kept[column] = tf.constant(np.concatenate(each, axis=2))
        return [self.kept[column] for column in columns]


@dataclass(frozen=True, slots=True)
class LayeredPairs:
    """Coalitions and their opposites that were asked about; ``found`` (2, n, C) are the part's answers."""

    of: PairedPatient = field(repr=False)
    kept: list[tuple[Any, Any]] = field(repr=False)
    programs: tuple[Callable[..., Any], ...] = field(repr=False)
    found: Risk = field(repr=False)
    present: NDArray[np.bool_] = field(repr=False)
    by_slopes: ClassVar[bool] = True

    @property
    def risk(self) -> Risk:
        """The risks of the coalitions and of their opposites, (2, n, K)."""
        return of_two(self.found)

    def changes(self, worth: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what having each column changes in each pair (n, P), by what a change of each risk is ``worth`` (2, n, K)."""
        n, n_columns = self.present.shape
        worth = worth[:, :, 1:] - worth[:, :, :1] if self.found.shape[2] == 1 else worth
        spare = len(self.kept) * AT_ONCE - n
        each = np.pad(worth, ((0, 0), (0, spare), (0, 0))).astype(self.of.layers.start.dtype.as_numpy_dtype)
        given = (self.of.own, self.of.layers.products, self.of.layers.weights)
        slopes = [
            self.programs[0](place, sums, each[:, i * AT_ONCE : (i + 1) * AT_ONCE], *given)
            for i, (place, sums) in enumerate(self.kept)
        ]
        return np.concatenate([slope.numpy()[:n_columns].T for slope in slopes])[:n].astype(np.float64) / 2

    def flipped(self, columns: Indices) -> Risk:
        """Return the risks with each of the ``columns`` (J,) taken from the other one: (2, n, J, K)."""
        n, spare = len(self.present), len(self.kept) * AT_ONCE - len(self.present)
        precision = self.of.layers.start.dtype.as_numpy_dtype
        found = []
        for column, steps in zip(columns, self.of.steps([int(column) for column in columns]), strict=True):
            gained = np.pad(np.where(self.present[:, column], -1, 1), (0, spare)).astype(precision)
            risks = [
                self.programs[1](
                    place, sums, steps, gained[i * AT_ONCE : (i + 1) * AT_ONCE], self.of.layers.weights
                ).numpy()
                for i, (place, sums) in enumerate(self.kept)
            ]
            found.append(np.concatenate(risks, axis=1)[:, :n].astype(np.float64))
        return of_two(np.stack(found, axis=2))


def of_two(risk: Risk) -> Risk:
    """Return risks (…, K): of two classes a part may give the second's alone."""
    return np.concatenate([1.0 - risk, risk], axis=-1) if risk.shape[-1] == 1 else risk


@lru_cache(maxsize=16)
def _programs(after: AfterSums, kind: tuple[Any, tuple[Any, ...]]) -> tuple[Callable[..., Any], ...]:
    """Return three programs, made for each kind of sums: forth, back and flip.

    Forth: columns present (n, P + 1) → first sums (2, M, n, S) of coalitions and opposites, and risks (2, n, C).
    Back: these sums, and what a change of each risk is worth → what having each column changes, summed over both, (P + 1, n).
    Flip: these sums, what one column adds to them, and whether the coalitions gain it (1) or lose it (−1) → risks (2, n, C).
    """
    import tensorflow as tf

    def forth(rows: Any, present: Any, own: Any, both: Any, products: Any, start: Any, weights: Any) -> tuple[Any, Any]:
        each = [_sums(rows, present, mine, *product) for mine, product in zip(own, products, strict=True)]
        sums = tf.concat(each, 2)
        sums = tf.stack([sums, tf.gather(both, rows, axis=1) - sums]) + start[:, None]
        return sums, tf.stack([after(one, weights) for one in tf.unstack(sums)])

    def back(rows: Any, sums: Any, worth: Any, own: Any, products: Any, weights: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(sums)
            risk = tf.stack([after(one, weights) for one in tf.unstack(sums)])
        slopes = tf.reduce_sum(tape.gradient(risk, sums, worth), 0)
        widths = [kernel.shape[2] * others.shape[2] for kernel, _owners, others in products]
        each = zip(tf.split(slopes, widths, axis=2), own, products, strict=True)
        return tf.add_n([_by_column(rows, slope, mine, *product) for slope, mine, product in each])

    def flip(rows: Any, sums: Any, steps: Any, gained: Any, weights: Any) -> Any:
        step = gained[:, None] * tf.gather(steps, rows, axis=1)
        return tf.stack([after(sums[0] + step, weights), after(sums[1] - step, weights)])

    n_columns = kind[1][0][1]

    def _by_column(rows: Any, slope: Any, mine: Any, kernel: Any, owners: Any, others: Any) -> Any:
        apart = mine - tf.gather(others, rows, axis=1)
        members, n, places, width = apart.shape
        slope = tf.reshape(slope, (members, n * places, kernel.shape[2]))
        each = tf.reshape(tf.matmul(slope, kernel, transpose_b=True), apart.shape) * apart
        each = tf.reshape(tf.transpose(each, (0, 2, 3, 1)), (members * places * width, n))
        return tf.math.unsorted_segment_sum(each, tf.reshape(owners, [-1]), n_columns)

    # What comes after the sums is compiled, where it is all there is: by itself a product is as fast as it is.
    made = (tf.function(program, autograph=False, jit_compile=program is flip) for program in (forth, back, flip))
    return tuple(made)


def _sums(rows: Any, present: Any, own: Any, kernel: Any, owners: Any, others: Any) -> Any:
    """Return first sums (M, n, R · H) of inputs ``own`` where the columns are present, else of ``others`` (M, m, R, D)."""
    import tensorflow as tf

    other = tf.gather(others, rows, axis=1)
    members, n, places, width = other.shape
    there = tf.transpose(tf.gather(present, owners, axis=1), (1, 0, 2, 3))
    mixed = tf.reshape(other + there * (own - other), (members, n * places, width))
    return tf.reshape(tf.matmul(mixed, kernel), (members, n, -1))
