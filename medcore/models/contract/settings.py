"""What a person may set for a training run, checked before anything is trained."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from medcore.errors import SettingsError
from medcore.i18n import N_
from medcore.models.contract.candidate import AUTO, candidates, offered, settings_read

Activation = Literal["relu", "sigmoid", "tanh", "gelu", "selu"]
Optimizer = Literal["adam", "adamw", "sgd", "rmsprop"]
ClassWeight = Literal["balanced", "focal"]
Effort = Literal["quick", "thorough"]
Strength = Literal["intercept", "slope", "refit"]
"""How far a frozen model is recalibrated to new patients."""

STRENGTHS: tuple[Strength, ...] = get_args(Strength)
ACTIVATIONS: tuple[str, ...] = get_args(Activation)
OPTIMIZERS: tuple[str, ...] = get_args(Optimizer)
CLASS_WEIGHTS: tuple[str, ...] = get_args(ClassWeight)
EFFORTS: tuple[str, ...] = get_args(Effort)

_LIMITS: Mapping[str, tuple[float, float]] = {
    "epochs": (1, 100_000),
    "batch_size": (1, 1_000_000),
    "early_stopping": (0, 100_000),
    "n_seeds": (1, 50),
    "seed": (0, 2**32 - 1),
    "learning_rate": (1e-8, 10.0),
    "validation_share": (0.0, 0.5),
    "dropout": (0.0, 0.9),
    "weight_decay": (0.0, 10.0),
    "search_minutes": (0.0, 10_080.0),
}
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "activation": ACTIVATIONS,
    "optimizer": OPTIMIZERS,
    "effort": EFFORTS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSettings:
    """The settings of a run; the network ones apply to ``network`` and ``seed``.

    ``early_stopping`` is the patience in epochs, 0 for none; ``n_seeds`` how many
    networks are trained in every fold. ``class_weight`` changes what the losses
    count (``"balanced"``) or how (``"focal"``); the risks are recalibrated then.
    ``search_minutes`` is the time to search for better settings in, 0 for no search.
    ``effort`` ``"thorough"`` doubles the trees of forests and the members of ``network``.

    Raises:
        SettingsError: a setting is outside what can work; the message names it.

    """

    model: str = AUTO
    epochs: int = 100
    layers: tuple[int, ...] = (128, 64, 32)
    activation: Activation = "relu"
    optimizer: Optimizer = "adam"
    learning_rate: float = 1e-3
    batch_size: int = 32
    validation_share: float = 0.1
    dropout: float = 0.0
    weight_decay: float = 0.0
    early_stopping: int = 0
    n_seeds: int = 1
    class_weight: ClassWeight | None = None
    effort: Effort = "quick"
    search_minutes: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        _check_choice("model", self.model, offered())
        for name, choices in _CHOICES.items():
            _check_choice(name, getattr(self, name), choices)
        if self.class_weight is not None:
            _check_choice("class_weight", self.class_weight, CLASS_WEIGHTS)
        for name, (low, high) in _LIMITS.items():
            _check_range(name, getattr(self, name), low, high)
        if not self.layers or len(self.layers) > 12:
            raise SettingsError(
                N_("The network has {n} layers; give between 1 and 12, for example 128, 64, 32."), n=len(self.layers)
            )
        for units in self.layers:
            _check_range("layers", units, 1, 8192)

    @classmethod
    def preset(cls, model: str, **changes: Any) -> TrainSettings:
        """Return the settings a model starts from; ``"seed"`` is the reference network.

        Raises:
            SettingsError: no such model, or a change outside what can work.

        """
        return cls.from_dict({"model": model, **changes})

    @classmethod
    def seed_network(cls, **changes: Any) -> TrainSettings:
        """Return the reference network: what everything else must beat."""
        return cls.preset("seed", **changes)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`from_dict` reads back."""
        return asdict(self) | {"layers": list(self.layers)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TrainSettings:
        """Read what :meth:`to_dict` wrote; an unknown setting is an error.

        Raises:
            SettingsError: a setting that does not exist, or one outside what can work.

        """
        unknown = sorted(set(data) - {f.name for f in fields(cls)})
        if unknown:
            raise SettingsError(
                N_("There is no setting {unknown}. The settings are: {known}."),
                unknown=unknown,
                known=[f.name for f in fields(cls)],
            )
        values = dict(data)
        if "layers" in values:
            given = values["layers"]
            values["layers"] = layers_of(given) if isinstance(given, str) else tuple(given)
        return cls(**values)


def in_use(settings: Mapping[str, Any], trained: Collection[str]) -> dict[str, Any]:
    """Return the settings that had a say in a run, given the names of all that was trained.

    What no trained model reads is left out, and so is what was switched off.

    >>> list(in_use(TrainSettings(model="logistic").to_dict(), ["prevalence", "logistic"]))
    ['model', 'seed']
    """
    left_out = {name for name in ("class_weight", "search_minutes") if not settings.get(name)}
    left_out |= settings_read(candidates()) - settings_read(trained)
    return {name: value for name, value in settings.items() if name not in left_out}


def layers_of(text: str) -> tuple[int, ...]:
    """Read a list of layers.

    Raises:
        SettingsError: it is not a list of whole numbers.

    >>> layers_of("128, 64 32")
    (128, 64, 32)

    """
    parts = text.replace(",", " ").replace("，", " ").replace("、", " ").split()
    if not parts or not all(part.isdecimal() for part in parts):
        raise SettingsError(N_("The layers must be whole numbers separated by commas, for example 128, 64, 32."))
    return tuple(int(part) for part in parts)


def _check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise SettingsError(
            N_("The setting {name} is {value}; choose one of {choices}."), name=name, value=str(value), choices=choices
        )


def _check_range(name: str, value: float, low: float, high: float) -> None:
    whole = isinstance(low, int) and isinstance(high, int)
    number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if not number or (whole and value != int(value)) or not low <= value <= high:
        raise SettingsError(
            N_("The setting {name} is {value}; it must be between {low} and {high}."),
            name=name,
            value=str(value),
            low=f"{low:g}",
            high=f"{high:g}",
        )
