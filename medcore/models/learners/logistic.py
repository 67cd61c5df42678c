"""Logistic regression with a ridge penalty: the simple model that all others must beat."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from medcore.features import AnyRows, FeatureMaker, Rows
from medcore.i18n import N_
from medcore.models.coalitions.after_sums import Softmax
from medcore.models.coalitions.layers import LayeredCoalitions, column_shares
from medcore.models.contract.candidate import Candidate
from medcore.models.contract.task import Fitted, Indices, Part, ProgressReporter, Risk, Task, clean
from medcore.models.learners.fold_choice import choices, total_loss
from medcore.models.learners.prevalence import class_shares
from medcore.models.learners.splines import Splines, possible_splines, worth_bending

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

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
class LogisticPart(Part):
    """Logistic regression on one maker's matrix with splines beside it.

    ``coefficients`` ``(F + S, K)``, those of the splines last; ``intercepts`` ``(K,)``.
    ``splines`` is None in models kept before there were any: they are computed in
    float32, as they were. :func:`~medcore.models.learners.equation.equation_of` writes
    the model down, term by term.
    """

    kind: ClassVar[str] = "logistic"
    maker: FeatureMaker
    coefficients: NDArray[np.float64]
    intercepts: NDArray[np.float64]
    inverse_penalty: float
    splines: Splines | None = None

    @property
    def blocks(self) -> tuple[slice | Indices, ...]:
        """Which columns of the matrix are each predictor's."""
        if self.splines is None or not self.splines.places:
            return self.maker.blocks_
        bent = [self.maker.n_columns_ + self.splines.of(place) for place in range(len(self.maker.kinds))]
        own = [np.arange(block.start, block.stop) for block in self.maker.blocks_]
        return tuple(np.concatenate(pair) for pair in zip(own, bent, strict=True))

    def matrix(self, rows: AnyRows) -> NDArray[np.float64]:
        """Return what the coefficients are multiplied with, ``(n, F + S)``."""
        if self.splines is None:
            return self.maker.transform(rows).astype(np.float64)
        bent = self.splines.columns(Rows.of(rows).codes, self.maker.medians_)
        return np.hstack([self.maker.transform_exactly(rows), bent])

    def risk(self, rows: AnyRows, /) -> Risk:
        """Predict, shape ``(n, K)``."""
        if self.splines is None:
            scores = self.maker.transform(rows) @ self.coefficients.astype(np.float32) + self.intercepts
        else:
            scores = self.matrix(rows) @ self.coefficients + self.intercepts
        scores -= scores.max(axis=1, keepdims=True)
        odds = np.exp(scores)
        return clean(odds, len(self.intercepts))

    def coalitions(self) -> LayeredCoalitions:
        """Return how the regression answers for coalitions: its scores are sums over the columns."""
        shares = partial(column_shares, self.matrix, self.blocks, self.coefficients.astype(np.float32))
        start = self.intercepts.astype(np.float32)[None]
        return LayeredCoalitions(shares, start, {}, Softmax(), len(self.maker.blocks_))

    def save(self, folder: Path, /) -> dict[str, Any]:  # noqa: ARG002
        """Return everything; nothing is large."""
        return {
            "maker": self.maker.to_dict(),
            "coefficients": self.coefficients.tolist(),
            "intercepts": self.intercepts.tolist(),
            "inverse_penalty": self.inverse_penalty,
        } | ({} if self.splines is None else {"splines": self.splines.to_dict()})

    @classmethod
    def load(cls, folder: Path, data: Mapping[str, Any], /) -> Self:  # noqa: ARG003
        """Read what :meth:`save` wrote."""
        maker = FeatureMaker.from_dict(data["maker"])
        splines = Splines.from_dict(data["splines"]) if "splines" in data else None
        intercepts = np.asarray(data["intercepts"], dtype=np.float64)
        coefficients = np.asarray(data["coefficients"], dtype=np.float64).reshape(-1, len(intercepts))
        return cls(maker, coefficients, intercepts, data["inverse_penalty"], splines)


def fit_logistic(task: Task, reporter: ProgressReporter) -> Fitted:
    """Fit ridge logistic regression, straight or with restricted cubic splines for the predictors that bend.

    Penalty, and straight or bent, of a fold are what serves the other folds best;
    which predictors bend is chosen from the fold's own training rows.
    """
    penalties = np.array([task.tuned["inverse_penalty"]]) if task.tuned else PENALTIES
    losses = np.zeros((task.n_folds, 2 * len(penalties)))
    paths: list[list[LogisticPart]] = []
    for fold in range(task.n_folds):
        held = task.held_out(fold)
        paths.append(_fit_both(task, _rows_to_choose(task, task.training(fold)), penalties))
        losses[fold] = [total_loss(part.risk(task.rows.take(held)), task.outcome[held]) for part in paths[-1]]
        reporter.tell("folds", 0.8 * (fold + 1) / task.n_folds)
    chosen, best = choices(losses)
    oof = np.empty((task.n, task.n_classes))
    for fold in range(task.n_folds):
        rows, held = task.training(fold), task.held_out(fold)
        part = paths[fold][chosen[fold]]
        if len(rows) > ROWS_TO_CHOOSE_PENALTY:
            part = refit(task, rows, part)
        oof[held] = part.risk(task.rows.take(held))
    everybody = np.arange(task.n)
    bends = best >= len(penalties)
    final = (_fit_both if bends else _fit_path)(task, everybody, penalties[[best % len(penalties)]])[-1]
    reporter.tell("final", 1.0)
    return Fitted(oof, final)


def _rows_to_choose(task: Task, rows: Indices) -> Indices:
    if len(rows) <= ROWS_TO_CHOOSE_PENALTY:
        return rows
    chosen = np.random.default_rng(task.settings.seed).choice(rows, ROWS_TO_CHOOSE_PENALTY, replace=False)
    return np.asarray(np.sort(chosen))


def _fit_both(task: Task, rows: Indices, penalties: NDArray[np.float64]) -> list[LogisticPart]:
    """Fit straight models, one for each inverse penalty, and then as many with splines; where none pays the straight ones again."""
    straight = _fit_path(task, rows, penalties)
    maker, own = straight[0].maker, task.rows.take(rows)
    possible = possible_splines(own.codes, maker)
    if not possible.places or maker.n_columns_ > MOST_COLUMNS_TO_BEND:
        return [*straight, *straight]
    judge = straight[int(np.argmin(np.abs(np.log(penalties / TESTING_PENALTY))))]
    bent = possible.columns(own.codes, maker.medians_)
    splines = worth_bending(possible, bent, judge.matrix(own), task.outcome[rows], judge.risk(own))
    return [*straight, *(_fit_path(task, rows, penalties, splines) if splines.places else straight)]


def refit(task: Task, rows: Indices, part: LogisticPart) -> LogisticPart:
    """Fit on some rows with the penalty of another model, bending what it bends."""
    assert part.splines is not None
    bends = np.unique(np.asarray(part.splines.places, dtype=np.int64))
    maker = _maker(task, rows)
    splines = possible_splines(task.codes[rows], maker).only(bends)
    return _fit_path(task, rows, np.array([part.inverse_penalty]), splines)[0]


def _maker(task: Task, rows: Indices) -> FeatureMaker:
    scaling = task.tuned.get("scaling", "standard")
    return FeatureMaker(task.kinds, scaling=scaling).fit(task.rows.take(rows), layout=task.layout)


def _fit_path(
    task: Task, rows: Indices, penalties: NDArray[np.float64], splines: Splines = STRAIGHT
) -> list[LogisticPart]:
    """Fit one model for each inverse penalty, each starting from the one before."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    own, outcome, maker = task.rows.take(rows), task.outcome[rows], _maker(task, rows)
    present = np.unique(outcome)
    if maker.n_columns_ == 0 or len(present) < 2:
        zeros, intercepts = np.zeros((maker.n_columns_, task.n_classes)), np.log(class_shares(outcome, task.n_classes))
        return [LogisticPart(maker, zeros, intercepts, float(c), STRAIGHT) for c in penalties]
    matrix = np.hstack([maker.transform_exactly(own), splines.columns(own.codes, maker.medians_)])
    n_columns = matrix.shape[1]
    small = n_columns * (1 if len(present) == 2 else len(present)) <= 400 and len(rows) > n_columns
    model = LogisticRegression(
        solver="newton-cholesky" if small else "lbfgs", warm_start=True, max_iter=100 if small else 400, tol=1e-4
    )
    parts = []
    for inverse in penalties[::-1]:  # strong penalties first: the easiest start for the next
        model.set_params(C=float(inverse))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(matrix, outcome, sample_weight=task.weights(rows))
        parts.append(
            LogisticPart(maker, *columns_and_intercepts(model, present, task.n_classes), float(inverse), splines)
        )
    return parts[::-1]


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


def _space() -> Mapping[str, BaseDistribution]:
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    return {
        "inverse_penalty": FloatDistribution(1e-4, 30.0, log=True),
        "scaling": CategoricalDistribution(("standard", "robust")),
    }


CANDIDATES = (
    Candidate(
        name="logistic",
        title=N_("Logistic regression"),
        hint=N_("The transparent standard of clinical prediction."),
        order=20,
        menu=3,
        share=0.5,
        learner=fit_logistic,
        part=LogisticPart,
        space=_space,
        missing="filled",
        automatic=True,
        searched_by_auto=True,
    ),
)
