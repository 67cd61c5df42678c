"""One epoch of many networks as one compiled program.

Every member of a batch has its own weights, rows, order and noise; a step does all
of them at once by batched matrix products. The number of steps is an argument, not
a shape, and shapes are rounded up (:func:`medcore.models.network.parts.bucket`), so
that a program is compiled once for many tables. Compiling takes longer than training
a small table, so the program holds only what must be in it: logits, gradients and the
optimiser's step. What can be known before an epoch comes ready in the :class:`Plan`,
and losses and the best epoch are read off the logits afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from medcore.models.network.parts import Architecture, Noise, hazards_of, unpack_tensors

_RHO = 0.9  # Keras' RMSprop
_EPSILON = 1e-7  # Keras' Adam and RMSprop


@dataclass(frozen=True, slots=True)
class Rules:
    """What is compiled into the program besides the architecture."""

    optimizer: str
    beta1: float
    beta2: float
    weight_decay: float
    clip_norm: float | None
    label_smoothing: float
    focal_gamma: float
    bagging: bool
    n_causes: int = 0
    number: bool = False

    @property
    def adaptive(self) -> bool:
        """Whether first moments are kept, whose beginning at zero is corrected for."""
        return self.optimizer in ("adam", "adamw")


class State(NamedTuple):
    """What a step changes; M members, P weights each."""

    weights: Any  # (M, P)
    first: Any  # (M, P) first moment
    second: Any  # (M, P) second moment


class TrainingArrays(NamedTuple):
    """What does not change: the rows, and what was measured on them."""

    features: Any  # (R, F)
    fixed: Any  # (M, Q)
    seeds: Any  # (M,) uint32
    validation: Any  # (V, M, B') row numbers


class Plan(NamedTuple):
    """One epoch, step by step: which rows in which order, and how each step counts."""

    rows: Any  # (S, M, B) row numbers, any row where there is none
    target: Any  # (S, M, B) class index, or the number
    importance: Any  # (S, M, B) what a row counts in its step; 0 where there is none
    rates: Any  # (S,) learning rate
    scales: Any  # (S, M) correction for moments that began at zero
    learns: Any  # (S, M) whether a member does this step
    done: Any  # (S, M) steps that it has done before
    steps: Any  # scalar
    validation_steps: Any  # scalar


class EpochLogits(NamedTuple):
    """The logits seen on the way."""

    logits: Any  # (S, M, B, k, C), by the weights of each step
    val_logits: Any  # (V, M, B', k, C), by the weights at the end


EpochProgram = Callable[[State, TrainingArrays, Plan], tuple[State, EpochLogits]]


@lru_cache(maxsize=32)
def epoch_program(architecture: Architecture, rules: Rules, shapes: Hashable) -> EpochProgram:  # noqa: ARG001
    """Return the program of one epoch, compiled at its first call; one program for each ``shapes`` of its inputs."""
    import tensorflow as tf

    decays = np.concatenate([np.full(p.size, float(p.decays), np.float32) for p in architecture.parts])
    factors = np.concatenate([np.full(p.size, p.rate, np.float32) for p in architecture.parts])
    factor: Any = factors if np.ptp(factors) else factors[0]

    def logits_of(weights: Any, table: TrainingArrays, rows: Any, noise: Noise | None) -> Any:
        named = unpack_tensors(architecture.parts, weights)
        fixed = unpack_tensors(architecture.fixed, table.fixed)
        return architecture.logits(named, fixed, tf.gather(table.features, rows), noise)

    def step(i: Any, state: State, table: TrainingArrays, plan: Plan) -> tuple[State, Any]:
        noise = Noise(table.seeds, plan.done[i])
        with tf.GradientTape() as tape:
            tape.watch(state.weights)
            logits = logits_of(state.weights, table, plan.rows[i], noise)
        slope = loss_gradient(logits, plan.target[i], rules) * plan.importance[i][:, :, None, None]
        submodels = logits.shape[2]
        if rules.bagging:
            slope = slope * noise.bag(plan.rows[i], submodels)[..., None]
        gradient = tape.gradient(logits, state.weights, output_gradients=slope / float(submodels))
        return _update(
            state, gradient, plan.rates[i] * factor, decays, rules, plan.scales[i][:, None], plan.learns[i][:, None]
        ), logits

    def epoch(state: State, table: TrainingArrays, plan: Plan) -> tuple[State, EpochLogits]:
        def train(i: Any, state: State, seen: Any) -> Any:
            state, logits = step(i, state, table, plan)
            return i + 1, state, seen.write(i, logits)

        def judge(i: Any, seen: Any) -> Any:
            return i + 1, seen.write(i, logits_of(state.weights, table, table.validation[i], None))

        seen = tf.TensorArray(tf.float32, plan.rows.shape[0])
        _, state, seen = tf.while_loop(lambda i, *_: i < plan.steps, train, (0, state, seen))
        judged = tf.TensorArray(tf.float32, table.validation.shape[0])
        _, judged = tf.while_loop(lambda i, *_: i < plan.validation_steps, judge, (0, judged))
        return state, EpochLogits(seen.stack(), judged.stack())

    compiled: EpochProgram = tf.function(epoch, jit_compile=True, autograph=False)
    return compiled


def loss_gradient(logits: Any, target: Any, rules: Rules) -> Any:
    """Return how the loss of each row and sub-model changes with its logits (M, B, k, C).

    The derivative of cross-entropy is written out, risk less target: a program made
    of it compiles faster than one derived from logarithms.
    """
    import tensorflow as tf

    if rules.number:  # half the squared error
        return logits - target[:, :, None, None]
    if rules.n_causes:
        return _hazard_gradient(logits, target, rules.n_causes)
    if rules.focal_gamma:
        with tf.GradientTape() as tape:
            tape.watch(logits)
            loss = _focal_loss(logits, target, rules)
        return tape.gradient(loss, logits)
    if logits.shape[-1] == 1:
        wanted = tf.cast(target, tf.float32)[:, :, None, None]
        risk = tf.sigmoid(logits)
    else:
        wanted = tf.one_hot(target, logits.shape[-1])[:, :, None, :]
        risk = tf.nn.softmax(logits)
    return risk - _smoothed(wanted, max(2, logits.shape[-1]), rules)


def _hazard_gradient(logits: Any, target: Any, n_causes: int) -> Any:
    """Do so for the negative log likelihood of event times: hazard less what happened, in the intervals that were entered."""
    import tensorflow as tf

    hazards = hazards_of(logits, n_causes)
    n_intervals = hazards.shape[-2]
    entered, what = target // (n_causes + 1), target % (n_causes + 1)
    inside = tf.cast(tf.range(n_intervals) < entered[..., None], tf.float32)
    last = tf.one_hot(entered - 1, n_intervals)
    happened = last[..., None] * tf.one_hot(what - 1, n_causes)[..., None, :]
    slope = (hazards - happened[:, :, None]) * inside[:, :, None, :, None]
    return tf.reshape(slope, logits.shape)


def _focal_loss(logits: Any, target: Any, rules: Rules) -> Any:
    """Lin et al. 2017, Focal loss for dense object detection, equation 4, summed over everything."""
    import tensorflow as tf

    classes = max(2, logits.shape[-1])
    if logits.shape[-1] == 1:
        log_p = tf.concat([tf.math.log_sigmoid(-logits), tf.math.log_sigmoid(logits)], 3)
    else:
        log_p = tf.nn.log_softmax(logits)
    wanted = _smoothed(tf.one_hot(target, classes)[:, :, None, :], classes, rules)
    return tf.reduce_sum(-wanted * log_p * tf.maximum(1.0 - tf.exp(log_p), 1e-6) ** rules.focal_gamma)


def _smoothed(target: Any, classes: int, rules: Rules) -> Any:
    if not rules.label_smoothing:
        return target
    return target * (1.0 - rules.label_smoothing) + rules.label_smoothing / classes


def _update(state: State, gradient: Any, rate: Any, decays: Any, rules: Rules, scale: Any, learns: Any) -> State:
    """Do one step of the optimiser for the members that learn."""
    import tensorflow as tf

    if rules.clip_norm is not None:
        norm = tf.sqrt(tf.reduce_sum(gradient * gradient, 1, keepdims=True))
        gradient = gradient * (rules.clip_norm / tf.maximum(norm, rules.clip_norm))
    first, second = state.first, state.second
    if rules.adaptive:
        first = first + (gradient - first) * (1.0 - rules.beta1)
        second = second + (gradient * gradient - second) * (1.0 - rules.beta2)
        change = scale * first / (tf.sqrt(second) + _EPSILON)
    elif rules.optimizer == "rmsprop":
        second = _RHO * second + (1.0 - _RHO) * gradient * gradient
        change = gradient / tf.sqrt(second + _EPSILON)
    else:
        change = gradient
    if rules.weight_decay:
        change = change + rules.weight_decay * decays * state.weights
    return State(
        weights=tf.where(learns, state.weights - rate * change, state.weights),
        first=tf.where(learns, first, state.first),
        second=tf.where(learns, second, state.second),
    )


def moment_scales(rules: Rules, done: Any) -> Any:
    """Return Adam's correction for the step after ``done`` steps, float32 of the same shape.

    Kingma & Ba 2015, Adam, section 2, in the form that Keras computes.
    """
    t = np.asarray(done, np.float64) + 1.0
    if not rules.adaptive:
        return np.ones_like(t, np.float32)
    return (np.sqrt(1.0 - rules.beta2**t) / (1.0 - rules.beta1**t)).astype(np.float32)
