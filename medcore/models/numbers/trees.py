"""Boosted trees and forests that predict a number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from medcore.features import AnyRows
from medcore.models.coalitions.trees import TreeCoalitions
from medcore.models.contract.number import NumberScale, unbiased
from medcore.models.contract.task import Fitted, Indices, Part, ProgressReporter, Risk, Task
from medcore.models.learners.boosting import BOOSTING, SHAPES, BoostingPart, boost, boost_all, boosted_trees, stages_of
from medcore.models.learners.encoding import CategoryEncoder, encode_training
from medcore.models.learners.fold_choice import choices
from medcore.models.learners.forest import CANDIDATES as FORESTS
from medcore.models.learners.forest import answers, growth, read_forest, trees_of, write_forest
from medcore.sealing import Folder

ROUNDS = np.array([15, 30, 50, 75, 100, 150, 200, 300, 400, 600, 900])
"""Numbers of boosting rounds among which held-out folds choose; a number tells more than a class, so more may pay."""
SHARE_OF_COLUMNS: Mapping[str, float] = {"forest": 1 / 3, "extra_trees": 0.7}
"""Columns tried at a split: a third for a random forest (Breiman 2001; Hastie et al. 2009, § 15.3), most where cuts are drawn (Geurts et al. 2006)."""


@dataclass(frozen=True, slots=True)
class NumberForestPart(Part):
    """A scikit-learn forest that predicts on the model's ``scale``."""

    kind: ClassVar[str] = "forest_of_numbers"
    row_by_row: ClassVar[bool] = True
    model: Any
    scale: NumberScale
    encoder: CategoryEncoder = field(default_factory=CategoryEncoder)

    def risk(self, rows: AnyRows, /) -> Risk:
        """Predict, shape ``(n, 1)``."""
        return self.scale.told(answers(self.model, "predict", self.encoder.transform(rows)))

    def coalitions(self) -> TreeCoalitions:
        """Return how the trees answer for coalitions."""
        return TreeCoalitions(
            lambda: trees_of(self.model, np.concatenate([e.tree_.value[:, 0, :] for e in self.model.estimators_])),
            lambda rows: self.encoder.transform(rows).astype(np.float32),
            self.encoder.owners,
            self.scale.told,
        )

    def save(self, folder: Folder, /) -> dict[str, Any]:
        """Write the trees."""
        write_forest(self.model, folder)
        return {"scale": self.scale.to_dict(), "encoder": self.encoder.to_dict()}

    @classmethod
    def load(cls, folder: Folder, data: Mapping[str, Any], /) -> Self:
        """Read what :meth:`save` wrote; any type but scikit-learn's is refused."""
        scale, encoder = NumberScale.from_dict(data["scale"]), CategoryEncoder.from_dict(data["encoder"])
        return cls(read_forest(folder), scale, encoder)


@dataclass(frozen=True, slots=True)
class NumberBoostingPart(BoostingPart):
    """LightGBM models whose mean is read by the model's ``scale``."""

    kind: ClassVar[str] = "boosting_of_numbers"
    row_by_row: ClassVar[bool] = True
    scale: NumberScale = field(default_factory=NumberScale)

    def risk(self, rows: AnyRows, /) -> Risk:
        """Predict, shape ``(n, 1)``."""
        return self.scale.told(self.scores(rows))

    def coalitions(self) -> TreeCoalitions:
        """Return how the trees answer for coalitions."""
        trees = partial(boosted_trees, self)
        return TreeCoalitions(trees, self.encoder.transform, self.encoder.owners, self.scale.told)

    def save(self, folder: Folder, /) -> dict[str, Any]:
        """Write every model in LightGBM's own text format."""
        return BoostingPart.save(self, folder) | {"scale": self.scale.to_dict()}

    @classmethod
    def load(cls, folder: Folder, data: Mapping[str, Any], /) -> Self:
        """Read what :meth:`save` wrote."""
        return replace(super(NumberBoostingPart, cls).load(folder, data), scale=NumberScale.from_dict(data["scale"]))


def fit_number_forest(task: Task, reporter: ProgressReporter, *, kind: str = "forest") -> Fitted:
    """Grow a forest in each fold and on all rows."""
    oof = np.empty((task.n, 1))
    for fold in range(task.n_folds):
        held = task.held_out(fold)
        oof[held] = _grow(task, task.training(fold), kind).risk(task.rows.take(held))
        reporter.tell("folds", (fold + 1) / (task.n_folds + 1))
    part = _grow(task, np.arange(task.n), kind)
    reporter.tell("final", 1.0)
    return unbiased(task, Fitted(oof, part))


def _grow(task: Task, rows: Indices, kind: str) -> NumberForestPart:
    from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor

    made = RandomForestRegressor if kind == "forest" else ExtraTreesRegressor
    model, scale = made(**growth(task, len(rows), max_features=SHARE_OF_COLUMNS[kind])), NumberScale.of(task)
    encoder, codes = encode_training(task, rows)
    model.fit(codes.astype(np.float32), scale.standard(task.value[rows]))
    return NumberForestPart(model, scale, encoder)


def fit_number_boosting(task: Task, reporter: ProgressReporter) -> Fitted:
    """Fit boosted trees of two sizes; how many rounds a fold uses is chosen by the other folds."""
    n_shapes, scale = len(SHAPES), NumberScale.of(task)
    stages: list[list[NDArray[np.float64]]] = [[] for _ in range(n_shapes)]
    losses = np.zeros((n_shapes, task.n_folds, len(ROUNDS)))
    for fold in range(task.n_folds):
        held, rows = task.held_out(fold), task.training(fold)
        encoder, codes = encode_training(task, rows)
        held_codes, z = encoder.transform(task.rows.take(held)), scale.standard(task.value[held])
        for shape in range(n_shapes):
            booster = boost(task, rows, codes, shape, int(ROUNDS[-1]))
            stages[shape].append(stages_of(booster, held_codes, ROUNDS)[:, :, 0])
            losses[shape, fold] = ((stages[shape][-1] - z) ** 2).sum(axis=1)
            reporter.tell("folds", (fold * n_shapes + shape + 1) / (n_shapes * (task.n_folds + 1)))
    picked = [choices(losses[shape]) for shape in range(n_shapes)]
    oof = np.empty((task.n, 1))
    for fold in range(task.n_folds):
        own = [stages[shape][fold][picked[shape][0][fold]] for shape in range(n_shapes)]
        oof[task.held_out(fold)] = scale.told(np.mean(own, axis=0))
    kept = boost_all(task, [int(ROUNDS[best]) for _chosen, best in picked])
    reporter.tell("final", 1.0)
    return unbiased(task, Fitted(oof, NumberBoostingPart(kept.boosters, (0,), 1, kept.encoder, scale)))


CANDIDATES = (
    *(
        replace(
            forest,
            learner=partial(fit_number_forest, kind=forest.name),
            part=NumberForestPart,
            space=None,
            searched_by_auto=False,
        )
        for forest in FORESTS
    ),
    replace(BOOSTING, learner=fit_number_boosting, part=NumberBoostingPart, space=None, searched_by_auto=False),
)
