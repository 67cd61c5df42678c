"""Training: arrays in, networks out, all folds and seeds together as one compiled program."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from medcore.errors import SettingsError
from medcore.i18n import N_
from medcore.models.contract.progress import Follower, NullFollower, Progress, stop_if_cancelled
from medcore.models.network.parts import Architecture, Floats, pack
from medcore.models.network.seed import DenseNetwork
from medcore.models.network.settings import NetworkSettings
from medcore.models.network.table import TableNetwork
from medcore.models.network.tower import TowerNetwork
from medcore.models.trainer.checkpoint import Arrays, Checkpoint, fingerprint
from medcore.models.trainer.curves import CURVES, Counted, curves_of
from medcore.models.trainer.epoch import Plan, Rules, State, TrainingArrays, epoch_program, moment_scales
from medcore.models.trainer.hazards import first_biases
from medcore.models.trainer.memory import check_memory
from medcore.models.trainer.plan import (
    Member,
    Shapes,
    epoch_rows,
    learning_rates,
    members_for,
    own_features,
    stack,
    validation_rows,
)
from medcore.models.trainer.predict import TrainedNetworks
from medcore.models.trainer.state import Standing
from medcore.targets import Target

__all__ = ["Member", "NetworkSettings", "TrainedNetworks", "members_for", "train_networks"]

_MOST_BYTES = 400_000_000  # of features held at once by one batch of members
_Tensors = TypeVar("_Tensors", TrainingArrays, Plan)


def train_networks(
    features: Floats | None,
    outcome: NDArray[np.int64] | NDArray[np.float64],
    n_classes: int,
    members: Sequence[Member],
    settings: NetworkSettings,
    *,
    follower: Follower | None = None,
    stage: str = "folds",
) -> TrainedNetworks:
    """Train one network a member on its rows of a table, all of them together.

    The same arguments give the same numbers on the same machine, also when the
    training was interrupted and went on from ``follower.checkpoint_dir``.

    Args:
        features: prepared predictors, float32 (n, F), finite; ``None`` if every member brings its own.
        outcome: class indices, int64 (n,); numbers of about unit spread where the settings say ``number``.
        n_classes: number of classes K, two or more.
        members: rows, validation rows, seed and perhaps own features of each network.
        settings: architecture, optimiser, epochs and the rest.
        follower: is told of every epoch and may ask to stop.
        stage: the word for :attr:`Progress.stage`.

    Raises:
        SettingsError: the loss is no longer a number, a member has no rows, or the networks do not fit in memory.
        CancelledError: the follower asked to stop.

    """
    follower = follower or NullFollower()
    if any(len(member.rows) == 0 for member in members):
        raise SettingsError(
            N_(
                "A network would be trained on no patients. Use fewer folds, or a smaller share for validation and test."
            )
        )
    batches = _batches(features, members)
    trained = []
    for b, batch in enumerate(batches):
        watch = _Watch(follower, stage, settings, b / len(batches), 1.0 / len(batches))
        trained.append(_Training(features, outcome, n_classes, batch, settings).run(watch))
    return trained[0] if len(trained) == 1 else _joined(trained)


def _batches(features: Floats | None, members: Sequence[Member]) -> list[list[Member]]:
    """Part the members so that no batch holds more features than fit."""
    batches: list[list[Member]] = [[]]
    held: dict[int, int] = {}
    for member in members:
        own = own_features(features, member)
        if batches[-1] and id(own) not in held and sum(held.values()) + own.nbytes > _MOST_BYTES:
            batches.append([])
            held = {}
        held[id(own)] = own.nbytes
        batches[-1].append(member)
    return batches


def _joined(parts: Sequence[TrainedNetworks]) -> TrainedNetworks:
    epochs = max(len(part.history["loss"]) for part in parts)

    def long(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.pad(values, ((0, epochs - len(values)), (0, 0)), constant_values=np.nan)

    return replace(
        parts[0],
        weights=np.concatenate([part.weights for part in parts]),
        fixed=np.concatenate([part.fixed for part in parts]),
        history={name: np.concatenate([long(part.history[name]) for part in parts], axis=1) for name in CURVES},
        best_epoch=np.concatenate([part.best_epoch for part in parts]),
    )


@dataclass(frozen=True, slots=True)
class _Watch:
    """Tells the follower where this batch of members is within the whole."""

    follower: Follower
    stage: str
    settings: NetworkSettings
    begin: float
    share: float
    started: float = field(default_factory=time.monotonic)

    def report(self, epoch: int, curves: dict[str, NDArray[np.float64]]) -> None:
        """Report the means over the members, and the extremes of what validation says."""
        numbers: dict[str, Any] = {}
        for name, values in curves.items():
            known = values[np.isfinite(values)]
            numbers[name] = float(known.mean()) if len(known) else None
            if name.startswith("val"):
                numbers[f"{name}_low"] = float(known.min()) if len(known) else None
                numbers[f"{name}_high"] = float(known.max()) if len(known) else None
        self.follower.report(
            Progress(
                stage=self.stage,
                model=self.settings.architecture,
                epoch=epoch,
                n_epochs=self.settings.epochs,
                fraction=self.begin + self.share * epoch / self.settings.epochs,
                seconds=time.monotonic() - self.started,
                **numbers,
            )
        )


class _Training:
    """One batch of members on its way."""

    def __init__(
        self,
        features: Floats | None,
        outcome: NDArray[np.int64] | NDArray[np.float64],
        n_classes: int,
        members: Sequence[Member],
        settings: NetworkSettings,
    ) -> None:
        self._members = list(members)
        self._settings = settings
        self._name = fingerprint(features, outcome, members, settings)
        stacked, self._offsets, self._widths = stack(features, self._members)
        self._outcome = np.resize(outcome, len(stacked)).astype(np.float32 if settings.number else np.int32)
        self.architecture = _architecture(stacked, n_classes, settings)
        check_memory(self.architecture.parts, len(self._members))
        self._shapes = Shapes.of(self._members, settings)
        self._rules = _rules(settings)
        self._class_weight = np.stack([_class_weight(outcome[m.rows], n_classes, settings) for m in self._members])
        self._own_steps = np.array([-(-len(m.rows) // settings.batch_size) for m in self._members])
        judged = validation_rows(self._members, self._offsets, self._shapes)
        self._judged = self._what_rows_count(judged)
        self._fixed = np.stack(
            [
                pack(self.architecture.fixed, self.architecture.measure(stacked[m.rows + offset]))
                for m, offset in zip(self._members, self._offsets, strict=True)
            ]
        )
        self._table = _constants(
            TrainingArrays(
                features=stacked,
                fixed=self._fixed,
                seeds=np.array([m.seed & 0xFFFFFFFF for m in self._members], np.uint32),
                validation=np.maximum(judged, 0),
            )
        )

    def run(self, watch: _Watch) -> TrainedNetworks:
        """Train to the end, from the last checkpoint if there is one."""
        checkpoint = Checkpoint(watch.follower.checkpoint_dir, self._name)
        state, standing, history = self._begin(checkpoint.load())
        epoch = len(history)
        sizes = (self._shapes, len(self._members), self._table.features.shape)
        program = epoch_program(self.architecture, self._rules, sizes)
        while epoch < self._settings.epochs and bool(np.any(standing.active)):
            stop_if_cancelled(watch.follower)
            counted, plan = self._plan(epoch, standing)
            state, told = program(state, self._table, _constants(plan))
            curves = curves_of(told, counted, self._judged, self._shapes, self._settings)
            self._must_be_finite(curves["loss"], state)
            standing = standing.judged(
                state.weights, curves["val_loss"], self._own_steps, self._settings.early_stopping
            )
            epoch += 1
            history.append(np.stack([curves[name] for name in CURVES]))
            watch.report(epoch, curves)
            checkpoint.keep(lambda: _kept(state, standing, history))  # noqa: B023 - called at once
        checkpoint.keep(lambda: _kept(state, standing, history), now=True)
        return self._trained(state, standing, history)

    def _begin(self, kept: Arrays | None) -> tuple[State, Standing, list[NDArray[np.float64]]]:
        if kept is not None:
            found: dict[str, Any] = {f.name: kept[f.name] for f in fields(Standing)}
            standing = Standing(**found)
            return State(*(kept[name] for name in State._fields)), standing, list(kept["history"])
        weights = np.stack(
            [
                pack(self.architecture.parts, self._initial(m, offset, width))
                for m, offset, width in zip(self._members, self._offsets, self._widths, strict=True)
            ]
        )
        zeros = np.zeros_like(weights)
        return State(weights, zeros, zeros), Standing.first(weights), []

    def _initial(self, member: Member, offset: int, width: int) -> dict[str, Floats]:
        """Draw a member's first weights; hazards begin at those of its own rows."""
        drawn = self.architecture.initial(np.random.default_rng([member.seed, 1 << 40]), width)
        causes, intervals = self._settings.n_causes, self._settings.n_intervals
        if not causes:
            return drawn
        known = first_biases(self._outcome[member.rows + offset].astype(np.int64), causes, intervals)
        return {**drawn, "bias": drawn["bias"] + known}

    def _plan(self, epoch: int, standing: Standing) -> tuple[Counted, Plan]:
        even = self._settings.architecture != "seed"
        rows = epoch_rows(self._members, self._offsets, epoch, self._shapes, even=even)
        counted = self._what_rows_count(rows)
        learns, done = standing.steps(self._own_steps, self._shapes.slots)
        in_step = np.maximum((rows >= 0).sum(2, keepdims=True), 1).astype(np.float32)
        return counted, Plan(
            rows=np.maximum(rows, 0),
            target=counted.target if self._settings.number else np.maximum(counted.target, 0),
            importance=counted.importance / in_step,
            rates=learning_rates(self._settings, epoch, self._shapes),
            scales=moment_scales(self._rules, done),
            learns=learns,
            done=done,
            steps=np.int32(self._shapes.n_steps),
            validation_steps=np.int32(self._shapes.validation_slots if self._judged.n.any() else 0),
        )

    def _what_rows_count(self, rows: NDArray[np.int32]) -> Counted:
        """Look up what rows (S, M, B) are to the losses."""
        there = rows >= 0
        target = np.where(there, self._outcome[np.maximum(rows, 0)], np.array(-1, self._outcome.dtype))
        of_class = 0 if self._settings.number else np.maximum(target, 0)
        importance = self._class_weight[np.arange(len(self._members))[:, None], of_class] * there
        return Counted(target, importance.astype(np.float32), there.sum((0, 2)))

    def _must_be_finite(self, loss: NDArray[np.float64], state: State) -> None:
        if not (np.isfinite(loss).all() and np.isfinite(np.asarray(state.weights)).all()):
            raise SettingsError(
                N_(
                    "The training diverged: the loss is no longer a number at a learning rate of {rate}. "
                    "Choose a smaller learning rate, for instance {smaller}."
                ),
                rate=self._settings.learning_rate,
                smaller=float(f"{min(self._settings.learning_rate / 10.0, 1e-2):.1g}"),
            )

    def _trained(self, state: State, standing: Standing, history: list[NDArray[np.float64]]) -> TrainedNetworks:
        curves = np.stack(history)
        keep_best = self._settings.keep_best or self._settings.early_stopping > 0
        judged = np.isfinite(standing.best_loss) & keep_best
        weights = np.where(judged[:, None], standing.best, np.asarray(state.weights))
        lowest = np.argmin(np.where(np.isfinite(curves[:, 1]), curves[:, 1], np.inf), axis=0)
        return TrainedNetworks(
            architecture=self.architecture,
            weights=weights,
            fixed=self._fixed,
            n_features=max(self._widths),
            history={name: curves[:, i] for i, name in enumerate(CURVES)},
            best_epoch=np.where(judged, lowest + 1, len(history)).astype(np.int64),
        )


def _architecture(stacked: Floats, n_classes: int, settings: NetworkSettings) -> Architecture:
    outputs = settings.n_causes * settings.n_intervals or (1 if settings.number else Target(n_classes).n_scores)
    if settings.architecture == "network":
        return TableNetwork.fitting(stacked, outputs, settings)
    if settings.architecture == "tower":
        return TowerNetwork.fitting(stacked, outputs, settings)
    return DenseNetwork(stacked.shape[1], outputs, settings.layers, settings.activation, settings.dropout)


def _rules(settings: NetworkSettings) -> Rules:
    return Rules(
        optimizer=settings.optimizer,
        beta1=0.9,
        beta2=settings.beta2,
        weight_decay=settings.weight_decay,
        clip_norm=settings.clip_norm,
        label_smoothing=settings.label_smoothing,
        focal_gamma=settings.focal_gamma,
        bagging=settings.bagging,
        n_causes=settings.n_causes,
        number=settings.number,
    )


def _class_weight(outcome: NDArray[Any], n_classes: int, settings: NetworkSettings) -> Floats:
    if settings.class_weight is None:
        return np.ones(n_classes, np.float32)
    count = np.maximum(np.bincount(outcome, minlength=n_classes), 1)
    weight: Floats = (len(outcome) / (n_classes * count)).astype(np.float32)
    return weight


def _kept(state: State, standing: Standing, history: list[NDArray[np.float64]]) -> Arrays:
    arrays: Arrays = {name: np.asarray(value) for name, value in state._asdict().items()}
    arrays |= {f.name: getattr(standing, f.name) for f in fields(Standing)}
    return arrays | {"history": np.stack(history) if history else np.zeros((0, 4, 0))}


def _constant(value: object) -> object:
    import tensorflow as tf

    return tf.constant(value)


def _constants(values: _Tensors) -> _Tensors:
    return type(values)(*(_constant(v) for v in values))
