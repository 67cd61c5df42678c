"""Fine-tuning: every member's last layers and its head, an epoch of each in turn, as Keras's AdamW corrects them.

Members share what the frozen layers made of the notes and one compiled step. An epoch of all of them is a point of
the curves, after which what is needed to go on is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.models.bert.head import NoteHead, means_of
from medcore.models.bert.layers import BertShape, PackedSegments, layer, totals
from medcore.models.bert.segments import Activations, Notes, in_batches, signature
from medcore.models.contract.task import Indices
from medcore.models.trainer.plan import Member

Floats = NDArray[np.float32]
EPOCHS, PATIENCE = 6, 2
"""Epochs at most, and how many without a better loss end a member's training: fine-tuning is short (Devlin et al. 2019: 2 to 4)."""
BATCH = 16
"""Notes of a step."""
RATE, WARMING, DECAY = 3e-5, 0.1, 0.01
"""The highest learning rate, the share of steps in which it is reached, and the decay of kernels (Devlin et al. 2019: 2e-5 to 5e-5).

At 1e-4 the validation loss of 240 abstracts rose at once (docs/decisions/0121).
"""
DROPPED = 0.1
"""The share of a note's numbers that a step leaves out."""
_MOST_SLOPE = 1.0
"""The length to which the slope of all weights together is cut."""


@dataclass(frozen=True, slots=True, eq=False)
class Learnt:
    """What one member learnt: its last ``layers`` and its ``head``."""

    layers: tuple[Mapping[str, Floats], ...] = field(repr=False)
    head: NoteHead

    def halved(self) -> Learnt:
        """Return the weights as half precision holds them, in which they are kept."""
        layers = tuple({name: _half(a) for name, a in one.items()} for one in self.layers)
        return Learnt(layers, replace(self.head, notes=_half(self.head.notes)))


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """What members learn from: notes, what the frozen layers made of them, classes (n,), and each member's own rows and columns."""

    shape: BertShape
    notes: Notes
    activations: Activations = field(repr=False)
    outcome: Indices = field(repr=False)
    importance: Sequence[Floats] = field(repr=False)
    """What each row (n,) counts, for each member."""
    tables: Sequence[Floats] = field(repr=False)
    """The other columns (n, F), for each member."""
    members: Sequence[Member] = field(repr=False)
    focal_gamma: float = 0.0
    rate: float = RATE
    dropped: float = DROPPED


class Tuner:
    """One member's weights at a time, with the optimiser's state, and the step that corrects them."""

    def __init__(self, lesson: Lesson, first: Learnt) -> None:
        import keras
        import tensorflow as tf

        self._lesson = lesson
        self._layers = [
            {name: keras.Variable(a, name=f"{place}_{name}") for name, a in one.items()}
            for place, one in enumerate(first.layers)
        ]
        head = first.head
        self._head = {n: keras.Variable(getattr(head, n), name=f"head_{n}") for n in ("notes", "table", "bias")}
        self._units = {n: tf.Variable(getattr(head, n), trainable=False) for n in ("centre", "scale")}
        self._weights = [v for one in (*self._layers, self._head) for v in one.values()]
        self._optimizer = keras.optimizers.AdamW(RATE, weight_decay=DECAY, global_clipnorm=_MOST_SLOPE)
        self._optimizer.exclude_from_weight_decay(var_names=["bias", "gain", "shift"])
        self._optimizer.build(self._weights)
        floats = [tf.TensorSpec((None,) * rank, tf.float32) for rank in (2, 3, 2, 2, 1)]
        numbers = [tf.TensorSpec((None,), tf.int32), tf.TensorSpec((2,), tf.int32)]
        given = [*floats[:1], *signature(), *floats[1:], *numbers]
        self._step = tf.function(self._corrected, autograph=False, input_signature=given)

    def state(self) -> list[NDArray[Any]]:
        """Return a copy of the weights and of what the optimiser knows."""
        return [v.value.numpy().copy() for v in (*self._weights, *self._optimizer.variables)]

    def weights(self, state: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """Return the weights of a state alone."""
        return list(state[: len(self._weights)])

    def begun(self, first: Learnt) -> list[NDArray[Any]]:
        """Return the state of a member that begins with these weights; call it before the first step."""
        own = [a for one in first.layers for a in one.values()] + [getattr(first.head, name) for name in self._head]
        return own + self.state()[len(own) :]

    def restore(self, state: Sequence[NDArray[Any]], head: NoteHead) -> None:
        """Go on from a state, with the units of that member's head."""
        for variable, value in zip((*self._weights, *self._optimizer.variables), state, strict=True):
            variable.assign(value)
        for name, variable in self._units.items():
            variable.assign(getattr(head, name))

    def learnt(self, weights: Sequence[NDArray[Any]], head: NoteHead) -> Learnt:
        """Read weights by name, with the units of that member's head."""
        values = iter(weights)
        layers = tuple({name: next(values) for name in one} for one in self._layers)
        return Learnt(layers, replace(head, **{name: next(values) for name in self._head}))

    def epoch(self, member: int, epoch: int, n_epochs: int, tell: Callable[[float], None]) -> float:
        """See every row of a member once; return the mean loss."""
        own, lesson = self._lesson.members[member], self._lesson
        order = np.random.default_rng([own.seed, epoch]).permutation(own.rows)
        starts = range(0, len(order), BATCH)
        summed = 0.0
        for step, start in enumerate(starts):
            rows = order[start : start + BATCH]
            done = epoch + step / len(starts)
            self._optimizer.learning_rate.assign(lesson.rate * _warmed(done / n_epochs))
            used, shares = lesson.notes.take(rows)
            x, at = lesson.activations.batch(used)
            there = np.stack([found.any(axis=1) for found in shares], axis=1).astype(np.float32)
            table, counts = lesson.tables[member][rows], lesson.importance[member][rows]
            seed = np.array([own.seed & 0x7FFFFFFF, epoch * len(starts) + step], np.int32)
            target = lesson.outcome[rows].astype(np.int32)
            summed += float(self._step(x, *at, np.stack(shares), there, table, counts, target, seed)) * len(rows)
            tell((step + 1) / len(starts))
        return summed / len(order)

    def _corrected(self, x: Any, *given: Any) -> Any:
        """Take one step; return the loss before it."""
        import tensorflow as tf

        at, (shares, there, table, counts, target, seed) = PackedSegments(*given[:4]), given[4:]
        with tf.GradientTape() as tape:
            for weights in self._layers:
                x = layer(self._lesson.shape, weights, x, at)
            means = tf.transpose(tf.matmul(shares, totals(x, at)[None]), (1, 0, 2))
            told = (means - self._units["centre"]) / self._units["scale"] * there[:, :, None]
            told = tf.reshape(told, (tf.shape(told)[0], self._head["notes"].shape[0]))
            told = tf.nn.experimental.stateless_dropout(told, self._lesson.dropped, seed)
            logits = tf.matmul(told, self._head["notes"]) + tf.matmul(table, self._head["table"]) + self._head["bias"]
            each = tf.nn.sparse_softmax_cross_entropy_with_logits(target, logits)
            if self._lesson.focal_gamma:
                each *= tf.maximum(1.0 - tf.exp(-each), 1e-6) ** self._lesson.focal_gamma
            loss = tf.reduce_mean(each * counts)
        slopes = tape.gradient(loss, [v.value for v in self._weights])
        self._optimizer.apply(slopes, self._weights)
        return loss


def read_totals(shape: BertShape, layers: Sequence[Mapping[str, Floats]], activations: Activations) -> Floats:
    """Let trained layers read all segments; return the totals of their tokens, (S, H)."""
    program = _totals_program(shape)
    weights = [dict(one) for one in layers]
    every = np.arange(len(activations.starts) - 1)
    found = np.empty((len(every), shape.width), np.float32)
    for some in in_batches(np.diff(activations.starts)):
        x, at = activations.batch(every[some])
        found[some] = program(weights, x, *at).numpy()
    return found


def logits_of(lesson: Lesson, learnt: Learnt, member: int, rows: Indices) -> Floats:
    """Return a member's logits (n, K) of some rows."""
    used, _shares = lesson.notes.take(rows)
    x, lengths = lesson.activations, np.diff(lesson.activations.starts)
    own = Activations(x.batch(used)[0].astype(np.float16), np.concatenate([[0], np.cumsum(lengths[used])]))
    totals = np.zeros((len(lengths), lesson.shape.width), np.float32)
    totals[used] = read_totals(lesson.shape, learnt.layers, own)
    return learnt.head.logits(*means_of(lesson.notes, totals, rows), lesson.tables[member][rows])


@lru_cache(maxsize=4)
def _totals_program(shape: BertShape) -> Callable[..., Any]:
    import tensorflow as tf

    def program(layers: Sequence[Mapping[str, Any]], x: Any, *at: Any) -> Any:
        for weights in layers:
            x = layer(shape, weights, x, PackedSegments(*at))
        return totals(x, PackedSegments(*at))

    compiled: Callable[..., Any] = tf.function(program, autograph=False, reduce_retracing=True)
    return compiled


def _warmed(done: float) -> float:
    """Return the share of the highest learning rate when so much of the training is done: up to all of it, then down to nothing."""
    return max(0.01, min(done / WARMING, (1.0 - done) / (1.0 - WARMING)))


def _half(array: Floats) -> Floats:
    return array.astype(np.float16).astype(np.float32)
