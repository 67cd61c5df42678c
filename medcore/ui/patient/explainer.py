"""What the patient page needs of a run, read once a session: training patients, prediction sets, weights."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from medcore import jobs
from medcore.data.cohort import Schema, Source
from medcore.data.preparation.recipe import Recipe, required_columns
from medcore.data.shown import Shown
from medcore.explanation.model import overview
from medcore.explanation.patient import worker_queries
from medcore.explanation.patient.conformal import ConformalSets
from medcore.explanation.patient.counterfactual import Counterfactual
from medcore.explanation.patient.reference import Reference
from medcore.explanation.patient.reliability import Reliability, assess
from medcore.explanation.patient.unchangeable import unchangeable
from medcore.explanation.patient.what_if import WhatIfCurve, WhatIfMap, curve
from medcore.explanation.shapley.game import Floats
from medcore.explanation.shapley.results import Explanation, Scale
from medcore.features import Rows
from medcore.models.run.results import Results
from medcore.sealing import Folder
from medcore.studies.records import RunRecord, StudyRecord
from medcore.ui.kit import cache


@dataclass(frozen=True, slots=True)
class Explainer:
    """A run opened for looking at single patients; questions to the model are asked of the worker."""

    run: RunRecord
    folder: Folder = field(repr=False)
    results: Results = field(repr=False)
    frame: pd.DataFrame = field(repr=False)
    schema: Schema = field(repr=False)
    recipe: Recipe = field(repr=False)
    reference: Reference = field(repr=False)
    usual: Floats = field(repr=False)
    sets: ConformalSets
    source: Source = field(repr=False)
    labels: Schema = field(repr=False)

    def shown(self, name: str) -> Shown:
        """Say how a column is shown: by the study's labels of today, which change no model."""
        return self.labels.shown(name)

    @property
    def model(self) -> jobs.ResultOf:
        """The trained model, as a worker is asked about it."""
        return jobs.ResultOf(cache.store().settings, self.run.owner, self.run.id)

    @property
    def classes(self) -> tuple[str, ...]:
        """The outcomes as the table has them, the positive one of two last."""
        return self.results.classes

    @property
    def names(self) -> tuple[str, ...]:
        """What the outcomes are called, in the order of ``classes``."""
        return tuple(map(str, self.results.class_names))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that a new patient must have, as they are in the file."""
        return required_columns(self.schema, self.recipe)

    def risk_of(self, patient: pd.DataFrame, key: str) -> worker_queries.PatientRisk:
        """Predict for one patient, a table of one row as it was read; ``key`` identifies the values."""
        return cache.once(
            lambda: jobs.call(worker_queries.read_risks, self.model, patient[list(self.columns)])[0],
            "patient.risk",
            self.run.id,
            key,
        )

    def explain(
        self, patient: worker_queries.PatientRisk, key: str, *, class_index: int, scale: Scale, background: str
    ) -> Explanation:
        """Explain one patient against a kind of background: ``training``, or a class."""
        found: Explanation = cache.once(
            lambda: jobs.call(
                worker_queries.explain_patient,
                self.model,
                patient,
                self.background(background),
                class_index=class_index,
                scale=scale,
            ),
            *("patient.explain", self.run.id, key, class_index, scale, background),
        )
        return replace(found, class_name=self.names[class_index])

    def background(self, kind: str) -> Rows | None:
        """Return comparison patients: the model's own sample, or 100 training patients of one outcome."""
        if kind not in self.classes:
            return None
        places = np.flatnonzero(self.reference.outcome == self.classes.index(kind))
        chosen = np.random.default_rng(0).permutation(places)[:100]
        return self.reference.patients.take(np.sort(chosen)) if len(chosen) else None

    def weights(self, class_index: int) -> Floats:
        """Return how much the model uses each column."""
        return cache.once(
            lambda: jobs.call(worker_queries.column_weights, self.model, class_index=class_index),
            *("patient.weights", self.run.id, class_index),
        )

    def trust(self, patient: worker_queries.PatientRisk, key: str, class_index: int) -> Reliability:
        """Judge how far one patient's risk can be trusted."""
        simple = patient.simple_risk
        return cache.once(
            lambda: assess(
                self.reference,
                patient.rows,
                float(patient.risk[class_index]),
                class_index=class_index,
                weights=self.weights(class_index),
                simple_risk=None if simple is None else float(simple[class_index]),
                usual=self.usual,
            ),
            *("patient.trust", self.run.id, key, class_index),
        )

    def what_if(self, patient: worker_queries.PatientRisk, key: str, column: str, class_index: int) -> WhatIfCurve:
        """Return the patient's risk along one column."""
        units = {c.name: c.unit for c in self.schema.columns}
        known = patient.rows.knowing(self.reference.patients)
        return cache.once(
            lambda: curve(
                lambda codes: jobs.call(worker_queries.risks_of, self.model, known.with_codes(codes)),
                patient.rows,
                self.reference,
                column,
                class_index=class_index,
                unit=units.get(column),
            ),
            *("patient.what_if", self.run.id, key, column, class_index),
        )

    def risk_map(
        self, patient: worker_queries.PatientRisk, key: str, x_column: str, y_column: str, class_index: int
    ) -> WhatIfMap:
        """Return the patient's risk over two columns."""
        return cache.once(
            lambda: jobs.call(
                overview.map_of,
                self.model,
                patient.rows,
                self.reference,
                x_column,
                y_column,
                class_index=class_index,
            ),
            *("patient.risk_map", self.run.id, key, x_column, y_column, class_index),
        )

    @property
    def unchangeable(self) -> list[str]:
        """The columns that nobody can change, as far as their names tell: age, sex, history."""
        return list(unchangeable(self.reference.columns))

    def counterfactuals(
        self,
        patient: worker_queries.PatientRisk,
        class_index: int,
        *,
        threshold: float,
        locked: tuple[str, ...],
        stop: jobs.Stop,
    ) -> tuple[Counterfactual, ...]:
        """Have the worker search for the smallest changes that carry the patient across the threshold."""
        return jobs.call(
            worker_queries.find_counterfactuals,
            self.model,
            patient.rows,
            self.reference,
            class_index=class_index,
            threshold=threshold,
            locked=locked,
            usual=self.usual,
            stop=stop,
        )

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


def open_explainer(study: StudyRecord, run: RunRecord) -> Explainer:
    """Open a finished run of a study."""
    found: Explainer = cache.once(lambda: _open(study, run), "patient.explainer", run.id)
    return replace(found, results=cache.results(run), labels=study.schema)


def _open(study: StudyRecord, run: RunRecord) -> Explainer:
    folder = cache.store().result_folder(run.owner, run.id)
    results = cache.results(run)
    cohort = cache.cohort(study)
    frame = cohort.frame
    reference = Reference.of(results.manifest, results, frame)
    return Explainer(
        run=run,
        folder=folder,
        results=results,
        frame=frame,
        schema=Schema.from_dict(results.manifest["schema"]),
        recipe=Recipe.from_dict(results.manifest["recipe"]),
        reference=reference,
        usual=reference.usual_distances(),
        sets=ConformalSets.fit(results.training.outcome, results.training.risk, results.classes),
        source=cohort.source,
        labels=study.schema,
    )
