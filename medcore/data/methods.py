"""The preparation in words, for the methods section of a paper."""

from __future__ import annotations

from medcore.data.cohort import Schema
from medcore.data.preparation import Prepared
from medcore.data.recipe import Recipe
from medcore.i18n import _


def methods_text(schema: Schema, recipe: Recipe, prepared: Prepared) -> str:
    """Write who remained and what was done to the table, in the current language; counts only, no value."""
    outcome = schema.outcome
    counts = prepared.to_dict()["class_counts"]
    classes = ", ".join(f"{name}: {n}" for name, n in zip(prepared.classes, counts, strict=True))
    lines = [
        _(
            "The table held {before} rows; {after} rows of {patients} patients remained.",
            before=len(prepared.source),
            after=prepared.n_rows,
            patients=prepared.n_patients,
        ),
        _("The outcome was “{outcome}” ({classes}).", outcome=outcome.name if outcome else "", classes=classes),
        _("{n} candidate predictors were used: {names}.", n=len(prepared.kinds), names=list(prepared.kinds)),
        "",
        _("Preparation, in this order:"),
    ]
    log = {entry.step.kind: entry for entry in prepared.log}
    number = 0
    for step in recipe.steps:
        if not step.on:
            continue
        number += 1
        entry = log.get(step.kind)
        lines.append(f"{number}. {step.sentence}")
        if entry and entry.rows_before != entry.rows_after:
            dropped = entry.rows_before - entry.rows_after
            lines[-1] += " " + _("({n} rows dropped)", n=dropped)
        elif entry and entry.cells_changed:
            lines[-1] += " " + _("({n} cells)", n=entry.cells_changed)
    if prepared.set_aside:
        aside = "; ".join(f"{name} ({reason})" for name, reason in prepared.set_aside.items())
        lines += ["", _("Set aside: {columns}.", columns=aside)]
    lines += [
        "",
        _(
            "Missing values were imputed by the median or the most frequent category with an indicator, and numbers scaled, inside each training fold; no test row and no outcome was used."
        ),
    ]
    return "\n".join(lines) + "\n"
