"""Results of a run that predicts a number: honest predictions and figures, kept beside the bundle and read without TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medcore.data.describe.table_one import TableOne
from medcore.data.findings import Finding
from medcore.data.preparation.methods import Preparation
from medcore.errors import BundleError
from medcore.evaluation.number.calibration import Agreement
from medcore.evaluation.number.intervals import PredictionIntervals
from medcore.evaluation.number.performance import NumberPerformance
from medcore.i18n import N_
from medcore.models.bundle.bundle import read_manifest
from medcore.models.bundle.files import read_json, write_json
from medcore.models.contract.task import Indices, Risk
from medcore.models.run.results import NUMBER_FIGURES as FIGURES
from medcore.models.run.results import about_from_dict, about_to_dict
from medcore.models.run.sides import TrainedRun, keep, pack_candidates, pack_sides, unpack_candidates, unpack_sides
from medcore.sealing import Folder, as_folder, get_arrays, put_arrays
from medcore.targets import Number

Floats = NDArray[np.float64]
_ARRAYS = "number_results.npz"
_SIDE = ("rows", "value", "risk", "low", "high")


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberPatients:
    """Who was judged: the training rows (out of fold) or the locked test set.

    ``rows`` are row numbers in the cohort, ``value`` (n,) what was measured, ``risk`` (n, 1) what was predicted, between
    ``low`` and ``high`` (n,) for nine of ten; the rest is as in :class:`~medcore.models.run.results.Patients`.
    """

    rows: Indices = field(repr=False)
    value: Floats = field(repr=False)
    groups: Indices | None = field(repr=False)
    sensitive: pd.DataFrame = field(repr=False)
    risk: Risk = field(repr=False)
    low: Floats = field(repr=False)
    high: Floats = field(repr=False)

    @property
    def predicted(self) -> Floats:
        """What was predicted, (n,)."""
        return self.risk[:, 0]

    @property
    def outcome(self) -> Indices:
        """Zeros (n,): where classes are told apart, there is one."""
        return np.zeros(len(self.value), dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberCandidate:
    """One candidate of a run; ``weight`` is its part in the bundle (0: trained only to compare).

    ``oof`` (n_train, 1) is what it predicted of each training row unseen, ``test_risk`` of the test rows.
    """

    name: str
    weight: float
    cross_validated: NumberPerformance
    test: NumberPerformance | None
    oof: Risk = field(repr=False)
    test_risk: Risk | None = field(repr=False)
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form without any row."""
        return {
            "name": self.name,
            "weight": self.weight,
            "seconds": self.seconds,
            "cross_validated": self.cross_validated.to_dict(),
            "test": self.test.to_dict() if self.test else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberResults:
    """Everything a run found about a number, so that pages can judge it without the model.

    ``name`` is the outcome's column, ``unit`` that of its values and of every figure in it. The rest is as in
    :class:`~medcore.models.run.results.Results`.
    """

    model: str
    name: str
    unit: str
    target: Number
    training: NumberPatients
    folds: Indices = field(repr=False)
    test: NumberPatients | None
    cross_validated: NumberPerformance
    tested: NumberPerformance | None
    agreement: Agreement
    tested_agreement: Agreement | None
    intervals: PredictionIntervals
    candidates: tuple[NumberCandidate, ...]
    findings: tuple[Finding, ...] = ()
    table_one: TableOne | None = field(repr=False, default=None)
    preparation: Preparation | None = field(repr=False, default=None)
    stability: Mapping[str, Any] | None = field(repr=False, default=None)
    manifest: Mapping[str, Any] = field(repr=False, default_factory=dict)

    @property
    def classes(self) -> tuple[str, ...]:
        """The one thing that is predicted."""
        return (self.name,)

    @property
    def names(self) -> tuple[str, ...]:
        """The candidates' names."""
        return tuple(c.name for c in self.candidates)

    def candidate(self, name: str) -> NumberCandidate | None:
        """Return one candidate by name, if it was trained."""
        return next((c for c in self.candidates if c.name == name), None)

    def to_dict(self) -> dict[str, Any]:
        """Return the figures, JSON-ready and without any row."""
        return {
            "model": self.model,
            "outcome": "number",
            "target": self.name,
            "unit": self.unit,
            "scale": self.target.to_dict(),
            "n_train": len(self.training.value),
            "n_test": len(self.test.value) if self.test else 0,
            "cross_validated": self.cross_validated.to_dict(),
            "test": self.tested.to_dict() if self.tested else None,
            "agreement": self.agreement.to_dict(),
            "tested_agreement": self.tested_agreement.to_dict() if self.tested_agreement else None,
            "intervals": self.intervals.to_dict(),
            "candidates": [c.to_dict() for c in self.candidates],
            "findings": [f.to_dict() for f in self.findings],
        }

    def summary(self) -> dict[str, Any]:
        """Return the few out-of-fold figures that a list of runs shows; never the locked test set's."""
        return {
            "model": self.model,
            "outcome": "number",
            "n_train": len(self.training.value),
            "n_test": len(self.test.value) if self.test else 0,
            "r2": self.cross_validated.metrics["r2"].to_dict(),
            "candidates": [
                {"name": c.name, "weight": c.weight}
                | {name: e.to_dict() for name, e in c.cross_validated.metrics.items()}
                for c in self.candidates
            ],
        }


def save_number(trained: TrainedRun[NumberResults], folder: Folder) -> None:
    """Keep a run's bundle and results, as :func:`~medcore.models.run.results.save_trained` does."""
    keep(trained.bundle, partial(write_number_results, trained.results), folder)


def write_number_results(results: NumberResults, folder: Folder) -> None:
    """Write a run's results beside its bundle, without sealing the folder."""
    arrays: dict[str, NDArray[Any]] = {"folds": results.folds}
    columns = pack_sides(results, _SIDE, arrays)
    pack_candidates(results.candidates, arrays)
    put_arrays(folder / _ARRAYS, arrays, compressed=True)
    write_json(folder / FIGURES, results.to_dict() | {"columns": columns} | about_to_dict(results))


def has_number_results(folder: Folder) -> bool:
    """Whether a bundle has the results of a training that predicts a number beside it."""
    return (as_folder(folder) / FIGURES).is_file()


def read_number_results(folder: Folder) -> NumberResults:
    """Read a run's results, after checking every file; imports no TensorFlow.

    Raises:
        BundleError: not a bundle, one without such results, or a file was changed; it is named.

    """
    folder = as_folder(folder)
    manifest = read_manifest(folder)
    if not has_number_results(folder):
        raise BundleError(N_("The bundle {folder} has no results of its training beside it."), folder=folder.name)
    figures, arrays = read_json(folder / FIGURES), get_arrays(folder / _ARRAYS)
    sides = unpack_sides(NumberPatients, _SIDE, figures["columns"], arrays)
    return NumberResults(
        model=figures["model"],
        name=figures["target"],
        unit=figures["unit"],
        target=Number.from_dict(figures["scale"]),
        training=sides["training"],
        folds=arrays["folds"],
        test=sides.get("test"),
        cross_validated=NumberPerformance.from_dict(figures["cross_validated"]),
        tested=NumberPerformance.from_dict(figures["test"]) if figures["test"] else None,
        agreement=Agreement.from_dict(figures["agreement"]),
        tested_agreement=Agreement.from_dict(figures["tested_agreement"]) if figures["tested_agreement"] else None,
        intervals=PredictionIntervals.from_dict(figures["intervals"]),
        candidates=unpack_candidates(NumberCandidate, NumberPerformance.from_dict, figures["candidates"], arrays),
        **about_from_dict(figures),
        manifest=manifest,
    )
