"""What a report is about: everything already computed, gathered once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from medcore.data.cohort import Cohort, Schema
from medcore.data.describe.small_cells import shown_counts
from medcore.data.follow_up import span
from medcore.data.preparation.methods import Preparation
from medcore.data.preparation.recipe import Recipe
from medcore.data.preparation.replay import Prepared
from medcore.data.schema.class_names import class_names
from medcore.data.shown import Shown
from medcore.data.splitting.split import Split
from medcore.evaluation import Evaluation, NumberPerformance, SurvivalPerformance
from medcore.evaluation.curves.thresholds import Rule
from medcore.i18n import listed
from medcore.models.bundle.bundle import Bundle
from medcore.models.deployed.external import ExternalValidation
from medcore.models.deployed.number import NumberValidation
from medcore.models.deployed.recalibration import Recalibration
from medcore.models.deployed.timed import TimedValidation
from medcore.models.run.number.results import NumberResults
from medcore.models.run.results import Patients, Results
from medcore.models.run.timed.results import TimedResults
from medcore.models.survival.cox import CauseModel, CoxPart
from medcore.targets import Target

R = TypeVar("R", bound=Results | TimedResults | NumberResults)


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyInputs(Generic[R]):
    """A trained model of any target and what is known of its patients.

    ``title`` is what people call the study, empty where nobody named it.
    ``cohort``, ``prepared`` and ``split`` are there when the table is at hand;
    without them the report says what the bundle remembers. ``worker_queries`` holds
    what only people know, by the keys of :data:`medcore.reporting.standards.tripod.ASKED`.
    ``bundle_sha256`` is the hash of the bundle's list of hashes. ``looks`` counts how often the locked test set was looked at.
    ``refits`` is a stability told as JSON, where it was worked out apart from the training.
    """

    title: str
    results: R = field(repr=False)
    threshold: float
    rationale: str = ""
    bundle_sha256: str = ""
    cohort: Cohort | None = field(repr=False, default=None)
    prepared: Prepared | None = field(repr=False, default=None)
    split: Split | None = field(repr=False, default=None)
    looks: int | None = None
    answers: Mapping[str, str] = field(repr=False, default_factory=dict)
    refits: Mapping[str, Any] | None = field(repr=False, default=None)

    @property
    def stability(self) -> Mapping[str, Any] | None:
        """What bootstrap samples said of the model: just now, or when it was trained; None where nobody asked."""
        return self.refits or self.results.stability

    @property
    def preparation(self) -> Preparation | None:
        """What was done to the table: of the table at hand, else as the bundle remembers it."""
        return self.results.preparation if self.prepared is None else Preparation.of(self.prepared)

    @property
    def schema(self) -> Schema:
        """The schema the model was trained under."""
        return Schema.from_dict(self.results.manifest["schema"])

    def shown(self, name: str) -> Shown:
        """Say how a column is shown: as the table at hand has it, else as it was at training."""
        return (self.schema if self.cohort is None else self.cohort.schema).shown(name)

    @property
    def recipe(self) -> Recipe:
        """The recipe the model was trained with."""
        return Recipe.from_dict(self.results.manifest["recipe"])

    @property
    def outcome_name(self) -> str:
        """The column that is predicted, as it is shown."""
        column = self.schema.outcome
        return str(self.shown(column.name)) if column else ""

    @property
    def class_names(self) -> tuple[str, ...]:
        """What the classes are called, in the order of the results' ``classes``, in the current language."""
        return tuple(map(str, class_names(self.results.classes, self.schema.outcome)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportInputs(StudyInputs[Results]):
    """A trained model of classes, and perhaps new patients it was judged on.

    ``rule`` chose the threshold, with the number ``rule_target``.
    ``recalibrations`` are to the patients of ``validation``.
    """

    rule: Rule = "by_hand"
    rule_target: float | None = None
    validation: ExternalValidation | None = field(repr=False, default=None)
    recalibrations: tuple[Recalibration, ...] = field(repr=False, default=())

    @property
    def tested(self) -> Evaluation | None:
        """The figures on the locked test set; None while nobody has looked at it, for a report would be a look."""
        return None if self.looks == 0 else self.results.tested

    @property
    def new_patients(self) -> Evaluation | None:
        """The figures on new patients; None where the table is the one the model was trained on."""
        return None if self.validation is None or self.validation.same_table else self.validation.evaluation

    @property
    def class_names(self) -> tuple[str, ...]:
        """What the classes are called, in the order of the results' ``classes``, in the current language."""
        return tuple(map(str, self.results.class_names))

    def counted(self, judged: Evaluation) -> str:
        """Say how many rows of each class were judged, small counts hidden."""
        return listed(f"{name}: {n}" for name, n in zip(self.class_names, self.class_counts(judged), strict=True))

    def class_counts(self, judged: Evaluation) -> tuple[str, ...]:
        """Write how many rows of each class were judged; small counts, and what they could be worked out from, are hidden.

        Training and locked patients make up the table of the outcome that stands in the same
        report, so they are looked at together.
        """
        results = self.results
        parts = [results.cross_validated, *([results.tested] if results.tested else [])]
        mine = next((i for i, part in enumerate(parts) if part is judged), None)
        counts = np.array([list(part.class_counts.values()) for part in (parts if mine is not None else [judged])]).T
        cells = shown_counts(np.column_stack([counts.sum(axis=1), counts]))
        return tuple(row[1 + (mine or 0)] for row in cells)

    @property
    def target(self) -> Target:
        """What is predicted."""
        return self.results.target


Floats = npt.NDArray[np.float64]


def events_and_risks(patients: Patients) -> tuple[Floats, Floats]:
    """Return outcome (0 or 1) and risk of the positive class, for two classes."""
    return (patients.outcome == 1).astype(np.float64), patients.risk[:, 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedReportInputs(StudyInputs[TimedResults]):
    """A trained model that says by when, about its main horizon, and perhaps new patients it was judged on.

    ``causes`` are the Cox regressions in it, one for each event, with their ``weight`` (1 where they are the model).
    """

    validation: TimedValidation | None = field(repr=False, default=None)
    causes: tuple[CauseModel, ...] = field(repr=False, default=())
    weight: float = 0.0

    def with_cox(self, bundle: Bundle) -> TimedReportInputs:
        """Return the same with the Cox regressions of the bundle, if there are any in it."""
        found = [(weight, part) for weight, part in bundle.parts if weight > 0 and isinstance(part, CoxPart)]
        return replace(self, causes=found[0][1].causes, weight=found[0][0]) if found else self

    @property
    def tested(self) -> SurvivalPerformance | None:
        """The figures on the locked test set; None while nobody has looked at it, for a report would be a look."""
        return None if self.looks == 0 else self.results.tested

    @property
    def new_patients(self) -> SurvivalPerformance | None:
        """The figures on new patients; None where the table is the one the model was trained on."""
        return None if self.validation is None or self.validation.same_table else self.validation.performance

    @property
    def when(self) -> str:
        """The main horizon in words."""
        return str(span(self.results.target.main, self.results.target.unit))


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberReportInputs(StudyInputs[NumberResults]):
    """A trained model that predicts a number, and perhaps new patients it was judged on."""

    threshold: float = 0.0
    validation: NumberValidation | None = field(repr=False, default=None)

    @property
    def tested(self) -> NumberPerformance | None:
        """The figures on the locked test set; None while nobody has looked at it, for a report would be a look."""
        return None if self.looks == 0 else self.results.tested

    @property
    def new_patients(self) -> NumberPerformance | None:
        """The figures on new patients; None where the table is the one the model was trained on."""
        return None if self.validation is None or self.validation.same_table else self.validation.performance

    @property
    def outcome(self) -> Shown:
        """What is predicted, as it is shown."""
        return self.shown(self.results.name)


AnyInputs = ReportInputs | TimedReportInputs | NumberReportInputs
