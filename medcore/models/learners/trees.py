"""Forests and boosted trees on codes: both know missing values, neither needs scaling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from medcore.features import Codes
from medcore.models.contract.task import (
    Fitted,
    Indices,
    Pulse,
    Risk,
    Task,
    columns_of_present_classes,
    n_threads,
)
from medcore.models.learners.baselines import choices, total_loss
from medcore.models.learners.encoding import CategoryEncoder, encode_training

ForestKind = Literal["forest", "extra_trees"]
_TREE = "sklearn.tree._tree.Tree"
"""skops leaves it to us to see that a tree's nodes point at each other: see ``_check_tree``."""
_FEW_ROWS = 20_000
ROUNDS = np.array([15, 30, 50, 75, 100, 150, 200, 300, 400])
"""Numbers of boosting rounds among which held-out folds choose."""
_SHAPES: tuple[Mapping[str, float], ...] = (
    {"num_leaves": 4, "feature_fraction": 0.5, "learning_rate": 0.05},
    {"num_leaves": 12, "feature_fraction": 0.4, "learning_rate": 0.05},
)


@dataclass(frozen=True, slots=True)
class ForestPart:
    """A scikit-learn forest; ``present`` are the classes it has seen."""

    kind: ClassVar[str] = "forest"
    model: Any
    present: tuple[int, ...]
    n_classes: int
    encoder: CategoryEncoder = field(default_factory=CategoryEncoder)

    def risk(self, codes: Codes, /) -> Risk:
        """Predict, shape ``(n, K)``."""
        codes = self.encoder.transform(codes).astype(np.float32)
        self.model.n_jobs = 1  # scikit-learn's threads sum the trees in the order in which they happen to finish
        slices = np.array_split(codes, _threads(len(codes)))
        with ThreadPoolExecutor(len(slices)) as threads:
            risk = np.concatenate(list(threads.map(self.model.predict_proba, slices)))
        return columns_of_present_classes(risk, self.present, self.n_classes)

    def save(self, folder: Path, /) -> dict[str, Any]:
        """Write the trees with skops, which holds data and no code."""
        import skops.io

        folder.mkdir(parents=True, exist_ok=True)
        skops.io.dump(self.model, folder / "forest.skops", compresslevel=1, compression=8)
        return {
            "present": list(self.present),
            "n_classes": self.n_classes,
            "encoder": self.encoder.to_dict(),
        }

    @classmethod
    def load(cls, folder: Path, data: Mapping[str, Any], /) -> Self:
        """Read what :meth:`save` wrote; any type but scikit-learn's is refused."""
        import skops.io

        model = skops.io.load(folder / "forest.skops", trusted=[_TREE])
        for tree in model.estimators_:
            _check_tree(tree.tree_)
        encoder = CategoryEncoder.from_dict(data["encoder"])
        return cls(model, tuple(data["present"]), int(data["n_classes"]), encoder)


@dataclass(frozen=True, slots=True)
class BoostingPart:
    """LightGBM models whose scores are averaged."""

    kind: ClassVar[str] = "boosting"
    boosters: tuple[Any, ...]
    present: tuple[int, ...]
    n_classes: int
    encoder: CategoryEncoder = field(default_factory=CategoryEncoder)

    def risk(self, codes: Codes, /) -> Risk:
        """Predict, shape ``(n, K)``."""
        codes = self.encoder.transform(codes)
        scores = np.mean([_scores(b, codes, 0, b.current_iteration()) for b in self.boosters], axis=0)
        return risk_of_scores(scores, self.present, self.n_classes)

    def save(self, folder: Path, /) -> dict[str, Any]:
        """Write every model in LightGBM's own text format."""
        folder.mkdir(parents=True, exist_ok=True)
        for place, booster in enumerate(self.boosters):
            (folder / f"boosting_{place}.txt").write_text(booster.model_to_string(), encoding="utf-8")
        return {
            "present": list(self.present),
            "n_classes": self.n_classes,
            "n_boosters": len(self.boosters),
            "encoder": self.encoder.to_dict(),
        }

    @classmethod
    def load(cls, folder: Path, data: Mapping[str, Any], /) -> Self:
        """Read what :meth:`save` wrote."""
        import lightgbm

        texts = [(folder / f"boosting_{i}.txt").read_text(encoding="utf-8") for i in range(int(data["n_boosters"]))]
        boosters = tuple(lightgbm.Booster(model_str=text) for text in texts)
        encoder = CategoryEncoder.from_dict(data["encoder"])
        return cls(boosters, tuple(data["present"]), int(data["n_classes"]), encoder)


def fit_forest(task: Task, pulse: Pulse, *, kind: ForestKind = "forest") -> Fitted:
    """Fit a random forest (or extremely randomised trees) in each fold and on all rows."""
    oof = np.empty((task.n, task.n_classes))
    for fold in range(task.n_folds):
        held = task.held_out(fold)
        oof[held] = _grow(task, task.training(fold), kind).risk(task.codes[held])
        pulse.tell("folds", (fold + 1) / (task.n_folds + 1))
    part = _grow(task, np.arange(task.n), kind)
    pulse.tell("final", 1.0)
    return Fitted(oof, part)


def fit_boosting(task: Task, pulse: Pulse) -> Fitted:
    """Fit boosted trees of two sizes; how many rounds a fold uses is chosen by the other folds."""
    n_shapes = len(_SHAPES)
    held_scores: list[list[NDArray[np.float64]]] = [[] for _ in range(n_shapes)]
    losses = np.zeros((n_shapes, task.n_folds, len(ROUNDS)))
    presents = [_present(task, task.training(fold)) for fold in range(task.n_folds)]
    for fold in range(task.n_folds):
        held, rows = task.held_out(fold), task.training(fold)
        encoder, codes = encode_training(task, rows)
        held_codes = encoder.transform(task.codes[held])
        for shape in range(n_shapes):
            stages = _stages(_boost(task, rows, codes, shape, int(ROUNDS[-1])), held_codes)
            held_scores[shape].append(stages)
            losses[shape, fold] = [
                total_loss(risk_of_scores(s, presents[fold], task.n_classes), task.outcome[held]) for s in stages
            ]
            pulse.tell("folds", (fold * n_shapes + shape + 1) / (n_shapes * (task.n_folds + 1)))
    picked = [choices(losses[shape]) for shape in range(n_shapes)]
    oof = np.empty((task.n, task.n_classes))
    for fold in range(task.n_folds):
        scores = [held_scores[shape][fold][picked[shape][0][fold]] for shape in range(n_shapes)]
        oof[task.held_out(fold)] = risk_of_scores(np.mean(scores, axis=0), presents[fold], task.n_classes)
    part = _boost_all(task, [int(ROUNDS[best]) for _chosen, best in picked])
    pulse.tell("final", 1.0)
    return Fitted(oof, part)


def _boost_all(task: Task, rounds: Sequence[int]) -> BoostingPart:
    """Fit the final models on all rows, several of each size with seeds of their own: their mean varies less."""
    rows = np.arange(task.n)
    encoder, codes = encode_training(task, rows)
    repeats = 2 if task.n < _FEW_ROWS else 1
    boosters = tuple(
        _boost(task, rows, codes, shape, rounds[shape], repeat)
        for shape in range(len(_SHAPES))
        for repeat in range(repeats)
    )
    return BoostingPart(boosters, _present(task, rows), task.n_classes, encoder)


def _check_tree(tree: Any) -> None:
    """Refuse a tree whose nodes point outside it: predicting with one could end the process."""
    left, right, feature = tree.children_left, tree.children_right, tree.feature
    nodes = np.arange(tree.node_count)
    leaf = left == -1
    inner = ~leaf
    sound = (right[leaf] == -1).all()
    for child in (left[inner], right[inner]):
        sound &= ((child > nodes[inner]) & (child < tree.node_count)).all()
    sound &= ((feature[inner] >= 0) & (feature[inner] < tree.n_features)).all()
    if not sound or tree.node_count < 1 or len(tree.value) != tree.node_count:
        raise ValueError("a tree of the forest is damaged")


def _present(task: Task, rows: Indices) -> tuple[int, ...]:
    return tuple(int(k) for k in np.unique(task.outcome[rows]))


def _grow(task: Task, rows: Indices, kind: ForestKind) -> ForestPart:
    from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

    n = len(rows)
    most = 600 if task.settings.effort == "thorough" else 300
    model = (RandomForestClassifier if kind == "forest" else ExtraTreesClassifier)(
        n_estimators=int(np.clip(3_000_000 // max(n, 1), 100, most)),
        random_state=task.settings.seed,
        n_jobs=_threads(n),
        **{"min_samples_leaf": 2 if n < 5000 else 3 + n // 10_000, "max_features": "sqrt", **task.tuned},
    )
    encoder, codes = encode_training(task, rows)
    model.fit(codes.astype(np.float32), task.outcome[rows], sample_weight=task.weights(rows))
    return ForestPart(model, _present(task, rows), task.n_classes, encoder)


def _boost(task: Task, rows: Indices, codes: Codes, shape: int, rounds: int, repeat: int = 0) -> Any:
    import lightgbm

    present = _present(task, rows)
    data = lightgbm.Dataset(
        codes,
        label=np.searchsorted(present, task.outcome[rows]),
        weight=task.weights(rows),
        params={"verbosity": -1, "min_data_in_bin": 3, "num_threads": _boosting_threads(len(rows))},
    )
    many = len(present) > 2
    parameters = {
        **_SHAPES[shape],
        "objective": "multiclass" if many else "binary",
        **({"num_class": len(present)} if many else {}),
        "min_data_in_leaf": max(2, min(10 if len(rows) < 20_000 else 40, len(rows) // 10)),
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "lambda_l2": 3.0,
        **task.tuned,
        "seed": (task.settings.seed + shape + 100 * repeat) % 2**31,
        "deterministic": True,
        "force_col_wise": True,
        "num_threads": _boosting_threads(len(rows)),
        "verbosity": -1,
    }
    if len(present) < 2:
        parameters["objective"] = "binary"
    return lightgbm.train(parameters, data, num_boost_round=rounds)


def _threads(n_rows: int) -> int:
    """Threads wait for each other longer than they work on a small table."""
    return n_threads() if n_rows >= 5000 else 1


def _boosting_threads(n_rows: int) -> int:
    """Leave small tables to one thread.

    LightGBM's threads wait for each other at every split without giving the processor
    back. Beside other candidates (or other people's work) two of them have taken a
    hundred times as long as one; the numbers are the same.
    """
    return n_threads() if n_rows > _FEW_ROWS else 1


def _scores(booster: Any, codes: Codes, start: int, rounds: int) -> NDArray[np.float64]:
    raw = booster.predict(
        codes, raw_score=True, start_iteration=start, num_iteration=rounds, num_threads=_boosting_threads(len(codes))
    )
    return np.asarray(raw, dtype=np.float64).reshape(len(codes), -1)


def _stages(booster: Any, codes: Codes) -> NDArray[np.float64]:
    """Return the scores after each number of rounds, shape ``(rounds, n, columns)``."""
    last = booster.current_iteration()
    edges = [0, *(int(r) for r in ROUNDS)]
    pieces = [
        _scores(booster, codes, low, high - low) if low < last else 0.0 * _scores(booster, codes, 0, 1)
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
