"""Parts that begin with sums, each of whose models is asked about coalitions of its own.

The Shapley values of a mean of models are the mean of theirs, so that nobody has to ask all of them about the same
coalitions: when each is asked about its own, as many products tell of as many times more. Model by model what is
worked on stays in the cache, and the cores work side by side.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from medcore.features import Rows
from medcore.models.coalitions.after_sums import AfterSums
from medcore.models.coalitions.pairs import FirstSums, of_two
from medcore.models.contract.concurrency import side_by_side
from medcore.models.contract.task import Indices, Risk

Numbers = NDArray[Any]
Floats = NDArray[np.float64]
AT_ONCE, MANY_AT_ONCE = 50, 400
"""Composite rows of one call, for which the program is made: pairs, and those of flipped columns."""
# TensorFlow counts tracings by the code, so that fifteen models look to it like one that is traced over and over.
logging.getLogger("tensorflow").addFilter(lambda record: "tf.function retracing" not in record.getMessage())
FLATTEST = 1e-6
"""Steepness of a half of the rows, in the mean: where they are flatter, slopes tell no direction."""


@dataclass(frozen=True, slots=True)
class ModelProduct:
    """The first sums of one model as a product, its inputs by column: ``kernel`` (D, H), ``owners`` (D,) rising.

    ``others`` (m, R, D) is what was read of the background rows, and ``order`` (D,) which of all inputs these are.
    """

    kernel: Numbers = field(repr=False)
    owners: NDArray[np.int32] = field(repr=False)
    others: Numbers = field(repr=False)
    order: Indices = field(repr=False)

    @classmethod
    def of(cls, kernel: Numbers, owners: NDArray[np.int32], others: Numbers) -> ModelProduct:
        """Order the inputs by column, whose they are at every place (R, D); those of none, or that nothing is made of, are left out."""
        if (owners != owners[0]).any():
            raise ValueError("an input is of one column at every place")
        order = np.argsort(owners[0], kind="stable")
        order = order[(owners[0][order] >= 0) & kernel[order].any(axis=1)]
        mine = np.ascontiguousarray(others[:, :, order])
        return cls(np.ascontiguousarray(kernel[order]), owners[0][order], mine, order)

    def add_by_column(self, each: Numbers, found: Numbers, rows: Any = slice(None)) -> None:
        """Add what is known of every input (k, R, D) to the columns of ``found`` (n, P), of some of its rows."""
        starts = np.flatnonzero(np.diff(self.owners, prepend=-1))
        if len(starts):
            whole = each[:, 0] if each.shape[1] == 1 else each.sum(axis=1)
            added = np.zeros((len(each), found.shape[1]), found.dtype)
            added[:, self.owners[starts]] = np.add.reduceat(whole, starts, axis=1)
            found[rows] += added


@dataclass(frozen=True, slots=True)
class Model:
    """One model of a part with the background rows: products, whole first sums (m, S) with the start, later weights, risks (m, K)."""

    products: tuple[ModelProduct, ...] = field(repr=False)
    whole: Numbers = field(repr=False)
    weights: Any = field(repr=False)
    risk: Risk = field(repr=False)


@dataclass(frozen=True, slots=True)
class Models:
    """The models of a part, each by itself; ``first`` says what is read of rows, ``start`` (M, S) where the sums begin."""

    after: AfterSums
    first: tuple[FirstSums, ...] = field(repr=False)
    start: Numbers = field(repr=False)
    each: tuple[Model, ...] = field(repr=False)

    @classmethod
    def of(cls, after: AfterSums, first: tuple[FirstSums, ...], start: Numbers, weights: Any, rows: Rows) -> Models:
        """Read the background rows (m, P)."""
        reads = [one.inputs(rows) for one in first]

        def made(k: int) -> Model:
            pairs = list(zip(first, reads, strict=True))
            products = tuple(ModelProduct.of(one.kernel[k], one.owners[k], read[k]) for one, read in pairs)
            whole = np.concatenate([_product(read[k], one.kernel[k]) for one, read in pairs], axis=1) + start[k]
            own = weights_of(weights, k, len(start))
            return Model(products, whole, own, risk_of_sums(after, whole, own))

        return cls(after, first, start, tuple(side_by_side([partial(made, k) for k in range(len(start))])))

    def against(self, row: Rows) -> ModelsOfPatient:
        """Take in a patient (1, P)."""
        reads = [one.inputs(row) for one in self.first]

        def known(k: int) -> ModelOfPatient:
            model, pairs = self.each[k], list(zip(self.first, reads, strict=True))
            own = np.concatenate([_product(read[k], one.kernel[k]) for one, read in pairs], axis=1)
            apart = tuple(read[k][:, :, p.order] - p.others for p, read in zip(model.products, reads, strict=True))
            risk = risk_of_sums(self.after, own + self.start[k], model.weights)
            return ModelOfPatient(self.after, model, apart, model.whole + own + self.start[k], risk)

        return ModelsOfPatient(tuple(side_by_side([partial(known, k) for k in range(len(self.each))])))


def _product(read: Numbers, kernel: Numbers) -> Numbers:
    """Return the sums (n, R · H) of what was read (n, R, D)."""
    n, places, width = read.shape
    return np.asarray((read.reshape(n * places, width) @ kernel).reshape(n, places * kernel.shape[1]))


@dataclass(frozen=True, slots=True)
class ModelOfPatient:
    """One model that knows a patient: how far its inputs are ``apart`` from those of the background rows (m, R, D), a product each.

    ``both`` (m, S) are the first sums of patient and background row together, ``risk`` (1, K) the patient's.
    """

    after: AfterSums
    model: Model = field(repr=False)
    apart: tuple[Numbers, ...] = field(repr=False)
    both: Numbers = field(repr=False)
    risk: Risk = field(repr=False)

    def told(
        self, rows: Indices, present: NDArray[np.bool_], halves: NDArray[np.bool_], class_index: int
    ) -> ToldByModel:
        """Ask about pairs of background rows (n,) that have the columns ``present`` (n, P)."""
        sums = self._sums(rows, present)
        outputs, slopes = _told(self.after, sums, self.model.weights, class_index)
        steep = (outputs * (1.0 - outputs)).mean(axis=0)
        changes, directions = (np.zeros(present.shape, np.float32) for _ in range(2))
        for product, own, each in self._by_inputs(rows, slopes.mean(axis=0)):
            for half in (halves, ~halves):
                if steep[~half].sum() > FLATTEST * len(rows):
                    told = (each[~half].sum(axis=0) / steep[~half].sum()).astype(own.dtype)
                    product.add_by_column(own[half] * told, directions, half)
            product.add_by_column(each * own, changes)
        return ToldByModel(self, rows, present, sums, outputs, slopes, changes, directions)

    def _by_inputs(self, rows: Indices, slopes: Numbers) -> Iterator[tuple[ModelProduct, Numbers, Numbers]]:
        """Yield each product with how far its inputs are apart, and their slopes, both (n, R, D), given those of the sums (n, S)."""
        at = 0
        for product, apart in zip(self.model.products, self.apart, strict=True):
            width, own = apart.shape[1] * product.kernel.shape[1], apart[rows]
            each = slopes[:, at : at + width].reshape(-1, product.kernel.shape[1]) @ product.kernel.T
            yield product, own, each.reshape(own.shape)
            at += width

    def _sums(self, rows: Indices, present: NDArray[np.bool_]) -> Numbers:
        """Return the first sums of coalitions and of their opposites, (2, n, S)."""
        sums, at = self.model.whole[rows], 0
        for product, apart in zip(self.model.products, self.apart, strict=True):
            mixed = apart[rows]
            mixed *= present[:, product.owners][:, None]
            found = _product(mixed, product.kernel)
            sums[:, at : at + found.shape[1]] += found
            at += found.shape[1]
        return np.stack([sums, self.both[rows] - sums])

    def step(self, column: int, rows: Indices) -> Numbers:
        """Return what a column adds to the first sums (n, S) where it is the patient's."""
        found = []
        for product, apart in zip(self.model.products, self.apart, strict=True):
            own = slice(*np.searchsorted(product.owners, [column, column + 1]))
            found.append(_product(apart[:, :, own][rows], product.kernel[own]))
        return np.concatenate(found, axis=1)


@dataclass(frozen=True, slots=True)
class ToldByModel:
    """What one model told of n pairs: first sums (2, n, S), risks of the class (2, n) and their slopes (2, n, S), changes and directions (n, P)."""

    of: ModelOfPatient = field(repr=False)
    rows: Indices = field(repr=False)
    present: NDArray[np.bool_] = field(repr=False)
    sums: Numbers = field(repr=False)
    outputs: Floats = field(repr=False)
    slopes: Numbers = field(repr=False)
    changes: Numbers = field(repr=False)
    directions: Numbers = field(repr=False)

    def weighed(self, worth: Floats) -> Numbers:
        """Return the changes (n, P) where those of coalitions and opposites are ``worth`` (2, n) as much."""
        slopes = np.einsum("sn,sne->ne", worth.astype(self.slopes.dtype), self.slopes) / 2
        found = np.zeros(self.present.shape, np.float32)
        for product, own, each in self.of._by_inputs(self.rows, slopes):
            product.add_by_column(each * own, found)
        return found

    def flipped(self, columns: Indices, class_index: int) -> Floats:
        """Return the risks of a class with each of the columns (J,) taken from the other one, (2, n, J)."""
        signs = np.where(self.present[:, columns], 1, -1).astype(self.sums.dtype)
        sums = np.empty((len(columns), *self.sums.shape), self.sums.dtype)
        for j, column in enumerate(columns):
            step = self.of.step(int(column), self.rows) * signs[:, j : j + 1]
            np.subtract(self.sums[0], step, out=sums[j, 0])
            np.add(self.sums[1], step, out=sums[j, 1])
        risk = risk_of_sums(self.of.after, sums.reshape(-1, sums.shape[3]), self.of.model.weights)[:, class_index]
        return np.moveaxis(risk.reshape(sums.shape[:3]), 0, -1)


@dataclass(frozen=True, slots=True)
class ModelsOfPatient:
    """The models of a part that know a patient."""

    each: tuple[ModelOfPatient, ...] = field(repr=False)

    def asked(
        self, rows: Indices, present: NDArray[np.bool_], halves: NDArray[np.bool_], class_index: int
    ) -> ModelPairs:
        """Ask about background rows (n,) that have the columns ``present`` (V, n, P): coalition v the model v modulo their number."""
        models = [self.each[v % len(self.each)] for v in range(len(present))]
        questions = [
            partial(model.told, rows, mask, halves, class_index) for model, mask in zip(models, present, strict=True)
        ]
        return ModelPairs(tuple(side_by_side(questions)), class_index)


@dataclass(frozen=True, slots=True)
class ModelPairs:
    """Pairs about which the models of a part were asked, each about its own."""

    told: tuple[ToldByModel, ...] = field(repr=False)
    class_index: int
    by_slopes: ClassVar[bool] = True

    @property
    def outputs(self) -> Floats:
        """The risks of the coalitions and of their opposites, (V, 2, n)."""
        return np.stack([one.outputs for one in self.told])

    @property
    def changes(self) -> Numbers:
        """What having each column changes by slopes, the mean of a pair (V, n, P)."""
        return np.stack([one.changes for one in self.told])

    @property
    def directions(self) -> Numbers:
        """How far each column moves the log odds, (V, n, P), by the slopes at the rows of the other half."""
        return np.stack([one.directions for one in self.told])

    @property
    def ends(self) -> Floats:
        """The risks of the patient and of the background rows, (V, 1 + n)."""
        risks = [np.concatenate([one.of.risk, one.of.model.risk[one.rows]]) for one in self.told]
        return np.stack(risks)[..., self.class_index]

    def weighed(self, worth: Floats) -> Numbers:
        """Return the changes (V, n, P) where those of coalitions and opposites are ``worth`` (2, n) as much."""
        return np.stack(side_by_side([partial(one.weighed, worth) for one in self.told]))

    def flipped(self, columns: Indices) -> Floats:
        """Return the risks with each of the columns (J,) taken from the other one, exactly: (V, 2, n, J)."""
        return np.stack(side_by_side([partial(one.flipped, columns, self.class_index) for one in self.told]))


def weights_of(weights: Any, k: int, n_models: int) -> Any:
    """Return the later weights of one of several models."""
    return weights if n_models == 1 else {name: array[k : k + 1] for name, array in weights.items()}


def risk_of_sums(after: AfterSums, sums: Numbers, weights: Any) -> Risk:
    """Return the risks (n, K) of first sums (n, S) of one model."""
    tell, n = _programs(after)[0], len(sums)
    size = MANY_AT_ONCE if n > AT_ONCE else AT_ONCE
    filled = np.pad(sums, ((0, -n % size), (0, 0)))[None]
    found = [tell(filled[:, i : i + size], weights).numpy() for i in range(0, n, size)]
    return of_two(np.concatenate(found)[:n].astype(np.float64))


def _told(after: AfterSums, sums: Numbers, weights: Any, class_index: int) -> tuple[Floats, Numbers]:
    """Return the risks (2, n) of a class at first sums (2, n, S) of one model, and their slopes (2, n, S)."""
    tell, n = _programs(after)[1], sums.shape[1]
    filled = np.pad(sums, ((0, 0), (0, -n % AT_ONCE), (0, 0)))[:, None]
    found = [tell(filled[:, :, i : i + AT_ONCE], weights, class_index) for i in range(0, n, AT_ONCE)]
    risk = np.concatenate([risk.numpy() for risk, _slopes in found], axis=1)[:, :n].astype(np.float64)
    return risk, np.concatenate([slopes.numpy() for _risk, slopes in found], axis=1)[:, :n]


@lru_cache(maxsize=16)
def _programs(after: AfterSums) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return two programs of one model.

    First sums (1, n, S) → risks (n, C). Those of coalitions and opposites (2, 1, n, S) → risks of a class (2, n), and their slopes (2, n, S).
    """
    import tensorflow as tf

    def risk_of(sums: Any, weights: Any) -> Any:
        return after(sums, weights)

    def tell(sums: Any, weights: Any, class_index: int) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            tape.watch(sums)
            risk = tf.stack([after(one, weights) for one in tf.unstack(sums)])
            of_two = risk[..., 0] if class_index else 1.0 - risk[..., 0]
            own = of_two if risk.shape[2] == 1 else risk[..., class_index]
        return own, tape.gradient(own, sums)[:, 0]

    made = (tf.function(program, autograph=False, jit_compile=True) for program in (risk_of, tell))
    one, other = made
    return one, other
