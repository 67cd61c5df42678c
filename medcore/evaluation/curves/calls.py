"""Of more than two classes, which a patient is called: a rule, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from medcore.evaluation.figures.estimates import Estimate, Floats, from_draws
from medcore.evaluation.figures.resampling import Ints, default_n_boot, draw

CallRule = Literal["likeliest", "beside_share"]
CALL_RULES: tuple[CallRule, ...] = get_args(CallRule)


def called(risk: Floats, rule: CallRule, shares: Floats) -> Ints:
    """Return the class (n,) that patients with risks (n, K) are called, where ``shares`` (K,) of the training patients are in each.

    The likeliest class makes the fewest mistakes. The class whose risk is the highest beside its share makes the
    mean sensitivity of the classes the highest, if the risks are right: to miss a patient then counts the more the
    rarer the class (costs of 1 / share; Elkan 2001, IJCAI 17:973).

    >>> called(np.array([[0.6, 0.4]]), "beside_share", np.array([0.8, 0.2])).tolist()
    [1]
    """
    beside = risk if rule == "likeliest" else risk / np.maximum(shares, 1e-12)
    return np.asarray(beside.argmax(axis=1), dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """Patients by what happened and what they are called, ``table`` (K, K), with the share of right calls and means over classes."""

    rule: CallRule
    table: tuple[tuple[int, ...], ...]
    accuracy: Estimate
    mean_sensitivity: Estimate
    macro_f1: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        figures: Mapping[str, Estimate] = {
            name: getattr(self, name) for name in ("accuracy", "mean_sensitivity", "macro_f1")
        }
        return {"rule": self.rule, "table": [list(row) for row in self.table]} | {
            name: value.to_dict() for name, value in figures.items()
        }


def calls(
    outcome: Ints, risk: Floats, rule: CallRule, *, shares: Floats, groups: Ints | None = None, seed: int = 0
) -> Calls:
    """Call patients by a rule and count; intervals resample patients, or rows where ``groups`` (n,) is None.

    ``outcome`` (n,) holds class indices, ``risk`` (n, K) a column a class. A class that no patient has is in no mean.
    """
    n_classes = risk.shape[1]
    cells = outcome * n_classes + called(risk, rule, shares)
    table = np.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes)
    draws = draw(len(outcome), groups, n_boot=default_n_boot(len(outcome)), seed=seed)
    drawn = draws.by_cell(cells, n_classes**2).reshape(-1, n_classes, n_classes)
    from medcore.evaluation.figures.event import (
        too_few,  # the names of the rules are asked for by a shell that waits for nothing
    )

    few = next((r for k in range(n_classes) if (r := too_few((outcome == k).astype(float), groups)) is not None), None)
    found = {
        name: Estimate(float(value[0]), reason=few)
        if few is not None and name != "accuracy"  # a mean over classes, of which a resampled table may lack one
        else from_draws(float(value[0]), more, clustered=groups is not None)
        for name, value, more in zip(
            ("accuracy", "mean_sensitivity", "macro_f1"), _figures(table[None]), _figures(drawn), strict=True
        )
    }
    return Calls(rule=rule, table=tuple(tuple(int(n) for n in row) for row in table), **found)


def _figures(tables: NDArray[Any]) -> tuple[Floats, Floats, Floats]:
    """Return of each table (B, K, K) the share of right calls, and the means of sensitivity and F1 over the classes that occur."""
    right = np.diagonal(tables, axis1=1, axis2=2).astype(np.float64)
    had, said = tables.sum(axis=2).astype(np.float64), tables.sum(axis=1).astype(np.float64)
    there = had > 0
    sensitivity = np.divide(right, had, out=np.zeros_like(right), where=there)
    f1 = np.divide(2 * right, had + said, out=np.zeros_like(right), where=there)
    n = np.maximum(there.sum(axis=1), 1)
    return right.sum(axis=1) / had.sum(axis=1), sensitivity.sum(axis=1) / n, f1.sum(axis=1) / n
