"""A frozen bundle that says by when meets new patients: their curves, and how good its risks are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from medcore.data.cohort import Cohort
from medcore.data.preparation.replay import prepare_evaluation
from medcore.data.schema.matching import with_names
from medcore.errors import TargetError
from medcore.evaluation.survival.performance import SurvivalPerformance, evaluate_at_horizons
from medcore.i18n import N_
from medcore.models.bundle.bundle import Bundle, load_bundle
from medcore.models.contract.timed import Curves
from medcore.models.deployed.external import ColumnDifference, differences, flag_texts, new_schema
from medcore.models.deployed.levels import read_as, refuse_unknown, unknown_levels
from medcore.models.deployed.membership import Membership, membership
from medcore.sealing import Folder
from medcore.targets import EventTime


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedValidation:
    """The performance of a frozen model that says by when, on patients it was not made from.

    ``duration`` and ``event`` (n,) are of the patients whose outcome is known, ``rows`` their rows in the
    table, ``curve`` (n, causes, T) by the bundle's times. ``judged`` are the horizons that these patients
    were followed to; those beyond are left out. ``unreadable`` are categories whose values the model does not know. ``same_table`` says that the file is the one that was trained on.
    """

    performance: SurvivalPerformance
    judged: tuple[float, ...]
    differences: tuple[ColumnDifference, ...]
    membership: Membership
    n_without_outcome: int
    same_table: bool
    duration: npt.NDArray[np.float64] = field(repr=False)
    event: npt.NDArray[np.int64] = field(repr=False)
    rows: npt.NDArray[np.int64] = field(repr=False)
    curve: Curves = field(repr=False)
    times: npt.NDArray[np.float64] = field(repr=False)
    data_sha256: str = ""
    unreadable: tuple[str, ...] = ()
    groups: npt.NDArray[np.int64] | None = field(repr=False, default=None)

    @property
    def n_patients(self) -> int:
        """Patients who were judged."""
        return len(self.event)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form without any row."""
        return {
            "outcome": "event_time",
            "n": len(self.event),
            "n_without_outcome": self.n_without_outcome,
            "judged_horizons": list(self.judged),
            "evaluation": self.performance.to_dict(),
            "differences": [d.to_dict() for d in self.differences],
            "membership": self.membership.to_dict(),
            "trained_on": {"same_table": self.same_table},
        }


def validate_timed(
    bundle: Bundle,
    cohort: Cohort,
    *,
    target: str | None = None,
    threshold: float | None = None,
    new_levels: Collection[str] = (),
) -> TimedValidation:
    """Judge a bundle on a table of new patients of whom status and follow-up are known.

    With a ``threshold`` the net benefit of acting from it on is among the figures. ``target`` names the status where it is not called as in training. Raises TargetError, MissingColumnsError,
    and UnknownLevelsError where most values of a category are unknown to the model, unless ``new_levels`` names the column.
    """
    assert isinstance(bundle.target, EventTime)
    schema = new_schema(bundle.schema, cohort, target)
    prepared = prepare_evaluation(cohort.with_schema(schema), bundle.recipe, bundle.classes)
    assert prepared.duration is not None
    judged = tuple(h for h in bundle.target.horizons if (prepared.duration >= h).any())
    if not judged:
        raise TargetError(
            N_("None of these patients was followed to any horizon of the model, so it cannot be judged.")
        )
    rows = bundle.codebook.transform(prepared.predictors)
    unknown = unknown_levels(bundle.codebook, bundle.background.codes, prepared.predictors, rows.codes)
    refuse_unknown(unknown, table=cohort.name, accepted=new_levels)
    curve = bundle.curve(rows)
    return TimedValidation(
        performance=evaluate_at_horizons(
            prepared.duration,
            prepared.outcome,
            curve[:, 0, np.searchsorted(bundle.times, judged)],
            judged,
            groups=prepared.groups,
            threshold=threshold,
            over_time=(bundle.times, curve[:, 0]),
        ),
        judged=judged,
        differences=differences(bundle.codebook, bundle.background, rows),
        membership=membership(bundle.codebook, bundle.background, rows, groups=prepared.groups),
        n_without_outcome=cohort.n_rows - prepared.n_rows,
        same_table=cohort.sha256 == bundle.manifest.get("data_sha256"),
        duration=prepared.duration,
        event=prepared.outcome,
        rows=prepared.rows,
        curve=curve,
        times=bundle.times,
        data_sha256=cohort.sha256,
        unreadable=tuple(u.column for u in unknown),
        groups=prepared.groups,
    )


def judge_saved_timed(
    folder: Folder,
    cohort: Cohort,
    *,
    names: Mapping[str, str] | None = None,
    levels: Mapping[str, Mapping[str, str]] | None = None,
    new_levels: Collection[str] = (),
) -> TimedValidation:
    """Judge the bundle kept in a folder on new patients: what a page asks of a worker.

    ``names`` gives the table's own name of a column by the model's name of it, ``levels`` the model's value of a
    category by the table's own.
    """
    bundle = load_bundle(folder)
    named = read_as(bundle, with_names(cohort, names or {}), levels or {})
    return validate_timed(bundle, named, new_levels=new_levels)


def predict_timed_table(bundle: Bundle, frame: pd.DataFrame, *, shifted: Sequence[int] = ()) -> pd.DataFrame:
    """Return one line a row of the table, in order: its risks, its risk by each horizon, its curve, its flags.

    ``risk_<class>`` is about the main horizon. ``by_<time>_<cause>`` is the cumulative incidence of a cause by a time, in the
    unit of the follow-up, the horizons first and then the other times of the curve.
    """
    assert isinstance(bundle.target, EventTime)
    read = bundle.read(frame)
    rows = read.rows
    risk, curve = bundle.risk(rows), bundle.curve(rows)
    risks = {f"risk_{name}": risk[:, k] for k, name in enumerate(bundle.classes)}
    horizons = [int(place) for place in np.searchsorted(bundle.times, bundle.target.horizons)]
    order = [*horizons, *(place for place in range(len(bundle.times)) if place not in horizons)]
    by = {
        f"by_{bundle.times[place]:g}_{cause}": curve[:, k, place]
        for place in order
        for k, cause in enumerate(bundle.classes[1:])
    }
    flags = flag_texts(bundle, read, shifted)
    return pd.DataFrame({"row": np.arange(len(frame)), **risks, **by, "flags": flags})
