"""What a network is made of and how it is trained, as settings; no TensorFlow here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from math import isfinite, log2, sqrt
from typing import Any, Literal, get_args

from medcore.errors import SettingsError
from medcore.i18n import N_

Architecture = Literal["seed", "network", "tower"]
Activation = Literal["relu", "sigmoid", "tanh", "selu", "mish", "gelu"]
Optimizer = Literal["adam", "adamw", "sgd", "rmsprop"]
Schedule = Literal["constant", "cosine", "flat_cosine"]
ClassWeight = Literal["balanced"]

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "architecture": get_args(Architecture),
    "activation": get_args(Activation),
    "optimizer": get_args(Optimizer),
    "schedule": get_args(Schedule),
}
# name: (lowest, highest); an open upper end is what a machine of this size can still do
_RANGES: Mapping[str, tuple[float, float]] = {
    "epochs": (1, 100_000),
    "batch_size": (1, 1_000_000),
    "dropout": (0.0, 0.95),
    "early_stopping": (0, 100_000),
    "weight_decay": (0.0, 100.0),
    "label_smoothing": (0.0, 0.5),
    "focal_gamma": (0.0, 10.0),
    "n_submodels": (1, 256),
    "n_bins": (0, 256),
    "warmup": (0.0, 0.9),
    "beta2": (0.0, 0.99999),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """Everything that decides what a network learns, apart from rows and seed.

    ``early_stopping`` is a patience in epochs (0: off); with it, or with
    ``keep_best``, the weights of the epoch with the lowest validation loss are
    kept, else those of the last epoch. ``clip_norm`` bounds the norm of a member's
    gradient. ``warmup`` is the share of all steps over which the learning rate
    rises. The last four matter to the architecture ``"network"`` only: sub-models
    that share their kernels, pieces into which the range of a numeric column is
    cut, a linear path beside the layers, and patients resampled for each sub-model. With
    ``n_causes`` above 0 it predicts their hazards in ``n_intervals`` intervals, and an outcome
    is :func:`~medcore.models.trainer.hazards.coded`. With ``number`` it predicts a number, by squared error.
    The architecture ``"tower"`` is that of tables beside a tower that reads ``n_series`` measurements in the order of time.
    """

    architecture: Architecture = "seed"
    layers: tuple[int, ...] = (128, 64, 32)
    activation: Activation = "relu"
    optimizer: Optimizer = "adam"
    learning_rate: float = 1e-3
    epochs: int = 100
    batch_size: int = 32
    dropout: float = 0.0
    early_stopping: int = 0
    keep_best: bool = False
    schedule: Schedule = "constant"
    warmup: float = 0.0
    weight_decay: float = 0.0
    beta2: float = 0.999
    clip_norm: float | None = None
    label_smoothing: float = 0.0
    class_weight: ClassWeight | None = None
    focal_gamma: float = 0.0
    n_submodels: int = 1
    n_bins: int = 0
    linear_path: bool = True
    bagging: bool = False
    n_causes: int = 0
    n_intervals: int = 0
    number: bool = False
    n_series: int = 0

    def __post_init__(self) -> None:
        for name, allowed in _CHOICES.items():
            _check_choice(name, getattr(self, name), allowed)
        for name, (low, high) in _RANGES.items():
            _check_range(name, getattr(self, name), low, high)
        if self.class_weight not in (None, "balanced"):
            _check_choice("class_weight", str(self.class_weight), ("balanced",))
        if not (isfinite(self.learning_rate) and 0.0 < self.learning_rate <= 1e6):
            raise SettingsError(
                N_("The learning rate is {value}; give a number above 0, for instance 0.001."),
                value=self.learning_rate,
            )
        if any(not 1 <= width <= 65_536 for width in self.layers):
            raise SettingsError(
                N_("The layers are {layers}; give each layer a whole number of units from 1 to 65536."),
                layers=[str(width) for width in self.layers],
            )
        if self.clip_norm is not None and not self.clip_norm > 0.0:
            _check_range("clip_norm", self.clip_norm, 1e-12, 1e12)

    @classmethod
    def for_table(cls, n_rows: int, **changes: Any) -> NetworkSettings:
        """Return what suits a table of ``n_rows`` training rows: the network of ``docs/ablation.md``.

        Batches grow with the square root of the rows, epochs shrink with them, and
        from 20,000 rows on there are fewer sub-models, for more data needs less averaging.
        Judge members by a fifth of their own training rows: the best epoch is kept.
        Without such rows the schedule is fixed and the last one is.

        >>> [NetworkSettings.for_table(n).batch_size for n in (100, 1_000, 100_000)]
        [32, 64, 512]
        """
        steps = 2_000 if n_rows <= 20_000 else 1_000
        batch_size = 2 ** round(log2(min(max(2.0 * sqrt(max(n_rows, 1)), 32.0), 2048.0)))
        epochs = round(min(max(steps * batch_size / max(n_rows, 1), 4.0), 60.0))
        return cls(
            **{
                "architecture": "network",
                "layers": (64, 64),
                "optimizer": "adamw",
                "learning_rate": 1e-2,
                "epochs": epochs,
                "batch_size": batch_size,
                "dropout": 0.3,
                "early_stopping": max(8, epochs // 3),
                "schedule": "cosine",
                "weight_decay": 1.0,
                "beta2": 0.99,
                "n_submodels": 8 if n_rows <= 20_000 else 4 if n_rows <= 200_000 else 2,
                "n_bins": 4,
            }
            | changes
        )

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`from_dict` reads back."""
        return asdict(self) | {"layers": list(self.layers)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> NetworkSettings:
        """Read what :meth:`to_dict` wrote; fields of a newer version are left out."""
        known = {f.name for f in fields(cls)}
        values = {name: value for name, value in data.items() if name in known}
        return cls(**values | {"layers": tuple(values.get("layers", (128, 64, 32)))})


def _check_choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise SettingsError(
            N_("The setting {name} is {value}; choose one of {choices}."), name=name, value=value, choices=allowed
        )


def _check_range(name: str, value: float, low: float, high: float) -> None:
    if not (isfinite(value) and low <= value <= high):
        raise SettingsError(
            N_("The setting {name} is {value}; it must be between {low} and {high}."),
            name=name,
            value=str(value),
            low=f"{low:g}",
            high=f"{high:g}",
        )
