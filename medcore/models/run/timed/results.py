"""Results of a run that says by when: honest curves and figures, kept beside the bundle and read without TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medcore.data.describe.table_one import TableOne
from medcore.data.findings import Finding
from medcore.data.preparation.methods import Preparation
from medcore.errors import BundleError
from medcore.evaluation.survival.performance import SurvivalPerformance
from medcore.i18n import N_
from medcore.models.bundle.bundle import read_manifest
from medcore.models.bundle.files import read_json, write_json
from medcore.models.contract.task import Indices, Risk
from medcore.models.contract.timed import Curves, risk_of_curve
from medcore.models.run.results import TIMED_FIGURES as FIGURES
from medcore.models.run.results import about_from_dict, about_to_dict
from medcore.models.run.sides import TrainedRun, keep, pack_candidates, pack_sides, unpack_candidates, unpack_sides
from medcore.sealing import Folder, as_folder, get_arrays, put_arrays
from medcore.targets import EventTime

_ARRAYS = "timed_results.npz"
_SIDE = ("rows", "duration", "event", "risk", "curve")


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedPatients:
    """Who was judged: the training rows (out of fold) or the locked test set.

    ``rows`` are row numbers in the cohort, ``duration`` how long each was followed, ``event`` what ended it (0
    no event seen), ``groups`` patient codes where patients repeat, ``sensitive`` the columns by which
    results are broken down. ``risk`` (n, K) is about the main horizon, ``curve`` (n, causes, T) the cumulative
    incidence by the results' times.
    """

    rows: Indices = field(repr=False)
    duration: NDArray[np.float64] = field(repr=False)
    event: Indices = field(repr=False)
    groups: Indices | None = field(repr=False)
    sensitive: pd.DataFrame = field(repr=False)
    risk: Risk = field(repr=False)
    curve: Curves = field(repr=False)

    @property
    def outcome(self) -> Indices:
        """What ended each patient's follow-up, as the target numbers it."""
        return self.event


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedCandidate:
    """One candidate of a run; ``weight`` is its part in the bundle (0: trained only to compare).

    ``oof`` (n_train, H) are its honest risks of the event by each horizon, ``test_risk`` those of the test rows.
    """

    name: str
    weight: float
    cross_validated: SurvivalPerformance
    test: SurvivalPerformance | None
    oof: NDArray[np.float64] = field(repr=False)
    test_risk: NDArray[np.float64] | None = field(repr=False)
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
class TimedResults:
    """Everything a run found about an event with its time, so that pages can judge it without the model.

    ``times`` (T,) are those of the curves, and hold the target's horizons. The rest is as in
    :class:`~medcore.models.run.results.Results`.
    """

    model: str
    classes: tuple[str, ...]
    target: EventTime
    times: NDArray[np.float64] = field(repr=False)
    training: TimedPatients
    folds: Indices = field(repr=False)
    test: TimedPatients | None
    cross_validated: SurvivalPerformance
    tested: SurvivalPerformance | None
    candidates: tuple[TimedCandidate, ...]
    findings: tuple[Finding, ...] = ()
    table_one: TableOne | None = field(repr=False, default=None)
    preparation: Preparation | None = field(repr=False, default=None)
    stability: Mapping[str, Any] | None = field(repr=False, default=None)
    manifest: Mapping[str, Any] = field(repr=False, default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The candidates' names."""
        return tuple(c.name for c in self.candidates)

    def candidate(self, name: str) -> TimedCandidate | None:
        """Return one candidate by name, if it was trained."""
        return next((c for c in self.candidates if c.name == name), None)

    def by(self, horizon: float) -> int:
        """Return the place of one of the horizons among the times."""
        return int(np.argmin(np.abs(self.times - horizon)))

    @property
    def absence(self) -> None:
        """No class means "none of these": one event is in question."""
        return

    def about(self, horizon: float) -> TimedResults:
        """Return the same results, whose risks and threshold are about another of the horizons."""
        if horizon == self.target.main:
            return self
        place = self.by(horizon)
        training, test = (
            None if side is None else replace(side, risk=risk_of_curve(side.curve[:, :, place]))
            for side in (self.training, self.test)
        )
        assert training is not None
        threshold = float(np.clip(self.cross_validated.by(horizon).observed.value, 0.001, 0.999))
        return replace(
            self,
            target=replace(self.target, main=horizon),
            training=training,
            test=test,
            manifest={**self.manifest, "threshold": threshold},
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the figures, JSON-ready and without any row."""
        return {
            "model": self.model,
            "outcome": "event_time",
            "classes": list(self.classes),
            "horizons": list(self.target.horizons),
            "main_horizon": self.target.main,
            "unit": self.target.unit,
            "times": self.times.tolist(),
            "n_train": len(self.training.event),
            "n_test": len(self.test.event) if self.test else 0,
            "cross_validated": self.cross_validated.to_dict(),
            "test": self.tested.to_dict() if self.tested else None,
            "candidates": [c.to_dict() for c in self.candidates],
            "findings": [f.to_dict() for f in self.findings],
        }

    def summary(self) -> dict[str, Any]:
        """Return the few out-of-fold figures that a list of runs shows; never the locked test set's."""
        main = self.cross_validated.by(self.target.main)
        return {
            "model": self.model,
            "outcome": "event_time",
            "n_train": len(self.training.event),
            "n_test": len(self.test.event) if self.test else 0,
            "auroc": main.metrics["auroc"].to_dict(),
            "candidates": [
                {"name": c.name, "weight": c.weight}
                | {name: e.to_dict() for name, e in c.cross_validated.by(self.target.main).metrics.items()}
                for c in self.candidates
            ],
        }


def save_timed(trained: TrainedRun[TimedResults], folder: Folder) -> None:
    """Keep a run's bundle and results, as :func:`~medcore.models.run.results.save_trained` does."""
    keep(trained.bundle, partial(write_timed_results, trained.results), folder)


def write_timed_results(results: TimedResults, folder: Folder) -> None:
    """Write a run's results beside its bundle, without sealing the folder."""
    arrays: dict[str, NDArray[Any]] = {"folds": results.folds, "times": results.times}
    columns = pack_sides(results, _SIDE, arrays)
    pack_candidates(results.candidates, arrays)
    put_arrays(folder / _ARRAYS, arrays, compressed=True)
    write_json(folder / FIGURES, results.to_dict() | {"columns": columns} | about_to_dict(results))


def has_timed_results(folder: Folder) -> bool:
    """Whether a bundle has the results of a training that says by when beside it."""
    return (as_folder(folder) / FIGURES).is_file()


def read_timed_results(folder: Folder) -> TimedResults:
    """Read a run's results, after checking every file; imports no TensorFlow.

    Raises:
        BundleError: not a bundle, one without such results, or a file was changed; it is named.

    """
    folder = as_folder(folder)
    manifest = read_manifest(folder)
    if not has_timed_results(folder):
        raise BundleError(N_("The bundle {folder} has no results of its training beside it."), folder=folder.name)
    figures, arrays = read_json(folder / FIGURES), get_arrays(folder / _ARRAYS)
    sides = unpack_sides(TimedPatients, _SIDE, figures["columns"], arrays)
    return TimedResults(
        model=figures["model"],
        classes=tuple(figures["classes"]),
        target=EventTime(
            len(figures["classes"]),
            horizons=tuple(figures["horizons"]),
            main=figures["main_horizon"],
            unit=figures["unit"],
        ),
        times=arrays["times"],
        training=sides["training"],
        folds=arrays["folds"],
        test=sides.get("test"),
        cross_validated=SurvivalPerformance.from_dict(figures["cross_validated"]),
        tested=SurvivalPerformance.from_dict(figures["test"]) if figures["test"] else None,
        candidates=unpack_candidates(TimedCandidate, SurvivalPerformance.from_dict, figures["candidates"], arrays),
        **about_from_dict(figures),
        manifest=manifest,
    )
