"""Logistic regression on random features of a Gaussian kernel: patients alike have risks alike.

The features (Rahimi & Recht 2007, orthogonal as in Yu 2016) are drawn by the seed, so
that, unlike a support vector machine, the model keeps no row of any training patient.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from medcore.features import AnyRows, FeatureMaker, Rows
from medcore.i18n import N_
from medcore.models.coalitions.after_sums import CosineSoftmax
from medcore.models.coalitions.layers import LayeredCoalitions, column_shares
from medcore.models.coalitions.pairs import one_product
from medcore.models.contract.candidate import Candidate
from medcore.models.contract.task import Fitted, Indices, Part, ProgressReporter, Risk, Task, clean
from medcore.models.learners.fold_choice import choices, total_loss
from medcore.models.learners.logistic import columns_and_intercepts
from medcore.sealing import Folder, get_array, put_array
from medcore.statistics.threads import one_blas_thread

Floats = NDArray[np.float32]
MOST_ROWS = 10_000
"""Above, boosted trees and the network find what a kernel does, and cost less."""
_WIDTHS = (0.3, 1.0)
"""Inverse squared widths of the kernel, in units of the mean squared distance's inverse."""
_INVERSE_PENALTIES = (1.0, 10.0, 100.0)
_CLIP = 3.0
_TILE = 8192
_BLOCK = 64


@dataclass(frozen=True, slots=True)
class RandomFourierFeatures(Part):
    """Random features of one maker's matrix, ``directions`` ``(F, D)``, and what each counts, ``(D, K)``."""

    kind: ClassVar[str] = "kernel"
    row_by_row: ClassVar[bool] = True
    maker: FeatureMaker
    directions: Floats
    phases: Floats
    coefficients: Floats
    intercepts: NDArray[np.float64]

    def risk(self, rows: AnyRows, /) -> Risk:
        """Predict, shape ``(n, K)``."""
        rows = Rows.of(rows)
        scores = np.empty((len(rows), len(self.intercepts)))
        for start in range(0, len(rows), _TILE):
            matrix = _in_blocks(self._inputs(rows.take(slice(start, start + _TILE))))
            found = _waves(matrix, self.directions, self.phases) @ self.coefficients
            scores[start : start + _TILE] = found.reshape(-1, scores.shape[1])[: len(scores) - start]
        scores += self.intercepts
        scores -= scores.max(axis=1, keepdims=True)
        return clean(np.exp(scores), len(self.intercepts))

    def coalitions(self) -> LayeredCoalitions:
        """Return how the features answer for coalitions: their angles, here in turns, are sums over the columns."""
        turns = np.float32(1 / (2 * np.pi))
        shares = partial(column_shares, self._inputs, self.maker.blocks_, self.directions * turns)
        weights = {
            "coefficients": self.coefficients * np.float32(np.sqrt(2.0 / len(self.phases))),
            "intercepts": self.intercepts.astype(np.float32),
        }
        start = (self.phases * turns)[None]
        first = one_product(self._inputs, self._block, self.maker.blocks_, self.directions * turns)
        return LayeredCoalitions(shares, start, weights, CosineSoftmax(), len(self.maker.blocks_), first=(first,))

    def _inputs(self, rows: AnyRows) -> Floats:
        return clipped(self.maker.transform(rows))

    def _block(self, rows: Rows, place: int) -> Floats:
        return clipped(self.maker.block(rows, place))

    def save(self, folder: Folder, /) -> dict[str, Any]:
        """Write the arrays, which numpy reads without running code."""
        for name in ("directions", "phases", "coefficients"):
            put_array(folder / f"{name}.npy", getattr(self, name))
        return {"maker": self.maker.to_dict(), "intercepts": self.intercepts.tolist()}

    @classmethod
    def load(cls, folder: Folder, data: Mapping[str, Any], /) -> Self:
        """Read what :meth:`save` wrote."""
        names = ("directions", "phases", "coefficients")
        directions, phases, coefficients = (get_array(folder / f"{name}.npy") for name in names)
        intercepts = np.asarray(data["intercepts"], dtype=np.float64)
        return cls(FeatureMaker.from_dict(data["maker"]), directions, phases, coefficients, intercepts)


def fit_kernel(task: Task, reporter: ProgressReporter) -> Fitted:
    """Fit the regression; width and penalty of a fold are those that serve the other folds best."""
    with one_blas_thread():  # small products: threads would wait for each other longer than they work
        return _fit(task, reporter)


def _fit(task: Task, reporter: ProgressReporter) -> Fitted:
    options = [(width, inverse) for width in _WIDTHS for inverse in _INVERSE_PENALTIES]
    losses = np.zeros((task.n_folds, len(options)))
    parts: list[list[RandomFourierFeatures]] = []
    for fold in range(task.n_folds):
        held, rows = task.held_out(fold), task.training(fold)
        parts.append([part for width in _WIDTHS for part in _fit_path(task, rows, width, _INVERSE_PENALTIES)])
        losses[fold] = [total_loss(part.risk(task.rows.take(held)), task.outcome[held]) for part in parts[-1]]
        reporter.tell("folds", (fold + 1) / (task.n_folds + 1))
    chosen, best = choices(losses)
    oof = np.empty((task.n, task.n_classes))
    for fold in range(task.n_folds):
        held = task.held_out(fold)
        oof[held] = parts[fold][chosen[fold]].risk(task.rows.take(held))
    width, inverse = options[best]
    final = _fit_path(task, np.arange(task.n), width, (inverse,))[0]
    reporter.tell("final", 1.0)
    return Fitted(oof, final)


def _fit_path(task: Task, rows: Indices, width: float, inverses: tuple[float, ...]) -> list[RandomFourierFeatures]:
    from sklearn.linear_model import LogisticRegression

    maker = FeatureMaker(task.kinds).fit(task.rows.take(rows), layout=task.layout)
    matrix, outcome = clipped(maker.transform(task.rows.take(rows))), task.outcome[rows]
    # A mean squared distance of two patients is twice the summed variances.
    scale = np.sqrt(2.0 * width / max(float(matrix.var()) * matrix.shape[1], 1e-12)) if matrix.size else 1.0
    rng = np.random.default_rng([task.settings.seed, round(10 * width)])
    directions = (scale * _orthogonal(rng, matrix.shape[1], _n_features(task.n))).astype(np.float32)
    phases = rng.uniform(0.0, 2.0 * np.pi, directions.shape[1]).astype(np.float32)
    waves = _waves(matrix, directions, phases)
    present = np.unique(outcome)
    parts = []
    for inverse in inverses:
        if len(present) < 2 or not matrix.shape[1]:
            shares = (np.bincount(outcome, minlength=task.n_classes) + 0.5) / (len(outcome) + 0.5 * task.n_classes)
            flat = np.zeros((len(phases), task.n_classes), np.float32)
            parts.append(RandomFourierFeatures(maker, directions, phases, flat, np.log(shares)))
            continue
        model = LogisticRegression(C=inverse, max_iter=300, tol=1e-3)
        model.fit(waves, outcome, sample_weight=task.weights(rows))
        coefficients, intercepts = columns_and_intercepts(model, present, task.n_classes)
        parts.append(RandomFourierFeatures(maker, directions, phases, coefficients.astype(np.float32), intercepts))
    return parts


def _n_features(n_rows: int) -> int:
    return 1000 if n_rows <= 3_000 else 500


def _orthogonal(rng: np.random.Generator, n_columns: int, n_features: int) -> NDArray[np.float64]:
    """Draw directions ``(F, D)``, normal in length and at right angles within blocks: they cover more than free draws.

    With more columns than directions free draws are nearly at right angles by themselves.
    """
    if n_columns > n_features:
        return rng.normal(size=(n_columns, n_features))
    blocks: list[NDArray[np.float64]] = [np.empty((n_columns, 0))]
    n_blocks = -(-n_features // max(n_columns, 1))
    for _block in range(n_blocks if n_columns else 0):
        turned, _upper = np.linalg.qr(rng.normal(size=(n_columns, n_columns)))
        blocks.append(turned * np.sqrt(rng.chisquare(n_columns, n_columns)))
    drawn = np.hstack(blocks)
    return drawn[:, :n_features] if n_columns else np.zeros((0, n_features))


def clipped(matrix: Floats) -> Floats:
    """Draw far values near (Holzmüller et al. 2024): one strange laboratory value must not make a patient unlike all."""
    return np.asarray(matrix / np.sqrt(1.0 + (matrix / _CLIP) ** 2), dtype=np.float32)


def _in_blocks(matrix: Floats) -> Floats:
    """Return rows ``(n, F)`` as blocks ``(N, 64, F)``, the last filled up with zeros.

    Each block is a product of its own, of one shape: a patient's risk is the same to the last bit
    alone and among thousands, whose one large product the library would sum in another order.
    """
    filled = np.zeros((-(-len(matrix) // _BLOCK) * _BLOCK, matrix.shape[1]), dtype=np.float32)
    filled[: len(matrix)] = matrix
    return filled.reshape(-1, _BLOCK, matrix.shape[1])


def _waves(matrix: Floats, directions: Floats, phases: Floats) -> Floats:
    """Return the random features, ``(…, n, D)``."""
    return np.asarray(np.cos(matrix @ directions + phases) * np.float32(np.sqrt(2.0 / len(phases))), dtype=np.float32)


CANDIDATES = (
    Candidate(
        name="kernel",
        title=N_("Kernel logistic regression"),
        order=30,
        share=0.8,
        learner=fit_kernel,
        part=RandomFourierFeatures,
        missing="filled",
        automatic=True,
        most_rows=MOST_ROWS,
    ),
)
