"""One epoch of many networks as one compiled program.

Every member of a batch has its own weights, rows, order and noise; a step does all
of them at once by batched matrix products. The number of steps is an argument, not
a shape, and shapes are rounded up (:func:`medcore.models.network_parts.bucket`), so
that a program is compiled once for many tables.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from medcore.models.network_parts import Architecture, Noise, unpack_tensors

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


class State(NamedTuple):
    """All that changes from epoch to epoch; M members, P weights each."""

    weights: Any  # (M, P)
    first: Any  # (M, P) first moment
    second: Any  # (M, P) second moment
    best: Any  # (M, P) weights of the epoch with the lowest validation loss
    best_loss: Any  # (M,)
    waited: Any  # (M,) epochs since then
    active: Any  # (M,) whether the member still learns
    done: Any  # (M,) steps done


class Table(NamedTuple):
    """What does not change: the rows, and what was measured on them."""

    features: Any  # (R, F)
    outcome: Any  # (R,) class index
    class_weight: Any  # (M, K)
    fixed: Any  # (M, Q)
    seeds: Any  # (M,) uint32


class Plan(NamedTuple):
    """One epoch: which rows in which order (−1 is padding), at which learning rate."""

    rows: Any  # (S, M, B)
    rates: Any  # (S,)
    steps: Any  # scalar
    validation: Any  # (V, M, B')
    validation_steps: Any  # scalar
    patience: Any  # scalar; 0 never stops


class Outcome(NamedTuple):
    """What one epoch tells: mean losses (M,) and the risks seen on the way."""

    loss: Any
    risk: Any  # (S, M, B, C), by the weights of each step
    val_loss: Any  # NaN without validation rows
    val_risk: Any  # (V, M, B', C), by the weights at the end


EpochProgram = Callable[[State, Table, Plan], tuple[State, Outcome]]


def first_state(weights: Any) -> State:
    """Return the state before the first epoch, from weights (M, P)."""
    members = weights.shape[0]
    zeros = np.zeros_like(weights)
    return State(
        weights=weights,
        first=zeros,
        second=zeros,
        best=weights,
        best_loss=np.full(members, np.inf, np.float32),
        waited=np.zeros(members, np.int32),
        active=np.ones(members, bool),
        done=np.zeros(members, np.int32),
    )


@lru_cache(maxsize=32)
def epoch_program(architecture: Architecture, rules: Rules, shapes: Hashable) -> EpochProgram:  # noqa: ARG001
    """Return the program of one epoch, compiled at its first call; one program for each ``shapes`` of its inputs."""
    import tensorflow as tf

    decays = np.concatenate([np.full(p.size, float(p.decays), np.float32) for p in architecture.parts])
    factors = np.concatenate([np.full(p.size, p.rate, np.float32) for p in architecture.parts])

    def forward(weights: Any, table: Table, rows: Any, noise: Noise | None) -> tuple[Any, Any, Any, Any]:
        index = tf.maximum(rows, 0)
        counted = tf.cast(rows >= 0, tf.float32)
        x = tf.gather(table.features, index)
        y = tf.gather(table.outcome, index)
        logits = architecture.logits(
            unpack_tensors(architecture.parts, weights), unpack_tensors(architecture.fixed, table.fixed), x, noise
        )
        return logits, y, counted, tf.gather(table.class_weight, y, batch_dims=1) * counted

    def step(i: Any, state: State, table: Table, plan: Plan) -> tuple[State, Any, Any, Any]:
        with tf.GradientTape() as tape:
            tape.watch(state.weights)
            noise = Noise(table.seeds, state.done)
            logits, y, counted, importance = forward(state.weights, table, plan.rows[i], noise)
            each = training_loss(logits, y, rules)
            if rules.bagging:
                each = each * noise.bag(plan.rows[i], each.shape[2])
            each = tf.reduce_mean(each, 2) * importance
            n = tf.reduce_sum(counted, 1)
            loss = tf.reduce_sum(tf.reduce_sum(each, 1) / tf.maximum(n, 1.0))
        gradient = tape.gradient(loss, state.weights)
        learns = state.active & (n > 0.0)
        state = _update(state, gradient, plan.rates[i] * factors, decays, rules, learns)
        return state, tf.reduce_sum(each, 1), n, mean_risk(logits)

    def validate(state: State, table: Table, plan: Plan) -> tuple[Any, Any]:
        slots, members, width = plan.validation.shape
        seen = tf.TensorArray(tf.float32, slots, element_shape=(members, width, architecture.n_outputs))

        def body(i: Any, total: Any, n: Any, seen: Any) -> Any:
            logits, y, counted, importance = forward(state.weights, table, plan.validation[i], None)
            each = ensemble_loss(logits, y) * importance
            total, n = total + tf.reduce_sum(each, 1), n + tf.reduce_sum(counted, 1)
            return i + 1, total, n, seen.write(i, mean_risk(logits))

        zeros = tf.zeros(members)
        _, total, n, seen = tf.while_loop(lambda i, *_: i < plan.validation_steps, body, (0, zeros, zeros, seen))
        return total / n, seen.stack()

    def epoch(state: State, table: Table, plan: Plan) -> tuple[State, Outcome]:
        slots, members, width = plan.rows.shape
        seen = tf.TensorArray(tf.float32, slots, element_shape=(members, width, architecture.n_outputs))

        def body(i: Any, state: State, total: Any, n: Any, seen: Any) -> Any:
            state, loss, counted, risk = step(i, state, table, plan)
            return i + 1, state, total + loss, n + counted, seen.write(i, risk)

        zeros = tf.zeros(members)
        start = (0, state, zeros, zeros, seen)
        _, state, total, n, seen = tf.while_loop(lambda i, *_: i < plan.steps, body, start)
        val_loss, val_risk = validate(state, table, plan)
        return _judge(state, val_loss, plan.patience), Outcome(total / n, seen.stack(), val_loss, val_risk)

    compiled: EpochProgram = tf.function(epoch, jit_compile=True, autograph=False)
    return compiled


def training_loss(logits: Any, y: Any, rules: Rules) -> Any:
    """Cross-entropy (M, B, S) of each row and sub-model; smoothed or focal if asked."""
    import tensorflow as tf

    classes = max(2, logits.shape[-1])
    log_p = _log_risk(logits)
    target = tf.one_hot(y, classes)[:, :, None, :]
    if rules.label_smoothing:
        target = target * (1.0 - rules.label_smoothing) + rules.label_smoothing / classes
    each = -target * log_p
    if rules.focal_gamma:
        # Lin et al. 2017, Focal loss for dense object detection, equation 4
        each = each * tf.maximum(1.0 - tf.exp(log_p), 1e-6) ** rules.focal_gamma
    return tf.reduce_sum(each, 3)


def ensemble_loss(logits: Any, y: Any) -> Any:
    """Cross-entropy (M, B) of the mean risk over the sub-models."""
    import tensorflow as tf

    target = tf.one_hot(y, max(2, logits.shape[-1]))[:, :, None, :]
    picked = tf.reduce_sum(target * _log_risk(logits), 3)
    return float(np.log(logits.shape[2])) - tf.reduce_logsumexp(picked, 2)


def mean_risk(logits: Any) -> Any:
    """Turn logits (M, B, S, C) into risks (M, B, C): that of the positive class, or of every class."""
    import tensorflow as tf

    each = tf.sigmoid(logits) if logits.shape[-1] == 1 else tf.nn.softmax(logits)
    return tf.reduce_mean(each, 2)


def _log_risk(logits: Any) -> Any:
    import tensorflow as tf

    if logits.shape[-1] == 1:
        return tf.concat([tf.math.log_sigmoid(-logits), tf.math.log_sigmoid(logits)], 3)
    return tf.nn.log_softmax(logits)


def _update(state: State, gradient: Any, rate: Any, decays: Any, rules: Rules, learns: Any) -> State:
    """Do one step of the optimiser for the members that learn."""
    import tensorflow as tf

    if rules.clip_norm is not None:
        norm = tf.sqrt(tf.reduce_sum(gradient * gradient, 1, keepdims=True))
        gradient = gradient * (rules.clip_norm / tf.maximum(norm, rules.clip_norm))
    done = state.done + tf.cast(learns, tf.int32)
    first, second = state.first, state.second
    if rules.optimizer in ("adam", "adamw"):
        first = first + (gradient - first) * (1.0 - rules.beta1)
        second = second + (gradient * gradient - second) * (1.0 - rules.beta2)
        t = tf.cast(done, tf.float32)[:, None]
        scale = tf.sqrt(1.0 - rules.beta2**t) / (1.0 - rules.beta1**t)
        change = scale * first / (tf.sqrt(second) + _EPSILON)
    elif rules.optimizer == "rmsprop":
        second = _RHO * second + (1.0 - _RHO) * gradient * gradient
        change = gradient / tf.sqrt(second + _EPSILON)
    else:
        change = gradient
    if rules.weight_decay:
        change = change + rules.weight_decay * decays * state.weights
    chosen = learns[:, None]
    return state._replace(
        weights=tf.where(chosen, state.weights - rate * change, state.weights),
        first=tf.where(chosen, first, state.first),
        second=tf.where(chosen, second, state.second),
        done=done,
    )


def _judge(state: State, val_loss: Any, patience: Any) -> State:
    """Keep the best weights and stop the members whose validation loss has ceased to fall."""
    import tensorflow as tf

    better = state.active & (val_loss < state.best_loss)
    waited = tf.where(better, 0, state.waited + tf.cast(state.active & tf.math.is_finite(val_loss), tf.int32))
    return state._replace(
        best=tf.where(better[:, None], state.weights, state.best),
        best_loss=tf.where(better, val_loss, state.best_loss),
        waited=waited,
        active=state.active & ((patience <= 0) | (waited < patience)),
    )
