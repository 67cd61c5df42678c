"""What a person may set for a training run, checked before anything is trained."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from medcore.errors import SettingsError
from medcore.i18n import N_
from medcore.models.contract.candidate import AUTO, candidates, every_model, settings_read
from medcore.models.contract.setting_field import FIELDS, check_choice

Strength = Literal["intercept", "slope", "refit"]
"""How far a frozen model is recalibrated to new patients."""

STRENGTHS: tuple[Strength, ...] = get_args(Strength)


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
    activation: str = "relu"
    optimizer: str = "adam"
    learning_rate: float = 1e-3
    batch_size: int = 32
    validation_share: float = 0.1
    dropout: float = 0.0
    weight_decay: float = 0.0
    early_stopping: int = 0
    n_seeds: int = 1
    class_weight: str | None = None
    effort: str = "quick"
    search_minutes: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        check_choice("model", self.model, every_model())
        for name, field in FIELDS.items():
            field.check(name, getattr(self, name))

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
