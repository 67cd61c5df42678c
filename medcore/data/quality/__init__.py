"""What is wrong or risky in a cohort: a catalogue of coded checks, worst first."""

from __future__ import annotations

from medcore.data.cohort import Cohort
from medcore.data.findings import Finding
from medcore.data.privacy import screen
from medcore.data.quality import association, cells, columns, drift, leakage, missing, outcome, rows
from medcore.data.quality.catalogue import CHECKS, Check
from medcore.data.quality.view import View
from medcore.data.recipe import Recipe

__all__ = ["CHECKS", "Check", "inspect"]

# Importing a module adds its checks to the catalogue.
_MODULES = (association, leakage, rows, outcome, cells, missing, columns, drift)
_ORDER = {"error": 0, "warning": 1, "info": 2}


def inspect(cohort: Cohort, *, recipe: Recipe | None = None) -> tuple[Finding, ...]:
    """Look at a cohort with every check of the catalogue, privacy included, and return the findings worst first.

    While no outcome is chosen, the checks that need one use the likeliest. Findings
    that a step of the recipe already answers have no fix.
    """
    if cohort.n_rows == 0:
        return ()
    view = View.of(cohort, recipe)
    found = list(screen(cohort.frame, cohort.schema, cells=view.cells))
    for entry in CHECKS:
        found.extend(entry.findings(view))
    return tuple(sorted(found, key=lambda f: _ORDER[f.severity]))
