"""The training patients a new patient is held against: nearness, neighbours, what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medcore.data.cohort import Schema
from medcore.data.preparation.recipe import Recipe
from medcore.data.preparation.replay import prepare_predictors
from medcore.explanation.shapley.game import Floats
from medcore.features import CodeBook

if TYPE_CHECKING:
    from medcore.models.run.results import Results

MAX_REFERENCE = 5_000
N_NEAREST = 5
MAX_QUERIES = 500


@dataclass(frozen=True, slots=True)
class Reference:
    """Training patients as codes (n, P) with their outcome and out-of-fold risks (n, K).

    ``rows`` are row numbers in the cohort. ``spreads`` are the standard deviations
    of numeric columns, by which differences are measured. Needs no TensorFlow.
    """

    codebook: CodeBook = field(repr=False)
    classes: tuple[str, ...]
    codes: Floats = field(repr=False)
    outcome: NDArray[np.int64] = field(repr=False)
    risk: Floats = field(repr=False)
    rows: NDArray[np.int64] = field(repr=False)
    spreads: Floats = field(repr=False)

    @classmethod
    def of(cls, manifest: Mapping[str, Any], results: Results, frame: pd.DataFrame) -> Self:
        """Read the training patients of a run from its cohort's frame, a random 5,000 of them if there are more."""
        training = results.training
        chosen = np.arange(len(training.rows))
        if len(chosen) > MAX_REFERENCE:
            chosen = np.sort(np.random.default_rng(0).choice(chosen, MAX_REFERENCE, replace=False))
        codebook = CodeBook.from_dict(manifest["codebook"])
        part = frame.iloc[training.rows[chosen]]
        prepared = prepare_predictors(part, Schema.from_dict(manifest["schema"]), Recipe.from_dict(manifest["recipe"]))
        codes = codebook.transform(prepared).codes
        return cls.from_arrays(
            codebook, results.classes, codes, training.outcome[chosen], training.risk[chosen], training.rows[chosen]
        )

    @classmethod
    def from_arrays(
        cls,
        codebook: CodeBook,
        classes: tuple[str, ...],
        codes: Floats,
        outcome: NDArray[np.int64],
        risk: Floats,
        rows: NDArray[np.int64],
    ) -> Self:
        """Build from arrays that go together row by row."""
        return cls(codebook, tuple(classes), codes, outcome, risk, rows, _spreads(codes, codebook))

    @property
    def columns(self) -> tuple[str, ...]:
        """The predictors, in the order of the codes."""
        return self.codebook.columns

    def differences(self, codes: Floats) -> Floats:
        """Return how far one patient (P,) is from each training patient in each column, shape (n, P).

        Numeric values differ by their distance in standard deviations; other
        categories, and missing against known, by 1.
        """
        missing, lacking = np.isnan(self.codes), np.isnan(codes)
        numeric = np.array([kind == "numeric" for kind in self.codebook.kinds])
        with np.errstate(invalid="ignore"):
            apart = np.where(
                numeric, np.abs(self.codes - codes) / self.spreads, (self.codes != codes).astype(np.float64)
            )
        return np.where(missing & lacking, 0.0, np.where(missing ^ lacking, 1.0, apart))

    def distances(self, codes: Floats, *, weights: Floats | None = None) -> Floats:
        """Return the mean difference to each training patient (n,), columns weighted by what the model uses."""
        shares = column_shares(weights, self.codes.shape[1])
        return np.asarray(self.differences(codes) @ shares)

    def nearest(self, codes: Floats, n: int, *, weights: Floats | None = None) -> NDArray[np.intp]:
        """Return the places of the n nearest training patients, nearest first."""
        distances = self.distances(codes, weights=weights)
        return np.argsort(distances, kind="stable")[:n]

    def usual_distances(self) -> Floats:
        """Return, for training patients, the mean distance to their five nearest others, sorted; up to 500 of them."""
        places = np.unique(np.linspace(0, len(self.codes) - 1, min(MAX_QUERIES, len(self.codes))).astype(int))
        return np.sort([self.remoteness(self.codes[i], without=int(i)) for i in places])

    def remoteness(self, codes: Floats, *, without: int | None = None) -> float:
        """Return the mean distance of a patient to the five nearest training patients."""
        distances = self.distances(codes)
        if without is not None:
            distances = np.delete(distances, without)
        n = min(N_NEAREST, len(distances))
        return float(np.partition(distances, n - 1)[:n].mean()) if n else 0.0


def _spreads(codes: Floats, codebook: CodeBook) -> Floats:
    spreads = np.ones(codes.shape[1])
    for place, kind in enumerate(codebook.kinds):
        known = codes[~np.isnan(codes[:, place]), place]
        if kind == "numeric" and known.size > 1 and known.std() > 0:
            spreads[place] = known.std()
    return spreads


def column_shares(weights: Floats | None, n_columns: int) -> Floats:
    """Turn how much a model uses each column into shares (P,); equal ones when it is not known."""
    if weights is None or not np.any(weights > 0):
        return np.full(n_columns, 1 / max(1, n_columns))
    return np.asarray(weights / np.sum(weights))
