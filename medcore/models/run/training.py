"""One training run: out-of-fold risks first, then the final models, then the locked test set, once."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.data.cohort import Schema
from medcore.data.describe.table_one import table_one
from medcore.data.findings import Finding
from medcore.data.preparation.methods import Preparation
from medcore.data.preparation.recipe import Recipe
from medcore.data.preparation.replay import Prepared
from medcore.data.splitting.split import Split
from medcore.evaluation import Evaluation, evaluate
from medcore.features import AnyRows, CodeBook, Layout, Rows, kind_named
from medcore.models.bundle.bundle import Bundle
from medcore.models.contract.candidate import (
    AUTO,
    LOGISTIC,
    ORDINAL,
    PREVALENCE,
    SEARCHED,
    automatic,
    candidates,
    compared_with,
    reads_word_by_word,
    searched_with,
)
from medcore.models.contract.checks import check_suits, check_trainable
from medcore.models.contract.concurrency import fit_concurrently
from medcore.models.contract.progress import Follower, NullFollower
from medcore.models.contract.settings import TrainSettings
from medcore.models.contract.task import Fitted, Indices, ProgressReporter, Risk, Task, clean
from medcore.models.contract.timed import curve_times
from medcore.models.contract.trials import SearchOutcome
from medcore.models.contract.workers import ThisProcess, Workers
from medcore.models.learners.logistic import LogisticPart
from medcore.models.learners.ordinal import OrdinalPart
from medcore.models.run.advice import advise
from medcore.models.run.manifest import describe
from medcore.models.run.predictors import (
    holds_notes,
    holds_series,
    kept_in,
    kept_in_order,
    left_out,
    word_by_word,
)
from medcore.models.run.results import CandidateResult, Patients, Results
from medcore.models.run.sides import TrainedRun
from medcore.models.selection.calibration import NO_SHIFT, Calibrator, choose_calibrator
from medcore.models.selection.ensemble import blend
from medcore.models.written.inputs import inputs_of
from medcore.models.written.specification import Specification, specify
from medcore.statistics.scores import class_log_loss
from medcore.targets import EventTime, Number, Target

MAX_BACKGROUND = 200


@dataclass(frozen=True, slots=True)
class Trained(TrainedRun[Results]):
    """What a run that tells classes apart leaves."""

    @property
    def cross_validated(self) -> Evaluation:
        """Figures of the out-of-fold risks."""
        return self.results.cross_validated

    @property
    def test(self) -> Evaluation | None:
        """Figures of the locked test set; ``None`` when all rows were trained on."""
        return self.results.tested

    @property
    def oof(self) -> Risk:
        """Out-of-fold risks, shape ``(n_train, K)``."""
        return self.results.training.risk

    @property
    def oof_rows(self) -> Indices:
        """Row numbers in the cohort that go with ``oof``."""
        return self.results.training.rows

    @property
    def test_risk(self) -> Risk | None:
        """Risks of the test rows."""
        return self.results.test.risk if self.results.test else None

    @property
    def candidates(self) -> tuple[CandidateResult, ...]:
        """Everything that was trained, best first."""
        return self.results.candidates


def train(
    prepared: Prepared,
    split: Split,
    settings: TrainSettings,
    *,
    schema: Schema,
    recipe: Recipe,
    cohort_sha256: str,
    follower: Follower | None = None,
    workers: Workers | None = None,
) -> Trained:
    """Train a model and everything it must be compared with.

    Every candidate predicts each training row from models that have not seen it;
    weights and recalibration are chosen on these risks, and judged on folds that
    had no say in the choice. The same arguments give the same numbers. ``workers``
    make the trials of a search, in this process if there are none; they change no number.

    Raises:
        InputError: what cannot be trained, in one sentence.
        CancelledError: the follower asked to stop.

    """
    started = time.perf_counter()
    check_trainable(prepared, split)
    kinds = prepared.kinds
    check_suits(settings.model, prepared.target, over_time=holds_series(kinds), notes=holds_notes(kinds))
    run = RunRows.of(prepared, split, settings)
    fitted, seconds = fit_all(run.task, follower or NullFollower(), workers or ThisProcess())
    chosen = _choose(run.task, fitted, settings)
    bundle = run.bundle(schema, recipe, fitted, chosen.weights, calibrator=chosen.calibrator)
    results = _judge(run, bundle, fitted, chosen, seconds)
    results = replace(results, specification=_specified(run, bundle, fitted, chosen))
    told = (*left_out(run.left_out), *kept_in_order(run.codebook, len(bundle.background)))
    results = replace(results, findings=(*told, *results.findings))
    search = fitted[SEARCHED].search if SEARCHED in fitted else None
    if search is not None:
        results = replace(results, findings=(_searched(results, search), *results.findings))
    manifest = describe(
        results,
        settings,
        split,
        cohort_sha256=cohort_sha256,
        weights=chosen.weights,
        n_background=len(bundle.background),
    ) | ({} if search is None else {"search": search.to_dict()})
    return Trained.of(bundle, results, manifest, prepared=prepared, split=split, started=started)


def task_of(prepared: Prepared, split: Split, settings: TrainSettings) -> Task:
    """Return the training rows as the learners are given them."""
    return RunRows.of(prepared, split, settings).task


def refitted(task: Task, follower: Follower) -> Callable[[AnyRows], Risk]:
    """Repeat the whole modelling (candidates, weights, recalibration) on a task; return the risks it gives."""
    fitted, _seconds = fit_all(task, follower, ThisProcess())
    chosen = _choose(task, fitted, task.settings)

    def risk(rows: AnyRows) -> Risk:
        pooled = sum(weight * fitted[name].part.risk(Rows.of(rows)) for name, weight in chosen.weights.items())
        return chosen.calibrator.apply(clean(pooled, task.n_classes))

    return risk


@dataclass(frozen=True, slots=True)
class RunRows:
    """The rows of a run on both sides of the lock."""

    prepared: Prepared
    split: Split
    task: Task
    codebook: CodeBook
    test_rows: Rows
    left_out: tuple[str, ...]
    unread: tuple[str, ...] = ()
    """Measurements in the order of time that no model of the run reads."""

    @classmethod
    def of(cls, prepared: Prepared, split: Split, settings: TrainSettings) -> RunRows:
        """Read the rows of a prepared cohort as the models are given them."""
        train = ~split.test
        whose = prepared.predictors if prepared.groups is None else prepared.predictors.set_axis(prepared.groups)
        codebook = CodeBook.fit(whose[train], prepared.kinds)
        if reads_word_by_word(settings.model, prepared.target):
            codebook = word_by_word(codebook, whose[train])
        rows = codebook.transform(prepared.predictors)
        layout = Layout.of(rows.take(train), codebook.kinds)
        kept = kept_in(rows.take(train), layout, codebook, settings.model, prepared.target)
        unread, dropped = (
            tuple(name for name, out in zip(codebook.columns, ~kept & which, strict=True) if out)
            for which in (codebook.in_order, ~codebook.in_order)
        )
        codebook, layout, rows = codebook.only(kept), layout.only(kept), rows.columns(np.flatnonzero(kept))
        own = rows.take(train)
        task = Task(
            rows=own,
            outcome=prepared.outcome[train],
            folds=split.folds[train],
            n_folds=split.n_folds,
            n_classes=len(prepared.classes),
            ordered=prepared.target.ordered,
            kinds=codebook.kinds,
            n_categories=codebook.n_categories,
            layout=layout,
            settings=settings,
            groups=None if split.wholes is None else split.wholes[train],
            by_site=split.kind == "site",
        )
        if isinstance(prepared.target, EventTime) and prepared.duration is not None:
            duration = prepared.duration[train]
            times = curve_times(duration, task.outcome, prepared.target.horizons)
            task = replace(task, by=prepared.target, duration=duration, times=times)
        if isinstance(prepared.target, Number) and prepared.value is not None:
            task = replace(task, n_classes=1, number=prepared.target, value=prepared.value[train])
        return cls(prepared, split, task, codebook, rows.take(split.test), dropped, unread)

    def bundle(
        self,
        schema: Schema,
        recipe: Recipe,
        fitted: Mapping[str, Fitted],
        weights: Mapping[str, float],
        *,
        calibrator: Calibrator | None = None,
        classes: tuple[str, ...] | None = None,
    ) -> Bundle:
        """Put the chosen parts together with what new patients are read and explained by."""
        background = self._background_for(weights)
        return Bundle(
            classes=classes or self.prepared.classes,
            schema=schema.drop((*self.left_out, *self.unread)),
            recipe=recipe,
            codebook=self.codebook,
            parts=tuple((weight, fitted[name].part.knowing(background)) for name, weight in weights.items()),
            calibrator=calibrator or Calibrator(),
            background=background,
            times=self.task.times,
        )

    def _background_for(self, chosen: Collection[str]) -> Rows:
        """Draw them without the measurements in the order of time, where no chosen model reads these."""
        known, rows = candidates(self.task.target), self.background()
        read = any(known[name].in_order for name in chosen if name in known)
        return rows if read else rows.without(self.task.in_order)

    def background(self) -> Rows:
        """Draw the training rows that explanations compare with."""
        n = self.task.n
        chosen = np.random.default_rng(self.task.settings.seed).permutation(n)[:MAX_BACKGROUND]
        return self.task.rows.take(np.sort(chosen)).compact()

    def patients(self, where: NDArray[np.bool_], risk: Risk) -> Patients:
        """Put risks beside who they are of."""
        p, wholes = self.prepared, self.split.wholes
        return Patients(
            rows=p.rows[where],
            outcome=p.outcome[where],
            groups=None if wholes is None else wholes[where],
            sensitive=p.sensitive[where].reset_index(drop=True),
            risk=risk,
        )


@dataclass(frozen=True, slots=True)
class _Chosen:
    weights: Mapping[str, float]
    calibrator: Calibrator
    oof: Risk


def _names(settings: TrainSettings, n_rows: int, target: Target, *, over_time: bool) -> tuple[str, ...]:
    if settings.model == AUTO:
        names = automatic(n_rows, target, over_time=over_time)
    else:
        names = (*compared_with(target), settings.model)
    return tuple(dict.fromkeys((*names, SEARCHED) if settings.search_minutes else names))


def fit_all(task: Task, follower: Follower, workers: Workers) -> tuple[dict[str, Fitted], dict[str, float]]:
    """Fit every candidate of a run, and say how many seconds each took."""
    known = candidates(task.target)
    names = _names(task.settings, task.n, task.target, over_time=bool(len(task.in_order)))
    reporter = ProgressReporter(
        follower, {name: known[name].share for name in names} | {"": 0.2}, run=task.settings.model, workers=workers
    )
    seconds: dict[str, float] = {}

    def fit(name: str) -> Fitted:
        began = time.perf_counter()
        own = reporter.of(name)
        fitted = known[name].learner(task, own)
        own.finish()
        seconds[name] = time.perf_counter() - began
        return fitted

    longest_first = sorted((name for name in names if name != SEARCHED), key=lambda name: -known[name].share)
    fitted = fit_concurrently(fit, longest_first, n_rows=task.n, halt=reporter.halt)
    if SEARCHED in names:  # its budget is time: it has the machine to itself
        fitted[SEARCHED] = fit(SEARCHED)
    reporter.of("", "calibration")
    return {name: fitted[name] for name in names}, seconds


def _choose(task: Task, fitted: Mapping[str, Fitted], settings: TrainSettings) -> _Chosen:
    """Decide what counts how much, and how the risks are recalibrated."""
    if settings.model == AUTO:
        pooled = {name: f.oof for name, f in fitted.items() if name != PREVALENCE}
        blended = blend(pooled, task.outcome, task.folds)
        weights, oof = blended.weights, blended.oof
    else:
        # The searched settings must have predicted unseen patients better than the usual ones.
        names = (settings.model, *([SEARCHED] if settings.search_minutes else []))
        name = min(names, key=lambda name: class_log_loss(task.outcome, fitted[name].oof))
        weights, oof = {name: 1.0}, fitted[name].oof
    enforced = settings.class_weight is not None
    methods = NO_SHIFT if task.by_site and not enforced else None
    choice = choose_calibrator(oof, task.outcome, task.folds, enforced=enforced, methods=methods)
    return _Chosen(weights, choice.calibrator, choice.oof)


def _judge(
    run: RunRows, bundle: Bundle, fitted: Mapping[str, Fitted], chosen: _Chosen, seconds: Mapping[str, float]
) -> Results:
    """Judge the bundle and every candidate; the only place where the locked test set is looked at."""
    task, locked = run.task, run.split.test
    training = run.patients(~locked, chosen.oof)
    test = run.patients(locked, bundle.risk(run.test_rows)) if locked.any() else None

    shared: dict[str, Any] = {"ordered": task.target.ordered, "seed": task.settings.seed}
    known = candidates(task.target)

    def judged(patients: Patients, risk: Risk, **of_folds: Any) -> Evaluation:
        return evaluate(patients.outcome, risk, bundle.classes, groups=patients.groups, **of_folds, **shared)

    def out_of_fold(name: str, oof: Risk) -> Evaluation:
        model = task.settings.model if name == SEARCHED else name
        restarted = model in known and known[model].restarted
        return judged(training, oof, folds=task.folds, restarted=restarted)

    found = []
    for name, candidate in fitted.items():
        risk = candidate.part.risk(run.test_rows) if test else None
        found.append(
            CandidateResult(
                name=name,
                weight=float(chosen.weights.get(name, 0.0)),
                cross_validated=out_of_fold(name, candidate.oof),
                test=judged(test, risk) if test and risk is not None else None,
                oof=candidate.oof,
                test_risk=risk,
                spread=candidate.spread,
                seconds=seconds[name],
            )
        )
    found.sort(key=lambda c: c.cross_validated.metrics["log_loss"].value)
    results = Results(
        model=task.settings.model,
        classes=bundle.classes,
        training=training,
        folds=task.folds,
        test=test,
        cross_validated=out_of_fold(task.settings.model, chosen.oof),
        tested=judged(test, test.risk) if test else None,
        candidates=tuple(found),
        table_one=table_one(run.prepared),
        preparation=Preparation.of(run.prepared),
    )
    findings = advise(results, task.settings, chosen.weights, chosen.calibrator.method)
    return replace(results, findings=findings)


def _specified(run: RunRows, bundle: Bundle, fitted: Mapping[str, Fitted], chosen: _Chosen) -> Specification | None:
    """Write the regression down: the bundle's own, or the one trained beside it, of an outcome in an order the one that knows it."""
    (first, *others) = chosen.weights
    own = fitted[first].part
    delivered = isinstance(own, LogisticPart | OrdinalPart) and not others
    part = own if delivered else fitted[ORDINAL if ORDINAL in fitted else LOGISTIC].part
    kinds = [kind_named(kind) for kind in bundle.codebook.kinds]
    if not isinstance(part, LogisticPart | OrdinalPart) or not all(kind.scalar or kind.in_order for kind in kinds):
        return None  # what is inside a content cannot be written as an equation of its codes
    # Of what was measured over time the summaries are read.
    read = [place for place, kind in enumerate(kinds) if not kind.in_order]
    return specify(
        part,
        run.task,
        outcome=bundle.schema.outcome.name if bundle.schema.outcome else "",
        classes=bundle.classes,
        inputs=inputs_of(bundle.codebook, bundle.schema, bundle.recipe),
        calibrator=bundle.calibrator if delivered else None,
    ).among(read)


def _searched(results: Results, search: SearchOutcome) -> Finding:
    """Compare the search with the best of what it began from."""
    losses = {c.name: c.cross_validated.metrics["log_loss"].value for c in results.candidates}
    usual = [losses[name] for name in searched_with(results.model) if name in losses]
    return search.finding(searched=losses[SEARCHED], usual=min(usual, default=None))
