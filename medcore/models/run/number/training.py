"""One training run of a number: out-of-fold predictions first, then the final models, then the locked test set, once."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from medcore.data.cohort import Schema
from medcore.data.describe.table_one import table_one
from medcore.data.findings import Finding
from medcore.data.preparation.methods import Preparation
from medcore.data.preparation.recipe import Recipe
from medcore.data.preparation.replay import Prepared
from medcore.data.splitting.split import Split
from medcore.errors import SettingsError
from medcore.evaluation.number.calibration import agreement
from medcore.evaluation.number.intervals import PredictionIntervals, choose_intervals
from medcore.evaluation.number.performance import NumberPerformance, evaluate_numbers
from medcore.i18n import N_, Message, percent
from medcore.models.bundle.bundle import Bundle
from medcore.models.contract.candidate import AUTO, MEAN
from medcore.models.contract.checks import check_suits, check_trainable
from medcore.models.contract.progress import Follower, NullFollower
from medcore.models.contract.settings import TrainSettings
from medcore.models.contract.task import Fitted, Indices, Risk, Task
from medcore.models.contract.workers import ThisProcess
from medcore.models.run.advice import parts_of
from medcore.models.run.manifest import provenance
from medcore.models.run.number.results import NumberCandidate, NumberPatients, NumberResults
from medcore.models.run.predictors import left_out
from medcore.models.run.sides import TrainedRun
from medcore.models.run.training import RunRows, fit_all
from medcore.models.selection.ensemble import blend_numbers

Floats = NDArray[np.float64]
Ends = tuple[Floats, Floats]


def train_number(
    prepared: Prepared,
    split: Split,
    settings: TrainSettings,
    *,
    schema: Schema,
    recipe: Recipe,
    cohort_sha256: str,
    follower: Follower | None = None,
) -> TrainedRun[NumberResults]:
    """Train a model of a number, and everything it must be compared with.

    Every candidate predicts each training row from models that have not seen it; the weights of an automatic choice and
    the prediction intervals are chosen on these, and judged on folds that had no say. The same arguments give the same numbers.

    Raises:
        InputError: what cannot be trained, in one sentence.
        CancelledError: the follower asked to stop.

    """
    started = time.perf_counter()
    check_trainable(prepared, split, other_than_classes=True)
    check_suits(settings.model, prepared.target)
    _check_settings(settings)
    run = RunRows.of(prepared, split, settings)
    fitted, seconds = fit_all(run.task, follower or NullFollower(), ThisProcess())
    weights, oof = choose(run.task, fitted, settings)
    assert schema.outcome is not None
    bundle = run.bundle(schema, recipe, fitted, weights, classes=(schema.outcome.name,))
    results = _judge(run, bundle, fitted, weights, oof, seconds)
    results = replace(results, findings=(*left_out(run.left_out), *_advice(results, weights)))
    made = provenance(
        settings, split, cohort_sha256=cohort_sha256, weights=weights, n_background=len(bundle.background)
    )
    manifest = made | {
        "outcome": "number",
        "n_train": results.cross_validated.n,
        "n_test": results.tested.n if results.tested else 0,
        "intervals": results.intervals.to_dict(),
        "cross_validated": results.cross_validated.to_dict(),
        "test": results.tested.to_dict() if results.tested else None,
    }
    return TrainedRun.of(bundle, results, manifest, prepared=prepared, split=split, started=started)


def _check_settings(settings: TrainSettings) -> None:
    if settings.search_minutes:
        raise SettingsError(N_("There is no search for settings yet where a number is predicted. Leave --search out."))
    if settings.class_weight is not None:
        raise SettingsError(N_("There are no classes to weigh where a number is predicted. Leave class_weight out."))


def choose(task: Task, fitted: Mapping[str, Fitted], settings: TrainSettings) -> tuple[dict[str, float], Risk]:
    """Decide what counts how much; return the honest predictions of that choice too, within the outcome's limits."""
    assert task.number is not None
    if settings.model != AUTO:
        return {settings.model: 1.0}, task.number.within(fitted[settings.model].oof)
    blended = blend_numbers({name: f.oof for name, f in fitted.items() if name != MEAN}, task.value, task.folds)
    return dict(blended.weights), task.number.within(blended.oof)


@dataclass(frozen=True, slots=True)
class _Side:
    """The patients of one side of the lock, and how predictions about them are judged."""

    run: RunRows
    where: NDArray[np.bool_]
    folds: Indices | None

    @property
    def value(self) -> Floats:
        """What was measured, (n,)."""
        assert self.run.prepared.value is not None
        return self.run.prepared.value[self.where]

    @property
    def groups(self) -> Indices | None:
        """Who belongs together, (n,)."""
        wholes = self.run.split.wholes
        return None if wholes is None else wholes[self.where]

    def judged(self, risk: Risk, ends: Ends | None = None) -> NumberPerformance:
        """Judge predictions (n, 1), and intervals (n,) where there are any."""
        return evaluate_numbers(self.value, risk[:, 0], groups=self.groups, folds=self.folds, intervals=ends)

    def patients(self, risk: Risk, ends: Ends) -> NumberPatients:
        """Put predictions beside who they are of."""
        p = self.run.prepared
        return NumberPatients(
            rows=p.rows[self.where],
            value=self.value,
            groups=self.groups,
            sensitive=p.sensitive[self.where].reset_index(drop=True),
            risk=risk,
            low=ends[0],
            high=ends[1],
        )


def _judge(
    run: RunRows,
    bundle: Bundle,
    fitted: Mapping[str, Fitted],
    weights: Mapping[str, float],
    oof: Risk,
    seconds: Mapping[str, float],
) -> NumberResults:
    """Judge the bundle and every candidate; the only place where the locked test set is looked at."""
    task, locked = run.task, run.split.test
    number, column = task.number, bundle.schema.outcome
    assert number is not None
    assert column is not None
    training = _Side(run, ~locked, task.folds)
    test = _Side(run, locked, None) if locked.any() else None
    candidates = []
    for name, candidate in fitted.items():
        own = number.within(candidate.part.risk(run.test_rows)) if test else None
        unseen = number.within(candidate.oof)
        candidates.append(
            NumberCandidate(
                name=name,
                weight=float(weights.get(name, 0.0)),
                cross_validated=training.judged(unseen),
                test=test.judged(own) if test and own is not None else None,
                oof=unseen,
                test_risk=own,
                seconds=seconds[name],
            )
        )
    candidates.sort(key=lambda c: c.cross_validated.metrics["rmse"].value)
    intervals, honest = choose_intervals(task.value, oof[:, 0], task.folds, log=number.log, limits=number.limits)
    tested, ends = _tested(run, bundle, intervals) if test else (None, None)
    return NumberResults(
        model=task.settings.model,
        name=column.name,
        unit=column.unit or "",
        target=number,
        training=training.patients(oof, honest),
        folds=task.folds,
        test=test.patients(tested, ends) if test and tested is not None and ends is not None else None,
        cross_validated=training.judged(oof, honest),
        tested=test.judged(tested, ends) if test and tested is not None else None,
        agreement=agreement(task.value, oof[:, 0], groups=training.groups),
        tested_agreement=agreement(test.value, tested[:, 0], groups=test.groups)
        if test and tested is not None
        else None,
        intervals=intervals,
        candidates=tuple(candidates),
        table_one=table_one(run.prepared),
        preparation=Preparation.of(run.prepared),
    )


def _tested(run: RunRows, bundle: Bundle, intervals: PredictionIntervals) -> tuple[Risk, Ends]:
    risk = bundle.risk(run.test_rows)
    return risk, intervals.around(risk[:, 0])


def _advice(results: NumberResults, weights: Mapping[str, float]) -> tuple[Finding, ...]:
    """Say which parts count, and when the model cannot be shown to beat knowing nothing."""
    found = []
    if results.model == AUTO:
        said = N_("The model averages the predictions of these parts: {parts}.")
        found.append(
            parts_of(
                weights, said, N_("The shares are those with the lowest squared error outside each training fold.")
            )
        )
    r2 = results.cross_validated.metrics["r2"]
    if results.model != MEAN and not r2.low > 0:
        found.append(
            Finding(
                code="model.no_better_than_prevalence",
                severity="warning",
                message=Message(
                    N_(
                        "This model cannot be shown to predict better than the mean alone, which gives everybody the same number: it explains {share} of the variance out of fold ({low} to {high})."
                    ),
                    {"share": percent(r2.value), "low": percent(r2.low), "high": percent(r2.high)},
                ),
                why=Message(
                    N_(
                        "These patients do not show that it comes closer to what is measured than one number for every patient."
                    )
                ),
                remedy=Message(
                    N_(
                        "Do not decide by these predictions. Train another kind of model, or look for other predictors and more patients."
                    )
                ),
            )
        )
    return tuple(found)
