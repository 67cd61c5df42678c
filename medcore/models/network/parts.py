"""The pieces every architecture is built of: named weights in one flat vector, and noise by seed.

All weights of a member lie in one vector, so that an optimiser's step, the best
weights and a checkpoint are each one operation on an array of shape (M, P).
TensorFlow is imported inside the functions that need it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class WeightSpec:
    """One named array of weights of a member.

    ``rate`` multiplies the learning rate; ``decays`` says whether weight decay shrinks it.
    """

    name: str
    shape: tuple[int, ...]
    decays: bool = False
    rate: float = 1.0

    @property
    def size(self) -> int:
        """Number of weights."""
        return prod(self.shape)


class Architecture(Protocol):
    """A family of networks: how its weights begin, what it computes, and its Keras form."""

    @property
    def n_features(self) -> int:
        """Number of columns, padded."""

    @property
    def n_outputs(self) -> int:
        """Number of logits: 1 for two classes, else one a class; one for each cause and interval of hazards."""

    @property
    def n_scores(self) -> int:
        """What the layers give: the logits, or one score a cause where intervals share it."""

    @property
    def n_causes(self) -> int:
        """Causes whose hazards are predicted; 0 where classes are."""

    @property
    def number(self) -> bool:
        """Whether its one output is a number as it is."""

    @property
    def parts(self) -> tuple[WeightSpec, ...]:
        """The trained weights, in the order of the flat vector."""

    @property
    def fixed(self) -> tuple[WeightSpec, ...]:
        """What is measured on the training rows and never trained."""

    def __hash__(self) -> int:
        """Architectures that compute the same are equal, so that programs are compiled once."""

    def initial(self, rng: np.random.Generator, n_features: int) -> dict[str, Floats]:
        """Draw the first weights of one member, given the number of real (not padded) columns."""

    def measure(self, features: Floats) -> dict[str, Floats]:
        """Return the fixed parts from the training rows of one member."""

    def logits(self, weights: Mapping[str, Any], fixed: Mapping[str, Any], x: Any, noise: Noise | None) -> Any:
        """Map rows (M, B, F) to logits (M, B, S, C), S sub-models; ``noise`` is given in training only."""

    @property
    def n_submodels(self) -> int:
        """S: how many risks of one member are averaged."""


class LayeredArchitecture(Architecture, Protocol):
    """One whose forward pass comes in steps too: an explanation mixes rows after the first kernel, where they are sums."""

    def inputs(self, fixed: Mapping[str, Any], x: Any) -> Any:
        """Return what the first kernel is multiplied with, (M, B, D)."""

    def first_kernel(self, weights: Mapping[str, Any]) -> Any:
        """Return the first kernel, (M, D, H)."""

    def after_first(self, weights: Mapping[str, Any], first: Any, straight: Any, noise: Noise | None) -> Any:
        """Map products with the first kernel (M, B, H), and of the linear path (M, B, C) if any, to logits."""

    @property
    def first_parts(self) -> frozenset[str]:
        """The weights that nothing after the first products needs."""

    def owners(self, fixed: Mapping[str, Floats], columns: NDArray[np.intp]) -> NDArray[np.intp]:
        """Say of one member's inputs (D,) which of ``columns`` (F,) each is made of."""

    def narrowed(
        self, fixed: Mapping[str, Floats], columns: NDArray[np.intp]
    ) -> tuple[LayeredArchitecture, dict[str, Floats]]:
        """Return what one member's inputs of some columns, in rising order, are made by: those of :meth:`owners` in these, in their order."""

    def keras_model(self, weights: Mapping[str, Floats], fixed: Mapping[str, Floats], n_features: int) -> Any:
        """Return one member as an ordinary Keras model from (n, n_features) to (n, classes)."""

    def fill_keras(self, model: Any, weights: Mapping[str, Floats], fixed: Mapping[str, Floats]) -> None:
        """Give a model of :meth:`keras_model` the weights of another member of as many columns."""


def pack(parts: tuple[WeightSpec, ...], arrays: Mapping[str, Floats]) -> Floats:
    """Lay named arrays into one flat vector (P,)."""
    if not parts:
        return np.zeros(0, np.float32)
    return np.concatenate([np.asarray(arrays[part.name], np.float32).reshape(-1) for part in parts])


def unpack(parts: tuple[WeightSpec, ...], flat: Floats) -> dict[str, Floats]:
    """Undo :func:`pack`."""
    ends = np.cumsum([part.size for part in parts])
    return {part.name: flat[end - part.size : end].reshape(part.shape) for part, end in zip(parts, ends, strict=True)}


def unpack_tensors(parts: tuple[WeightSpec, ...], flat: Any) -> dict[str, Any]:
    """Split a tensor (M, P) into tensors (M, *shape) by name."""
    import tensorflow as tf

    if not parts:
        return {}
    pieces = tf.split(flat, [part.size for part in parts], axis=1)
    members = flat.shape[0]
    return {part.name: tf.reshape(t, (members, *part.shape)) for part, t in zip(parts, pieces, strict=True)}


def bucket(n: int, *, least: int = 8) -> int:
    """Round a size up to one of few values (three leading bits), so that programs are compiled rarely.

    >>> [bucket(n) for n in (3, 9, 33, 455, 1000)]
    [8, 10, 40, 512, 1024]
    """
    if n <= least:
        return least
    step = 1 << max(0, n.bit_length() - 3)
    return -(-n // step) * step


class Noise:
    """Random numbers for dropout: a hash of member seed, step, place and element.

    Counter-based (the finaliser of MurmurHash3), so that a run that was interrupted
    draws the same numbers, and a member's numbers do not depend on who trains beside it.
    """

    def __init__(self, seeds: Any, step: Any) -> None:
        self._seeds = seeds
        self._step = step
        self._places: Iterator[int] = iter(range(1, 1_000_000))

    def keep(self, x: Any, dropout: float) -> Any:
        """Set a share of the elements of (M, …) to zero and scale up the others."""
        import tensorflow as tf

        if dropout <= 0.0:
            return x
        uniform = self._uniform(x.shape)
        return tf.where(uniform >= dropout, x / (1.0 - dropout), 0.0)

    def bag(self, rows: Any, n_submodels: int) -> Any:
        """Weigh each row (M, B) for each sub-model, (M, B, S), the same in every epoch: exponential with mean 1.

        The Bayesian bootstrap (Rubin 1981): every sub-model sees patients resampled.
        """
        import tensorflow as tf

        place = tf.cast(rows, tf.uint32)[:, :, None] * tf.constant(n_submodels, tf.uint32)
        place = place + tf.cast(tf.range(n_submodels), tf.uint32)
        return -tf.math.log(_unit(_mixed(_mixed(place) ^ self._seeds[:, None, None])) + 2.0**-25)

    def _uniform(self, shape: Any) -> Any:
        import tensorflow as tf

        def u32(value: int) -> Any:
            return tf.constant(value & 0xFFFFFFFF, tf.uint32)

        place = next(self._places)
        key = _mixed(self._seeds ^ (tf.cast(self._step, tf.uint32) * u32(0x9E3779B9)) ^ u32(place * 0x85EBCA6B))
        members, *rest = shape
        element = tf.cast(tf.range(prod(rest)), tf.uint32) * u32(0xC2B2AE35)
        bits = _mixed(key[:, None] ^ element[None, :])
        return tf.reshape(_unit(bits), (members, *rest))


def _unit(bits: Any) -> Any:
    """Turn 32 bits into a number from 0 to 1 (without 1)."""
    import tensorflow as tf

    return tf.cast(tf.bitwise.right_shift(bits, tf.constant(8, tf.uint32)), tf.float32) * (1.0 / (1 << 24))


def _mixed(x: Any) -> Any:
    """Spread every bit over all others."""
    import tensorflow as tf

    def u32(value: int) -> Any:
        return tf.constant(value, tf.uint32)

    x = x ^ tf.bitwise.right_shift(x, u32(16))
    x = x * u32(0x85EBCA6B)
    x = x ^ tf.bitwise.right_shift(x, u32(13))
    x = x * u32(0xC2B2AE35)
    return x ^ tf.bitwise.right_shift(x, u32(16))


def hazards_of(logits: Any, n_causes: int) -> Any:
    """Turn logits (…, J · C) into the hazards (…, J, C) of C causes in J intervals: a softmax beside a 0 for none of them."""
    import tensorflow as tf

    each = tf.reshape(logits, (*logits.shape[:-1], -1, n_causes))
    if n_causes == 1:
        return tf.sigmoid(each)
    return tf.nn.softmax(tf.concat([tf.zeros_like(each[..., :1]), each], -1))[..., 1:]


def mean_risk(logits: Any, network: Architecture) -> Any:
    """Turn logits (M, B, S, C) into risks (M, B, C): that of the positive class, or of every class.

    Where the network has causes they are hazards, interval by interval; where it predicts a number, that number.
    """
    import tensorflow as tf

    if network.number:
        return tf.reduce_mean(logits, 2)
    if network.n_causes:
        return tf.reshape(tf.reduce_mean(hazards_of(logits, network.n_causes), 2), (*logits.shape[:2], -1))
    each = tf.sigmoid(logits) if logits.shape[-1] == 1 else tf.nn.softmax(logits)
    return tf.reduce_mean(each, 2)


def activate(name: str, x: Any) -> Any:
    """Apply a nonlinearity by its Keras name."""
    import tensorflow as tf

    if name == "mish":
        return x * tf.tanh(tf.nn.softplus(x))
    functions = {
        "relu": lambda x: tf.maximum(0.0, x),  # as tf.nn.relu, slope 0 at 0 included, but compiled in half the time
        "sigmoid": tf.sigmoid,
        "tanh": tf.tanh,
        "selu": tf.nn.selu,
        "gelu": tf.nn.gelu,
    }
    return functions[name](x)
