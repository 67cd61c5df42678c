"""Split: who is in the training folds and who in the locked test set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from medcore.data.findings import Finding
from medcore.data.preparation.replay import Prepared
from medcore.data.splitting.allotment import Units, deal, pick
from medcore.data.splitting.repeats import Repeats, copied_notes, joined, repeats
from medcore.data.splitting.rules import SplitMarks, column_marks, site_units, time_marks
from medcore.errors import SettingsError
from medcore.i18n import N_, Message

SplitKind = Literal["random", "group", "time", "site", "column"]
SPLIT_KINDS: tuple[str, ...] = get_args(SplitKind)
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitSettings:
    """How to split: at random, by patient, by time, by site or by a given column.

    ``test_size`` is the share locked away (0 trains on all rows). ``site`` names
    the site to be left out, ``column`` the column that says who is tested.
    """

    kind: SplitKind = "random"
    test_size: float = 0.2
    n_folds: int = 5
    seed: int = 0
    site: str | None = None
    column: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in SPLIT_KINDS:
            raise SettingsError(
                N_("There is no split “{kind}”. Choose one of: {known}."), kind=self.kind, known=list(SPLIT_KINDS)
            )
        if not 0 <= self.test_size <= 0.9:
            raise SettingsError(
                N_("The test set's share is {share}; it must be between 0 (no test set) and 0.9."), share=self.test_size
            )
        if self.n_folds < 2:
            raise SettingsError(N_("{n} fold(s) are asked for; cross-validation needs at least 2."), n=self.n_folds)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`from_dict` reads back."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SplitSettings:
        """Read what :meth:`to_dict` wrote."""
        return cls(**dict(data))


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitPart:
    """One part of a split: the test set (``fold`` None) or a training fold."""

    name: Message
    fold: int | None
    n_rows: int
    n_patients: int
    class_counts: tuple[int, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {
            "name": str(self.name),
            "fold": self.fold,
            "n_rows": self.n_rows,
            "n_patients": self.n_patients,
            "class_counts": list(self.class_counts),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Who is where: ``test`` marks the locked rows, ``folds`` numbers the others from 0 (−1 for test rows).

    ``kind`` is what was done: a random split of a table with repeated patients
    is by patient. A patient is never on two sides, nor is a record that was entered
    twice; ``wholes`` (n,) numbers what was kept together, None where every row is by itself.
    """

    kind: SplitKind
    test: Bools = field(repr=False)
    folds: Ints = field(repr=False)
    n_folds: int
    seed: int
    classes: tuple[str, ...]
    sizes: tuple[SplitPart, ...] = field(repr=False)
    findings: tuple[Finding, ...] = ()
    wholes: Ints | None = field(default=None, repr=False)

    @property
    def train(self) -> Bools:
        """Mark the rows that are not locked away."""
        return ~self.test

    def parts(self) -> tuple[SplitPart, ...]:
        """Sizes, patients and class counts of the test set and of every fold."""
        return self.sizes

    def to_dict(self) -> dict[str, Any]:
        """Return counts and findings, JSON-ready; no row."""
        return {
            "kind": self.kind,
            "n_folds": self.n_folds,
            "seed": self.seed,
            "classes": list(self.classes),
            "n_train": int(self.train.sum()),
            "n_test": int(self.test.sum()),
            "parts": [p.to_dict() for p in self.sizes],
            "findings": [f.to_dict() for f in self.findings],
        }


def make_split(prepared: Prepared, settings: SplitSettings) -> Split:
    """Lock a test set away and number the training folds; the same seed gives the same split.

    Patients never straddle: with patient codes every kind of split moves whole
    patients. Random splits and folds keep the classes' shares; time takes the
    latest patients for the test and contiguous periods as folds; site leaves
    whole sites out. Rows equal in all predictors and the outcome stay together like
    one patient, unless chance explains them (:mod:`~medcore.data.splitting.repeats`), and so do copied notes.
    Raises SettingsError when what is asked for cannot be done.
    """
    kind: SplitKind = "group" if settings.kind == "random" and prepared.groups is not None else settings.kind
    copies = repeats(_told(prepared), prepared.outcome)
    if copies is not None:
        prepared = replace(prepared, groups=joined(copies.unit, prepared.groups))
    notes = [c for c in (copied_notes(prepared.predictors[n]) for n, k in prepared.kinds.items() if k == "note") if c]
    for found in notes:
        prepared = replace(prepared, groups=joined(found.unit, prepared.groups))
    marks = _marks(prepared, settings, kind)
    test = marks.test
    if test.all():
        raise SettingsError(N_("The split leaves no row to train on. Make the test set smaller."))
    folds, n_folds = _folds(prepared, settings, marks)
    findings = (*marks.findings, *_copied(copies), *_copied_notes(notes), *_findings(prepared, settings, test, n_folds))
    return Split(
        kind=kind,
        test=test,
        folds=folds,
        n_folds=n_folds,
        seed=settings.seed,
        classes=prepared.classes,
        sizes=_sizes(prepared, test, folds, n_folds),
        findings=findings,
        wholes=prepared.groups,
    )


def _told(prepared: Prepared) -> pd.DataFrame:
    """Return the columns in which one record agrees with itself: the predictors, and the outcome's time or number."""
    told = [pd.Series(more) for more in (prepared.duration, prepared.value) if more is not None]
    return pd.concat([prepared.predictors, *told], axis=1)


def _marks(prepared: Prepared, settings: SplitSettings, kind: SplitKind) -> SplitMarks:
    """Choose the test rows, and the units that folds must keep whole."""
    if kind == "time":
        return time_marks(prepared, settings.test_size)
    if kind == "column":
        return column_marks(prepared, settings.column, settings.site)
    if kind == "site":
        units, findings = site_units(prepared)
        test = _left_out(units, settings)
        return SplitMarks(test=test, unit=units.of_row, findings=findings)
    units = Units.of(prepared.outcome, len(prepared.classes), prepared.groups)
    return SplitMarks(test=pick(units, settings.test_size, settings.seed)[units.of_row], unit=units.of_row)


def _left_out(units: Units, settings: SplitSettings) -> Bools:
    if settings.site is None:
        return pick(units, settings.test_size, settings.seed, at_least_one=settings.test_size > 0)[units.of_row]
    names = [str(n) for n in units.names]
    if settings.site not in names:
        raise SettingsError(
            N_("There is no site “{site}” in the column of sites. Its sites are: {known}."),
            site=settings.site,
            known=names[:20],
        )
    return np.asarray(units.of_row == names.index(settings.site))


def _folds(prepared: Prepared, settings: SplitSettings, marks: SplitMarks) -> tuple[Ints, int]:
    """Deal the training rows into folds, fewer than asked for when a fold would lack a class."""
    train = ~marks.test
    units = Units.of(prepared.outcome[train], len(prepared.classes), marks.unit[train])
    present = units.counts.sum(axis=0) > 0
    if marks.ordered is None and settings.kind != "site" and settings.n_folds > units.n:
        raise SettingsError(
            N_(
                "{n_folds} folds are asked of {n} patients. Use at most as many folds as there are patients to train on."
            ),
            n_folds=settings.n_folds,
            n=units.n,
        )
    for n_folds in range(min(settings.n_folds, units.n), 1, -1):
        fold_of_unit = (
            _periods(units, marks.ordered[train], n_folds)
            if marks.ordered is not None
            else deal(units, n_folds, settings.seed)
        )
        counts = np.stack([np.bincount(fold_of_unit, weights=c, minlength=n_folds) for c in units.counts.T])
        if (counts[present] > 0).all():
            folds = np.full(len(marks.test), -1, dtype=np.int64)
            folds[train] = fold_of_unit[units.of_row]
            return folds, n_folds
    rarest = int(np.argmin(np.where(present, (units.counts > 0).sum(axis=0), units.n + 1)))
    raise SettingsError(
        N_(
            "The class “{name}” has too few patients in the training part to be in every fold, even with 2 folds: {n}. Add patients, merge it with another class, or choose another split."
        ),
        name=prepared.classes[rarest],
        n=int((units.counts[:, rarest] > 0).sum()),
    )


def _periods(units: Units, order: Ints, n_folds: int) -> Ints:
    """Cut the units into contiguous periods of about as many rows each."""
    first = np.full(units.n, np.iinfo(np.int64).max)
    np.minimum.at(first, units.of_row, order)
    by_time = np.argsort(first, kind="stable")
    rows = units.counts.sum(axis=1)[by_time]
    middle = np.cumsum(rows) - rows / 2
    fold = np.empty(units.n, dtype=np.int64)
    fold[by_time] = np.minimum((middle * n_folds / rows.sum()).astype(np.int64), n_folds - 1)
    return fold


def _findings(prepared: Prepared, settings: SplitSettings, test: Bools, n_folds: int) -> list[Finding]:
    found = []
    if n_folds < settings.n_folds:
        found.append(_fewer_folds(settings, n_folds))
    lacking = [c for i, c in enumerate(prepared.classes) if test.any() and not (prepared.outcome[test] == i).any()]
    if lacking:
        found.append(
            Finding(
                code="split.test_lacks_class",
                severity="warning",
                message=Message(N_("The test set has no patient of the class(es) {names}."), {"names": lacking}),
                why=Message(N_("What is not in the test set cannot be judged on it.")),
                remedy=Message(N_("Make the test set larger, or choose another split.")),
            )
        )
    return found


def _fewer_folds(settings: SplitSettings, n_folds: int) -> Finding:
    sentence, remedy = (
        N_("{n} folds are used instead of {asked}: with more, a fold would have no patient of some class."),
        N_("Add patients, merge rare classes, or split at random."),
    )
    if settings.kind == "site":
        sentence, remedy = (
            N_("{n} folds are used instead of {asked}: a fold is whole sites, with patients of every class in each."),
            N_("Add sites; a split at random would not say how the model does elsewhere."),
        )
    return Finding(
        code="split.fewer_folds",
        severity="warning" if settings.kind != "site" else "info",
        message=Message(sentence, {"n": n_folds, "asked": settings.n_folds}),
        why=Message(N_("A fold without events can neither be learnt from nor judged.")),
        remedy=Message(remedy),
    )


def _copied(copies: Repeats | None) -> tuple[Finding, ...]:
    if copies is None:
        return ()
    return (
        Finding(
            code="split.copies",
            severity="warning",
            n_rows=copies.n_rows,
            message=Message(
                N_(
                    "{n} rows are copies of one another in all predictors and the outcome: {records} records come more than once. Copies stay in one fold and on one side of the locked test, and intervals count them as one patient."
                ),
                {"n": copies.n_rows, "records": copies.n_records},
            ),
            why=Message(
                N_(
                    "Chance would hardly make so many rows alike in a table like this one. A model that has seen a row recognises its copy instead of predicting it."
                )
            ),
            remedy=Message(N_("Look at the source. If they are the same record, drop the repeats under Data.")),
        ),
    )


def _copied_notes(notes: Sequence[Repeats]) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            code="split.copied_notes",
            severity="warning",
            n_rows=found.n_rows,
            message=Message(
                N_(
                    "The notes of {n} rows are copies of one another, whole or as the beginning of a longer note. They stay in one fold and on one side of the locked test, and intervals count them as one patient."
                ),
                {"n": found.n_rows},
            ),
            why=Message(N_("A model that has seen a note recognises its copy instead of reading it.")),
            remedy=Message(
                N_(
                    "If they are of one patient, name the patient's column; if one is in the wrong row, mend the source."
                )
            ),
        )
        for found in notes
    )


def _sizes(prepared: Prepared, test: Bools, folds: Ints, n_folds: int) -> tuple[SplitPart, ...]:
    def part(name: Message, fold: int | None, here: Bools) -> SplitPart:
        counts = np.bincount(prepared.outcome[here], minlength=len(prepared.classes))
        n_patients = int(here.sum()) if prepared.groups is None else len(np.unique(prepared.groups[here]))
        return SplitPart(
            name=name,
            fold=fold,
            n_rows=int(here.sum()),
            n_patients=n_patients,
            class_counts=tuple(int(c) for c in counts),
        )

    parts = [part(Message(N_("Fold {k}"), {"k": k + 1}), k, folds == k) for k in range(n_folds)]
    if test.any():
        parts.insert(0, part(Message(N_("Test set")), None, test))
    return tuple(parts)
