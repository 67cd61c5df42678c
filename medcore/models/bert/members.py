"""All members' epochs in turn: judged by their own rows, ended when they get no better, told, kept, and gone on with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.models.bert.fine_tuning import EPOCHS, PATIENCE, Learnt, Lesson, Tuner, logits_of
from medcore.models.contract.progress import Progress, stop_if_cancelled
from medcore.models.contract.task import ProgressReporter
from medcore.models.trainer.checkpoint import Arrays, Checkpoint
from medcore.models.trainer.metrics import log_loss_each

State = list[NDArray[Any]]


class Training:
    """Members on their way, from what each began with; ``begin`` is the share of the work that was done before."""

    def __init__(
        self, lesson: Lesson, first: Sequence[Learnt], reporter: ProgressReporter, *, most_epochs: int, begin: float
    ) -> None:
        self._lesson, self._first, self._reporter, self._begin = lesson, first, reporter, begin
        self._n_epochs = min(EPOCHS, most_epochs)
        self._tuner = Tuner(lesson, first[0])
        self._states = [self._tuner.begun(one) for one in first]
        self._best = [self._tuner.weights(state) for state in self._states]
        self._loss = np.array([self._judged(m, one) for m, one in enumerate(first)])  # of the validation rows, last
        self._lowest = self._loss.copy()
        self._waited = np.zeros(len(first), np.int64)
        self._epoch = 0

    def run(self, checkpoint: Checkpoint) -> tuple[Learnt, ...]:
        """Train to the end, from the last checkpoint if there is one; return each member as it judged best."""
        self._take(checkpoint.load() or {})
        while self._epoch < self._n_epochs and (self._waited < PATIENCE).any():
            learning = np.flatnonzero(self._waited < PATIENCE).tolist()
            losses = []
            for place, member in enumerate(learning):
                losses.append(self._learn(member, place / len(learning), 1.0 / len(learning)))
            self._epoch += 1
            self._report(1.0, loss=float(np.mean(losses)), **_spread(self._loss[learning]))
            checkpoint.keep(self._kept, now=True)
        found = (self._tuner.learnt(best, one.head) for best, one in zip(self._best, self._first, strict=True))
        return tuple(one.halved() for one in found)

    def _learn(self, member: int, before: float, share: float) -> float:
        """Give a member one more epoch and judge it; return its training loss."""
        head = self._first[member].head
        self._tuner.restore(self._states[member], head)
        loss = self._tuner.epoch(
            member, self._epoch, self._n_epochs, lambda within: self._report(before + share * within)
        )
        state = self._states[member] = self._tuner.state()
        weights = self._tuner.weights(state)
        self._loss[member] = self._judged(member, self._tuner.learnt(weights, head))
        better = not self._loss[member] >= self._lowest[member]
        self._waited[member] = 0 if better else self._waited[member] + 1
        if better:
            self._best[member], self._lowest[member] = weights, self._loss[member]
        return loss

    def _judged(self, member: int, learnt: Learnt) -> float:
        """Return the log loss of the rows that judge a member, NaN without any: the last epoch is the best then."""
        rows = self._lesson.members[member].validation
        if not len(rows):
            return np.nan
        logits = logits_of(self._lesson, learnt, member, rows)
        return float(log_loss_each(logits[:, None], self._lesson.outcome[rows]).mean())

    def _report(self, within: float, **told: Any) -> None:
        """Say how far this epoch is; leave the run when it was cancelled."""
        done = (self._epoch - ("loss" in told) + within) / self._n_epochs
        self._reporter.report(
            Progress(
                stage="folds",
                model=self._reporter.model,
                epoch=self._epoch,
                n_epochs=self._n_epochs,
                fraction=self._begin + (1.0 - self._begin) * done,
                **told,
            )
        )
        stop_if_cancelled(self._reporter)

    def _kept(self) -> Arrays:
        """Return what is needed to go on."""
        arrays = {f"state_{m}_{i}": a for m, state in enumerate(self._states) for i, a in enumerate(state)}
        arrays |= {f"best_{m}_{i}": a for m, best in enumerate(self._best) for i, a in enumerate(best)}
        numbers = {"loss": self._loss, "lowest": self._lowest, "waited": self._waited, "epoch": np.array(self._epoch)}
        return {**arrays, **numbers}

    def _take(self, kept: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what was kept, if anything was."""
        if not kept:
            return
        for m, (state, best) in enumerate(zip(self._states, self._best, strict=True)):
            self._states[m] = [kept[f"state_{m}_{i}"] for i in range(len(state))]
            self._best[m] = [kept[f"best_{m}_{i}"] for i in range(len(best))]
        self._loss, self._lowest, self._waited = (np.array(kept[n]) for n in ("loss", "lowest", "waited"))
        self._epoch = int(kept["epoch"])


def _spread(losses: NDArray[np.float64]) -> dict[str, float | None]:
    """Return the mean and the extremes of the members' validation losses, None where there are none."""
    known = losses[np.isfinite(losses)]
    found = (float(known.mean()), float(known.min()), float(known.max())) if len(known) else (None, None, None)
    return dict(zip(("val_loss", "val_loss_low", "val_loss_high"), found, strict=True))
