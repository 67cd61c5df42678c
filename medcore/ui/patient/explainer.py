"""What the patient page needs of a run, read once a session: training patients, prediction sets, weights."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from medcore import jobs
from medcore.data.cohort import Schema, Source
from medcore.data.follow_up import span
from medcore.data.preparation.recipe import Recipe, required_columns
from medcore.data.schema.class_names import class_names
from medcore.data.shown import Shown
from medcore.explanation.model import overview
from medcore.explanation.model.first_patients import FirstPatients
from medcore.explanation.patient import worker_queries
from medcore.explanation.patient.changes.counterfactual import Counterfactual
from medcore.explanation.patient.changes.unchangeable import unchangeable
from medcore.explanation.patient.changes.what_if import WhatIfCurve, WhatIfMap, curve
from medcore.explanation.patient.conformal import ConformalSets
from medcore.explanation.patient.reference import Reference
from medcore.explanation.patient.reliability import Reliability, assess
from medcore.explanation.patient.wording import RISK, Measure
from medcore.explanation.shapley.game import Floats
from medcore.explanation.shapley.results import Explanation, Scale
from medcore.features import Rows
from medcore.i18n import _
from medcore.models.run.any_results import AnyResults
from medcore.models.run.number.results import NumberPatients, NumberResults
from medcore.models.run.results import Patients, Results
from medcore.models.run.timed.results import TimedPatients, TimedResults
from medcore.sealing import Folder
from medcore.studies.records import RunRecord
from medcore.ui.kit import cache
from medcore.ui.kit.shown import components
from medcore.ui.kit.words import endings

AnyPatients = Patients | TimedPatients | NumberPatients


@dataclass(frozen=True, slots=True)
class Explainer:
    """A run opened for looking at single patients; questions to the model are asked of the worker."""

    run: RunRecord
    folder: Folder = field(repr=False)
    results: AnyResults = field(repr=False)
    frame: pd.DataFrame = field(repr=False)
    schema: Schema = field(repr=False)
    recipe: Recipe = field(repr=False)
    reference: Reference = field(repr=False)
    sets: ConformalSets | None
    source: Source = field(repr=False)
    labels: Schema = field(repr=False)
    first: FirstPatients | None = field(repr=False, default=None)
    """What was answered when training ended, of the patients first in the list."""

    @property
    def horizon(self) -> float | None:
        """By when risks are, where the model says by when."""
        return self.reference.followed.horizon if self.reference.followed else None

    @property
    def identity(self) -> tuple[str, float | None]:
        """What tells answers of this model apart from another's."""
        return self.run.id, self.horizon

    def shown(self, name: str) -> Shown:
        """Say how a column is shown: by the study's labels of today, which change no model."""
        return self.labels.shown(name)

    @property
    def model(self) -> jobs.ResultOf:
        """The trained model, as a worker is asked about it."""
        return jobs.ResultOf(cache.store().settings, self.run.owner, self.run.id, self.horizon)

    @property
    def classes(self) -> tuple[str, ...]:
        """The outcomes as the table has them, the positive one of two last."""
        return self.results.classes

    @property
    def measure(self) -> Measure:
        """How what is predicted is written, a number in the study's present words."""
        if self.reference.measured is None:
            return RISK
        return replace(self.reference.measured.measure, name=self.names[0])

    @property
    def names(self) -> tuple[str, ...]:
        """What the outcomes are called, in the order of ``classes``; events with the time by which they come."""
        if isinstance(self.results, NumberResults):
            return (self.shown(self.results.name).words,)
        if not isinstance(self.results, TimedResults):
            return tuple(map(str, self.results.class_names))
        names = self.ends
        when = str(span(self.results.target.main, self.results.target.unit))
        events = [_("{event} within {horizon}", event=name, horizon=when) for name in names[1:]]
        return (_("none of it within {horizon}", horizon=when), *events)

    @property
    def ends(self) -> tuple[str, ...]:
        """What ends a patient's follow-up, in the study's present words."""
        return tuple(map(str, class_names(self.classes, self.labels.outcome)))

    def became(self, row: int) -> str:
        """Say what became of a patient of the table, who was judged; for how long they were followed where that is known."""
        for side in (self.results.training, self.results.test):
            at = np.flatnonzero(side.rows == row) if side is not None else np.array([])
            if side is not None and len(at):
                return self.happened(side)[int(at[0])]
        return ""

    def interval(self, patient: worker_queries.PatientRisk) -> tuple[float, float] | None:
        """Return between which numbers nine of ten patients like this one are, where a number is predicted."""
        if not isinstance(self.results, NumberResults):
            return None
        low, high = self.results.intervals.around(patient.risk[:1])
        return float(low[0]), float(high[0])

    def happened(self, patients: AnyPatients) -> list[str]:
        """Say of each patient what the outcome was."""
        if isinstance(patients, NumberPatients):
            return [self.measure.write(value) for value in patients.value.tolist()]
        if not isinstance(patients, TimedPatients) or not isinstance(self.results, TimedResults):
            words = self.names
            return [words[k] for k in patients.outcome]
        return endings(patients.outcome, patients.duration, self.ends, self.results.target.unit)

    @property
    def backgrounds(self) -> tuple[str, ...]:
        """The kinds of patients that a risk may be compared with."""
        return ("training", *self.classes) if isinstance(self.results, Results) else ("training",)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that a new patient must have, as they are in the file."""
        return required_columns(self.schema, self.recipe)

    def risk_of(self, patient: pd.DataFrame, key: str) -> worker_queries.PatientRisk | None:
        """Predict for one patient, a table of one row as it was read; ``key`` identifies the values. ``None`` as yet."""
        model, rows = self.model, patient[list(self.columns)]
        return components.waited(
            lambda task: jobs.call(worker_queries.read_risks, model, rows, stop=task.stop)[0],
            *("patient.risk", self.identity, key),
            key="patient.risk",
            doing=_("The model is asked for its prediction."),
        )

    def explanation_of(
        self, patient: worker_queries.PatientRisk, key: str, *, class_index: int, scale: Scale, background: str
    ) -> Explanation | None:
        """Explain one patient against a kind of background: ``training``, or a class. ``None`` as yet."""
        ask = self._explaining(patient, class_index, scale, background)
        found = components.waited(
            lambda task: ask(task.stop),
            *("patient.explain", self.identity, key, class_index, scale, background),
            key="patient.explain",
            doing=_("The risk is taken apart."),
        )
        return None if found is None else replace(found, class_name=self.names[class_index])

    def begin_explanation(
        self, patient: worker_queries.PatientRisk, key: str, *, class_index: int, scale: Scale, background: str
    ) -> None:
        """Have one patient explained while the page is drawn."""
        ask = self._explaining(patient, class_index, scale, background)
        identity = ("patient.explain", self.identity, key, class_index, scale, background)
        components.begun(lambda task: ask(task.stop), *identity)

    def _explaining(
        self, patient: worker_queries.PatientRisk, class_index: int, scale: Scale, background: str
    ) -> Callable[[jobs.Stop | None], Explanation]:
        """Return the question to the worker, or what was answered when training ended; what is needed of the session is at hand."""
        usual = background == self.backgrounds[0] and scale != "log_odds"
        kept = self.first.explanation(patient, class_index) if self.first is not None and usual else None
        if kept is not None:
            return lambda _stop: kept
        model, others = self.model, self.background(background)
        return lambda stop: jobs.call(
            worker_queries.explain_patient,
            model,
            patient,
            others,
            class_index=class_index,
            scale=scale,
            stop=stop,
        )

    def background(self, kind: str) -> Rows | None:
        """Return comparison patients: the model's own sample, or 100 training patients of one outcome."""
        if kind not in self.backgrounds[1:]:
            return None
        places = np.flatnonzero(self.reference.outcome == self.classes.index(kind))
        chosen = np.random.default_rng(0).permutation(places)[:100]
        return self.reference.patients.take(np.sort(chosen)) if len(chosen) else None

    def weighed(self, class_index: int) -> bool:
        """Whether it is known how much the model uses each column; the page says so where it is not as yet."""
        if self.first is not None and class_index in self.first.weights:
            return True
        model, known = self.model, (*self.identity, class_index)
        found = components.waited(
            lambda task: jobs.call(worker_queries.column_weights, model, class_index=class_index, stop=task.stop),
            *("patient.weighing", *known),
            key="patient.weighing",
            doing=_("The model is asked how much it uses each column."),
        )
        if found is not None:
            cache.once(lambda: found, "patient.weights", self.identity, class_index)
        return found is not None

    def weights(self, class_index: int) -> Floats:
        """Return how much the model uses each column; no worker is waited for once it is ``weighed``."""
        if self.first is not None and class_index in self.first.weights:
            return self.first.weights[class_index]
        return cache.once(
            lambda: jobs.call(worker_queries.column_weights, self.model, class_index=class_index),
            *("patient.weights", self.identity, class_index),
        )

    def trust(
        self, patient: worker_queries.PatientRisk, key: str, class_index: int, *, trained: int | None = None
    ) -> Reliability:
        """Judge how far one patient's risk can be trusted, by the others where the patient is of a row trained on."""
        simple = patient.simple_risk
        return cache.once(
            lambda: assess(
                self.reference.without(trained),
                patient.rows,
                float(patient.risk[class_index]),
                class_index=class_index,
                weights=self.weights(class_index),
                simple_risk=None if simple is None else float(simple[class_index]),
                usual=self.usual,
            ),
            *("patient.trust", self.identity, key, class_index),
        )

    def what_if(
        self, patient: worker_queries.PatientRisk, key: str, column: str, class_index: int
    ) -> WhatIfCurve | None:
        """Return the patient's risk along one column. ``None`` as yet."""
        units = {c.name: c.unit for c in self.schema.columns}
        known, model = patient.rows.knowing(self.reference.patients), self.model
        return components.waited(
            lambda task: curve(
                lambda codes: jobs.call(worker_queries.risks_of, model, known.with_codes(codes), stop=task.stop),
                patient.rows,
                self.reference,
                column,
                class_index=class_index,
                unit=units.get(column),
            ),
            *("patient.what_if", self.identity, key, column, class_index),
            key="patient.along",
            doing=_("The model is asked for the risk along the column."),
        )

    def risk_map(
        self, patient: worker_queries.PatientRisk, key: str, x_column: str, y_column: str, class_index: int
    ) -> WhatIfMap | None:
        """Return the patient's risk over two columns. ``None`` as yet."""
        model = self.model
        return components.waited(
            lambda task: jobs.call(
                overview.map_of,
                model,
                patient.rows,
                self.reference,
                x_column,
                y_column,
                class_index=class_index,
                stop=task.stop,
            ),
            *("patient.risk_map", self.identity, key, x_column, y_column, class_index),
            key="patient.over",
            doing=_("The model is asked for the risk over both columns."),
        )

    @property
    def unchangeable(self) -> list[str]:
        """The columns that nobody can change, as far as their names tell: age, sex, history."""
        return list(unchangeable(self.reference.columns))

    def counterfactuals(
        self,
        patient: worker_queries.PatientRisk,
        key: str,
        class_index: int,
        *,
        threshold: float,
        locked: tuple[str, ...],
    ) -> tuple[Counterfactual, ...] | None:
        """Have the worker search for the smallest changes that carry the patient across the threshold. ``None`` as yet."""
        model, usual = self.model, self.usual  # what the session keeps is not at hand where the work is waited for
        return components.waited(
            lambda task: jobs.call(
                worker_queries.find_counterfactuals,
                model,
                patient.rows,
                self.reference,
                class_index=class_index,
                threshold=threshold,
                locked=locked,
                usual=usual,
                stop=task.stop,
            ),
            *("patient.counterfactuals", self.identity, key, class_index, threshold, locked),
            key="patient.different",
            doing=_("Searching for the smallest changes."),
        )

    @property
    def usual(self) -> Floats:
        """How far training patients are from the nearest others; nothing that a list needs."""
        return cache.once(self.reference.usual_distances, "patient.usual", self.run.id)

    @property
    def central(self) -> Floats:
        """The bounds (2, P) of the central 95 % of each column's training values; NaN where none is known."""
        return cache.once(lambda: _central(self.reference.codes), "patient.central", self.run.id)

    def position(self, risk: float, class_index: int) -> float:
        """Return the share of training patients with a lower out-of-fold risk."""
        return float(np.mean(self.reference.risk[:, class_index] < risk))


def _central(codes: Floats) -> Floats:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a column without any value
        return np.asarray(np.nanquantile(codes, (0.025, 0.975), axis=0))
