"""How far each member is: its best weights, its patience, its steps; kept outside the compiled program."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.models.network.parts import Floats


@dataclass(frozen=True, slots=True)
class Standing:
    """What judging by the validation rows has said so far; M members, P weights each.

    ``best`` (M, P) are the weights of the epoch with the lowest validation loss
    ``best_loss`` (M,), ``waited`` (M,) the epochs since then, ``active`` (M,) whether
    the member still learns, ``done`` (M,) the steps it has done.
    """

    best: Floats
    best_loss: NDArray[np.float64]
    waited: NDArray[np.int64]
    active: NDArray[np.bool_]
    done: NDArray[np.int64]

    @classmethod
    def first(cls, weights: Floats) -> Standing:
        """Return how members stand before the first epoch."""
        members = len(weights)
        return cls(
            best=weights,
            best_loss=np.full(members, np.inf),
            waited=np.zeros(members, np.int64),
            active=np.ones(members, bool),
            done=np.zeros(members, np.int64),
        )

    def steps(self, own: NDArray[np.int64], slots: int) -> tuple[NDArray[np.bool_], NDArray[np.int32]]:
        """Return which of an epoch's steps each member does, and how many it has done before; both (slots, M).

        ``own`` (M,) is the number of steps that a member's rows fill.
        """
        learns = (np.arange(slots)[:, None] < own) & self.active
        before = self.done + np.minimum(np.arange(slots)[:, None], np.where(self.active, own, 0))
        return learns, before.astype(np.int32)

    def judged(self, weights: Any, val_loss: NDArray[np.float64], steps: NDArray[np.int64], patience: int) -> Standing:
        """Keep the best weights after an epoch; stop the members whose validation loss has ceased to fall."""
        better = self.active & (val_loss < self.best_loss)
        waited = np.where(better, 0, self.waited + (self.active & np.isfinite(val_loss)))
        best = self.best
        if better.any():
            best = np.where(better[:, None], np.asarray(weights), best)
        return replace(
            self,
            best=best,
            best_loss=np.where(better, val_loss, self.best_loss),
            waited=waited,
            active=self.active & ((patience <= 0) | (waited < patience)),
            done=self.done + np.where(self.active, steps, 0),
        )
