"""Where the model fails: patients with the largest errors, and the kinds of patients it does worst for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from medcore.evaluation.figures.binary import log_loss_terms
from medcore.evaluation.figures.estimates import Estimate, Floats, normal
from medcore.evaluation.figures.resampling import Ints
from medcore.evaluation.groups.grouping import NOT_KNOWN
from medcore.i18n import N_, _

#: A leaf holds at least this share of the patients, and this many: smaller ones are chance.
LEAF_SHARE, LEAF_PATIENTS, DEPTH = 0.05, 20, 3
#: A split that explains less of the spread of losses than this is chance.
LEAST_GAIN = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """Patients told apart by simple conditions, and how the risks miss what happened to them.

    ``gap`` is observed share less mean predicted risk (above 0: risk too low);
    ``loss`` the mean log loss. ``conditions`` are words such as ``age ≥ 65``.
    """

    conditions: tuple[str, ...]
    n: int
    share: float
    n_events: int
    mean_risk: float
    gap: Estimate
    loss: float

    @property
    def observed(self) -> float:
        """Share of the patients who had the outcome."""
        return self.n_events / self.n

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        simple = ("n", "share", "n_events", "mean_risk", "loss")
        return {name: getattr(self, name) for name in simple} | {
            "conditions": list(self.conditions),
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
    loss = log_loss_terms(outcome, risk)
    worst = tuple(int(i) for i in np.argsort(-loss, kind="stable")[:n_worst])
    leaves = _leaves(loss, columns)
    regions = [_region(words, mask, outcome, risk, loss) for words, mask in leaves]
    regions.sort(key=lambda r: -r.loss)
    return Mistakes(regions=tuple(regions), worst=worst, mean_loss=float(loss.mean()))


def _region(words: tuple[str, ...], mask: Any, outcome: Floats, risk: Floats, loss: Floats) -> Region:
    n, miss = int(mask.sum()), outcome[mask] - risk[mask]
    gap = normal(float(miss.mean()), float(miss.var(ddof=1)) / n if n > 1 else 0.0)
    return Region(
        conditions=words,
        n=n,
        share=n / len(risk),
        n_events=int(outcome[mask].sum()),
        mean_risk=float(risk[mask].mean()),
        gap=gap,
        loss=float(loss[mask].mean()),
    )


def _leaves(loss: Floats, columns: pd.DataFrame) -> list[tuple[tuple[str, ...], Any]]:
    """Fit the tree and return each leaf as words and a mask of its patients."""
    from sklearn.tree import DecisionTreeRegressor

    smallest = max(LEAF_PATIENTS, int(LEAF_SHARE * len(loss)))
    matrix, words = _encoded(columns)
    if not len(words) or len(loss) < 2 * smallest:
        return [((), np.ones(len(loss), dtype=bool))]
    tree = DecisionTreeRegressor(
        max_depth=DEPTH,
        min_samples_leaf=smallest,
        min_impurity_decrease=LEAST_GAIN * float(loss.var()),
        random_state=0,
    )
    leaf = tree.fit(matrix, loss).apply(matrix)
    paths = _paths(tree.tree_, words)
    return [(paths[int(k)], leaf == k) for k in np.unique(leaf)]


def _encoded(columns: pd.DataFrame) -> tuple[Floats, list[tuple[str, str]]]:
    """Return a matrix for the tree, and for each column of it the words for "low" and "high" sides."""
    parts: list[Floats] = []
    words: list[tuple[str, str]] = []
    for name in columns.columns:
        column = columns[name]
        if pd.api.types.is_numeric_dtype(column):
            values = column.to_numpy(dtype=float)
            known = np.isfinite(values)
            if known.any():
                parts.append(np.where(known, values, np.median(values[known])))
                words.append((f"{name} < {{cut}}", f"{name} ≥ {{cut}}"))
            if 0 < known.sum() < len(values):
                parts.append((~known).astype(float))
                words.append((_("{column} known", column=name), f"{name}: {_(NOT_KNOWN)}"))
            continue
        text = column.astype(object).where(column.notna(), _(NOT_KNOWN)).astype(str)
        for value in text.value_counts().index[:10]:
            parts.append((text == value).to_numpy(dtype=float))
            words.append((f"{name} ≠ {value}", f"{name} = {value}"))
    return (np.column_stack(parts) if parts else np.empty((len(columns), 0))), words


def _paths(tree: Any, words: list[tuple[str, str]]) -> Mapping[int, tuple[str, ...]]:
    """Walk the tree and return the conditions that lead to each leaf."""
    found: dict[int, tuple[str, ...]] = {}

    def walk(node: int, so_far: tuple[str, ...]) -> None:
        left, right = int(tree.children_left[node]), int(tree.children_right[node])
        if left < 0:
            found[node] = so_far
            return
        low, high = words[int(tree.feature[node])]
        cut = f"{float(tree.threshold[node]):.4g}"
        walk(left, (*so_far, low.replace("{cut}", cut)))
        walk(right, (*so_far, high.replace("{cut}", cut)))

    walk(0, ())
    return found


DESCRIBES = N_(
    "These groups were searched for because the risks do badly in them: they are places to look, not proof. Check them "
    "on other patients."
)


def worst_calibrated(outcome: Floats, risk: Floats, labels: Mapping[str, Ints]) -> tuple[Region, ...]:
    """Return groups by how far the observed share lies from the mean risk, the surest departures first.

    ``labels`` names groups by masks (n,). Groups of fewer than 20 patients are left out.
    """
    loss = log_loss_terms(outcome, risk)
    regions = [
        _region((name,), np.asarray(mask, dtype=bool), outcome, risk, loss)
        for name, mask in labels.items()
        if np.sum(mask) >= LEAF_PATIENTS
    ]
    return tuple(sorted(regions, key=lambda r: -_sureness(r.gap)))


def _sureness(gap: Estimate) -> float:
    half = gap.high - gap.value
    return abs(gap.value) / half if half > 0 else 0.0
