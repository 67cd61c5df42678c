"""The preparation in words, for the methods section of a paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from medcore.data.cohort import Schema
from medcore.data.preparation.replay import Prepared
from medcore.data.preparation.steps import StepLog
from medcore.i18n import N_, Message, _, running

LEARNT = N_(
    "Medians and scales are learnt inside each training fold, the list of categories on the training rows; no test row and no outcome has a part in them."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """What a preparation did to its table: counts only, so that it can be kept with a model and printed later.

    ``n_patients`` is None where no column names the patient; ``log`` has the
    steps in order, ``set_aside`` the columns left out and why.
    """

    n_source: int
    n_rows: int
    n_patients: int | None
    class_counts: Mapping[str, int]
    predictors: tuple[str, ...] = field(repr=False)
    log: tuple[StepLog, ...] = field(repr=False)
    set_aside: Mapping[str, Message] = field(repr=False)

    @classmethod
    def of(cls, prepared: Prepared) -> Preparation:
        """Count what was done to a table."""
        counts = np.bincount(prepared.outcome, minlength=len(prepared.classes))
        return cls(
            n_source=len(prepared.source),
            n_rows=prepared.n_rows,
            n_patients=None if prepared.groups is None else prepared.n_patients,
            class_counts={name: int(n) for name, n in zip(prepared.classes, counts, strict=True)},
            predictors=tuple(prepared.kinds),
            log=prepared.log,
            set_aside=prepared.set_aside,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`from_dict` reads back."""
        return {
            "n_source": self.n_source,
            "n_rows": self.n_rows,
            "n_patients": self.n_patients,
            "class_counts": dict(self.class_counts),
            "predictors": list(self.predictors),
            "log": [entry.to_dict() for entry in self.log],
            "set_aside": {name: reason.to_dict() for name, reason in self.set_aside.items()},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Preparation:
        """Read what :meth:`to_dict` wrote."""
        return cls(
            n_source=data["n_source"],
            n_rows=data["n_rows"],
            n_patients=data["n_patients"],
            class_counts=dict(data["class_counts"]),
            predictors=tuple(data["predictors"]),
            log=tuple(StepLog.from_dict(entry) for entry in data["log"]),
            set_aside={name: Message.from_dict(reason) for name, reason in data["set_aside"].items()},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A preparation in sentences: who remained, the steps that did something, those that found nothing, the rest."""

    who: str
    done: tuple[str, ...]
    idle: tuple[str, ...]
    then: str


def tell(schema: Schema, preparation: Preparation) -> Told:
    """Say who remained and what was done to the table, in the current language; counts only, no value."""
    steps = [(entry, _did(entry)) for entry in preparation.log if entry.step.on]
    aside = "; ".join(f"{name} ({reason})" for name, reason in preparation.set_aside.items())
    return Told(
        who=running(_who(schema, preparation)),
        done=tuple(f"{entry.step.sentence} {did}" for entry, did in steps if did),
        idle=tuple(str(entry.step.sentence) for entry, did in steps if not did),
        then=running((_("Set aside: {columns}.", columns=aside) if aside else "", _(LEARNT))),
    )


def methods_text(schema: Schema, prepared: Prepared) -> str:
    """Write the preparation as plain text, in the current language; counts only, no value."""
    told = tell(schema, Preparation.of(prepared))
    numbered = [f"{number}. {sentence}" for number, sentence in enumerate(told.done, 1)]
    parts = [
        [told.who],
        [_("Preparation, in this order:"), *numbered] if numbered else [],
        [_("These steps found nothing to change:"), *(f"– {sentence}" for sentence in told.idle)] if told.idle else [],
        [told.then],
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def _who(schema: Schema, preparation: Preparation) -> list[str]:
    before, after = preparation.n_source, preparation.n_rows
    rows = _("The table held {before} rows; {after} remained, each taken for a patient.", before=before, after=after)
    if preparation.n_patients is not None:
        rows = _(
            "The table held {before} rows; {after} rows of {patients} patients remained.",
            before=before,
            after=after,
            patients=preparation.n_patients,
        )
    classes = ", ".join(f"{name}: {n}" for name, n in preparation.class_counts.items())
    outcome = schema.outcome.name if schema.outcome else ""
    return [
        rows,
        _("The outcome was “{outcome}” ({classes}).", outcome=outcome, classes=classes),
        _("Candidate predictors ({n}): {names}.", n=len(preparation.predictors), names=list(preparation.predictors)),
    ]


def _did(entry: StepLog) -> str:
    """Count what a step did to this table; nothing when it did nothing."""
    if entry.rows_before != entry.rows_after:
        return _("({n} rows dropped)", n=entry.rows_before - entry.rows_after)
    if entry.cells_changed:
        return _("({n} cells)", n=entry.cells_changed)
    if entry.columns_set_aside:
        return _("({n} columns)", n=len(entry.columns_set_aside))
    return ""
