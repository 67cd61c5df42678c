"""Why one patient got that risk, in the table's own columns, and how far to trust it."""

from medcore.explanation.counterfactual import Counterfactual, counterfactuals
from medcore.explanation.patients import explain_row, refine_row
from medcore.explanation.results import CAPTION, Contribution, Explanation
from medcore.explanation.shapley import explain, refine
from medcore.explanation.unchangeable import unchangeable

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
