"""Where the model fails: patients with the largest errors, and the kinds of patients it does worst for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medcore.data.shown import Naming
from medcore.evaluation.figures.estimates import Estimate, Floats, normal
from medcore.evaluation.groups.grouping import MISSING, Level
from medcore.i18n import N_, Message
from medcore.statistics.scores import log_loss_terms

Bools = NDArray[np.bool_]
#: A leaf holds at least this share of the patients, and this many: smaller ones are chance.
LEAF_SHARE, LEAF_PATIENTS, DEPTH = 0.05, 20, 3
#: A split that explains less of the spread of losses than this is chance.
LEAST_GAIN = 0.01
#: Of a category the commonest levels are looked at.
LEVELS_TRIED = 10


@dataclass(frozen=True, slots=True)
class Condition:
    """What tells patients apart: a column, how it compares, and the level (or number) it is compared with."""

    column: str
    relation: Literal["<", "≥", "=", "≠"]
    level: Level

    @property
    def message(self) -> Message:
        """The condition in words, translated when it is shown."""
        values = {"column": self.column, "relation": self.relation, "value": self.level.message}
        if self.level.kind == "missing":
            return Message(_IS_KNOWN if self.relation == "≠" else _IS_NOT_KNOWN, values)
        return Message("{column} {relation} {value}", values)

    def shown(self, naming: Naming) -> Condition:
        """Return the condition as its column and level are shown."""
        column = naming(self.column)
        return replace(self, column=column.words, level=self.level.shown(column))

    def __str__(self) -> str:
        return str(self.message)


_IS_KNOWN = N_("{column} known")
_IS_NOT_KNOWN = N_("{column} not known")


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """Patients told apart by simple conditions, and how the risks, or numbers, miss what happened to them.

    ``gap`` is observed share, or mean, less mean prediction (above 0: prediction too low);
    ``loss`` the mean log loss, or absolute error. ``conditions`` hold all of them, such as ``age ≥ 65``.
    """

    conditions: tuple[Condition, ...]
    n: int
    share: float
    n_events: int
    mean_risk: float
    gap: Estimate
    loss: float
    observed: float

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        simple = ("n", "share", "n_events", "mean_risk", "loss")
        return {name: getattr(self, name) for name in simple} | {
            "conditions": [str(c) for c in self.conditions],
            "gap": self.gap.to_dict(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistakes:
    """The model's worst: ``regions`` by falling loss, ``worst`` the places (0-based) of the worst patients.

    ``mean_loss`` is the loss over all patients, against which a region's is read.
    """

    regions: tuple[Region, ...]
    worst: tuple[int, ...]
    mean_loss: float

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form; it holds no patient's place."""
        return {"regions": [r.to_dict() for r in self.regions], "mean_loss": self.mean_loss}


def mistakes(outcome: Floats, risk: Floats, columns: pd.DataFrame, *, n_worst: int = 10) -> Mistakes:
    """Find where the risks (n,) miss the 0/1 outcomes (n,), told by ``columns`` (n rows, any types).

    A shallow tree over the patients' log loss parts them; the tree describes, it
    does not prove: leaves were chosen for being bad, so their intervals flatter.
    """
    return _found(outcome, risk, columns, log_loss_terms(outcome, risk), n_worst)


def mistakes_of_numbers(value: Floats, predicted: Floats, columns: pd.DataFrame, *, n_worst: int = 10) -> Mistakes:
    """Find where predicted numbers (n,) miss what was measured, ``value`` (n,), as :func:`mistakes` does; the loss is the absolute error."""
    return _found(value, predicted, columns, np.abs(value - predicted), n_worst)


def _found(outcome: Floats, risk: Floats, columns: pd.DataFrame, loss: Floats, n_worst: int) -> Mistakes:
    return parted(loss, columns, partial(_region, outcome, risk, loss), n_worst=n_worst)


def parted(
    loss: Floats,
    columns: pd.DataFrame,
    region: Callable[[tuple[Condition, ...], Bools], Region],
    *,
    n_worst: int,
    weight: Floats | None = None,
) -> Mistakes:
    """Part patients by their ``loss`` (n,); ``region`` tells of those in a mask (n,).

    ``weight`` (n,) says for how many each stands, 0 for whom the loss is not known: they are in regions all the same.
    """
    weight = np.ones(len(loss)) if weight is None else weight
    worst = np.argsort(np.where(weight > 0, -loss, np.inf), kind="stable")[: min(n_worst, int((weight > 0).sum()))]
    regions = [region(conditions, mask) for conditions, mask in _leaves(loss, columns, weight)]
    regions.sort(key=lambda r: -r.loss)
    mean = float(loss @ weight / weight.sum())
    return Mistakes(regions=tuple(regions), worst=tuple(map(int, worst)), mean_loss=mean)


def _region(outcome: Floats, risk: Floats, loss: Floats, conditions: tuple[Condition, ...], mask: Bools) -> Region:
    n, miss = int(mask.sum()), outcome[mask] - risk[mask]
    gap = normal(float(miss.mean()), float(miss.var(ddof=1)) / n if n > 1 else 0.0)
    return Region(
        conditions=conditions,
        n=n,
        share=n / len(risk),
        n_events=int(outcome[mask].sum()),
        mean_risk=float(risk[mask].mean()),
        gap=gap,
        loss=float(loss[mask].mean()),
        observed=float(outcome[mask].mean()),
    )


def _leaves(loss: Floats, columns: pd.DataFrame, weight: Floats) -> list[tuple[tuple[Condition, ...], Bools]]:
    """Fit the tree to patients whose loss is known and return each leaf as conditions and a mask of its patients."""
    from sklearn.tree import DecisionTreeRegressor

    known = weight > 0
    smallest = max(LEAF_PATIENTS, int(LEAF_SHARE * known.sum()))
    matrix, tests = _encoded(columns)
    if not tests or known.sum() < 2 * smallest:
        return [((), np.ones(len(loss), dtype=bool))]
    tree = DecisionTreeRegressor(
        max_depth=DEPTH,
        min_samples_leaf=smallest,
        min_impurity_decrease=LEAST_GAIN * float(loss[known].var()),
        random_state=0,
    )
    leaf = tree.fit(matrix[known], loss[known], sample_weight=weight[known]).apply(matrix)
    paths = _paths(tree.tree_, tests)
    return [(paths[int(k)], leaf == k) for k in np.unique(leaf)]


@dataclass(frozen=True, slots=True)
class _Test:
    """A column of the tree's matrix: a number, whether a value is known, or one level of a category."""

    column: str
    of: Literal["number", "known", "level"]
    level: Level = MISSING

    def sides(self, cut: float) -> tuple[Condition, Condition]:
        """Return the conditions of the patients below and above the tree's threshold."""
        if self.of == "number":
            value = Level("level", f"{cut:.4g}")
            return Condition(self.column, "<", value), Condition(self.column, "≥", value)
        if self.of == "known":
            return Condition(self.column, "≠", MISSING), Condition(self.column, "=", MISSING)
        return Condition(self.column, "≠", self.level), Condition(self.column, "=", self.level)


def _encoded(columns: pd.DataFrame) -> tuple[Floats, list[_Test]]:
    """Return a matrix for the tree, and what each of its columns tells."""
    parts: list[Floats] = []
    tests: list[_Test] = []
    for name in map(str, columns.columns):
        column = columns[name]
        if pd.api.types.is_numeric_dtype(column):
            values = column.to_numpy(dtype=float)
            known = np.isfinite(values)
            if known.any():
                parts.append(np.where(known, values, np.median(values[known])))
                tests.append(_Test(name, "number"))
            if 0 < known.sum() < len(values):
                parts.append((~known).astype(float))
                tests.append(_Test(name, "known"))
            continue
        absent = column.isna()
        levels = [MISSING if gone else Level("level", str(v)) for v, gone in zip(column, absent, strict=True)]
        counts = pd.Series(levels, dtype=object).value_counts()
        for level in counts.index[:LEVELS_TRIED]:
            parts.append(np.array([float(one == level) for one in levels]))
            tests.append(_Test(name, "level", level))
    return (np.column_stack(parts) if parts else np.empty((len(columns), 0))), tests


def _paths(tree: Any, tests: Sequence[_Test]) -> Mapping[int, tuple[Condition, ...]]:
    """Walk the tree and return the conditions that lead to each leaf."""
    found: dict[int, tuple[Condition, ...]] = {}

    def walk(node: int, so_far: tuple[Condition, ...]) -> None:
        left, right = int(tree.children_left[node]), int(tree.children_right[node])
        if left < 0:
            found[node] = so_far
            return
        low, high = tests[int(tree.feature[node])].sides(float(tree.threshold[node]))
        walk(left, (*so_far, low))
        walk(right, (*so_far, high))

    walk(0, ())
    return found


DESCRIBES = N_(
    "These groups were searched for because the risks do badly in them: they are places to look, not proof. Check them "
    "on other patients."
)
