"""The target of a model: one of several classes, perhaps in an order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class Target:
    """One of ``n_classes`` classes is predicted, each with a risk (0–1) that sum to 1.

    ``ordered`` says that more than two classes stand in their order, the lowest first.

    >>> [(t.event, t.told, t.n_scores) for t in (Target(2), Target(3))]
    [(1, (1,), 1), (None, (0, 1, 2), 3)]
    """

    n_classes: int
    ordered: bool = False

    @classmethod
    def of(cls, classes: Sequence[str], levels: Sequence[str] = ()) -> Target:
        """Return the target with these classes, the event last where there are two, in the order of ``levels`` if all are there.

        >>> Target.of(["mild", "severe", "dead"], ["mild", "moderate", "severe", "dead"]).ordered, Target.of("ab", "ab").ordered
        (True, False)
        """
        ranks = {level.strip().casefold(): i for i, level in enumerate(levels)}
        places = [ranks[name] for name in (c.strip().casefold() for c in classes) if name in ranks]
        return cls(len(classes), len(classes) > 2 and len(places) == len(classes) and places == sorted(places))

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

    @property
    def cuts(self) -> tuple[int, ...]:
        """The questions "in this class or a higher one?" of an ordered outcome, numbered after its classes; else none."""
        return tuple(range(self.n_classes, 2 * self.n_classes - 1)) if self.ordered else ()

    def lowest(self, question: int) -> int:
        """Return the class that a question is about: of a cut the lowest class above it."""
        return question if question < self.n_classes else question - self.n_classes + 1

    def in_question(self, otherwise: int) -> int:
        """Return the class meant when nobody says which: the event, or ``otherwise``."""
        return otherwise if self.event is None else self.event

    def split(self, question: int, outcome: Indices, risk: Floats) -> tuple[Floats, Floats]:
        """Return whether each patient (n,) is in a class against the rest, or above one of the ``cuts``, and the risk of it.

        >>> Target(3, ordered=True).split(3, np.array([0, 1]), np.array([[0.5, 0.25, 0.25], [0.25, 0.25, 0.5]]))
        (array([0., 1.]), array([0.5 , 0.75]))
        """
        if question < self.n_classes:
            return (outcome == question).astype(np.float64), risk[:, question]
        lowest = self.lowest(question)
        return (outcome >= lowest).astype(np.float64), np.clip(risk[:, lowest:].sum(axis=1), 0.0, 1.0)

    def called(self, risk: Floats, threshold: float) -> NDArray[np.int64]:
        """Return what each patient (n,) is called: the event from a threshold on, or the class of the highest risk."""
        called = risk.argmax(axis=1) if self.event is None else risk[:, self.event] >= threshold
        return called.astype(np.int64)

    def alerts(self, risk: Floats, threshold: float, none: int | None) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return of each patient (n, K) the class in question, and whether there is an alert of it.

        With one event it is that, from a threshold on. Of more classes it is the likeliest, unless that is
        ``none``, the class that means none of the others.

        >>> Target(3).alerts(np.array([[0.5, 0.25, 0.25], [0.25, 0.25, 0.5]]), 0.9, none=0)
        (array([0, 2]), array([False,  True]))
        """
        if self.event is None:
            likeliest = risk.argmax(axis=1).astype(np.int64)
            return likeliest, likeliest != (-1 if none is None else none)
        return np.full(len(risk), self.event, dtype=np.int64), risk[:, self.event] >= threshold
