from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from medcore.data.cohort import Cohort
from medcore.data.preparation.recipe import Recipe, default_recipe
from medcore.data.preparation.replay import Prepared, prepare
from medcore.data.schema.inference import choose_target, infer_schema
from medcore.data.splitting.split import Split, SplitSettings, make_split
from medcore.models.contract.settings import TrainSettings
from medcore.models.run.training import Trained, train


def patients(n: int = 240, *, n_classes: int = 2, seed: int = 1) -> pd.DataFrame:
    """A generated ward whose outcome depends on age, pressure and smoking; everything is text, as in a file."""
    rng = np.random.default_rng(seed)
    age, pressure = rng.normal(60, 12, n), rng.normal(130, 18, n)
    smoker = rng.choice(["yes", "no", "former"], n)
    score = (age - 60) / 9 + (pressure - 130) / 20 + 1.2 * (smoker == "yes") + rng.logistic(0, 0.9, n)
    edges = np.quantile(score, np.linspace(0, 1, n_classes + 1)[1:-1])
    names = np.array(["alive", "dead"] if n_classes == 2 else [f"stage {k}" for k in range(n_classes)])
    table = pd.DataFrame(
        {
            "age": [f"{v:.1f}" for v in age],
            "pressure": [f"{v:.0f}" for v in pressure],
            "smoker": smoker,
            "noise": [f"{v:.3f}" for v in rng.normal(size=n)],
            "outcome": names[np.searchsorted(edges, score)],
        },
        dtype="str",
    )
    table.loc[rng.choice(n, n // 12, replace=False), "pressure"] = None
    return table


@dataclass(frozen=True)
class Ward:
    """A table on its way to a model."""

    cohort: Cohort
    recipe: Recipe
    prepared: Prepared
    split: Split

    @classmethod
    def of(cls, frame: pd.DataFrame, *, positive: str | None = "dead", **split) -> Ward:
        schema = choose_target(infer_schema(frame), frame, "outcome", positive=positive)
        cohort = Cohort(frame, schema, "0" * 64, "ward.csv")
        recipe = default_recipe(schema)
        prepared = prepare(cohort, recipe)
        return cls(cohort, recipe, prepared, make_split(prepared, SplitSettings(**{"n_folds": 3, **split})))

    def train(self, model: str, follower=None, **settings) -> Trained:
        return train(
            self.prepared,
            self.split,
            TrainSettings.preset(model, **settings),
            schema=self.cohort.schema,
            recipe=self.recipe,
            cohort_sha256=self.cohort.sha256,
            follower=follower,
        )


@pytest.fixture(scope="session")
def ward() -> Ward:
    return Ward.of(patients())


@pytest.fixture(scope="session")
def three_class_ward() -> Ward:
    return Ward.of(patients(n_classes=3), positive=None)


@pytest.fixture(scope="session")
def logistic(ward) -> Trained:
    return ward.train("logistic")
