"""The models that a network must beat: prevalence and penalised logistic regression."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from medcore.features import Codes, FeatureMaker
from medcore.models.contract.task import Fitted, Indices, Pulse, Risk, Task, clean

PENALTIES = np.logspace(1.0, -3.5, 8)
"""Inverse penalties tried, weakest penalty first; features are scaled, so one grid fits all tables."""
ROWS_TO_CHOOSE_PENALTY = 10_000
"""Rows beyond which the penalty is chosen on a random part: it hardly matters there."""


@dataclass(frozen=True, slots=True)
class PrevalencePart:
    """Predicts for everybody how common each class was: what knowing nothing achieves."""

    kind: ClassVar[str] = "prevalence"
    shares: NDArray[np.float64]

    def risk(self, codes: Codes, /) -> Risk:
        """Return the same risks for every row."""
        return np.tile(self.shares, (len(codes), 1))

    def save(self, folder: Path, /) -> dict[str, Any]:  # noqa: ARG002
        """Return everything; nothing is large."""
        return {"shares": self.shares.tolist()}

    @classmethod
    def load(cls, folder: Path, data: Mapping[str, Any], /) -> Self:  # noqa: ARG003
        """Read what :meth:`save` wrote."""
        return cls(np.asarray(data["shares"], dtype=np.float64))


@dataclass(frozen=True, slots=True)
class LogisticPart:
    """Logistic regression on one maker's matrix; ``coefficients`` ``(F, K)``, ``intercepts`` ``(K,)``."""

    kind: ClassVar[str] = "logistic"
    maker: FeatureMaker
    coefficients: NDArray[np.float64]
    intercepts: NDArray[np.float64]
    inverse_penalty: float

    def risk(self, codes: Codes, /) -> Risk:
        """Predict, shape ``(n, K)``."""
        scores = self.maker.transform(codes) @ self.coefficients.astype(np.float32) + self.intercepts
        scores -= scores.max(axis=1, keepdims=True)
        odds = np.exp(scores)
        return clean(odds, len(self.intercepts))

    def save(self, folder: Path, /) -> dict[str, Any]:  # noqa: ARG002
        """Return everything; nothing is large."""
        return {
            "maker": self.maker.to_dict(),
            "coefficients": self.coefficients.tolist(),
            "intercepts": self.intercepts.tolist(),
            "inverse_penalty": self.inverse_penalty,
        }

    @classmethod
    def load(cls, folder: Path, data: Mapping[str, Any], /) -> Self:  # noqa: ARG003
        """Read what :meth:`save` wrote."""
        maker = FeatureMaker.from_dict(data["maker"])
        coefficients = np.asarray(data["coefficients"], dtype=np.float64).reshape(maker.n_columns_, -1)
        return cls(maker, coefficients, np.asarray(data["intercepts"], dtype=np.float64), data["inverse_penalty"])


def fit_prevalence(task: Task, pulse: Pulse) -> Fitted:
    """Fit the share of each class, in each fold and on all rows."""
    oof = np.empty((task.n, task.n_classes))
    for fold in range(task.n_folds):
        oof[task.held_out(fold)] = _shares(task.outcome[task.training(fold)], task.n_classes)
    pulse.tell("folds", 1.0)
    return Fitted(clean(oof, task.n_classes), PrevalencePart(_shares(task.outcome, task.n_classes)))


def fit_logistic(task: Task, pulse: Pulse) -> Fitted:
    """Fit ridge logistic regression; the penalty of a fold is the one that serves the other folds best."""
    penalties = np.array([task.tuned["inverse_penalty"]]) if task.tuned else PENALTIES
    losses = np.zeros((task.n_folds, len(penalties)))
    paths: list[list[LogisticPart]] = []
    for fold in range(task.n_folds):
        held = task.held_out(fold)
        paths.append(_fit_path(task, _rows_to_choose(task, task.training(fold)), penalties))
        losses[fold] = [total_loss(part.risk(task.codes[held]), task.outcome[held]) for part in paths[-1]]
        pulse.tell("folds", 0.8 * (fold + 1) / task.n_folds)
    chosen, best = choices(losses)
    oof = np.empty((task.n, task.n_classes))
    for fold in range(task.n_folds):
        rows, held = task.training(fold), task.held_out(fold)
        part = paths[fold][chosen[fold]]
        if len(rows) > ROWS_TO_CHOOSE_PENALTY:
            part = _fit_path(task, rows, penalties[[chosen[fold]]])[0]
        oof[held] = part.risk(task.codes[held])
    final = _fit_path(task, np.arange(task.n), penalties[[best]])[0]
    pulse.tell("final", 1.0)
    return Fitted(oof, final)


def choices(losses: NDArray[np.float64]) -> tuple[list[int], int]:
    """Choose among options by their loss, shape ``(folds, options)``: for each fold, and for the final model.

    A fold's own held-out rows have no say in what is chosen for it, so that its
    predictions stay honest.
    """
    total = losses.sum(axis=0)
    others = total - losses if len(losses) > 1 else losses
    return [int(i) for i in others.argmin(axis=1)], int(total.argmin())


def total_loss(risk: Risk, outcome: Indices) -> float:
    """Return the summed negative log of the risk given to what happened."""
    return float(-np.log(np.clip(risk[np.arange(len(outcome)), outcome], 1e-7, 1.0)).sum())


def _shares(outcome: Indices, n_classes: int) -> NDArray[np.float64]:
    counts = np.bincount(outcome, minlength=n_classes) + 0.5  # Jeffreys: no class is impossible
    return np.asarray(counts / counts.sum())


def _rows_to_choose(task: Task, rows: Indices) -> Indices:
    if len(rows) <= ROWS_TO_CHOOSE_PENALTY:
        return rows
    chosen = np.random.default_rng(task.settings.seed).choice(rows, ROWS_TO_CHOOSE_PENALTY, replace=False)
    return np.asarray(np.sort(chosen))


def _fit_path(task: Task, rows: Indices, penalties: NDArray[np.float64]) -> list[LogisticPart]:
    """Fit one model for each inverse penalty, each starting from the one before."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    codes, outcome = task.codes[rows], task.outcome[rows]
    scaling = task.tuned.get("scaling", "standard")
    maker = FeatureMaker(task.kinds, task.n_categories, scaling=scaling).fit(codes, layout=task.layout)
    present = np.unique(outcome)
    if maker.n_columns_ == 0 or len(present) < 2:
        intercepts = np.log(_shares(outcome, task.n_classes))
        return [
            LogisticPart(maker, np.zeros((maker.n_columns_, task.n_classes)), intercepts, float(c)) for c in penalties
        ]
    matrix = maker.transform(codes).astype(np.float64)
    small = maker.n_columns_ * (1 if len(present) == 2 else len(present)) <= 400 and len(rows) > maker.n_columns_
    model = LogisticRegression(
        solver="newton-cholesky" if small else "lbfgs", warm_start=True, max_iter=100 if small else 400, tol=1e-4
    )
    parts = []
    for inverse in penalties[::-1]:  # strong penalties first: the easiest start for the next
        model.set_params(C=float(inverse))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(matrix, outcome, sample_weight=task.weights(rows))
        parts.append(_part(model, maker, present, task.n_classes, float(inverse)))
    return parts[::-1]


def _part(model: Any, maker: FeatureMaker, present: Indices, n_classes: int, inverse: float) -> LogisticPart:
    coefficients, intercepts = columns_and_intercepts(model, present, n_classes)
    return LogisticPart(maker, coefficients, intercepts, inverse)


def columns_and_intercepts(
    model: Any, present: Indices, n_classes: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a fitted logistic regression as coefficients ``(F, K)`` and intercepts ``(K,)`` of all classes."""
    coefficients = np.zeros((model.coef_.shape[1], n_classes))
    intercepts = np.full(n_classes, -30.0)  # a class that is not in these rows
    if len(present) == 2:
        coefficients[:, present[1]] = model.coef_[0]
        intercepts[present] = [0.0, float(model.intercept_[0])]
    else:
        coefficients[:, present] = model.coef_.T
        intercepts[present] = model.intercept_
    return coefficients, intercepts
