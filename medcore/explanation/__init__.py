"""Why one patient got that risk, in the table's own columns, and how far to trust it."""

from medcore.explanation.patient.changes.counterfactual import Counterfactual, counterfactuals
from medcore.explanation.patient.changes.unchangeable import unchangeable
from medcore.explanation.patient.patients import explain_row, refine_row
from medcore.explanation.shapley.explain import explain, refine
from medcore.explanation.shapley.results import CAPTION, Contribution, Explanation

__all__ = [
    "CAPTION",
    "Contribution",
    "Counterfactual",
    "Explanation",
    "counterfactuals",
    "explain",
    "explain_row",
    "refine",
    "refine_row",
    "unchangeable",
]
