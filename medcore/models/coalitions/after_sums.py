"""What a part computes after its first sums, as TensorFlow programs of composite rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


class AfterSums(Protocol):
    """What a part computes after its first sums; equal ones compute the same, so that programs are compiled once."""

    def __hash__(self) -> int: ...

    def __call__(self, sums: Any, weights: Any) -> Any:
        """Map first sums (M, tile, H) to risks (tile, C)."""


@dataclass(frozen=True, slots=True)
class Softmax:
    """A softmax of the sums: logistic regression."""

    def __call__(self, sums: Any, weights: Any) -> Any:  # noqa: ARG002
        """Map first sums to risks."""
        import tensorflow as tf

        return tf.nn.softmax(sums[0])


@dataclass(frozen=True, slots=True)
class BetweenThresholds:
    """Of one score the probability of lying between rising thresholds: proportional odds."""

    def __call__(self, sums: Any, weights: Any) -> Any:
        """Map first sums to risks."""
        import tensorflow as tf

        below = tf.sigmoid(weights["thresholds"] - sums[0])
        ends = tf.zeros_like(sums[0]), tf.ones_like(sums[0])
        return tf.concat([below, ends[1]], axis=1) - tf.concat([ends[0], below], axis=1)


@dataclass(frozen=True, slots=True)
class CosineSoftmax:
    """A cosine of each sum, given in turns, and a softmax: random Fourier features."""

    def __call__(self, sums: Any, weights: Any) -> Any:
        """Map first sums to risks."""
        import tensorflow as tf

        return tf.nn.softmax(tf.matmul(_cosine(sums[0]), weights["coefficients"]) + weights["intercepts"])


def _cosine(turns: Any) -> Any:
    """Return cos(2πt), to 1e-6: the compiler's own cosine is not computed several at a time.

    Even and of period 1, so t is brought to 0 … 1/2, and cos(2πt) = −sin(2π(t − 1/4)) is a short odd series.
    """
    import tensorflow as tf

    s = 0.25 - tf.abs(turns - tf.round(turns))
    u = s * s
    total = tf.ones_like(u) * _SINE[-1]
    for c in _SINE[-2::-1]:
        total = total * u + c
    return total * s


_SINE = (
    6.283185307179586,
    -41.341702240399755,
    81.60524927607504,
    -76.70585975306136,
    42.05869394489765,
    -15.0946425768,
)
"""Series of sin(2πs); at |s| ≤ 1/4 what is left out is below 6e-8."""
