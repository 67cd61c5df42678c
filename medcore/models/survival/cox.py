"""Cox regression with a ridge penalty and splines: the simple model that all others must beat, one for each cause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from medcore.features import AnyRows, FeatureMaker, Rows
from medcore.i18n import N_
from medcore.models.coalitions.after_sums import HIGHEST_SCORE, AfterSums, CompetingHazards, CumulativeHazards
from medcore.models.coalitions.layers import LayeredCoalitions, Sums, column_shares
from medcore.models.contract.candidate import COX, Candidate
from medcore.models.contract.task import Fitted, Indices, ProgressReporter, Task
from medcore.models.contract.timed import Curves, TimedPart
from medcore.models.learners.fold_choice import choices
from medcore.models.learners.ridge import (
    MOST_COLUMNS_TO_BEND,
    PENALTIES,
    ROWS_TO_CHOOSE_PENALTY,
    STRAIGHT,
    TESTING_PENALTY,
    blocks_of,
    maker_for,
)
from medcore.models.learners.splines import Splines, possible_splines
from medcore.sealing import Folder
from medcore.statistics.cox import Cox, RiskSets, cox_loss, fit_cox, score_gains

Floats = NDArray[np.float64]
_CHUNK = 2_000_000
"""Numbers that are worked on at once where causes compete: rows times steps of the baselines."""


@dataclass(frozen=True, slots=True)
class CauseModel:
    """The hazard of one cause: ``baseline`` at a score of 0 (``coefficients`` (F + S,)), times exp(score)."""

    maker: FeatureMaker
    splines: Splines
    baseline: Cox
    inverse_penalty: float

    def matrix(self, rows: AnyRows) -> Floats:
        """Return what the coefficients are multiplied with, ``(n, F + S)``."""
        bent = self.splines.columns(Rows.of(rows).codes, self.maker.medians_)
        return np.hstack([self.maker.transform_exactly(rows), bent])

    def scores(self, rows: AnyRows) -> Floats:
        """Return log hazard ratios (n,) against a patient whose columns are all 0."""
        return np.asarray(np.clip(self.matrix(rows) @ self.baseline.coefficients, -HIGHEST_SCORE, HIGHEST_SCORE))

    def shares(self, rows: Rows) -> Sums:
        """Return each column's share in the score, ``(n, 1, P, 1)``."""
        blocks = blocks_of(self.maker, self.splines)
        return column_shares(self.matrix, blocks, self.baseline.coefficients[:, None], rows)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`from_dict` reads back."""
        return {
            "maker": self.maker.to_dict(),
            "splines": self.splines.to_dict(),
            "coefficients": self.baseline.coefficients.tolist(),
            "times": self.baseline.times.tolist(),
            "rises": self.baseline.rises.tolist(),
            "inverse_penalty": self.inverse_penalty,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> CauseModel:
        """Read what :meth:`to_dict` wrote."""
        numbers = (np.asarray(data[name], dtype=np.float64) for name in ("coefficients", "times", "rises"))
        maker, splines = FeatureMaker.from_dict(data["maker"]), Splines.from_dict(data["splines"])
        return cls(maker, splines, Cox(*numbers), float(data["inverse_penalty"]))


@dataclass(frozen=True, slots=True)
class CoxPart(TimedPart):
    """Cause-specific hazards, put together to cumulative incidences."""

    kind: ClassVar[str] = "cox"
    horizon: float
    causes: tuple[CauseModel, ...]

    def curve(self, rows: AnyRows, times: Floats, /) -> Curves:
        """Return each row's cumulative incidence of every cause by ``times``."""
        rows = Rows.of(rows)
        ratios = np.exp([cause.scores(rows) for cause in self.causes])
        if len(self.causes) == 1:
            hazard = self.causes[0].baseline.cumulative(times)
            return np.asarray(-np.expm1(-ratios[0][:, None] * hazard))[:, None]
        steps = np.unique(np.concatenate([c.baseline.times for c in self.causes]))
        rises = np.stack([on_steps(c.baseline, steps) for c in self.causes])
        size = max(1, _CHUNK // max(1, len(steps)))
        pieces = [incidences(ratios[:, i : i + size], rises, steps, times) for i in range(0, len(rows), size)]
        return np.concatenate(pieces) if pieces else np.empty((0, len(self.causes), len(times)))

    def coalitions(self) -> LayeredCoalitions:
        """Return how the regressions answer for coalitions: their scores are sums over the columns, in double precision as in :meth:`curve`."""
        after: AfterSums = CumulativeHazards() if len(self.causes) == 1 else CompetingHazards()
        return LayeredCoalitions(
            lambda rows: np.concatenate([cause.shares(rows) for cause in self.causes], axis=3),
            np.zeros((1, len(self.causes))),
            self._baselines(),
            after,
            len(self.causes[0].maker.blocks_),
        )

    def _baselines(self) -> dict[str, Floats]:
        """Return what the baselines have come to by the horizon."""
        if len(self.causes) == 1:
            hazard = self.causes[0].baseline.cumulative(np.array([self.horizon]))
            return {"hazard": hazard[None]}
        steps = np.unique(np.concatenate([c.baseline.times for c in self.causes]))
        rises = np.stack([on_steps(c.baseline, steps) for c in self.causes])
        return {"rises": rises[:, : max(1, np.searchsorted(steps, self.horizon, side="right"))]}

    def save(self, folder: Folder, /) -> dict[str, Any]:  # noqa: ARG002
        """Return everything; nothing is large."""
        return {"horizon": self.horizon, "causes": [cause.to_dict() for cause in self.causes]}

    @classmethod
    def load(cls, folder: Folder, data: Mapping[str, Any], /) -> Self:  # noqa: ARG003
        """Read what :meth:`save` wrote."""
        return cls(float(data["horizon"]), tuple(CauseModel.from_dict(cause) for cause in data["causes"]))


def on_steps(baseline: Cox, steps: Floats) -> Floats:
    """Write a baseline's rises on the steps of all causes."""
    rises = np.zeros(len(steps))
    rises[np.searchsorted(steps, baseline.times)] = baseline.rises
    return rises


def incidences(ratios: Floats, rises: Floats, steps: Floats, times: Floats) -> Curves:
    """Put hazards together: ``ratios`` (C, n), ``rises`` (C, U) at ``steps`` → cumulative incidences (n, C, T).

    At each step the share that leaves, 1 − exp(−Σ h), goes to the causes by their hazards h, so that all
    incidences and the share without an event sum to 1 (as R's ``survival`` has it for several states).
    """
    hazards = ratios[:, :, None] * rises[:, None]
    total = hazards.sum(axis=0)
    free = np.exp(-np.cumsum(total, axis=1))
    before = np.column_stack([np.ones(len(free)), free[:, :-1]])
    leaving = before * -np.expm1(-total)
    shares = np.divide(hazards, total, out=np.zeros_like(hazards), where=total > 0)
    by = np.cumsum(shares * leaving, axis=2).transpose(1, 0, 2)
    return np.concatenate([np.zeros((*by.shape[:2], 1)), by], axis=2)[:, :, np.searchsorted(steps, times, side="right")]


def fit_cox_regression(task: Task, reporter: ProgressReporter) -> Fitted:
    """Fit a Cox regression for each cause, straight or with restricted cubic splines for the predictors that bend.

    Penalty, and straight or bent, of a fold are what serves the other folds best, by the
    cross-validated partial likelihood (Verweij & van Houwelingen 1993).
    """
    assert task.by is not None
    n_causes = task.by.n_causes
    found = [
        _fit_cause(task, cause, reporter, (cause - 1) / n_causes, 1 / n_causes) for cause in range(1, n_causes + 1)
    ]
    curves = np.empty((task.n, n_causes, len(task.times)))
    oof = np.empty((task.n, task.n_classes))
    for fold in range(task.n_folds):
        held = task.held_out(fold)
        part = CoxPart(task.by.main, tuple(folds[fold] for folds, _final in found))
        rows = task.rows.take(held)
        curves[held], oof[held] = part.curve(rows, task.times), part.risk(rows)
    reporter.tell("final", 1.0)
    return Fitted(oof, CoxPart(task.by.main, tuple(final for _folds, final in found)), curves=curves)


def _fit_cause(
    task: Task, cause: int, reporter: ProgressReporter, begin: float, share: float
) -> tuple[list[CauseModel], CauseModel]:
    """Fit one cause's model in every fold, each by what serves the others best, and on all rows."""
    everybody = np.arange(task.n)
    some = _to_choose(task, everybody)
    losses = np.zeros((task.n_folds, 2 * len(PENALTIES)))
    paths: list[list[CauseModel]] = []
    for fold in range(task.n_folds):
        paths.append(_fit_both(task, _to_choose(task, task.training(fold)), cause, PENALTIES))
        losses[fold] = _cross_validated(task, some, some[task.folds[some] != fold], cause, paths[-1])
        reporter.tell("folds", begin + 0.8 * share * (fold + 1) / task.n_folds)
    chosen, best = choices(losses)
    folds = []
    for fold in range(task.n_folds):
        model, rows = paths[fold][chosen[fold]], task.training(fold)
        folds.append(_again(task, rows, cause, model) if len(rows) > ROWS_TO_CHOOSE_PENALTY else model)
    last, bends = PENALTIES[[best % len(PENALTIES)]], best >= len(PENALTIES)
    fit = _fit_both if bends else _fit_path
    return folds, fit(task, everybody, cause, last)[-1]


def _cross_validated(task: Task, rows: Indices, seen: Indices, cause: int, models: Sequence[CauseModel]) -> list[float]:
    """Return what the rows that a model has not seen add to its loss: that of all ``rows`` less that of those ``seen``."""
    everybody, trained = (_sets(task, some, cause) for some in (rows, seen))
    among = np.isin(rows, seen)
    scores = [model.scores(task.rows.take(rows)) for model in models]
    return [cox_loss(score, everybody) - cox_loss(score[among], trained) for score in scores]


def _sets(task: Task, rows: Indices, cause: int) -> RiskSets:
    return RiskSets.of(task.duration[rows], task.outcome[rows] == cause)


def _fit_path(
    task: Task, rows: Indices, cause: int, penalties: Floats, splines: Splines = STRAIGHT
) -> list[CauseModel]:
    """Fit one model for each inverse penalty, each starting from the one before, the strongest penalty first."""
    maker, own = maker_for(task, rows), task.rows.take(rows)
    matrix = np.hstack([maker.transform_exactly(own), splines.columns(own.codes, maker.medians_)])
    sets, event = _sets(task, rows, cause), task.outcome[rows] == cause
    models: list[CauseModel] = []
    for inverse in penalties[::-1]:
        start = models[-1].baseline.coefficients if models else None
        fitted = fit_cox(matrix, task.duration[rows], event, penalty=1.0 / float(inverse), start=start, sets=sets)
        models.append(CauseModel(maker, splines, fitted, float(inverse)))
    return models[::-1]


def _fit_both(task: Task, rows: Indices, cause: int, penalties: Floats) -> list[CauseModel]:
    """Fit straight models, one for each inverse penalty, and then as many with splines; where none pays the straight ones again."""
    straight = _fit_path(task, rows, cause, penalties)
    maker, own = straight[0].maker, task.rows.take(rows)
    possible = possible_splines(own.codes, maker)
    if not possible.places or maker.n_columns_ > MOST_COLUMNS_TO_BEND:
        return [*straight, *straight]
    judge = straight[int(np.argmin(np.abs(np.log(penalties / TESTING_PENALTY))))]
    places = np.unique(np.asarray(possible.places, dtype=np.int64))
    blocks = [possible.of(place) for place in places]
    gains = score_gains(
        judge.matrix(own), possible.columns(own.codes, maker.medians_), blocks, _sets(task, rows, cause), judge.baseline
    )
    splines = possible.only(places[gains > 2.0 * np.array([len(block) for block in blocks])])
    return [*straight, *(_fit_path(task, rows, cause, penalties, splines) if splines.places else straight)]


def _again(task: Task, rows: Indices, cause: int, model: CauseModel) -> CauseModel:
    """Fit on some rows with the penalty of another model, bending what it bends."""
    bends = np.unique(np.asarray(model.splines.places, dtype=np.int64))
    splines = possible_splines(task.codes[rows], maker_for(task, rows)).only(bends)
    return _fit_path(task, rows, cause, np.array([model.inverse_penalty]), splines)[0]


def _to_choose(task: Task, rows: Indices) -> Indices:
    if len(rows) <= ROWS_TO_CHOOSE_PENALTY:
        return rows
    chosen = np.random.default_rng(task.settings.seed).choice(rows, ROWS_TO_CHOOSE_PENALTY, replace=False)
    return np.asarray(np.sort(chosen))


CANDIDATES = (
    Candidate(
        name=COX,
        title=N_("Cox regression"),
        hint=N_(
            "The transparent standard for an event with its time: proportional hazards, with curves where they pay."
        ),
        order=20,
        menu=3,
        share=0.5,
        learner=fit_cox_regression,
        part=CoxPart,
        missing="filled",
        automatic=True,
    ),
)
