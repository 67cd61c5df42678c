"""Gradient boosting by LightGBM on codes: it branches on missing values and needs no scaling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from medcore.features import AnyRows, Codes
from medcore.i18n import N_
from medcore.models.coalitions.leaves import Trees
from medcore.models.coalitions.trees import TreeCoalitions
from medcore.models.contract.candidate import Candidate
from medcore.models.contract.number import NumberScale
from medcore.models.contract.task import (
    Fitted,
    Indices,
    Part,
    ProgressReporter,
    Risk,
    Task,
    columns_of_present_classes,
    n_threads,
)
from medcore.models.learners.encoding import CategoryEncoder, encode_training
from medcore.models.learners.fold_choice import choices, total_loss
from medcore.sealing import Folder, put

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

_FEW_ROWS = 20_000
ROUNDS = np.array([15, 30, 50, 75, 100, 150, 200, 300, 400])
"""Numbers of boosting rounds among which held-out folds choose."""
SHAPES: tuple[Mapping[str, float], ...] = (
    {"num_leaves": 4, "feature_fraction": 0.5, "learning_rate": 0.05},
    {"num_leaves": 12, "feature_fraction": 0.4, "learning_rate": 0.05},
)


@dataclass(frozen=True, slots=True)
class BoostingPart(Part):
    """LightGBM models whose scores are averaged."""

    kind: ClassVar[str] = "boosting"
    row_by_row: ClassVar[bool] = True
    boosters: tuple[Any, ...]
    present: tuple[int, ...]
    n_classes: int
    encoder: CategoryEncoder = field(default_factory=CategoryEncoder)

    def risk(self, rows: AnyRows, /) -> Risk:
        """Predict, shape ``(n, K)``."""
        return risk_of_scores(self.scores(rows), self.present, self.n_classes)

    def scores(self, rows: AnyRows) -> NDArray[np.float64]:
        """Return the mean scores (n, columns) of the models."""
        codes = self.encoder.transform(rows)
        return np.asarray(np.mean([scores_of(b, codes, 0, b.current_iteration()) for b in self.boosters], axis=0))

    def coalitions(self) -> TreeCoalitions:
        """Return how the trees answer for coalitions."""
        risk_of = partial(risk_of_scores, present=self.present, n_classes=self.n_classes)
        return TreeCoalitions(partial(boosted_trees, self), self.encoder.transform, self.encoder.owners, risk_of)

    def save(self, folder: Folder, /) -> dict[str, Any]:
        """Write every model in LightGBM's own text format."""
        for place, booster in enumerate(self.boosters):
            put(folder / f"boosting_{place}.txt", booster.model_to_string().encode())
        return {
            "present": list(self.present),
            "n_classes": self.n_classes,
            "n_boosters": len(self.boosters),
            "encoder": self.encoder.to_dict(),
        }

    @classmethod
    def load(cls, folder: Folder, data: Mapping[str, Any], /) -> Self:
        """Read what :meth:`save` wrote."""
        import lightgbm

        texts = [(folder / f"boosting_{i}.txt").read_bytes().decode() for i in range(int(data["n_boosters"]))]
        boosters = tuple(lightgbm.Booster(model_str=text) for text in texts)
        encoder = CategoryEncoder.from_dict(data["encoder"])
        return cls(boosters, tuple(data["present"]), int(data["n_classes"]), encoder)


def boosted_trees(part: BoostingPart) -> tuple[Trees, ...]:
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


def fit_boosting(task: Task, reporter: ProgressReporter) -> Fitted:
    """Fit boosted trees of two sizes; how many rounds a fold uses is chosen by the other folds."""
    n_shapes = len(SHAPES)
    held_scores: list[list[NDArray[np.float64]]] = [[] for _ in range(n_shapes)]
    losses = np.zeros((n_shapes, task.n_folds, len(ROUNDS)))
    presents = [task.classes_of(task.training(fold)) for fold in range(task.n_folds)]
    for fold in range(task.n_folds):
        held, rows = task.held_out(fold), task.training(fold)
        encoder, codes = encode_training(task, rows)
        held_codes = encoder.transform(task.rows.take(held))
        for shape in range(n_shapes):
            stages = stages_of(boost(task, rows, codes, shape, int(ROUNDS[-1])), held_codes)
            held_scores[shape].append(stages)
            losses[shape, fold] = [
                total_loss(risk_of_scores(s, presents[fold], task.n_classes), task.outcome[held]) for s in stages
            ]
            reporter.tell("folds", (fold * n_shapes + shape + 1) / (n_shapes * (task.n_folds + 1)))
    picked = [choices(losses[shape]) for shape in range(n_shapes)]
    oof = np.empty((task.n, task.n_classes))
    for fold in range(task.n_folds):
        scores = [held_scores[shape][fold][picked[shape][0][fold]] for shape in range(n_shapes)]
        oof[task.held_out(fold)] = risk_of_scores(np.mean(scores, axis=0), presents[fold], task.n_classes)
    part = boost_all(task, [int(ROUNDS[best]) for _chosen, best in picked])
    reporter.tell("final", 1.0)
    return Fitted(oof, part)


def boost_all(task: Task, rounds: Sequence[int]) -> BoostingPart:
    """Fit the final models on all rows, several of each size with seeds of their own: their mean varies less."""
    rows = np.arange(task.n)
    encoder, codes = encode_training(task, rows)
    repeats = 2 if task.n < _FEW_ROWS else 1
    boosters = tuple(
        boost(task, rows, codes, shape, rounds[shape], repeat)
        for shape in range(len(SHAPES))
        for repeat in range(repeats)
    )
    return BoostingPart(boosters, task.classes_of(rows), task.n_classes, encoder)


def boost(task: Task, rows: Indices, codes: Codes, shape: int, rounds: int, repeat: int = 0) -> Any:
    """Fit a LightGBM model of one of the two sizes on encoded training rows."""
    import lightgbm

    label, asked = _asked(task, rows)
    data = lightgbm.Dataset(
        codes,
        label=label,
        weight=task.weights(rows),
        params={"verbosity": -1, "min_data_in_bin": 3, "num_threads": _threads(len(rows))},
    )
    parameters = {
        **SHAPES[shape],
        **asked,
        "min_data_in_leaf": max(2, min(10 if len(rows) < 20_000 else 40, len(rows) // 10)),
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "lambda_l2": 3.0,
        **task.tuned,
        "seed": (task.settings.seed + shape + 100 * repeat) % 2**31,
        "deterministic": True,
        "force_col_wise": True,
        "num_threads": _threads(len(rows)),
        "verbosity": -1,
    }
    return lightgbm.train(parameters, data, num_boost_round=rounds)


def _asked(task: Task, rows: Indices) -> tuple[NDArray[Any], dict[str, Any]]:
    """Return what LightGBM is to learn of some rows, and by which loss."""
    if task.number is not None:
        return NumberScale.of(task).standard(task.value[rows]), {"objective": "regression"}
    present = task.classes_of(rows)
    many = {"objective": "multiclass", "num_class": len(present)}
    return np.searchsorted(present, task.outcome[rows]), many if len(present) > 2 else {"objective": "binary"}


def _threads(n_rows: int) -> int:
    """Leave small tables to one thread.

    LightGBM's threads wait for each other at every split without giving the processor
    back. Beside other candidates (or other people's work) two of them have taken a
    hundred times as long as one; the numbers are the same.
    """
    return n_threads() if n_rows > _FEW_ROWS else 1


def scores_of(booster: Any, codes: Codes, start: int, rounds: int) -> NDArray[np.float64]:
    """Return the scores (n, columns) that some of a model's rounds add up to."""
    raw = booster.predict(
        codes, raw_score=True, start_iteration=start, num_iteration=rounds, num_threads=_threads(len(codes))
    )
    return np.asarray(raw, dtype=np.float64).reshape(len(codes), -1)


def stages_of(booster: Any, codes: Codes, rounds: NDArray[np.int64] = ROUNDS) -> NDArray[np.float64]:
    """Return the scores after each number of rounds, shape ``(rounds, n, columns)``."""
    last = booster.current_iteration()
    edges = [0, *(int(r) for r in rounds)]
    pieces = [
        scores_of(booster, codes, low, high - low) if low < last else 0.0 * scores_of(booster, codes, 0, 1)
        for low, high in pairwise(edges)
    ]
    return np.cumsum(pieces, axis=0)


def risk_of_scores(scores: NDArray[np.float64], present: tuple[int, ...], n_classes: int) -> Risk:
    """Turn scores ``(n, 1)`` of two classes, or ``(n, K)`` of more, into risks ``(n, K)``."""
    if scores.shape[1] == 1:
        p = 1.0 / (1.0 + np.exp(-np.clip(scores[:, 0], -30.0, 30.0)))
        risk = np.column_stack([1.0 - p, p])
    else:
        odds = np.exp(scores - scores.max(axis=1, keepdims=True))
        risk = odds / odds.sum(axis=1, keepdims=True)
    if len(present) == 1:
        return columns_of_present_classes(np.ones((len(scores), 1)), present, n_classes)
    return columns_of_present_classes(risk, present, n_classes)


def _space() -> Mapping[str, BaseDistribution]:
    from optuna.distributions import FloatDistribution, IntDistribution

    return {
        "num_leaves": IntDistribution(3, 48, log=True),
        "learning_rate": FloatDistribution(0.01, 0.2, log=True),
        "feature_fraction": FloatDistribution(0.15, 1.0),
        "bagging_fraction": FloatDistribution(0.4, 1.0),
        "min_data_in_leaf": IntDistribution(2, 80, log=True),
        "lambda_l2": FloatDistribution(0.01, 30.0, log=True),
    }


BOOSTING = Candidate(
    name="boosting",
    title=N_("Gradient boosting"),
    hint=N_("Trees that correct one another; strong on large tables."),
    order=60,
    menu=6,
    share=2.0,
    learner=fit_boosting,
    part=BoostingPart,
    space=_space,
    missing="branch",
    automatic=True,
    searched_by_auto=True,
)
CANDIDATES = (BOOSTING,)
