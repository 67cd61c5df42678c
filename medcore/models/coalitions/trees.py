"""Forests and boosted trees on mixed rows: only the leaves that a mixed row can reach are looked at.

Given the patient and one background row, a split matters only where the two go
different ways, and a leaf is reached when certain columns are the patient's and
certain others are not (the view of interventional TreeSHAP, Lundberg et al. 2020).
Written as bits, a tree is then a short list of patterns, and so is a whole forest.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.features import Rows
from medcore.models.coalitions.leaves import Patterns, Trees
from medcore.models.coalitions.tiles import Tiles
from medcore.models.contract.task import Part, Risk, columns_of_present_classes
from medcore.models.learners.boosting import BoostingPart, risk_of_scores
from medcore.models.learners.forest import ForestPart

Numbers = NDArray[np.float64]
NAN_IS_ZERO, ZERO_IS_MISSING, NAN_IS_MISSING = 0, 1, 2
"""What LightGBM calls the missing type of a split; the numbers are those of its files."""


def prepare_trees(part: Part, rows: Rows) -> TreesBackground | None:
    """Prepare a part for background rows (m, P); None where it is not made of trees."""
    if isinstance(part, ForestPart):
        lists: tuple[Trees, ...] = (_forest(part),)
    elif isinstance(part, BoostingPart):
        lists = _boosters(part)
    else:
        return None
    return TreesBackground(part, lists, _read(part, rows), part.encoder.owners(rows.shape[1]), rows.shape[1])


@dataclass(frozen=True, slots=True)
class TreesBackground:
    """Trees with the background rows as they read them (m, F), and whose column each of the F is."""

    part: ForestPart | BoostingPart = field(repr=False)
    trees: tuple[Trees, ...] = field(repr=False)
    rows: Numbers = field(repr=False)
    players: NDArray[np.int32] = field(repr=False)
    n_columns: int

    def against(self, row: Rows, /) -> TreesMixer:
        """Take in a patient (1, P)."""
        from medcore.models.coalitions.tree_loops import reachable

        theirs = _read(self.part, row)[0]
        return TreesMixer(
            self.part, tuple(reachable(t, theirs, self.rows, self.players, self.n_columns) for t in self.trees)
        )


@dataclass(frozen=True, slots=True)
class TreesMixer:
    """Trees that know a patient and the background rows."""

    part: ForestPart | BoostingPart = field(repr=False)
    patterns: tuple[Patterns, ...] = field(repr=False)

    def risk(self, tiles: Tiles, _group: int, /) -> Risk:
        """Predict for the mixed rows of tiles: (T · tile, K)."""
        from medcore.models.coalitions.tree_loops import totals

        part = self.part
        sums = np.hstack([totals(p, tiles.owner, tiles.masks, tiles.used) for p in self.patterns])
        if isinstance(part, BoostingPart):
            return risk_of_scores(sums, part.present, part.n_classes)
        if sums.shape[1] < len(part.present):
            sums = np.hstack([1.0 - sums, sums])
        return columns_of_present_classes(sums, part.present, part.n_classes)


def _read(part: ForestPart | BoostingPart, rows: Rows) -> Numbers:
    read = part.encoder.transform(rows)
    if isinstance(part, ForestPart):
        read = read.astype(np.float32)
    return np.ascontiguousarray(read, dtype=np.float64)


def _forest(part: ForestPart) -> Trees:
    """Return a forest's trees; of two classes the second alone says everything."""
    trees = [estimator.tree_ for estimator in part.model.estimators_]
    sizes = np.array([t.node_count for t in trees])
    begin = np.cumsum(sizes) - sizes
    values = np.concatenate([t.value[:, 0, :] for t in trees])
    values = values / values.sum(axis=1, keepdims=True) / len(trees)
    columns = [1] if len(part.present) == 2 else range(values.shape[1])
    left = [np.where(t.children_left >= 0, t.children_left + b, -1) for t, b in zip(trees, begin, strict=True)]
    right = [np.where(t.children_right >= 0, t.children_right + b, -1) for t, b in zip(trees, begin, strict=True)]
    n = int(sizes.sum())
    return Trees(
        begin.astype(np.int32),
        np.concatenate([t.feature for t in trees]).astype(np.int32),
        np.concatenate([t.threshold for t in trees]).astype(np.float64),
        np.full(n, NAN_IS_MISSING, np.int8),
        np.concatenate([t.missing_go_to_left for t in trees]).astype(bool),
        np.concatenate(left).astype(np.int32),
        np.concatenate(right).astype(np.int32),
        np.ascontiguousarray(values[:, list(columns)].T),
    )


def _boosters(part: BoostingPart) -> tuple[Trees, ...]:
    """Return the trees of all boosters, a list for every column of scores; scores are their mean."""
    read = [_trees_of(booster.model_to_string()) for booster in part.boosters]
    n_columns = int(part.boosters[0].num_model_per_iteration())
    return tuple(_joined([t for trees in read for t in trees[c::n_columns]], 1.0 / len(read)) for c in range(n_columns))


def _trees_of(text: str) -> list[dict[str, Any]]:
    """Read the trees of a model in LightGBM's own text format."""
    trees = []
    for block in text.split("\nTree=")[1:]:
        lines = (line.partition("=") for line in block.split("\n\n\n")[0].splitlines()[1:] if "=" in line)
        trees.append({name: rest for name, _, rest in lines})
    return trees


def _joined(trees: list[dict[str, Any]], share: float) -> Trees:
    """Lay LightGBM's trees into one list: a tree's splits, then its leaves (numbered −1, −2 and so on)."""
    parts: dict[str, list[NDArray[Any]]] = {name: [] for name in Trees.__dataclass_fields__}
    begin = 0
    for tree in trees:
        n_leaves = int(tree["num_leaves"])
        n = n_leaves - 1
        numbers = {
            name: np.fromstring(tree[name], sep=" ") if n else np.zeros(0)
            for name in ("split_feature", "threshold", "decision_type", "left_child", "right_child")
        }
        kinds = numbers["decision_type"].astype(int)
        if (kinds & 1).any():
            raise ValueError("categorical splits are not written by medcore")
        parts["roots"].append(np.array([begin]))
        parts["feature"].append(np.append(numbers["split_feature"], np.full(n_leaves, -2.0)))
        parts["threshold"].append(np.append(numbers["threshold"], np.zeros(n_leaves)))
        parts["missing"].append(np.append(kinds >> 2 & 3, np.zeros(n_leaves)))
        parts["missing_left"].append(np.append(kinds & 2, np.zeros(n_leaves)))
        for side in ("left", "right"):
            child = numbers[f"{side}_child"]
            child = begin + np.where(child >= 0, child, n - 1 - child)
            parts[side].append(np.append(child, np.full(n_leaves, -1.0)))
        leaves = np.fromstring(tree["leaf_value"], sep=" ")
        parts["value"].append(np.append(np.zeros(n), leaves * share))
        begin += n + n_leaves
    whole = {name: np.concatenate(arrays) for name, arrays in parts.items()}
    return Trees(
        whole["roots"].astype(np.int32),
        whole["feature"].astype(np.int32),
        whole["threshold"],
        whole["missing"].astype(np.int8),
        whole["missing_left"].astype(bool),
        whole["left"].astype(np.int32),
        whole["right"].astype(np.int32),
        whole["value"][None],
    )
