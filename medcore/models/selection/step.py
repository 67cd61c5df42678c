"""One trial of a search: train with some settings, judge on the folds that the search may see.

A step is small and so is what comes of it, so that both can travel to another
process and back; the rows it needs are the same for all.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from medcore.errors import InputError
from medcore.models.contract.candidate import candidates
from medcore.models.contract.progress import Progress
from medcore.models.contract.task import Fitted, Indices, ProgressReporter, Risk, Task
from medcore.models.contract.trials import Trial
from medcore.models.contract.workers import StopSignal
from medcore.models.selection.space import as_tuned
from medcore.sealing import Folder
from medcore.statistics.scores import class_log_loss
from medcore.statistics.threads import one_blas_thread

LEAST_INNER_FOLDS = 3


@dataclass(frozen=True, slots=True)
class TrialStep:
    """A trial to be made: ``place`` is the fold whose patients it must not see, or the number of folds for none."""

    place: int
    trial: Trial


@dataclass(frozen=True, slots=True)
class JudgedTrial:
    """A trial that was made; ``risk`` is what it predicts for the patients of its fold, if it has one."""

    place: int
    trial: Trial
    risk: Risk | None


def judge(task: Task, step: TrialStep, sign: StopSignal) -> JudgedTrial:
    """Train with a step's settings and judge them on the inner folds; what cannot be trained has no loss.

    Raises:
        InputError: a model cannot be trained with its usual settings.
        CancelledError: the person asked to stop.

    """
    began = time.perf_counter()
    trial, loss, risk = step.trial, float("nan"), None
    try:
        fitted = learn(task, step, sign)
    except InputError:
        if not trial.settings:
            raise
    else:
        loss = class_log_loss(_rows_of(task, step.place).outcome, fitted.oof)
        risk = held_out_risk(task, step, fitted)
    seconds = time.perf_counter() - began
    return JudgedTrial(step.place, replace(trial, loss=loss if np.isfinite(loss) else None, seconds=seconds), risk)


def learn(task: Task, step: TrialStep, sign: StopSignal) -> Fitted:
    """Train a step's model with its settings on the rows it may see.

    The linear algebra library gets one thread, because its sums depend on how many it
    has: the same numbers come out on any machine and beside any other trial.
    """
    trial = step.trial
    rows = replace(_rows_of(task, step.place), tuned=as_tuned(trial.settings))
    with one_blas_thread():
        return candidates()[trial.model].learner(
            rows, ProgressReporter(_Quiet(sign), {trial.model: 1.0}, model=trial.model)
        )


def held_out_risk(task: Task, step: TrialStep, fitted: Fitted) -> Risk | None:
    """Predict the patients of the step's fold, if it has one."""
    if step.place == task.n_folds:
        return None
    with one_blas_thread():
        return fitted.part.risk(task.rows.take(task.held_out(step.place)))


def _rows_of(task: Task, place: int) -> Task:
    return task if place == task.n_folds else subtask(task, task.training(place))


def subtask(task: Task, rows: Indices) -> Task:
    """Return a task on some of the rows, with the folds that remain there numbered from 0."""
    present, folds = np.unique(task.folds[rows], return_inverse=True)
    groups = None if task.groups is None else task.groups[rows]
    n_folds = len(present)
    if n_folds < 2:
        folds, n_folds = _new_folds(len(rows), groups, task.settings.seed), LEAST_INNER_FOLDS
    return replace(
        task,
        rows=task.rows.take(rows),
        outcome=task.outcome[rows],
        folds=folds.astype(np.int64),
        n_folds=n_folds,
        groups=groups,
        duration=task.duration[rows] if len(task.duration) else task.duration,
    )


def _new_folds(n: int, groups: Indices | None, seed: int) -> Indices:
    """Divide rows at random, patients whole."""
    unit = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1]
    order = np.random.default_rng(seed).permutation(int(unit.max()) + 1)
    return np.asarray(order[unit] % LEAST_INNER_FOLDS)


class _Quiet:
    """A follower inside a trial: it only hears the wish to stop, and keeps no checkpoint."""

    checkpoint_dir: Folder | None = None

    def __init__(self, sign: StopSignal) -> None:
        self._sign = sign

    def report(self, progress: Progress, /) -> None:
        """Do nothing: a trial is reported when it is done."""

    def cancelled(self) -> bool:
        """Ask the one behind."""
        return self._sign.cancelled()
