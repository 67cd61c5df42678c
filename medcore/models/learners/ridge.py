"""What logistic regression and proportional odds share: sums over a matrix and splines, and a ridge penalty."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from medcore.features import AnyRows, FeatureMaker, Rows
from medcore.models.contract.task import Fitted, Indices, Part, ProgressReporter, Task
from medcore.models.learners.fold_choice import choices, total_loss
from medcore.models.learners.splines import Splines, possible_splines, worth_bending
from medcore.sealing import Folder

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

Floats = NDArray[np.float64]
PENALTIES = np.logspace(1.0, -3.5, 8)
"""Inverse penalties tried, weakest penalty first; features are scaled, so one grid fits all tables."""
ROWS_TO_CHOOSE_PENALTY = 10_000
"""Rows beyond which the penalty is chosen on a random part: it hardly matters there."""
MOST_COLUMNS_TO_BEND = 400
"""Columns of the matrix beyond which no predictor bends: an equation of that length is read by nobody."""
TESTING_PENALTY = 0.5
"""About the inverse penalty of the straight model that the curves are tested against: enough to keep its risks finite."""
STRAIGHT = Splines()


@dataclass(frozen=True, slots=True)
class RidgePart(Part):
    """A model on one maker's matrix with splines beside it.

    ``coefficients`` ``(F + S, C)``, those of the splines last, one column a score;
    ``intercepts`` are of the scores, or thresholds. ``splines`` is None in models kept
    before there were any.
    """

    maker: FeatureMaker
    coefficients: Floats
    intercepts: Floats
    inverse_penalty: float
    splines: Splines | None = None

    @property
    def blocks(self) -> tuple[slice | Indices, ...]:
        """Which columns of the matrix are each predictor's."""
        return blocks_of(self.maker, self.splines)

    def matrix(self, rows: AnyRows) -> Floats:
        """Return what the coefficients are multiplied with, ``(n, F + S)``."""
        if self.splines is None:
            return self.maker.transform(rows).astype(np.float64)
        bent = self.splines.columns(Rows.of(rows).codes, self.maker.medians_)
        return np.hstack([self.maker.transform_exactly(rows), bent])

    def block(self, rows: Rows, place: int) -> Floats:
        """Return what of the matrix is the predictor's at ``place``, in the order of its :attr:`blocks`."""
        if self.splines is None:
            return self.maker.block(rows, place).astype(np.float64)
        bent = self.splines.only(np.array([place])).columns(rows.codes, self.maker.medians_)
        return np.hstack([self.maker.block(rows, place, np.float64), bent])

    def loss(self, task: Task, rows: Indices) -> float:
        """Return what the model loses on some rows of a task."""
        return total_loss(self.risk(task.rows.take(rows)), task.outcome[rows])

    def worth_bending(self, task: Task, rows: Indices, possible: Splines) -> Splines:
        """Keep the curves that would serve these training rows better than this straight model."""
        own = task.rows.take(rows)
        bent = possible.columns(own.codes, self.maker.medians_)
        return worth_bending(possible, bent, self.matrix(own), task.outcome[rows], self.risk(own))

    def save(self, folder: Folder, /) -> dict[str, Any]:  # noqa: ARG002
        """Return everything; nothing is large."""
        return {
            "maker": self.maker.to_dict(),
            "coefficients": self.coefficients.tolist(),
            "intercepts": self.intercepts.tolist(),
            "inverse_penalty": self.inverse_penalty,
        } | ({} if self.splines is None else {"splines": self.splines.to_dict()})

    @classmethod
    def load(cls, folder: Folder, data: Mapping[str, Any], /) -> Self:  # noqa: ARG003
        """Read what :meth:`save` wrote."""
        maker = FeatureMaker.from_dict(data["maker"])
        splines = Splines.from_dict(data["splines"]) if "splines" in data else None
        intercepts = np.asarray(data["intercepts"], dtype=np.float64)
        coefficients = np.asarray(data["coefficients"], dtype=np.float64).reshape(-1, cls.n_scores(len(intercepts)))
        return cls(maker, coefficients, intercepts, data["inverse_penalty"], splines)

    @staticmethod
    def n_scores(n_intercepts: int) -> int:
        """Return how many scores a model with so many intercepts adds up."""
        return n_intercepts


def blocks_of(maker: FeatureMaker, splines: Splines | None) -> tuple[slice | Indices, ...]:
    """Return which columns of a maker's matrix with splines beside it are each predictor's."""
    if splines is None or not splines.places:
        return maker.blocks_
    bent = [maker.n_columns_ + splines.of(place) for place in range(len(maker.kinds))]
    own = [np.arange(block.start, block.stop) for block in maker.blocks_]
    return tuple(np.concatenate(pair) for pair in zip(own, bent, strict=True))


P = TypeVar("P", bound=RidgePart)
FitPath = Callable[[Task, Indices, Floats, Splines], list[P]]
"""Fits one model for each inverse penalty on some rows, each starting from the one before."""


def fit_ridge(task: Task, reporter: ProgressReporter, path: FitPath[P]) -> Fitted:
    """Fit a ridge model, straight or with restricted cubic splines for the predictors that bend.

    Penalty, and straight or bent, of a fold are what serves the other folds best;
    which predictors bend is chosen from the fold's own training rows.
    """
    penalties = np.array([task.tuned["inverse_penalty"]]) if task.tuned else PENALTIES
    losses = np.zeros((task.n_folds, 2 * len(penalties)))
    paths: list[list[P]] = []
    for fold in range(task.n_folds):
        held = task.held_out(fold)
        paths.append(_fit_both(task, _rows_to_choose(task, task.training(fold)), penalties, path))
        losses[fold] = [part.loss(task, held) for part in paths[-1]]
        reporter.tell("folds", 0.8 * (fold + 1) / task.n_folds)
    chosen, best = choices(losses)
    oof = np.empty((task.n, task.n_classes))
    for fold in range(task.n_folds):
        rows, held = task.training(fold), task.held_out(fold)
        part = paths[fold][chosen[fold]]
        if len(rows) > ROWS_TO_CHOOSE_PENALTY:
            part = refit_ridge(task, rows, part, path)
        oof[held] = part.risk(task.rows.take(held))
    everybody = np.arange(task.n)
    last = penalties[[best % len(penalties)]]
    bends = best >= len(penalties)
    final = (_fit_both(task, everybody, last, path) if bends else path(task, everybody, last, STRAIGHT))[-1]
    reporter.tell("final", 1.0)
    return Fitted(oof, final)


def refit_ridge(task: Task, rows: Indices, part: P, path: FitPath[P]) -> P:
    """Fit on some rows with the penalty of another model, bending what it bends."""
    assert part.splines is not None
    bends = np.unique(np.asarray(part.splines.places, dtype=np.int64))
    splines = possible_splines(task.codes[rows], maker_for(task, rows)).only(bends)
    return path(task, rows, np.array([part.inverse_penalty]), splines)[0]


def maker_for(task: Task, rows: Indices) -> FeatureMaker:
    """Fit the maker of a model's matrix on some rows."""
    scaling = task.tuned.get("scaling", "standard")
    return FeatureMaker(task.kinds, scaling=scaling).fit(task.rows.take(rows), layout=task.layout)


def _rows_to_choose(task: Task, rows: Indices) -> Indices:
    if len(rows) <= ROWS_TO_CHOOSE_PENALTY:
        return rows
    chosen = np.random.default_rng(task.settings.seed).choice(rows, ROWS_TO_CHOOSE_PENALTY, replace=False)
    return np.asarray(np.sort(chosen))


def _fit_both(task: Task, rows: Indices, penalties: Floats, path: FitPath[P]) -> list[P]:
    """Fit straight models, one for each inverse penalty, and then as many with splines; where none pays the straight ones again."""
    straight = path(task, rows, penalties, STRAIGHT)
    maker = straight[0].maker
    possible = possible_splines(task.codes[rows], maker)
    if not possible.places or maker.n_columns_ > MOST_COLUMNS_TO_BEND:
        return [*straight, *straight]
    judge = straight[int(np.argmin(np.abs(np.log(penalties / TESTING_PENALTY))))]
    splines = judge.worth_bending(task, rows, possible)
    return [*straight, *(path(task, rows, penalties, splines) if splines.places else straight)]


def ridge_space() -> Mapping[str, BaseDistribution]:
    """Return what a search may change."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    return {
        "inverse_penalty": FloatDistribution(1e-4, 30.0, log=True),
        "scaling": CategoricalDistribution(("standard", "robust")),
    }
