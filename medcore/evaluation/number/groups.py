"""Predicted numbers within groups of patients, and two models' numbers side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from medcore.evaluation.figures.estimates import Estimate, Floats
from medcore.evaluation.figures.folds import widened
from medcore.evaluation.figures.resampling import Ints
from medcore.evaluation.figures.weighting import linearised
from medcore.evaluation.groups.grouping import GroupKey, grouping
from medcore.evaluation.groups.subgroups import SMALLEST_SHOWN
from medcore.evaluation.number.performance import NumberPerformance, evaluate_numbers
from medcore.i18n import N_, Message


@dataclass(frozen=True, slots=True)
class GroupOfNumbers:
    """How predicted numbers do in one group of patients."""

    key: GroupKey
    performance: NumberPerformance

    @property
    def off(self) -> Estimate:
        """What was measured less what was predicted, on average."""
        return self.performance.metrics["calibration_intercept"]


def groups_of_numbers(
    value: Floats,
    predicted: Floats,
    sensitive: pd.DataFrame,
    columns: Sequence[str],
    *,
    groups: Ints | None = None,
) -> tuple[GroupOfNumbers, ...]:
    """Judge predicted numbers (n,) within the groups of some sensitive columns; those of under 5 patients are left out."""
    return tuple(
        GroupOfNumbers(
            key, evaluate_numbers(value[mask], predicted[mask], groups=None if groups is None else groups[mask])
        )
        for key, mask in grouping(sensitive, columns).masks().items()
        if mask.sum() >= SMALLEST_SHOWN
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberComparison:
    """Model A less model B on the same patients: mean absolute error, and root mean squared error, each with its paired interval."""

    mae: Estimate
    rmse: Estimate

    def to_dict(self) -> dict[str, object]:
        """Return a JSON-ready form."""
        return {"mae": self.mae.to_dict(), "rmse": self.rmse.to_dict()}

    def verdict(self, name_a: str, name_b: str) -> Message:
        """Say which model comes closer on average, if that can be shown."""
        values = {"a": name_a, "b": name_b}
        if self.mae.exists and self.mae.high < 0:
            return Message(N_("{a} comes closer to what is measured than {b}."), values)
        if self.mae.exists and self.mae.low > 0:
            return Message(N_("{b} comes closer to what is measured than {a}."), values)
        return Message(N_("Neither {a} nor {b} can be shown to come closer to what is measured."), values)


def compare_numbers(
    value: Floats, a: Floats, b: Floats, *, groups: Ints | None = None, folds: Ints | None = None
) -> NumberComparison:
    """Compare what two models predict (n,) for the same patients; what is out of fold (``folds``) for the models trained on all.

    The interval of the mean difference is that of a paired t test; that of the roots follows from each patient's influence on
    both (the delta method).
    """
    n, squares = len(value), [(value - p) ** 2 for p in (a, b)]
    free = n - 1 if groups is None else n
    closer = np.sqrt(squares[0]) - np.sqrt(squares[1])
    roots = [float(np.sqrt(s.mean())) for s in squares]
    pull = [(s - s.mean()) / (2 * max(root, 1e-300) * free) for s, root in zip(squares, roots, strict=True)]
    method = "influence" if groups is None else "influence_cluster"
    found = {
        "difference_mae": linearised(
            float(closer.mean()), (closer - closer.mean()) / free, groups, method, weighted=True
        ),
        "difference_rmse": linearised(roots[0] - roots[1], pull[0] - pull[1], groups, method, weighted=True),
    }
    found = found if folds is None else widened(found, folds)
    return NumberComparison(mae=found["difference_mae"], rmse=found["difference_rmse"])
