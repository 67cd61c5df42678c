"""One training run of an event with its time: out-of-fold curves first, then the final models, then the locked test set, once."""

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
from medcore.evaluation.survival.performance import SurvivalPerformance, evaluate_at_horizons
from medcore.features import Rows
from medcore.i18n import N_, Message, percent
from medcore.models.bundle.bundle import Bundle
from medcore.models.contract.candidate import AUTO, PREVALENCE
from medcore.models.contract.checks import check_suits, check_trainable
from medcore.models.contract.progress import Follower, NullFollower
from medcore.models.contract.settings import TrainSettings
from medcore.models.contract.task import Fitted, Indices, Risk, Task
from medcore.models.contract.timed import Curves, TimedPart, risk_of_curve
from medcore.models.contract.workers import ThisProcess
from medcore.models.run.advice import DO_NOT_DECIDE, NO_CLOSER, parts_of
from medcore.models.run.manifest import provenance
from medcore.models.run.predictors import left_out
from medcore.models.run.sides import TrainedRun
from medcore.models.run.timed.results import TimedCandidate, TimedPatients, TimedResults
from medcore.models.run.training import RunRows, fit_all
from medcore.models.selection.timed import blend_curves

Floats = NDArray[np.float64]
OBSERVED = N_("the share of the training patients with the event by the horizon")


def train_timed(
    prepared: Prepared,
    split: Split,
    settings: TrainSettings,
    *,
    schema: Schema,
    recipe: Recipe,
    cohort_sha256: str,
    follower: Follower | None = None,
) -> TrainedRun[TimedResults]:
    """Train a model that says by when, and everything it must be compared with.

    Every candidate gives each training row a curve from models that have not seen it; the weights of an
    automatic choice are chosen on these, and judged on folds that had no say. The same arguments give the same numbers.

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
    weights, curves = choose(run.task, fitted, settings)
    bundle = run.bundle(schema, recipe, fitted, weights)
    results = _judge(run, bundle, fitted, weights, curves, seconds)
    results = replace(results, findings=(*left_out(run.left_out), *_advice(results, weights)))
    made = provenance(
        settings, split, cohort_sha256=cohort_sha256, weights=weights, n_background=len(bundle.background)
    )
    manifest = made | _figures(results)
    return TrainedRun.of(bundle, results, manifest, prepared=prepared, split=split, started=started)


def _check_settings(settings: TrainSettings) -> None:
    if settings.search_minutes:
        raise SettingsError(N_("There is no search for settings yet for an outcome with its time. Leave --search out."))
    if settings.class_weight is not None:
        raise SettingsError(
            N_("Classes are not weighted where the outcome comes with its time. Leave class_weight out.")
        )


def choose(task: Task, fitted: Mapping[str, Fitted], settings: TrainSettings) -> tuple[dict[str, float], Curves]:
    """Decide what counts how much; return the honest curves of that choice too."""
    if settings.model != AUTO:
        return {settings.model: 1.0}, _curves(fitted[settings.model])
    pooled = {name: _curves(f) for name, f in fitted.items()}
    blended = blend_curves(pooled, task.duration, task.outcome, task.times, task.folds, alone=PREVALENCE)
    return dict(blended.weights), blended.curves


def _curves(fitted: Fitted) -> Curves:
    assert fitted.curves is not None
    return fitted.curves


@dataclass(frozen=True, slots=True)
class _Side:
    """The patients of one side of the lock, and how risks of theirs are judged."""

    run: RunRows
    where: NDArray[np.bool_]
    folds: Indices | None

    def judged(self, curves: Curves) -> SurvivalPerformance:
        """Judge curves (n, causes, T) by the event in question."""
        p, task = self.run.prepared, self.run.task
        assert p.duration is not None
        assert task.by is not None
        wholes = self.run.split.wholes
        return evaluate_at_horizons(
            p.duration[self.where],
            p.outcome[self.where],
            curves[:, 0, _places(task)],
            task.by.horizons,
            groups=None if wholes is None else wholes[self.where],
            folds=self.folds,
            over_time=(task.times, curves[:, 0]),
        )

    def patients(self, risk: Risk, curves: Curves) -> TimedPatients:
        """Put risks beside who they are of."""
        p, wholes = self.run.prepared, self.run.split.wholes
        assert p.duration is not None
        return TimedPatients(
            rows=p.rows[self.where],
            duration=p.duration[self.where],
            event=p.outcome[self.where],
            groups=None if wholes is None else wholes[self.where],
            sensitive=p.sensitive[self.where].reset_index(drop=True),
            risk=risk,
            curve=curves,
        )


def _places(task: Task) -> NDArray[np.intp]:
    """Return where the horizons are among the times of curves."""
    assert task.by is not None
    return np.searchsorted(task.times, task.by.horizons)


def _judge(
    run: RunRows,
    bundle: Bundle,
    fitted: Mapping[str, Fitted],
    weights: Mapping[str, float],
    curves: Curves,
    seconds: Mapping[str, float],
) -> TimedResults:
    """Judge the bundle and every candidate; the only place where the locked test set is looked at."""
    task, locked = run.task, run.split.test
    assert task.by is not None
    training = _Side(run, ~locked, task.folds)
    test = _Side(run, locked, None) if locked.any() else None
    main, places = int(np.searchsorted(task.times, task.by.main)), _places(task)
    candidates = []
    for name, candidate in fitted.items():
        own = _curve_of(candidate, run.test_rows, task.times) if test else None
        candidates.append(
            TimedCandidate(
                name=name,
                weight=float(weights.get(name, 0.0)),
                cross_validated=training.judged(_curves(candidate)),
                test=test.judged(own) if test and own is not None else None,
                oof=_curves(candidate)[:, 0, places],
                test_risk=None if own is None else own[:, 0, places],
                seconds=seconds[name],
            )
        )
    candidates.sort(key=lambda c: c.cross_validated.overall["integrated_brier"].value)
    tested = bundle.curve(run.test_rows) if test else None
    return TimedResults(
        model=task.settings.model,
        classes=bundle.classes,
        target=task.by,
        times=task.times,
        training=training.patients(risk_of_curve(curves[:, :, main]), curves),
        folds=task.folds,
        test=test.patients(bundle.risk(run.test_rows), tested) if test and tested is not None else None,
        cross_validated=training.judged(curves),
        tested=test.judged(tested) if test and tested is not None else None,
        candidates=tuple(candidates),
        table_one=table_one(run.prepared),
        preparation=Preparation.of(run.prepared),
    )


def _curve_of(fitted: Fitted, rows: Rows, times: Floats) -> Curves:
    assert isinstance(fitted.part, TimedPart)
    return fitted.part.curve(rows, times)


def _figures(results: TimedResults) -> dict[str, object]:
    """Say how good the model is and what it is about, for the manifest."""
    judged, main = results.cross_validated, results.cross_validated.by(results.target.main)
    return {
        "outcome": "event_time",
        "n_train": judged.n,
        "n_test": results.tested.n if results.tested else 0,
        "class_counts": {name: int((results.training.event == k).sum()) for k, name in enumerate(results.classes)},
        "threshold": float(np.clip(main.observed.value, 0.001, 0.999)),
        "threshold_rationale": OBSERVED,
        "cross_validated": judged.to_dict(),
        "test": results.tested.to_dict() if results.tested else None,
    }


def _advice(results: TimedResults, weights: Mapping[str, float]) -> tuple[Finding, ...]:
    """Say which parts count, and when the model cannot be shown to beat knowing nothing."""
    found = []
    if results.model == AUTO:
        said = N_("The model averages the curves of these parts: {parts}.")
        found.append(
            parts_of(
                weights,
                said,
                N_("The shares are those with the lowest integrated Brier score outside each training fold."),
            )
        )
    gain = results.cross_validated.overall["integrated_scaled_brier"]
    if results.model != PREVALENCE and not gain.low > 0:
        found.append(
            Finding(
                code="model.no_better_than_prevalence",
                severity="warning",
                message=Message(
                    N_(
                        "This model cannot be shown to predict better than the incidence alone, which gives everybody the same curve: its out-of-fold integrated Brier score is lower by {share} ({low} to {high})."
                    ),
                    {"share": percent(gain.value), "low": percent(gain.low), "high": percent(gain.high)},
                ),
                why=Message(NO_CLOSER),
                remedy=Message(DO_NOT_DECIDE),
            )
        )
    return tuple(found)
