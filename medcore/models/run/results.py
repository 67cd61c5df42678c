"""Results of a run: every honest risk and figure, kept beside the bundle and read without TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medcore.data.cohort import Column, Schema
from medcore.data.describe.table_one import TableOne
from medcore.data.findings import Finding
from medcore.data.preparation.methods import Preparation
from medcore.data.schema.class_names import class_names
from medcore.data.schema.targets import absence
from medcore.errors import BundleError
from medcore.evaluation import Evaluation
from medcore.i18n import N_, Message
from medcore.models.bundle.bundle import read_manifest
from medcore.models.bundle.files import read_json, write_json
from medcore.models.contract.task import Indices, Risk
from medcore.models.run.sides import keep, pack_candidates, pack_sides, unpack_candidates, unpack_sides
from medcore.models.written.specification import Specification
from medcore.sealing import Folder, as_folder, get_arrays, put_arrays
from medcore.targets import Target

if TYPE_CHECKING:
    from medcore.models.run.number.results import NumberResults
    from medcore.models.run.timed.results import TimedResults
    from medcore.models.run.training import Trained

SUMMARY = ("auroc", "auprc", "brier", "calibration_slope", "calibration_intercept")
_ARRAYS = "results.npz"
_FIGURES = "results.json"
TIMED_FIGURES, NUMBER_FIGURES = "timed_results.json", "number_results.json"
"""The files in which models that say by when, or predict a number, have their figures, which are others."""
_SIDE = ("rows", "outcome", "risk")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patients:
    """Who was judged: the training rows (out of fold) or the locked test set.

    ``rows`` are row numbers in the cohort, ``outcome`` class indices, ``groups``
    patient codes where patients repeat, ``sensitive`` the columns by which
    results are broken down, ``risk`` the chosen model's risks ``(n, K)``.
    """

    rows: Indices = field(repr=False)
    outcome: Indices = field(repr=False)
    groups: Indices | None = field(repr=False)
    sensitive: pd.DataFrame = field(repr=False)
    risk: Risk = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateResult:
    """One candidate of a run; ``weight`` is its part in the bundle (0: trained only to compare).

    ``oof`` has a row for each training row, ``test_risk`` one for each test row.
    ``spread`` is the standard deviation of a patient's risk over the candidate's
    members, where there are several.
    """

    name: str
    weight: float
    cross_validated: Evaluation
    test: Evaluation | None
    oof: Risk = field(repr=False)
    test_risk: Risk | None = field(repr=False)
    spread: NDArray[np.float64] | None = field(repr=False, default=None)
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form without any row."""
        return {
            "name": self.name,
            "weight": self.weight,
            "seconds": self.seconds,
            "mean_spread": None if self.spread is None else float(self.spread.mean()),
            "cross_validated": self.cross_validated.to_dict(),
            "test": self.test.to_dict() if self.test else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Everything a run found, so that pages can evaluate without the model.

    ``training`` holds out-of-fold risks, ``test`` those of the locked test set
    (``None`` when all rows were trained on). ``folds`` goes with ``training``.
    ``table_one`` says who the patients were by outcome, both sides together, and
    ``preparation`` what was done to their table, ``specification`` is the logistic regression written
    down, where it was trained, and ``stability`` what refits said, where they were asked for, as JSON; bundles of before these were kept have none.
    """

    model: str
    classes: tuple[str, ...]
    training: Patients
    folds: Indices = field(repr=False)
    test: Patients | None
    cross_validated: Evaluation
    tested: Evaluation | None
    candidates: tuple[CandidateResult, ...]
    findings: tuple[Finding, ...] = ()
    table_one: TableOne | None = field(repr=False, default=None)
    preparation: Preparation | None = field(repr=False, default=None)
    specification: Specification | None = field(repr=False, default=None)
    stability: Mapping[str, Any] | None = field(repr=False, default=None)
    manifest: Mapping[str, Any] = field(repr=False, default_factory=dict)

    @property
    def target(self) -> Target:
        """What is predicted."""
        return self.cross_validated.target

    @property
    def class_names(self) -> tuple[Message, ...]:
        """What each class is called; ``classes`` are as the table has them."""
        return class_names(self.classes, self._outcome)

    @property
    def absence(self) -> int | None:
        """The class that means "none of these" among more than two, where there is one."""
        return absence(self.classes, self.manifest.get("schema", {}).get("absence")) if self.target.many else None

    @property
    def _outcome(self) -> Column | None:
        columns = self.manifest.get("schema", {}).get("columns", ())
        return next((Column.from_dict(c) for c in columns if c.get("role") == "outcome"), None)

    def named_as(self, schema: Schema) -> Results:
        """Return the same results with the outcome's words of a study's schema, which may be newer than the run."""
        outcome, trained = schema.outcome, self._outcome
        if outcome is None or trained is None or outcome.name != trained.name:
            return self
        words = {"label": outcome.label, "level_labels": dict(outcome.level_labels)}
        columns = [c | words if c["name"] == outcome.name else c for c in self.manifest["schema"]["columns"]]
        named = {**self.manifest["schema"], "columns": columns, "absence": schema.absence}
        return replace(self, manifest={**self.manifest, "schema": named})

    @property
    def names(self) -> tuple[str, ...]:
        """The candidates' names."""
        return tuple(c.name for c in self.candidates)

    def candidate(self, name: str) -> CandidateResult | None:
        """Return one candidate by name, if it was trained."""
        return next((c for c in self.candidates if c.name == name), None)

    def to_dict(self) -> dict[str, Any]:
        """Return the figures, JSON-ready and without any row."""
        return {
            "model": self.model,
            "classes": list(self.classes),
            "n_train": len(self.training.outcome),
            "n_test": len(self.test.outcome) if self.test else 0,
            "cross_validated": self.cross_validated.to_dict(),
            "test": self.tested.to_dict() if self.tested else None,
            "candidates": [c.to_dict() for c in self.candidates],
            "findings": [f.to_dict() for f in self.findings],
        }

    def summary(self) -> dict[str, Any]:
        """Return the few out-of-fold figures that a list of runs shows; never the locked test set's."""
        return {
            "model": self.model,
            "n_train": len(self.training.outcome),
            "n_test": len(self.test.outcome) if self.test else 0,
            "auroc": self.cross_validated.metrics["auroc"].to_dict(),
            "candidates": [
                {"name": c.name, "weight": c.weight}
                | {
                    name: c.cross_validated.metrics[name].to_dict()
                    for name in SUMMARY
                    if name in c.cross_validated.metrics
                }
                for c in self.candidates
            ],
        }


def save_trained(trained: Trained, folder: Folder) -> None:
    """Keep a run's bundle and results in one sealed folder; an earlier bundle there is replaced, wholly or not at all."""
    keep(trained.bundle, partial(write_results, trained.results), folder)


def write_results(results: Results, folder: Folder) -> None:
    """Write a run's results beside its bundle, without sealing the folder."""
    arrays: dict[str, NDArray[Any]] = {"folds": results.folds}
    columns = pack_sides(results, _SIDE, arrays)
    pack_candidates(results.candidates, arrays)
    put_arrays(folder / _ARRAYS, arrays, compressed=True)
    figures = results.to_dict() | {
        "columns": columns,
        **about_to_dict(results),
        "specification": results.specification.to_dict() if results.specification else None,
    }
    write_json(folder / _FIGURES, figures)


def about_to_dict(results: Results | TimedResults | NumberResults) -> dict[str, Any]:
    """Write down what any run's results say of the patients, their preparation, what to know, and what refits said."""
    return {
        "table_one": results.table_one.to_dict() if results.table_one else None,
        "preparation": results.preparation.to_dict() if results.preparation else None,
        "findings": [finding_to_dict(f) for f in results.findings],
        "stability": results.stability,
    }


def about_from_dict(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Read what :func:`about_to_dict` wrote, as fields of the results."""
    table, preparation = figures.get("table_one"), figures.get("preparation")
    return {
        "table_one": TableOne.from_dict(table) if table else None,
        "preparation": Preparation.from_dict(preparation) if preparation else None,
        "findings": tuple(finding_from_dict(f) for f in figures["findings"]),
        "stability": figures.get("stability"),
    }


def has_results(folder: Folder) -> bool:
    """Whether a bundle has the results of its training beside it."""
    return (folder / _FIGURES).is_file()


def read_results(folder: Folder) -> Results:
    """Read a run's results, after checking every file; imports no TensorFlow.

    Raises:
        BundleError: not a bundle, one without results, or a file was changed; it is named.

    """
    folder = as_folder(folder)
    manifest = read_manifest(folder)
    if (folder / TIMED_FIGURES).is_file():
        raise BundleError(
            N_(
                "This model says by when the event comes, so it is judged by other figures; what you asked for does not have them yet."
            )
        )
    if (folder / NUMBER_FIGURES).is_file():
        raise BundleError(
            N_(
                "This model predicts a number, so it is judged by other figures; what you asked for does not have them yet."
            )
        )
    if not has_results(folder):
        raise BundleError(N_("The bundle {folder} has no results of its training beside it."), folder=folder.name)
    figures = read_json(folder / _FIGURES)
    arrays = get_arrays(folder / _ARRAYS)
    sides = unpack_sides(Patients, _SIDE, figures["columns"], arrays)
    return Results(
        model=figures["model"],
        classes=tuple(figures["classes"]),
        training=sides["training"],
        folds=arrays["folds"],
        test=sides.get("test"),
        cross_validated=Evaluation.from_dict(figures["cross_validated"]),
        tested=Evaluation.from_dict(figures["test"]) if figures["test"] else None,
        candidates=unpack_candidates(
            CandidateResult, Evaluation.from_dict, figures["candidates"], arrays, spread="spread"
        ),
        **about_from_dict(figures),
        specification=Specification.from_dict(figures["specification"]) if figures.get("specification") else None,
        manifest=manifest,
    )


def finding_to_dict(finding: Finding) -> dict[str, Any]:
    """Return a JSON-ready form that :func:`finding_from_dict` reads back, with its sentences in no language yet."""
    words = {name: getattr(finding, name).to_dict() for name in ("message", "why", "remedy")}
    return finding.to_dict() | words


def finding_from_dict(data: Mapping[str, Any]) -> Finding:
    """Read what :func:`finding_to_dict` wrote."""
    return Finding(
        code=data["code"],
        severity=data["severity"],
        message=Message.from_dict(data["message"]),
        why=Message.from_dict(data["why"]),
        remedy=Message.from_dict(data["remedy"]),
        columns=tuple(data["columns"]),
        n_rows=data["n_rows"],
    )
