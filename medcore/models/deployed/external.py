"""A frozen bundle meets new patients: their risks, how good those are, and how the patients differ."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from medcore.data.cohort import Cohort, Column, Schema
from medcore.data.preparation.replay import prepare_evaluation
from medcore.data.preparation.weights import read_weights
from medcore.errors import MissingColumnsError, SettingsError, TargetError
from medcore.evaluation import Confusion, Evaluation, confusion, evaluate
from medcore.evaluation.curves.calls import CALL_RULES, CallRule, Calls, calls
from medcore.evaluation.curves.calls import called as called_by
from medcore.features import AnyRows, CodeBook, Rows
from medcore.i18n import N_, Message, percent
from medcore.models.bundle.bundle import AsRead, Bundle
from medcore.models.deployed.levels import refuse_unknown, unknown_levels
from medcore.models.deployed.membership import Membership, membership

Floats = npt.NDArray[np.float64]
# Cohen's d of 0.2 is the usual bound of a small difference (Cohen 1988; Austin 2009 for case-mix tables: 0.1).
SHIFTED = "shifted_row"
"""The flag of a row with more cells than there are columns: its values may stand in wrong ones."""
NOTABLE_DIFFERENCE = 0.2
# Chance alone does not repeat so many rows where nearly all rows of training differ from each other.
NOTABLE_OVERLAP, MOSTLY_DIFFERENT = 0.1, 0.9


SAME_TABLE = N_(
    "This is the very table that the model was trained on. Its figures say how well the model remembers, "
    "not how it does on new patients: this is not an external validation."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnDifference:
    """How one predictor differs between the new patients and the training sample.

    ``difference`` is the standardised mean difference of a numeric column, and
    the total variation distance (0–1) of a category's shares; ``None`` when
    either side has no value. ``unseen`` counts categories training never saw.
    """

    column: str
    difference: float | None
    missing: float
    missing_training: float
    unseen: int

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalValidation:
    """A frozen model's performance on patients it was not made from.

    ``counts`` (K, K) has a row for each true class and a column for each called
    one: with two classes by the threshold (``confusion`` has the rates), with
    more the class of the highest risk. ``risk`` has one row a patient with an
    outcome, ``rows`` says which rows of the table those are, ``groups`` are patient
    codes where patients repeat. Where patients count by the column ``weight``, those
    of weight 0 are left out of all of these, and counted. ``same_table`` says that the
    file is the one that was trained on; ``known`` is the share (0–1) of the bundle's sample of
    training rows that stands in the new table, cell by cell. ``unreadable`` are categories of
    which the model knows hardly any value here, accepted as truly new.
    """

    evaluation: Evaluation
    counts: npt.NDArray[np.int64]
    confusion: Confusion | None
    differences: tuple[ColumnDifference, ...]
    membership: Membership
    n_without_outcome: int
    data_sha256: str
    risk: Floats = field(repr=False)
    outcome: npt.NDArray[np.int64] = field(repr=False)
    rows: npt.NDArray[np.int64] = field(repr=False)
    groups: npt.NDArray[np.int64] | None = field(repr=False, default=None)
    weights: Floats | None = field(repr=False, default=None)
    weight: str | None = None
    n_weight_zero: int = 0
    same_table: bool = False
    known: float = 0.0
    unreadable: tuple[str, ...] = ()
    calls: tuple[Calls, ...] = ()
    """Of more than two classes what comes of each rule that calls patients one of them; nothing where patients are weighted."""

    @property
    def n_patients(self) -> int:
        """Number of patients judged."""
        return len(self.outcome)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form without any row."""
        return {
            "n": self.n_patients,
            "n_without_outcome": self.n_without_outcome,
            "weight": self.weight,
            "n_weight_zero": self.n_weight_zero,
            "classes": list(self.evaluation.classes),
            "evaluation": self.evaluation.to_dict(),
            "threshold": self.confusion.threshold if self.confusion else None,
            "confusion_matrix": {"classes": list(self.evaluation.classes), "counts": self.counts.tolist()}
            | (self.confusion.to_dict() if self.confusion else {}),
            "calls": {found.rule: found.to_dict() for found in self.calls},
            "differences": [d.to_dict() for d in self.differences],
            "membership": self.membership.to_dict(),
            "trained_on": {"same_table": self.same_table, "share_of_training_sample": self.known},
        }

    def warnings(self) -> tuple[Message, ...]:
        """Say that the model cannot read some categories, and that the "new" patients are those of training."""
        return (*self._reading(), *self._overlap())

    def _reading(self) -> tuple[Message, ...]:
        if not self.unreadable:
            return ()
        text = N_(
            "The model knows hardly any value of {columns} here, so that its risks are made without them. Good "
            "figures do not show that the model carries over, and a recalibration would fit the codes, not the patients."
        )
        return (Message(text, {"columns": list(self.unreadable)}),)

    def _overlap(self) -> tuple[Message, ...]:
        if self.same_table:
            return (Message(SAME_TABLE),)
        if self.known >= NOTABLE_OVERLAP:
            return (
                Message(
                    N_(
                        "{percent} % of a sample of the training rows stand in this table, cell by cell. The figures of "
                        "patients that the model was trained on are too good: leave them out."
                    ),
                    {"percent": f"{100 * self.known:.0f}"},
                ),
            )
        return ()

    def weighting(self) -> tuple[Message, ...]:
        """Say that, and how, patients were weighted; nothing when all count alike."""
        if self.weight is None:
            return ()
        effective = self.evaluation.n_effective
        return (
            Message(
                N_(
                    "Patients count by their weight in {column}: {zero} of weight 0 were left out, and the others tell as "
                    "much as {effective} who count alike."
                ),
                {
                    "column": self.weight,
                    "zero": self.n_weight_zero,
                    "effective": f"{self.n_patients if effective is None else effective:,.0f}",
                },
            ),
        )

    def lines(self) -> tuple[Message, ...]:
        """Say how far the new patients differ, and name the columns in which they do notably."""
        notable = [d for d in self.differences if (d.difference or 0) > NOTABLE_DIFFERENCE or d.unseen]
        apart = Message(
            N_("AUROC of telling new patients from training: {auroc}. {meaning}"),
            {"auroc": f"{self.membership.auroc:.2f}", "meaning": self.membership.meaning},
        )
        columns = (
            Message(
                N_(
                    "{column}: differs from training by {difference}; {missing} missing, {training} in training; {unseen} unseen."
                ),
                {
                    "column": d.column,
                    "difference": "–" if d.difference is None else f"{d.difference:.2f}",
                    "missing": percent(d.missing, 0),
                    "training": percent(d.missing_training, 0),
                    "unseen": d.unseen,
                },
            )
            for d in notable
        )
        return self.warnings() if self.same_table else (*self.warnings(), apart, *columns)

    @property
    def meaning(self) -> Message | None:
        """What kind of validation this is; nothing where the model cannot read the new patients."""
        return None if self.unreadable else self.membership.meaning


def validate(
    bundle: Bundle,
    cohort: Cohort,
    *,
    target: str | None = None,
    threshold: float | None = None,
    weight: str | None = None,
    new_levels: Collection[str] = (),
) -> ExternalValidation:
    """Judge a bundle on a table of new patients whose outcome is known.

    ``target`` names the outcome's column when it is not called as in training.
    Rows without an outcome are left out and counted. Without a ``threshold`` the
    bundle's own is used. ``weight`` names the column that says for how many patients
    each row stands, where not all count alike: the figures are weighted, how patients
    differ from those of training is not. Raises TargetError, MissingColumnsError, and
    InputError for weights that cannot be, and UnknownLevelsError where most
    values of a category are unknown to the model, unless ``new_levels`` names the column.
    """
    if bundle.schema.follow_up is not None:
        raise TargetError(N_("This model says by when the event comes: its new patients are judged by validate_timed."))
    schema = new_schema(bundle.schema, cohort, target)
    prepared = prepare_evaluation(cohort.with_schema(schema), bundle.recipe, bundle.classes)
    weights = None if weight is None else read_weights(cohort, weight, rows=prepared.rows)
    counted = np.ones(prepared.n_rows, dtype=bool) if weights is None else weights > 0
    weights = None if weights is None else weights[counted]
    groups = None if prepared.groups is None else prepared.groups[counted]
    rows = bundle.codebook.transform(prepared.predictors[counted])
    unknown = unknown_levels(bundle.codebook, bundle.background.codes, prepared.predictors[counted], rows.codes)
    refuse_unknown(unknown, table=cohort.name, accepted=new_levels)
    risk = bundle.risk(rows)
    outcome, target_of, n_classes = prepared.outcome[counted], bundle.target, len(bundle.classes)
    limit = bundle.threshold if threshold is None else threshold
    called, event = target_of.called(risk, limit), target_of.event
    return ExternalValidation(
        evaluation=evaluate(outcome, risk, bundle.classes, groups=groups, weights=weights, ordered=target_of.ordered),
        counts=np.bincount(outcome * n_classes + called, minlength=n_classes**2).reshape(n_classes, n_classes),
        confusion=None
        if event is None
        else confusion((outcome == event).astype(np.float64), risk[:, event], limit, groups=groups, weights=weights),
        differences=differences(bundle.codebook, bundle.background, rows),
        membership=membership(bundle.codebook, bundle.background, rows, groups=groups),
        n_without_outcome=cohort.n_rows - prepared.n_rows,
        data_sha256=cohort.sha256,
        risk=risk,
        outcome=outcome,
        rows=prepared.rows[counted],
        groups=groups,
        weights=weights,
        weight=weight,
        n_weight_zero=int((~counted).sum()),
        same_table=cohort.sha256 == bundle.manifest.get("data_sha256"),
        known=_known(bundle.background.codes, rows.codes),
        unreadable=tuple(u.column for u in unknown),
        calls=_calls(bundle, outcome, risk, groups) if weights is None else (),
    )


def _calls(bundle: Bundle, outcome: npt.NDArray[np.int64], risk: Floats, groups: Any) -> tuple[Calls, ...]:
    """Return what comes of each rule by which patients are called one of more than two classes."""
    if bundle.target.event is not None:
        return ()
    return tuple(
        calls(outcome, risk, rule, shares=shares_for(bundle, rule), groups=groups)
        for rule in CALL_RULES
        if rule == "likeliest" or bundle.shares is not None
    )


def shares_for(bundle: Bundle, rule: CallRule) -> Floats:
    """Return the shares of the training patients (K,) beside which a rule calls a bundle's classes.

    Raises:
        SettingsError: the bundle does not tell more than two classes apart, or does not know the shares.

    """
    if bundle.schema.follow_up is not None or bundle.schema.number is not None or bundle.target.event is not None:
        raise SettingsError(
            N_("Only patients of more than two classes are called by a rule; this model has a threshold.")
        )
    if bundle.shares is None and rule == "beside_share":
        raise SettingsError(
            N_("This model does not say how many training patients were in each class. Train it again.")
        )
    return np.ones(len(bundle.classes)) if bundle.shares is None else bundle.shares


def predict_table(
    bundle: Bundle, frame: pd.DataFrame, *, shifted: Sequence[int] = (), rule: CallRule | None = None
) -> pd.DataFrame:
    """Return ``row``, ``risk_<class>`` for every class and ``flags``, one line a row of the table, in order.

    ``shifted`` are rows that had more cells than there are columns: they are flagged, for
    their values may stand in wrong columns. With a ``rule`` there is also what each patient is ``called``, of more than two classes.
    """
    read = bundle.read(frame)
    risk = bundle.risk(read.rows)
    risks: dict[str, Any] = {f"risk_{name}": risk[:, k] for k, name in enumerate(bundle.classes)}
    if rule is not None:
        risks["called"] = np.array(bundle.classes)[called_by(risk, rule, shares_for(bundle, rule))]
    return pd.DataFrame({"row": np.arange(len(frame)), **risks, "flags": flag_texts(bundle, read, shifted)})


def flag_texts(bundle: Bundle, read: AsRead, shifted: Sequence[int]) -> list[str]:
    """Write what to be careful about of every row of a table, one text a row."""
    odd = set(shifted)
    flags = bundle.flags_of(read.rows, read.unused)
    return ["; ".join((*row, SHIFTED) if at in odd else row) for at, row in enumerate(flags)]


def differences(codebook: CodeBook, training: AnyRows, new: AnyRows) -> tuple[ColumnDifference, ...]:
    """Compare new patients (n, P) with a sample of the training patients (m, P), column by column."""
    training, new = Rows.of(training), Rows.of(new)
    unseen = codebook.cautions(new).get("unseen_category", np.zeros(new.shape, dtype=bool))
    return tuple(
        ColumnDifference(
            column=name,
            difference=encoder.difference(training.column(place), new.column(place)),
            missing=float(np.isnan(new.codes[:, place]).mean()),
            missing_training=float(np.isnan(training.codes[:, place]).mean()),
            unseen=int(unseen[:, place].sum()),
        )
        for place, (name, encoder) in enumerate(zip(codebook.columns, codebook.encoders, strict=True))
    )


def new_schema(schema: Schema, cohort: Cohort, target: str | None) -> Schema:
    """Match the training schema to the new table: same columns, the outcome perhaps under another name."""
    outcome = schema.outcome
    if outcome is None:
        raise TargetError(N_("No outcome is chosen. Choose the column to be predicted."))
    name = target or outcome.name
    if name not in cohort.schema.names:
        raise MissingColumnsError.between(wanted=[name], got=cohort.schema.names, table=cohort.name)
    renamed = replace(outcome, name=name)
    kept: list[Column] = [
        renamed if c.role == "outcome" else c for c in schema.columns if c.name != name or c.role == "outcome"
    ]
    optional = {"group", "time", "site", "sensitive", "identifier", "ignored"}
    afterwards = schema.follow_up.columns if schema.follow_up else ()
    return replace(
        schema,
        columns=tuple(
            c for c in kept if c.role not in optional or c.name in cohort.schema.names or c.name in afterwards
        ),
    )


def _known(training: Floats, new: Floats) -> float:
    """Return the share of the training sample (m, P) that is among the new rows (n, P); 0 where rows repeat anyway."""
    readable = ~(new == -1).all(axis=0) if len(new) else np.ones(training.shape[1], dtype=bool)
    training, new = training[:, readable], new[:, readable]
    old, now = ([row.tobytes() for row in np.nan_to_num(codes, nan=-1e300) + 0.0] for codes in (training, new))
    if len(set(old)) < MOSTLY_DIFFERENT * max(len(old), 1):
        return 0.0
    among = set(now)
    return float(np.mean([row in among for row in old])) if old else 0.0
