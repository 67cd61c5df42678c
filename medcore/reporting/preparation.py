"""The preparation in words, for the methods section of a paper."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medcore.data.cohort import Schema
from medcore.data.describe.small_cells import shown_counts
from medcore.data.preparation.methods import Preparation
from medcore.data.preparation.replay import Prepared
from medcore.data.preparation.steps import StepLog
from medcore.data.schema.class_names import class_names
from medcore.i18n import N_, _, bracketed, listed, parted, running

LEARNT = N_(
    "Medians and scales are learnt inside each training fold, the list of categories on the training rows; no test row and no outcome has a part in them."
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
    aside = parted(bracketed(schema.shown(name), reason) for name, reason in preparation.set_aside.items())
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
    counts = preparation.class_counts
    sizes = (row[0] for row in shown_counts(np.array([list(counts.values())], dtype=np.int64).T))
    classes = listed(f"{name}: {n}" for name, n in zip(class_names(tuple(counts), schema.outcome), sizes, strict=True))
    outcome = str(schema.shown(schema.outcome.name)) if schema.outcome else ""
    names = [str(schema.shown(name)) for name in preparation.predictors]
    return [
        rows,
        _("The outcome was “{outcome}” ({classes}).", outcome=outcome, classes=classes),
        _("Candidate predictors ({n}): {names}.", n=len(preparation.predictors), names=names),
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
