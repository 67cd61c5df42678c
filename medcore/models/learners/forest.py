"""Forests by scikit-learn on codes: they branch on missing values and need no scaling."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from medcore.features import AnyRows, Codes
from medcore.i18n import N_
from medcore.models.coalitions.leaves import Trees
from medcore.models.coalitions.trees import NAN_IS_MISSING, TreeCoalitions
from medcore.models.contract.candidate import Candidate
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
from medcore.models.learners.few_rows import FEW, few_answers
from medcore.sealing import Folder, put

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

ForestKind = Literal["forest", "extra_trees"]
_TREE = "sklearn.tree._tree.Tree"
"""skops leaves it to us to see that a tree's nodes point at each other: see ``_check_tree``."""


@dataclass(frozen=True, slots=True)
class ForestPart(Part):
    """A scikit-learn forest; ``present`` are the classes it has seen."""

    kind: ClassVar[str] = "forest"
    row_by_row: ClassVar[bool] = True
    model: Any
    present: tuple[int, ...]
    n_classes: int
    encoder: CategoryEncoder = field(default_factory=CategoryEncoder)

    def risk(self, rows: AnyRows, /) -> Risk:
        """Predict, shape ``(n, K)``."""
        risk = answers(self.model, "predict_proba", self.encoder.transform(rows))
        return columns_of_present_classes(risk, self.present, self.n_classes)

    def coalitions(self) -> TreeCoalitions:
        """Return how the trees answer for coalitions."""
        return TreeCoalitions(
            partial(_trees, self),
            lambda rows: self.encoder.transform(rows).astype(np.float32),
            self.encoder.owners,
            self._risk_of,
            change_of=self._change_of,
        )

    def _risk_of(self, sums: NDArray[np.float64]) -> Risk:
        """Turn summed leaves into risks; of two classes there is only the second's."""
        both = np.hstack([1.0 - sums, sums]) if sums.shape[1] < len(self.present) else sums
        return columns_of_present_classes(both, self.present, self.n_classes)

    def _change_of(self, sums: NDArray[np.float64]) -> Risk:
        """Turn what summed leaves change by into what risks change by."""
        found = np.zeros((len(sums), self.n_classes))
        found[:, list(self.present)] = np.hstack([-sums, sums]) if sums.shape[1] < len(self.present) else sums
        return found

    def save(self, folder: Folder, /) -> dict[str, Any]:
        """Write the trees."""
        write_forest(self.model, folder)
        return {
            "present": list(self.present),
            "n_classes": self.n_classes,
            "encoder": self.encoder.to_dict(),
        }

    @classmethod
    def load(cls, folder: Folder, data: Mapping[str, Any], /) -> Self:
        """Read what :meth:`save` wrote; any type but scikit-learn's is refused."""
        encoder = CategoryEncoder.from_dict(data["encoder"])
        return cls(read_forest(folder), tuple(data["present"]), int(data["n_classes"]), encoder)


def answers(model: Any, method: Literal["predict", "predict_proba"], codes: Codes) -> NDArray[np.float64]:
    """Ask a forest about encoded rows, by a method of its own, in slices side by side."""
    single = codes.astype(np.float32)
    if 0 < len(single) <= FEW:
        few = few_answers(model, single)
        return few if method == "predict_proba" else few[:, 0]
    model.n_jobs = 1  # scikit-learn's threads sum the trees in the order in which they happen to finish
    slices = np.array_split(single, _threads(len(single)))
    with ThreadPoolExecutor(len(slices)) as threads:
        return np.concatenate(list(threads.map(getattr(model, method), slices)))


def write_forest(model: Any, folder: Folder) -> None:
    """Write a forest with skops, which holds data and no code."""
    import skops.io

    put(folder / "forest.skops", skops.io.dumps(model, compresslevel=1, compression=8))


def read_forest(folder: Folder) -> Any:
    """Read what :func:`write_forest` wrote; any type but scikit-learn's is refused."""
    import skops.io

    model = skops.io.loads((folder / "forest.skops").read_bytes(), trusted=[_TREE])
    for tree in model.estimators_:
        _check_tree(tree.tree_)
    return model


def _trees(part: ForestPart) -> tuple[Trees]:
    """Return a forest's trees; of two classes the second alone says everything."""
    values = np.concatenate([estimator.tree_.value[:, 0, :] for estimator in part.model.estimators_])
    values = values / values.sum(axis=1, keepdims=True)
    return trees_of(part.model, values[:, [1]] if len(part.present) == 2 else values)


def trees_of(model: Any, values: NDArray[np.float64]) -> tuple[Trees]:
    """Return a forest's trees, whose nodes (N,) say ``values`` (N, C); what it says is their mean."""
    trees = [estimator.tree_ for estimator in model.estimators_]
    sizes = np.array([t.node_count for t in trees])
    begin = np.cumsum(sizes) - sizes
    left = [np.where(t.children_left >= 0, t.children_left + b, -1) for t, b in zip(trees, begin, strict=True)]
    right = [np.where(t.children_right >= 0, t.children_right + b, -1) for t, b in zip(trees, begin, strict=True)]
    n = int(sizes.sum())
    whole = Trees(
        begin.astype(np.int32),
        np.concatenate([t.feature for t in trees]).astype(np.int32),
        np.concatenate([t.threshold for t in trees]).astype(np.float64),
        np.full(n, NAN_IS_MISSING, np.int8),
        np.concatenate([t.missing_go_to_left for t in trees]).astype(bool),
        np.concatenate(left).astype(np.int32),
        np.concatenate(right).astype(np.int32),
        np.ascontiguousarray(values.T / len(trees)),
    )
    return (whole,)


def fit_forest(task: Task, reporter: ProgressReporter, *, kind: ForestKind = "forest") -> Fitted:
    """Fit a random forest (or extremely randomised trees) in each fold and on all rows."""
    oof = np.empty((task.n, task.n_classes))
    for fold in range(task.n_folds):
        held = task.held_out(fold)
        oof[held] = grow(task, task.training(fold), kind).risk(task.rows.take(held))
        reporter.tell("folds", (fold + 1) / (task.n_folds + 1))
    part = grow(task, np.arange(task.n), kind)
    reporter.tell("final", 1.0)
    return Fitted(oof, part)


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


def grow(task: Task, rows: Indices, kind: ForestKind) -> ForestPart:
    """Grow a forest on training rows."""
    from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

    made = RandomForestClassifier if kind == "forest" else ExtraTreesClassifier
    model = made(**growth(task, len(rows), max_features="sqrt"))
    encoder, codes = encode_training(task, rows)
    model.fit(codes.astype(np.float32), task.outcome[rows], sample_weight=task.weights(rows))
    return ForestPart(model, task.classes_of(rows), task.n_classes, encoder)


def growth(task: Task, n: int, *, max_features: str | float) -> dict[str, Any]:
    """Return how forests are grown on ``n`` rows, of a task whose search may have found better settings."""
    most = 600 if task.settings.effort == "thorough" else 300
    return {
        "n_estimators": int(np.clip(3_000_000 // max(n, 1), 100, most)),
        "random_state": task.settings.seed,
        "n_jobs": _threads(n),
        "min_samples_leaf": 2 if n < 5000 else 3 + n // 10_000,
        "max_features": max_features,
        **task.tuned,
    }


def _threads(n_rows: int) -> int:
    """Threads wait for each other longer than they work on a small table."""
    return n_threads() if n_rows >= 5000 else 1


def _space() -> Mapping[str, BaseDistribution]:
    from optuna.distributions import FloatDistribution, IntDistribution

    return {"min_samples_leaf": IntDistribution(1, 40, log=True), "max_features": FloatDistribution(0.05, 1.0)}


FOREST = Candidate(
    name="forest",
    title=N_("Random forest"),
    hint=N_("Many decision trees that vote; needs hardly any settings."),
    order=40,
    menu=5,
    share=1.5,
    learner=fit_forest,
    part=ForestPart,
    space=_space,
    missing="branch",
    reads=frozenset({"effort"}),
    automatic=True,
    searched_by_auto=True,
)
CANDIDATES = (
    FOREST,
    Candidate(
        name="extra_trees",
        title=N_("Extremely randomised trees"),
        order=50,
        share=1.0,
        learner=partial(fit_forest, kind="extra_trees"),
        part=ForestPart,
        space=_space,
        missing="branch",
        reads=frozenset({"effort"}),
        automatic=True,
        searched_by_auto=True,
    ),
)
