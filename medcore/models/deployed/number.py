"""A frozen bundle that predicts a number meets new patients: its predictions, and how good they are."""

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
from medcore.evaluation.number.calibration import Agreement, agreement
from medcore.evaluation.number.performance import NumberPerformance, evaluate_numbers
from medcore.i18n import N_
from medcore.models.bundle.bundle import Bundle, load_bundle
from medcore.models.deployed.external import ColumnDifference, differences, flag_texts, new_schema
from medcore.models.deployed.levels import read_as, refuse_unknown, unknown_levels
from medcore.models.deployed.membership import Membership, membership
from medcore.sealing import Folder
from medcore.targets import Number

Floats = npt.NDArray[np.float64]
FEWEST_JUDGED = 2
"""Patients with a known number, at the least, for anything to be said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberValidation:
    """The performance of a frozen model of a number on patients it was not made from.

    ``value`` and ``predicted`` (n,) are of the patients whose number is known, ``rows`` their rows in the table, ``low`` and
    ``high`` (n,) the ends of their prediction intervals. ``unreadable`` are categories whose values the model does not know. ``same_table`` says that the file is the one that was trained on.
    """

    performance: NumberPerformance
    agreement: Agreement
    differences: tuple[ColumnDifference, ...]
    membership: Membership
    n_without_outcome: int
    same_table: bool
    value: Floats = field(repr=False)
    predicted: Floats = field(repr=False)
    low: Floats = field(repr=False)
    high: Floats = field(repr=False)
    rows: npt.NDArray[np.int64] = field(repr=False)
    target: Number = field(default_factory=Number)
    data_sha256: str = ""
    unreadable: tuple[str, ...] = ()
    groups: npt.NDArray[np.int64] | None = field(repr=False, default=None)

    @property
    def n_patients(self) -> int:
        """Patients who were judged."""
        return len(self.value)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form without any row."""
        return {
            "outcome": "number",
            "n": len(self.value),
            "n_without_outcome": self.n_without_outcome,
            "evaluation": self.performance.to_dict(),
            "agreement": self.agreement.to_dict(),
            "differences": [d.to_dict() for d in self.differences],
            "membership": self.membership.to_dict(),
            "trained_on": {"same_table": self.same_table},
        }


def validate_number(
    bundle: Bundle, cohort: Cohort, *, target: str | None = None, new_levels: Collection[str] = ()
) -> NumberValidation:
    """Judge a bundle on a table of new patients whose number is known; ``target`` names it where it is called otherwise.

    Raises TargetError, MissingColumnsError, and UnknownLevelsError where most values of a category are unknown to the
    model, unless ``new_levels`` names the column.
    """
    schema = new_schema(bundle.schema, cohort, target)
    prepared = prepare_evaluation(cohort.with_schema(schema), bundle.recipe, bundle.classes)
    assert prepared.value is not None
    number = bundle.target
    assert bundle.intervals is not None
    assert isinstance(number, Number)
    if prepared.n_rows < FEWEST_JUDGED:
        raise TargetError(
            N_("Only {n} of these patients have a number in the outcome's column, so the model cannot be judged."),
            n=prepared.n_rows,
        )
    rows = bundle.codebook.transform(prepared.predictors)
    unknown = unknown_levels(bundle.codebook, bundle.background.codes, prepared.predictors, rows.codes)
    refuse_unknown(unknown, table=cohort.name, accepted=new_levels)
    predicted = bundle.risk(rows)[:, 0]
    low, high = bundle.intervals.around(predicted)
    return NumberValidation(
        performance=evaluate_numbers(prepared.value, predicted, groups=prepared.groups, intervals=(low, high)),
        agreement=agreement(prepared.value, predicted, groups=prepared.groups),
        differences=differences(bundle.codebook, bundle.background, rows),
        membership=membership(bundle.codebook, bundle.background, rows, groups=prepared.groups),
        n_without_outcome=cohort.n_rows - prepared.n_rows,
        same_table=cohort.sha256 == bundle.manifest.get("data_sha256"),
        value=prepared.value,
        predicted=predicted,
        low=low,
        high=high,
        rows=prepared.rows,
        target=number,
        data_sha256=cohort.sha256,
        unreadable=tuple(u.column for u in unknown),
        groups=prepared.groups,
    )


def judge_saved_number(
    folder: Folder,
    cohort: Cohort,
    *,
    names: Mapping[str, str] | None = None,
    levels: Mapping[str, Mapping[str, str]] | None = None,
    new_levels: Collection[str] = (),
) -> NumberValidation:
    """Judge the bundle kept in a folder on new patients, as :func:`~medcore.models.deployed.timed.judge_saved_timed` does."""
    bundle = load_bundle(folder)
    named = read_as(bundle, with_names(cohort, names or {}), levels or {})
    return validate_number(bundle, named, new_levels=new_levels)


def predict_number_table(bundle: Bundle, frame: pd.DataFrame, *, shifted: Sequence[int] = ()) -> pd.DataFrame:
    """Return one line a row of the table, in order: its number, between which ends nine of ten patients are, its flags."""
    assert bundle.intervals is not None
    read = bundle.read(frame)
    rows = read.rows
    predicted = bundle.risk(rows)[:, 0]
    low, high = bundle.intervals.around(predicted)
    flags = flag_texts(bundle, read, shifted)
    return pd.DataFrame(
        {"row": np.arange(len(frame)), "predicted": predicted, "low": low, "high": high, "flags": flags}
    )
