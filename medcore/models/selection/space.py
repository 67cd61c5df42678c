"""What may be searched: for each model the settings that matter, between sensible limits."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from medcore.models.contract.task import Learner
from medcore.models.learners.baselines import fit_logistic
from medcore.models.learners.networks import fit_network, fit_seed_network
from medcore.models.learners.trees import fit_boosting, fit_forest

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

LEARNERS: Mapping[str, Learner] = {
    "logistic": fit_logistic,
    "forest": fit_forest,
    "extra_trees": partial(fit_forest, kind="extra_trees"),
    "boosting": fit_boosting,
    "network": fit_network,
    "seed": fit_seed_network,
}
AUTOMATIC = ("logistic", "forest", "extra_trees", "boosting")
"""What the automatic choice searches. A network takes as long as a hundred trials of these, so it is searched only when it is the model asked for."""
_LAYERS = ("64", "128 64", "64 64", "128 128", "256 128 64")


def models_of(model: str) -> tuple[str, ...]:
    """Return the models among which a run of ``model`` searches."""
    return AUTOMATIC if model == "auto" else (model,)


def space(model: str) -> dict[str, BaseDistribution]:
    """Return the settings of a model that are searched, by name."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    forest = {"min_samples_leaf": IntDistribution(1, 40, log=True), "max_features": FloatDistribution(0.05, 1.0)}
    network: dict[str, BaseDistribution] = {
        "learning_rate": FloatDistribution(1e-4, 3e-2, log=True),
        "dropout": FloatDistribution(0.0, 0.6),
        "layers": CategoricalDistribution(_LAYERS),
    }
    spaces: dict[str, dict[str, BaseDistribution]] = {
        "logistic": {
            "inverse_penalty": FloatDistribution(1e-4, 30.0, log=True),
            "scaling": CategoricalDistribution(("standard", "robust")),
        },
        "forest": {**forest},
        "extra_trees": {**forest},
        "boosting": {
            "num_leaves": IntDistribution(3, 48, log=True),
            "learning_rate": FloatDistribution(0.01, 0.2, log=True),
            "feature_fraction": FloatDistribution(0.15, 1.0),
            "bagging_fraction": FloatDistribution(0.4, 1.0),
            "min_data_in_leaf": IntDistribution(2, 80, log=True),
            "lambda_l2": FloatDistribution(0.01, 30.0, log=True),
        },
        "network": {**network, "weight_decay": FloatDistribution(0.1, 20.0, log=True)},
        "seed": {**network, "weight_decay": FloatDistribution(1e-6, 1e-1, log=True)},
    }
    return spaces[model]


def as_tuned(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Turn what was drawn into what a learner takes."""
    tuned = dict(settings)
    if "layers" in tuned:
        tuned["layers"] = tuple(int(units) for units in str(tuned["layers"]).split())
    return tuned


def suggest(trial: Any, name: str, limits: BaseDistribution) -> Any:
    """Let an Optuna trial draw one setting."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(limits, CategoricalDistribution):
        return trial.suggest_categorical(name, limits.choices)
    if isinstance(limits, IntDistribution):
        return trial.suggest_int(name, limits.low, limits.high, log=limits.log)
    assert isinstance(limits, FloatDistribution)
    return trial.suggest_float(name, limits.low, limits.high, log=limits.log)
