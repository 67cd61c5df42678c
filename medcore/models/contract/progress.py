"""How a run tells what it is doing, and how it learns that it should stop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Protocol, runtime_checkable

from medcore.errors import CancelledError
from medcore.i18n import N_
from medcore.models.contract.workers import StopSignal
from medcore.sealing import Folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One moment of a run.

    ``stage`` is a short stable word (``"folds"``, ``"final"``, ``"calibration"`` …),
    ``model`` one of the candidates' names. Losses and AUROCs are means over the
    members trained together, and ``*_low``/``*_high`` their smallest and largest;
    ``fraction`` (0–1) is of the whole run, ``seconds`` since it began. ``trial`` is
    what a search for better settings has just tried (``Trial.to_dict``).
    """

    stage: str
    model: str
    epoch: int = 0
    n_epochs: int = 0
    loss: float | None = None
    val_loss: float | None = None
    auroc: float | None = None
    val_auroc: float | None = None
    val_loss_low: float | None = None
    val_loss_high: float | None = None
    val_auroc_low: float | None = None
    val_auroc_high: float | None = None
    fraction: float = 0.0
    seconds: float = 0.0
    trial: Mapping[str, Any] | None = None

    @property
    def remaining_seconds(self) -> float | None:
        """The time still needed if the rest goes as fast, or ``None`` at the very start."""
        if self.fraction <= 0.0:
            return None
        return self.seconds * (1.0 - self.fraction) / self.fraction

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`from_dict` reads back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Progress:
        """Read what :meth:`to_dict` wrote; fields of a newer version are left out."""
        known = {f.name for f in fields(cls)}
        return cls(**{name: value for name, value in data.items() if name in known})


@runtime_checkable
class Follower(Protocol):
    """Whoever watches a run: it is told of progress, and it may ask to stop.

    ``checkpoint_dir`` is a folder in which a trainer may keep what it needs to go
    on after an interruption, or ``None`` when nothing is to be kept.
    """

    checkpoint_dir: Folder | None

    def report(self, progress: Progress, /) -> None:
        """Take note of one moment of the run."""

    def cancelled(self) -> bool:
        """Whether the person asked to stop; read at least once an epoch."""


class NullFollower:
    """A follower that nobody is behind: it hears nothing and never stops a run."""

    checkpoint_dir: Folder | None = None

    def report(self, progress: Progress, /) -> None:
        """Do nothing."""

    def cancelled(self) -> bool:
        """Never ask to stop."""
        return False


def stop_if_cancelled(follower: StopSignal) -> None:
    """Leave a run at once when its follower asks to.

    Raises:
        CancelledError: the person asked to stop.

    """
    if follower.cancelled():
        raise CancelledError(N_("The training was stopped as you asked; the study is as it was before."))
