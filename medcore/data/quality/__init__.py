"""What is wrong or risky in a cohort: a catalogue of coded checks, worst first."""

from __future__ import annotations

from dataclasses import replace

from medcore.data.cohort import Cohort
from medcore.data.findings import Finding
from medcore.data.preparation.recipe import Recipe
from medcore.data.privacy import screen
from medcore.data.quality import (
    association,
    cells,
    columns,
    dates,
    drift,
    layout,
    leakage,
    missing,
    notes,
    outcome,
    rows,
    siblings,
    written,
)
from medcore.data.quality.checking.catalogue import CHECKS, Check
from medcore.data.quality.checking.view import View

__all__ = ["CHECKS", "Check", "inspect"]

# Importing a module adds its checks to the catalogue.
_MODULES = (
    association,
    leakage,
    layout,
    rows,
    outcome,
    cells,
    missing,
    columns,
    drift,
    siblings,
    written,
    notes,
    dates,
)
_OF_OUTCOME = ("outcome.", "leakage.")
_ORDER = {"error": 0, "warning": 1, "info": 2}


def inspect(cohort: Cohort, *, recipe: Recipe | None = None) -> tuple[Finding, ...]:
    """Look at a cohort with every check of the catalogue, privacy included, and return the findings worst first.

    While no outcome is chosen, the checks that need one use the likeliest, and none of
    theirs is an error. What a step of the recipe already answers is left out.
    """
    if cohort.n_rows == 0:
        return ()
    cohort = _aside_from_sequences(cohort)
    view = View.of(cohort, recipe)
    found = [f for f in screen(cohort.frame, cohort.schema, cells=view.cells) if not _answered(f, view.recipe)]
    for entry in CHECKS:
        found.extend(f for f in entry.findings(view) if not _answered(f, view.recipe))
    if cohort.schema.outcome is None:
        found = [
            replace(f, severity="warning") if f.code.startswith(_OF_OUTCOME) and f.severity == "error" else f
            for f in found
        ]
    return tuple(sorted(found, key=lambda f: _ORDER[f.severity]))


def _aside_from_sequences(cohort: Cohort) -> Cohort:
    """Leave out measurements in steps of time, of which the same table has the summaries."""
    left = [c.name for c in cohort.schema.columns if c.over_time]
    if not left:
        return cohort
    schema = replace(cohort.schema, columns=tuple(c for c in cohort.schema.columns if not c.over_time))
    frame = cohort.frame.drop(columns=left, errors="ignore")
    frame.attrs = dict(cohort.frame.attrs)
    return replace(cohort, frame=frame, schema=schema)


def _answered(finding: Finding, recipe: Recipe) -> bool:
    fix = finding.fix
    return fix is not None and fix.action == "step_on" and recipe.is_on(str(fix.values["step"]))
