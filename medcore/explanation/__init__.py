"""Why one patient got that risk, in the table's own columns, and how far to trust it."""

from medcore.explanation.patients import explain_row, refine_row
from medcore.explanation.results import CAPTION, Contribution, Explanation
from medcore.explanation.shapley import explain, refine

__all__ = ["CAPTION", "Contribution", "Explanation", "explain", "explain_row", "refine", "refine_row"]
