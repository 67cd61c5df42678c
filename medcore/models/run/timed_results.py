"""Results of a run that says by when: honest curves and figures, kept beside the bundle and read without TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medcore.data.describe.table_one import TableOne
from medcore.data.findings import Finding
from medcore.data.preparation.methods import Preparation
from medcore.errors import BundleError
from medcore.evaluation.survival.performance import SurvivalPerformance
from medcore.i18n import N_
from medcore.models.bundle.bundle import read_manifest, write_bundle
from medcore.models.bundle.files import read_json, replacing, seal, write_json
from medcore.models.contract.task import Indices, Risk
from medcore.models.contract.timed import Curves
from medcore.models.run.results import TIMED_FIGURES as FIGURES
from medcore.models.run.results import about_from_dict, about_to_dict, pack_sensitive, unpack_sensitive
from medcore.sealing import Folder, as_folder, get_arrays, put_arrays
from medcore.targets import EventTime

if TYPE_CHECKING:
    from medcore.models.run.timed import TimedTrained

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


def save_timed(trained: TimedTrained, folder: Folder) -> None:
    """Keep a run's bundle and results in one sealed folder; an earlier bundle there is replaced, wholly or not at all."""
    with replacing(as_folder(folder)) as new:
        write_bundle(trained.bundle, new)
        _write(trained.results, new)
        seal(new)


def _write(results: TimedResults, folder: Folder) -> None:
    arrays: dict[str, NDArray[Any]] = {"folds": results.folds, "times": results.times}
    columns = {}
    for side, patients in (("training", results.training), ("test", results.test)):
        if patients is not None:
            arrays |= {f"{side}_{name}": getattr(patients, name) for name in _SIDE}
            if patients.groups is not None:
                arrays[f"{side}_groups"] = patients.groups
            columns[side] = pack_sensitive(patients.sensitive, side, arrays)
    for place, candidate in enumerate(results.candidates):
        arrays[f"oof_{place}"] = candidate.oof
        if candidate.test_risk is not None:
            arrays[f"test_{place}"] = candidate.test_risk
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
    sides = {
        side: TimedPatients(
            **{name: arrays[f"{side}_{name}"] for name in _SIDE},
            groups=arrays.get(f"{side}_groups"),
            sensitive=unpack_sensitive(side, columns, arrays),
        )
        for side, columns in figures["columns"].items()
    }
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
        candidates=tuple(_candidate(data, place, arrays) for place, data in enumerate(figures["candidates"])),
        **about_from_dict(figures),
        manifest=manifest,
    )


def _candidate(data: Mapping[str, Any], place: int, arrays: Mapping[str, NDArray[Any]]) -> TimedCandidate:
    return TimedCandidate(
        name=data["name"],
        weight=data["weight"],
        cross_validated=SurvivalPerformance.from_dict(data["cross_validated"]),
        test=SurvivalPerformance.from_dict(data["test"]) if data["test"] else None,
        oof=arrays[f"oof_{place}"],
        test_risk=arrays.get(f"test_{place}"),
        seconds=data["seconds"],
    )
