"""The target of a model: one of several classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medcore.statistics.logistic import Floats


@dataclass(frozen=True, slots=True)
class Target:
    """One of ``n_classes`` classes is predicted, each with a risk (0–1) that sum to 1.

    >>> [(t.event, t.told, t.n_scores) for t in (Target(2), Target(3))]
    [(1, (1,), 1), (None, (0, 1, 2), 3)]
    """

    n_classes: int

    @classmethod
    def of(cls, classes: Sequence[str]) -> Target:
        """Return the target with these classes, the event last where there are two."""
        return cls(len(classes))

    @property
    def event(self) -> int | None:
        """The class that happens or does not, about which one threshold decides; None where no class is that one."""
        return 1 if self.n_classes == 2 else None

    @property
    def many(self) -> bool:
        """Whether each class is judged against the rest, for want of one event."""
        return self.n_classes > 2

    @property
    def told(self) -> tuple[int, ...]:
        """The classes whose risk is told: that of the event, or every one."""
        return tuple(range(self.n_classes)) if self.event is None else (self.event,)

    @property
    def n_scores(self) -> int:
        """How many numbers a network gives for a patient: one log odds, or a logit a class."""
        return len(self.told)

    def in_question(self, otherwise: int) -> int:
        """Return the class meant when nobody says which: the event, or ``otherwise``."""
        return otherwise if self.event is None else self.event

    def called(self, risk: Floats, threshold: float) -> NDArray[np.int64]:
        """Return what each patient (n,) is called: the event from a threshold on, or the class of the highest risk."""
        called = risk.argmax(axis=1) if self.event is None else risk[:, self.event] >= threshold
        return called.astype(np.int64)
