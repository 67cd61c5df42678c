"""Learning curve: how well a model predicts when it learns from fewer patients, and whether more would help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from medcore.data.preparation.replay import Prepared
from medcore.data.splitting.split import Split
from medcore.evaluation import Estimate, evaluate
from medcore.evaluation.comparison.paired import log_loss_difference
from medcore.i18n import N_, Message
from medcore.models.contract.candidate import LOGISTIC, candidates
from medcore.models.contract.checks import check_trainable
from medcore.models.contract.progress import NullFollower
from medcore.models.contract.settings import TrainSettings
from medcore.models.contract.task import Indices, ProgressReporter, Risk, Task, clean
from medcore.models.run.advice import signed
from medcore.models.run.results import Results
from medcore.models.run.training import task_of
from medcore.models.selection.step import subtask

SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)
"""Shares of each fold's training patients, the last being all of them."""
COMPARED = 2
"""The place in ``SHARES`` that full training is compared with: half of the patients."""
AFFORDABLE_SECONDS = 6.0
"""A model that took longer than this in its run is left out: its curve would take minutes."""


@dataclass(frozen=True, slots=True)
class LearningPoint:
    """A model trained on ``n_train`` patients (the mean over folds), judged on all training patients out of fold."""

    model: str
    n_train: int
    auroc: Estimate
    log_loss: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {
            "model": self.model,
            "n_train": self.n_train,
            "auroc": self.auroc.to_dict(),
            "log_loss": self.log_loss.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class LearningGain:
    """What the second half of the patients brought: the fall of the log loss with its 95 % interval, by patient."""

    model: str
    n_half: int
    n_all: int
    value: float
    low: float
    high: float

    @property
    def sentence(self) -> Message:
        """Say whether more patients would help."""
        fell = self.value >= 0
        value, low, high = (self.value, self.low, self.high) if fell else (-self.value, -self.high, -self.low)
        words = {
            "n_half": self.n_half,
            "n_all": self.n_all,
            "change": signed(value),
            "low": signed(low),
            "high": signed(high),
        }
        if self.low > 0:
            return Message(_HELPS, words)
        if self.high < 0:
            return Message(_WORSE, words)
        return Message(_HARDLY_FELL if fell else _HARDLY_ROSE, words)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form with the sentence in the current language."""
        return {name: getattr(self, name) for name in self.__slots__} | {"sentence": str(self.sentence)}


_HELPS = N_(
    "More patients would probably help: from {n_half} to {n_all} training patients the log loss fell by {change} ({low} to {high})"
)
_HARDLY_FELL = N_(
    "It cannot be shown that more patients would help: from {n_half} to {n_all} training patients the log loss changed by no more than chance (fell by {change}, {low} to {high})"
)
_HARDLY_ROSE = N_(
    "It cannot be shown that more patients would help: from {n_half} to {n_all} training patients the log loss changed by no more than chance (rose by {change}, {low} to {high})"
)
_WORSE = N_(
    "More patients did not help: from {n_half} to {n_all} training patients the log loss rose by {change} ({low} to {high}); look for patients of another kind"
)


@dataclass(frozen=True, slots=True)
class LearningCurve:
    """The points of one or two models, by model and number of patients; ``gains`` has one for each model."""

    points: tuple[LearningPoint, ...] = field(repr=False)
    gains: tuple[LearningGain, ...]

    @property
    def models(self) -> tuple[str, ...]:
        """The models, the run's own last."""
        return tuple(gain.model for gain in self.gains)

    def of(self, model: str) -> tuple[LearningPoint, ...]:
        """Return the points of one model, fewest patients first."""
        return tuple(p for p in self.points if p.model == model)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {"points": [p.to_dict() for p in self.points], "gains": [g.to_dict() for g in self.gains]}


def affordable_models(results: Results) -> tuple[str, ...]:
    """Return logistic regression and, if it is quick enough, the model of a run (or its weightiest part).

    A model whose settings were searched stands with its usual ones.
    """
    own = [
        c
        for c in sorted(results.candidates, key=lambda c: -c.weight)
        if (c.weight > 0 or c.name == results.model)
        and c.name != LOGISTIC
        and _trains_again(c.name)
        and c.seconds <= AFFORDABLE_SECONDS
    ]
    return tuple(dict.fromkeys((LOGISTIC, *(c.name for c in own[:1]))))


def _trains_again(name: str) -> bool:
    """Tell whether a model can be trained by itself, and not by epochs, which would take minutes."""
    candidate = candidates().get(name)
    return candidate is not None and candidate.space is not None and not candidate.by_epochs


def learning_curve(
    prepared: Prepared, split: Split, settings: TrainSettings, *, models: Sequence[str] = (LOGISTIC,)
) -> LearningCurve:
    """Train models on growing shares of each fold's training patients and judge them on the fold.

    The judged patients are the same at every size, the smaller shares are part of the
    larger ones, and patients stay whole. The locked test set has no part in it.

    Raises:
        InputError: what cannot be trained, in one sentence.

    """
    check_trainable(prepared, split)
    task = task_of(prepared, split, settings)
    points: list[LearningPoint] = []
    gains = []
    for model in models:
        risks = [_out_of_fold(task, model, share) for share in SHARES]
        sizes = [_mean_size(task, share) for share in SHARES]
        points += [_point(task, prepared.classes, model, size, risk) for size, risk in zip(sizes, risks, strict=True)]
        fall = log_loss_difference(task.outcome, risks[COMPARED], risks[-1], groups=task.groups)
        gains.append(LearningGain(model, sizes[COMPARED], sizes[-1], fall.value, fall.low, fall.high))
    return LearningCurve(tuple(points), tuple(gains))


def _point(task: Task, classes: tuple[str, ...], model: str, size: int, risk: Risk) -> LearningPoint:
    """Judge as the run itself is judged, so that the last point and the run give one interval."""
    judged = evaluate(
        task.outcome,
        risk,
        classes,
        groups=task.groups,
        folds=task.folds,
        restarted=candidates()[model].restarted,
        ordered=task.ordered,
        seed=task.settings.seed,
    )
    return LearningPoint(model, size, judged.metrics["auroc"], judged.metrics["log_loss"])


def _out_of_fold(task: Task, model: str, share: float) -> Risk:
    oof = np.empty((task.n, task.n_classes))
    for fold in range(task.n_folds):
        held = task.held_out(fold)
        part = (
            candidates()[model]
            .learner(subtask(task, _some(task, fold, share)), ProgressReporter(NullFollower(), {model: 1.0}))
            .part
        )
        oof[held] = clean(part.risk(task.rows.take(held)), task.n_classes)
    return oof


def _some(task: Task, fold: int, share: float) -> Indices:
    """Draw a share of the patients a fold may train on, with and without the outcome alike."""
    rows = task.training(fold)
    if share >= 1.0:
        return rows
    groups = rows if task.groups is None else task.groups[rows]
    patients, first = np.unique(groups, return_index=True)
    order = np.random.default_rng([task.settings.seed, fold]).permutation(len(patients))
    outcome = task.outcome[rows][first]
    wanted = [
        patients[members[: max(1, round(share * len(members)))]]
        for members in (order[outcome[order] == k] for k in range(task.n_classes))
    ]
    return np.asarray(rows[np.isin(groups, np.concatenate(wanted))])


def _mean_size(task: Task, share: float) -> int:
    return round(float(np.mean([len(_some(task, fold, share)) for fold in range(task.n_folds)])))
