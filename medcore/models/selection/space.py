"""What may be searched: a model's settings that matter, as Optuna draws them and as its learner takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from medcore.models.contract.candidate import candidates

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution


def space(model: str) -> Mapping[str, BaseDistribution]:
    """Return the settings of a model that are searched, by name, with their limits."""
    drawn = candidates()[model].space
    assert drawn is not None, f"{model} has no settings to search"
    return drawn()


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
