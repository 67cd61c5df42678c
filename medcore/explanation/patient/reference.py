"""The training patients a new patient is held against: nearness, neighbours, what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medcore.data.cohort import Schema
from medcore.data.preparation.predictors import measured
from medcore.data.preparation.recipe import Recipe
from medcore.data.preparation.replay import prepare_predictors
from medcore.data.quantities.decimals import usual_decimals
from medcore.explanation.patient.wording import Measure
from medcore.explanation.shapley.game import Floats
from medcore.features import AnyRows, CodeBook, Rows
from medcore.models.run.number.results import NumberPatients, NumberResults
from medcore.models.run.timed.results import TimedPatients
from medcore.statistics.survival.incidence import Incidence
from medcore.targets import EventTime

if TYPE_CHECKING:
    from medcore.models.run.results import Results
    from medcore.models.run.timed.results import TimedResults

MAX_REFERENCE = 5_000
N_NEAREST = 5
MAX_QUERIES = 500


@dataclass(frozen=True, slots=True)
class Followed:
    """How long patients (n,) were followed, and the time by which an event is asked about."""

    duration: Floats = field(repr=False)
    horizon: float


@dataclass(frozen=True, slots=True)
class Measured:
    """The number that was measured of patients (n,), and how it is written."""

    value: Floats = field(repr=False)
    measure: Measure

    def written(self, place: int) -> str:
        """Write what was measured of one of them."""
        return self.measure.write(float(self.value[place]))


@dataclass(frozen=True, slots=True)
class Reference:
    """Training patients as rows (n, P) with their outcome and out-of-fold risks (n, K).

    ``rows`` are row numbers in the cohort. ``spreads`` are the units in which
    each column's kind measures differences. Where an event comes with its time, ``outcome`` is what ended the
    follow-up, and ``followed`` is known; where a number is predicted ``measured`` is. Needs no TensorFlow.
    """

    codebook: CodeBook = field(repr=False)
    classes: tuple[str, ...]
    patients: Rows = field(repr=False)
    outcome: NDArray[np.int64] = field(repr=False)
    risk: Floats = field(repr=False)
    rows: NDArray[np.int64] = field(repr=False)
    spreads: Floats = field(repr=False)
    followed: Followed | None = field(repr=False, default=None)
    measured: Measured | None = field(repr=False, default=None)

    @classmethod
    def of(
        cls,
        manifest: Mapping[str, Any],
        results: Results | TimedResults | NumberResults,
        frame: pd.DataFrame,
        *,
        patients: Rows | None = None,
    ) -> Self:
        """Read the training patients of a run from its cohort's frame, a random 5,000 of them if there are more.

        ``patients`` are what :func:`reference_rows` made of them, where that was done elsewhere.
        """
        training, chosen = results.training, _chosen(results)
        codebook = CodeBook.from_dict(manifest["codebook"])
        patients = patients or reference_rows(manifest, results, frame)
        found = cls.from_arrays(
            codebook, results.classes, patients, training.outcome[chosen], training.risk[chosen], training.rows[chosen]
        )
        if isinstance(training, NumberPatients) and isinstance(results, NumberResults):
            outcome = Schema.from_dict(manifest["schema"]).shown(results.name)
            measure = Measure(outcome.words, results.unit, results.cross_validated.sd)
            return replace(found, measured=Measured(training.value[chosen], measure))
        if not isinstance(training, TimedPatients) or not isinstance(results.target, EventTime):
            return found
        return replace(found, followed=Followed(training.duration[chosen], results.target.main))

    @classmethod
    def from_arrays(
        cls,
        codebook: CodeBook,
        classes: tuple[str, ...],
        patients: AnyRows,
        outcome: NDArray[np.int64],
        risk: Floats,
        rows: NDArray[np.int64],
    ) -> Self:
        """Build from arrays that go together row by row."""
        patients = Rows.of(patients)
        return cls(codebook, tuple(classes), patients, outcome, risk, rows, codebook.spreads(patients))

    def decimals(self, name: str) -> int | None:
        """With how many decimals a column of numbers is shown: one more than most of these patients' values have.

        A value that came in another unit has as many as the conversion left.
        """
        place = self.columns.index(name)
        if not measured(self.codebook.encoders[place].kind):
            return None
        return 1 + usual_decimals(self.patients.codes[:, place])

    def without(self, row: int | None) -> Self:
        """Return the others: without the patient of a row of the cohort, if there is one."""
        kept = self.rows != row
        if row is None or kept.all():
            return self
        return replace(
            self,
            patients=self.patients.take(kept),
            outcome=self.outcome[kept],
            risk=self.risk[kept],
            rows=self.rows[kept],
            followed=self.followed and replace(self.followed, duration=self.followed.duration[kept]),
            measured=self.measured and replace(self.measured, value=self.measured.value[kept]),
        )

    @property
    def codes(self) -> Floats:
        """The codes (n, P) of the training patients."""
        return self.patients.codes

    @property
    def columns(self) -> tuple[str, ...]:
        """The predictors, in the order of the codes."""
        return self.codebook.columns

    def incidence(self, class_index: int, places: NDArray[np.integer] | None = None) -> Incidence:
        """Return when an event came among some of the patients, or all of them (Aalen–Johansen)."""
        assert self.followed is not None
        chosen = slice(None) if places is None else places
        happened = self.outcome[chosen]
        return Incidence.of(
            self.followed.duration[chosen], np.where(happened == class_index, 1, 2 * (happened > 0)).astype(np.int64)
        )

    def base(self, class_index: int) -> float:
        """Return the share (0–1) of the training patients with an outcome, by the horizon where there is one; the mean of a number."""
        if self.measured is not None:
            return float(self.measured.value.mean())
        if self.followed is None:
            return float((self.outcome == class_index).mean())
        return self.incidence(class_index).at(self.followed.horizon)

    def differences(self, patient: AnyRows) -> Floats:
        """Return how far one patient (1, P) is from each training patient in each column, shape (n, P)."""
        return self.codebook.distance(self.patients, Rows.of(patient), self.spreads)

    def distances(self, patient: AnyRows, *, weights: Floats | None = None) -> Floats:
        """Return the mean difference to each training patient (n,), columns weighted by what the model uses."""
        shares = column_shares(weights, self.codes.shape[1])
        return np.asarray(self.differences(patient) @ shares)

    def nearest(self, patient: AnyRows, n: int, *, weights: Floats | None = None) -> NDArray[np.intp]:
        """Return the places of the n nearest training patients, nearest first."""
        distances = self.distances(patient, weights=weights)
        return np.argsort(distances, kind="stable")[:n]

    def usual_distances(self) -> Floats:
        """Return, for training patients, the mean distance to their five nearest others, sorted; up to 500 of them."""
        places = np.unique(np.linspace(0, len(self.codes) - 1, min(MAX_QUERIES, len(self.codes))).astype(int))
        return np.sort([self.remoteness(self.patients.take(i), without=int(i)) for i in places])

    def remoteness(self, patient: AnyRows, *, without: int | None = None) -> float:
        """Return the mean distance of a patient to the five nearest training patients."""
        distances = self.distances(patient)
        if without is not None:
            distances = np.delete(distances, without)
        n = min(N_NEAREST, len(distances))
        return float(np.partition(distances, n - 1)[:n].mean()) if n else 0.0


def _chosen(results: Results | TimedResults | NumberResults) -> NDArray[np.intp]:
    n = len(results.training.rows)
    if n <= MAX_REFERENCE:
        return np.arange(n)
    return np.sort(np.random.default_rng(0).choice(n, MAX_REFERENCE, replace=False))


def reference_rows(
    manifest: Mapping[str, Any], results: Results | TimedResults | NumberResults, frame: pd.DataFrame
) -> Rows:
    """Return the training patients of :meth:`Reference.of` as the model reads them, (n, P)."""
    part = frame.iloc[results.training.rows[_chosen(results)]]
    prepared = prepare_predictors(part, Schema.from_dict(manifest["schema"]), Recipe.from_dict(manifest["recipe"]))
    return CodeBook.from_dict(manifest["codebook"]).transform(prepared)


def column_shares(weights: Floats | None, n_columns: int) -> Floats:
    """Turn how much a model uses each column into shares (P,); equal ones when it is not known."""
    if weights is None or not np.any(weights > 0):
        return np.full(n_columns, 1 / max(1, n_columns))
    return np.asarray(weights / np.sum(weights))
