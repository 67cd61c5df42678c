"""The scale on which models of a number learn: standardised, of its logarithm where that is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from medcore.models.contract.coalitions import BackgroundCoalitions, Coalitions, PatientCoalitions

if TYPE_CHECKING:
    from medcore.features import Rows
    from medcore.models.coalitions.tiles import Tiles
    from medcore.models.contract.task import Fitted, Risk, Task

Floats = NDArray[np.float64]
BEYOND = 1.0
"""Standard deviations by which a predicted logarithm may leave those of the training rows: what lies further is no forecast."""


@dataclass(frozen=True, slots=True)
class NumberScale:
    """How a number and what models learn of it belong together: value = ``factor`` · exp(``centre`` + ``spread`` · z), or without exp.

    ``factor`` brings the mean back that is lost where a logarithm is predicted (the smearing of Duan 1983, JASA 78:605,
    as the ratio of the sums). z is kept between ``low`` and ``high`` where there is a logarithm.
    """

    centre: float = 0.0
    spread: float = 1.0
    log: bool = False
    factor: float = 1.0
    low: float = -np.inf
    high: float = np.inf

    @classmethod
    def of(cls, task: Task) -> NumberScale:
        """Return the scale of a task's rows. It is one for all folds: models only differ by it in how strongly they are penalised."""
        assert task.number is not None
        value = np.log(task.value) if task.number.log else task.value
        centre, spread = float(value.mean()), float(value.std()) or 1.0
        z = (value - centre) / spread
        ends = (float(z.min()) - BEYOND, float(z.max()) + BEYOND) if task.number.log else (-np.inf, np.inf)
        return cls(centre, spread, task.number.log, 1.0, *ends)

    def standard(self, value: Floats) -> Floats:
        """Return what models learn (n,) of numbers (n,)."""
        return np.asarray(((np.log(value) if self.log else value) - self.centre) / self.spread)

    def value(self, z: Floats) -> Floats:
        """Return the numbers that are meant by what models predict."""
        plain = self.centre + self.spread * np.clip(z, self.low, self.high)
        return np.asarray(self.factor * (np.exp(plain) if self.log else plain))

    def told(self, z: Floats) -> Risk:
        """Return them in the shape of a risk, (n, 1)."""
        return self.value(np.asarray(z, dtype=np.float64)).reshape(-1, 1)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`from_dict` reads back."""
        return {k: v if np.isfinite(v) else None for k, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> NumberScale:
        """Read what :meth:`to_dict` wrote."""
        return cls(**{k: v for k, v in data.items() if v is not None})


class Scaled(Protocol):
    """A part that has a scale."""

    @property
    def scale(self) -> NumberScale:
        """How what it predicts is read."""


def unbiased(task: Task, fitted: Fitted) -> Fitted:
    """Let what was predicted as a logarithm add up to what was seen: out of fold by the other folds, and the part by all."""
    assert task.number is not None
    if not task.number.log:
        return fitted
    oof, part = fitted.oof.copy(), fitted.part
    for fold in range(task.n_folds):
        held, others = task.held_out(fold), task.training(fold)
        oof[held] *= task.value[others].sum() / fitted.oof[others].sum()
    scale = replace(part.scale, factor=float(task.value.sum() / fitted.oof.sum()))  # type: ignore[attr-defined]
    return replace(fitted, oof=oof, part=replace(part, scale=scale))  # type: ignore[type-var]


@dataclass(frozen=True, slots=True)
class InUnit:
    """Another way to composite rows, whose last column is what a model of a number predicts, read by its scale."""

    inner: Coalitions
    scale: NumberScale
    background: BackgroundCoalitions | None = field(default=None, repr=False)
    patient: PatientCoalitions | None = field(default=None, repr=False)

    @property
    def n_floats(self) -> int:
        """How many numbers are worked out of one background row."""
        return self.inner.n_floats

    @property
    def n_sums(self) -> int:
        """How many multiplications one composite row takes, about."""
        return self.inner.n_sums

    @property
    def can_pair(self) -> bool:
        """Whether coalitions tell of all columns at once: not on this scale."""
        return False

    def prepare(self, rows: Rows, group_size: int, *, kept: bool) -> InUnit:
        """Prepare background rows."""
        return replace(self, background=self.inner.prepare(rows, group_size, kept=kept))

    def against(self, row: Rows, /) -> InUnit:
        """Take in a patient."""
        assert self.background is not None
        return replace(self, patient=self.background.against(row))

    def risk(self, tiles: Tiles, group: int, /) -> Risk:
        """Predict for the composite rows of tiles: ``(T · tile, 1)``."""
        assert self.patient is not None
        return self.scale.told(self.patient.risk(tiles, group)[:, -1])
