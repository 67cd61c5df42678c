"""What the Evaluate page judges: one model or two, on one set of patients, for one class."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medcore.data.values.typed import typed
from medcore.evaluation import (
    CalibrationCurve,
    Comparison,
    Confusion,
    DecisionCurve,
    Estimate,
    Evaluation,
    GainCurve,
    PrecisionRecallCurve,
    Ranked,
    RiskDistribution,
    RocCurve,
    calibration_curve,
    compare,
    confusion,
    decision_curve,
    gain,
    precision_recall,
    risk_distribution,
    roc,
)
from medcore.evaluation.comparison.paired import BenefitDifference, benefit_difference
from medcore.evaluation.curves.calls import CallRule, Calls, calls
from medcore.evaluation.curves.thresholds import (
    FROM_OUTCOMES,
    Rule,
    ThresholdChoice,
    choose_threshold,
    knowing_the_choice,
)
from medcore.evaluation.figures.estimates import Floats
from medcore.evaluation.figures.resampling import Ints
from medcore.evaluation.groups.grouping import grouping
from medcore.evaluation.groups.mistakes import Mistakes, mistakes
from medcore.evaluation.groups.mitigation import Remedy, equal_sensitivity, recalibrated
from medcore.evaluation.groups.subgroups import Breakdown, breakdown
from medcore.i18n import _, current_language
from medcore.models.run.results import Patients, Results
from medcore.reporting.classes.findings import chosen_here
from medcore.reporting.classes.ordered import question_name
from medcore.statistics.ranking import auroc_with_influence
from medcore.statistics.sample_size.validation import ValidationSize, size_if_possible
from medcore.studies.records import StudyRecord
from medcore.targets import Target
from medcore.ui.kit import cache
from medcore.ui.kit.thresholds import threshold_key
from medcore.ui.kit.words import model_name

R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Risks of one class by model name (as shown), and what happened; the first model is in question.

    Of an outcome in an order ``class_index`` may also be one of the target's cuts.

    ``side`` is ``"training"`` (out-of-fold risks) or ``"test"`` (the locked test set).
    ``out_of_fold`` are the training patients and the first model's risks for them,
    on which thresholds are chosen whichever side is shown. ``names`` are what the classes are called.
    """

    run_id: str
    side: str
    classes: tuple[str, ...]
    names: tuple[str, ...]
    class_index: int
    patients: Patients = field(repr=False)
    out_of_fold: Patients = field(repr=False)
    folds: Ints = field(repr=False)
    risks: Mapping[str, Floats] = field(repr=False)
    evaluations: Mapping[str, Evaluation] = field(repr=False)

    @property
    def target(self) -> Target:
        """What is predicted."""
        return self.evaluation.target

    @property
    def threshold_key(self) -> str:
        """By what the session remembers the threshold: the run, and the class where there are more than two."""
        return threshold_key(self.run_id, self.class_index, self.target)

    @property
    def outcome(self) -> Floats:
        """1.0 for patients of the class in question, else 0.0."""
        return self._split(self.patients)[0]

    def _split(self, patients: Patients) -> tuple[Floats, Floats]:
        return self.target.split(self.class_index, patients.outcome, patients.risk)

    def risk_in(self, risk: Floats) -> Floats:
        """Return of the risks of all classes (n, K), of these patients, the one in question."""
        return self.target.split(self.class_index, self.patients.outcome, risk)[1]

    def choose(self, rule: Rule, target: float | None) -> ThresholdChoice:
        """Choose a threshold by a rule on the training patients' out-of-fold risks."""
        return choose_threshold(*self._split(self.out_of_fold), rule, target=target)

    def chosen_here(self, choice: ThresholdChoice) -> str:
        """Say what a threshold is worth that was chosen on the training patients; "" where no outcome chose it."""
        outcome, risk = self._split(self.out_of_fold)
        groups = self.out_of_fold.groups
        return chosen_here(outcome, risk, self.folds, choice.rule, target=choice.target, groups=groups)

    def knowing_the_choice(self, counts: Confusion, choice: ThresholdChoice) -> Confusion:
        """Give the rates at a threshold that was chosen on the patients who are shown intervals that know of it."""
        if self.side != "training" or choice.rule not in FROM_OUTCOMES:
            return counts
        outcome, risk = self._split(self.out_of_fold)
        groups, rule, target = self.out_of_fold.groups, choice.rule, choice.target
        bounds = cache.once(
            lambda: knowing_the_choice(outcome, risk, rule, target=target, groups=groups),
            *("evaluate", "chosen", self.run_id, self.class_index, rule, target),
        )
        return replace(counts, bounds=bounds)

    @property
    def groups(self) -> Ints | None:
        """Patient codes where patients repeat."""
        return self.patients.groups

    @property
    def name(self) -> str:
        """The model in question."""
        return next(iter(self.risks))

    @property
    def risk(self) -> Floats:
        """The risks of the model in question."""
        return self.risks[self.name]

    @property
    def evaluation(self) -> Evaluation:
        """Every figure of the model in question."""
        return self.evaluations[self.name]

    @property
    def positive(self) -> str:
        """What the class in question is called."""
        return question_name(self.target, self.names, self.class_index)

    @property
    def negative(self) -> str:
        """What the other class is called; with more than two, an empty text, and below a cut what is lower."""
        if self.class_index in self.target.cuts:
            return _("lower")
        return "" if self.target.event is None else self.names[1 - self.class_index]

    @property
    def metrics(self) -> Mapping[str, Mapping[str, Estimate]]:
        """The figures of the class in question by model."""
        if self.target.event is None:
            key = self.classes[self.target.lowest(self.class_index)]
            cut = self.class_index in self.target.cuts
            return {name: (e.cumulative if cut else e.per_class)[key] for name, e in self.evaluations.items()}
        return {name: e.metrics for name, e in self.evaluations.items()}

    def once(self, what: str, compute: Callable[[str], R]) -> dict[str, R]:
        """Compute something for each model by name, once a session."""
        key = ("evaluate", what, self.run_id, self.side, self.class_index)
        return {name: cache.once(lambda n=name: compute(n), *key, name) for name in self.risks}  # type: ignore[misc]

    def drawn(self, what: str, draw: Callable[[], R]) -> R:
        """Draw a chart of such results once a session, in its words; it must be treated as frozen."""
        words = (current_language(), *self.names, *self.risks)
        return cache.once(draw, "evaluate", "chart", what, self.run_id, self.side, self.class_index, *words)


def class_calls(judged: Judged, rule: CallRule) -> Calls:
    """Call the patients who are shown by a rule, once a session."""
    patients = judged.patients
    counts = np.bincount(judged.out_of_fold.outcome, minlength=len(judged.classes))
    return cache.once(
        lambda: calls(patients.outcome, patients.risk, rule, shares=counts / counts.sum(), groups=patients.groups),
        *("evaluate", "calls", judged.run_id, judged.side, rule),
    )


def size_of_validation(judged: Judged) -> ValidationSize | None:
    """Calculate how many new patients judge the model precisely, if they are like those of training."""
    patients = judged.out_of_fold
    event, risk = judged.target.split(judged.class_index, patients.outcome, patients.risk)
    return size_if_possible(risk, auroc_with_influence(event, risk)[0], float(event.mean()))


def judge(results: Results, run_id: str, *, side: str, class_index: int, other: str | None) -> Judged:
    """Gather the run's model, and ``other`` (a candidate's own name) beside it, on one side of the split."""
    test = side == "test"
    patients = results.test if test and results.test is not None else results.training
    whole = results.tested if test and results.tested is not None else results.cross_validated
    first = model_name(results.model)

    def risk_of(risk: Floats) -> Floats:
        return results.target.split(class_index, patients.outcome, risk)[1]

    risks, evaluations = {first: risk_of(patients.risk)}, {first: whole}
    candidate = results.candidate(other) if other else None
    if candidate is not None:
        risk, evaluation = (candidate.test_risk, candidate.test) if test else (candidate.oof, candidate.cross_validated)
        if risk is not None and evaluation is not None:
            risks[model_name(candidate.name)] = risk_of(risk)
            evaluations[model_name(candidate.name)] = evaluation
    return Judged(
        run_id=run_id,
        side=side,
        classes=results.classes,
        names=tuple(map(str, results.class_names)),
        class_index=class_index,
        patients=patients,
        out_of_fold=results.training,
        folds=results.folds,
        risks=risks,
        evaluations=evaluations,
    )


def ranked(judged: Judged) -> dict[str, Ranked]:
    """Return the outcomes in order of risk, which answer any threshold at once."""
    return judged.once("ranked", lambda name: Ranked.of(judged.outcome, judged.risks[name]))


def confusions(judged: Judged, threshold: float, *, at_prevalence: float | None = None) -> dict[str, Confusion]:
    """Return the confusion matrices at a threshold, with predictive values at another prevalence if one is given."""
    if judged.groups is None:
        return {name: r.confusion(threshold, prevalence=at_prevalence) for name, r in ranked(judged).items()}
    return {
        name: confusion(judged.outcome, risk, threshold, prevalence=at_prevalence, groups=judged.groups)
        for name, risk in judged.risks.items()
    }


def roc_curves(judged: Judged) -> dict[str, RocCurve]:
    """Return the ROC curves."""
    areas = {name: m["auroc"] for name, m in judged.metrics.items()}
    return judged.once("roc", lambda n: roc(judged.outcome, judged.risks[n], groups=judged.groups, area=areas[n]))


def precision_recall_curves(judged: Judged) -> dict[str, PrecisionRecallCurve]:
    """Return the precision–recall curves."""
    areas = {name: m["auprc"] for name, m in judged.metrics.items()}
    return judged.once(
        "pr", lambda n: precision_recall(judged.outcome, judged.risks[n], groups=judged.groups, area=areas[n])
    )


def calibration_curves(judged: Judged) -> dict[str, CalibrationCurve]:
    """Return the calibration curves with their bands."""
    return judged.once(
        "calibration", lambda n: calibration_curve(judged.outcome, judged.risks[n], groups=judged.groups)
    )


def step_curves(judged: Judged) -> dict[str, CalibrationCurve]:
    """Return, for each cut of an ordered outcome in two, the calibration curve of being at or above."""
    patients, target = judged.patients, judged.target

    def curve(cut: int) -> CalibrationCurve:
        split = target.split(cut, patients.outcome, patients.risk)
        key = ("evaluate", "steps", judged.run_id, judged.side, cut)
        return cache.once(lambda: calibration_curve(*split, groups=judged.groups), *key)

    return {question_name(target, judged.names, cut): curve(cut) for cut in target.cuts}


def decision_curves(judged: Judged) -> dict[str, DecisionCurve]:
    """Return the decision curves."""
    folds = judged.folds if judged.side == "training" else None
    return judged.once(
        "decision", lambda n: decision_curve(judged.outcome, judged.risks[n], groups=judged.groups, folds=folds)
    )


def benefit_at(judged: Judged, threshold: float) -> DecisionCurve:
    """Return the net benefit of the model in question at one threshold, as a curve of one point."""
    folds = judged.folds if judged.side == "training" else None
    grid = np.array([threshold])
    return decision_curve(judged.outcome, judged.risk, thresholds=grid, groups=judged.groups, folds=folds)


def gain_curves(judged: Judged) -> dict[str, GainCurve]:
    """Return the gain curves."""
    return judged.once("gain", lambda n: gain(judged.outcome, judged.risks[n]))


def benefit_differences(judged: Judged) -> BenefitDifference:
    """Return what the first model gains over the second at each threshold."""
    (_first, a), (second, b) = judged.risks.items()
    key = ("evaluate", "benefit", judged.run_id, judged.side, judged.class_index, second)
    return cache.once(lambda: benefit_difference(judged.outcome, a, b, groups=judged.groups), *key)


def distribution(judged: Judged) -> RiskDistribution:
    """Return how the risks of the model in question are spread by outcome."""
    return judged.once("distribution", lambda n: risk_distribution(judged.outcome, judged.risks[n]))[judged.name]


def breakdown_of(judged: Judged, columns: Sequence[str], threshold: float) -> Breakdown:
    """Judge the model in question within groups of one column or of several together."""
    key: tuple[Any, ...] = ("evaluate", "groups", judged.run_id, judged.side, judged.class_index, *columns, threshold)
    patients = judged.patients
    return cache.once(
        lambda: breakdown(
            judged.outcome, judged.risk, patients.sensitive, columns, threshold=threshold, groups=patients.groups
        ),
        *key,
    )


def remedy_of(judged: Judged, found: Breakdown, kind: str) -> Remedy:
    """Compute what treating the groups of a breakdown more alike would cost."""
    key: tuple[Any, ...] = ("evaluate", kind, judged.run_id, judged.side, judged.class_index)
    compute = equal_sensitivity if kind == "equal_sensitivity" else recalibrated

    def remedy() -> Remedy:
        groups = grouping(judged.patients.sensitive, found.columns)
        return compute(judged.outcome, judged.risk, groups, threshold=found.threshold)

    return cache.once(remedy, *key, *found.columns, found.threshold)


def told_by(study: StudyRecord, rows: NDArray[np.integer]) -> pd.DataFrame:
    """Return the predictors of rows of a study's table, as they are read."""
    return typed(cache.cohort(study).frame.iloc[rows], study.schema)[[c.name for c in study.schema.predictors]]


def mistakes_of(judged: Judged, study: StudyRecord) -> Mistakes:
    """Find where the model in question fails, told by the study's predictors."""
    key: tuple[Any, ...] = ("evaluate", "mistakes", judged.run_id, judged.side, judged.class_index, study.identity)

    return cache.once(lambda: mistakes(judged.outcome, judged.risk, told_by(study, judged.patients.rows)), *key)


def comparison(judged: Judged, threshold: float) -> Comparison:
    """Compare the two models at a threshold."""
    (_first, a), (second, b) = judged.risks.items()
    key: tuple[Any, ...] = ("evaluate", "compare", judged.run_id, judged.side, judged.class_index, second, threshold)
    folds = judged.folds if judged.side == "training" else None
    return cache.once(
        lambda: compare(judged.outcome, a, b, groups=judged.groups, folds=folds, threshold=threshold), *key
    )
