"""Each setting of a run once: what it is called, what it may be, and what it does.

The form asks by these fields, the command line lists them, and ``TrainSettings``
checks by them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from medcore.errors import SettingsError
from medcore.i18n import N_, Message
from medcore.models.contract.candidate import known


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingField:
    """One setting: ``limits`` of a number, both included, or ``choices`` with the word for each.

    Whole limits are those of a whole number. ``shown`` is how a form asks for it:
    as a number, as a share in steps of ``step``, as one of the choices, or as a list
    of layers.
    """

    label: str
    help: str
    limits: tuple[float, float] = (0, 0)
    choices: Mapping[str, str] | None = None
    optional: bool = False
    shown: Literal["number", "share", "choice", "layers"] = "number"
    step: float = 1

    @property
    def whole(self) -> bool:
        """Whether only whole numbers will do."""
        return all(isinstance(limit, int) for limit in self.limits)

    def check(self, name: str, value: Any) -> None:
        """Refuse what cannot work.

        Raises:
            SettingsError: the value is none of the choices or outside the limits.

        """
        if self.optional and value is None:
            return
        if self.choices is not None:
            check_choice(name, value, tuple(self.choices))
        elif self.shown == "layers":
            self._check_layers(name, value)
        else:
            self._check_number(name, value)

    def _check_layers(self, name: str, layers: Any) -> None:
        if not isinstance(layers, tuple) or not 1 <= len(layers) <= MOST_LAYERS:
            n = len(layers) if isinstance(layers, tuple) else 0
            raise SettingsError(N_("The network has {n} layers; give between 1 and 12, for example 128, 64, 32."), n=n)
        for units in layers:
            self._check_number(name, units)

    def _check_number(self, name: str, value: Any) -> None:
        low, high = self.limits
        sound = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        if not sound or (self.whole and value != int(value)) or not low <= value <= high:
            raise SettingsError(
                N_("The setting {name} is {value}; it must be between {low} and {high}."),
                name=name,
                value=str(value),
                low=f"{low:g}",
                high=f"{high:g}",
            )

    def words(self, name: str) -> Message:
        """Say in one line what the setting may be and what it does, for the command line."""
        if self.choices is not None:
            return Message(
                N_("{name}: one of {choices}. {help}"),
                {"name": name, "choices": tuple(self.choices), "help": Message(self.help)},
            )
        low, high = (f"{limit:g}" for limit in self.limits)
        return Message(
            N_("{name}: {low} to {high}. {help}"), {"name": name, "low": low, "high": high, "help": Message(self.help)}
        )


MOST_LAYERS = 12
FIELDS: Mapping[str, SettingField] = {
    "effort": SettingField(
        label=N_("Effort"),
        help=N_(
            "Quick takes seconds to a few minutes; thorough trains more and larger models for several times as long."
        ),
        choices={"quick": N_("Quick"), "thorough": N_("Thorough")},
        shown="choice",
    ),
    "layers": SettingField(
        label=N_("Layers (units, from first to last)"),
        help=N_("How many units each hidden layer has, for example 128, 64, 32."),
        limits=(1, 8192),
        shown="layers",
    ),
    "epochs": SettingField(
        label=N_("Epochs"), help=N_("How often the network sees every training patient."), limits=(1, 100_000)
    ),
    "batch_size": SettingField(
        label=N_("Batch size"),
        help=N_("How many patients the network sees between two corrections."),
        limits=(1, 1_000_000),
    ),
    "learning_rate": SettingField(
        label=N_("Learning rate"),
        help=N_("The size of each correction; too large diverges, too small takes long."),
        limits=(1e-8, 10.0),
        step=1e-4,
    ),
    "activation": SettingField(
        label=N_("Activation"),
        help=N_("The bend in each unit that lets layers learn curves."),
        choices={"relu": "ReLU", "sigmoid": "Sigmoid", "tanh": "tanh", "gelu": "GELU", "selu": "SELU"},
        shown="choice",
    ),
    "optimizer": SettingField(
        label=N_("Optimiser"),
        help=N_("How corrections are made from errors."),
        choices={"adam": "Adam", "adamw": "AdamW", "sgd": "SGD", "rmsprop": "RMSprop"},
        shown="choice",
    ),
    "dropout": SettingField(
        label=N_("Dropout"),
        help=N_("The share of units silenced at each step, against overfitting."),
        limits=(0.0, 0.9),
        shown="share",
        step=0.05,
    ),
    "weight_decay": SettingField(
        label=N_("Weight decay"),
        help=N_("How much each step shrinks the weights, against overfitting; 0 is off."),
        limits=(0.0, 10.0),
        step=1e-4,
    ),
    "validation_share": SettingField(
        label=N_("Validation share"),
        help=N_("The share of the training patients set aside to watch the learning; never the locked test set."),
        limits=(0.0, 0.5),
        shown="share",
        step=0.05,
    ),
    "early_stopping": SettingField(
        label=N_("Early stopping (epochs without progress; 0 is off)"),
        help=N_("Stop, and go back to the best epoch, when the validation loss has not fallen for this many epochs."),
        limits=(0, 100_000),
    ),
    "n_seeds": SettingField(
        label=N_("Networks in each fold"),
        help=N_("Several networks from different starts are averaged, and show how stable each patient's risk is."),
        limits=(1, 50),
    ),
    "class_weight": SettingField(
        label=N_("Class weights"),
        help=N_(
            "Lets every class count the same in training (balanced) or hard patients more (focal); the risks are recalibrated then."
        ),
        choices={"balanced": N_("Balanced"), "focal": N_("Focal")},
        optional=True,
        shown="choice",
    ),
    "search_minutes": SettingField(
        label=N_("Minutes for the search"),
        help=N_("The search stops after these minutes; training the models to compare with comes on top."),
        limits=(0.0, 10_080.0),
    ),
    "seed": SettingField(
        label=N_("Random seed"),
        help=N_("The same seed, table and settings give the same numbers."),
        limits=(0, 2**32 - 1),
    ),
}


def asked_for(model: str) -> tuple[str, ...]:
    """Return the settings that a form asks for beside the seed: those that the chosen model reads, in order.

    >>> asked_for("auto"), asked_for("logistic")
    (('effort',), ())
    """
    found = known(model)
    reads = frozenset({"effort"}) if found is None else found.reads
    return tuple(name for name in FIELDS if name in reads)


def check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    """Refuse what is none of the choices.

    Raises:
        SettingsError: it names the setting, the value and the choices.

    """
    if value not in choices:
        raise SettingsError(
            N_("The setting {name} is {value}; choose one of {choices}."), name=name, value=str(value), choices=choices
        )
