"""What a part computes after its first sums, as TensorFlow programs of composite rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

HIGHEST_SCORE = 30.0
"""Log hazard ratios beyond are not told apart."""


class AfterSums(Protocol):
    """What a part computes after its first sums; equal ones compute the same, so that programs are compiled once."""

    def __hash__(self) -> int: ...

    def __call__(self, sums: Any, weights: Any) -> Any:
        """Map first sums (M, tile, H) to risks (tile, C)."""


@dataclass(frozen=True, slots=True)
class AsTheyAre:
    """Nothing: linear regression."""

    def __call__(self, sums: Any, weights: Any) -> Any:  # noqa: ARG002
        """Return the first sums."""
        return sums[0]


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
class CumulativeHazards:
    """Of one log hazard ratio the risk by a time, to which the baseline ``hazard`` (1, 1) has added up: Cox regression."""

    def __call__(self, sums: Any, weights: Any) -> Any:
        """Map first sums to risks (tile, 1)."""
        import tensorflow as tf

        return -tf.math.expm1(-_ratios(sums[0]) * weights["hazard"])


@dataclass(frozen=True, slots=True)
class CompetingHazards:
    """Of a log hazard ratio for each cause the risks by a time, up to which the baselines have the ``rises`` (C, U)."""

    def __call__(self, sums: Any, weights: Any) -> Any:
        """Map first sums to risks (tile, 1 + C), that of no event first."""
        import tensorflow as tf

        ratios = _ratios(sums[0])
        total = tf.matmul(ratios, weights["rises"])
        before = tf.exp(-tf.cumsum(total, axis=1, exclusive=True))
        of_a_hazard = before * -tf.math.expm1(-total) / tf.maximum(total, 1e-30)
        return _beside_none(ratios * tf.matmul(of_a_hazard, weights["rises"], transpose_b=True))


def _ratios(scores: Any) -> Any:
    import tensorflow as tf

    return tf.exp(tf.clip_by_value(scores, -HIGHEST_SCORE, HIGHEST_SCORE))


def _beside_none(incidence: Any) -> Any:
    import tensorflow as tf

    return tf.concat([1.0 - tf.reduce_sum(incidence, 1, keepdims=True), incidence], 1)


@dataclass(frozen=True, slots=True)
class HazardsPutTogether:
    """Of the hazards (tile, J · C) that ``hazards`` makes of the sums, the risks by a time; ``spent`` (J,) is the share of each interval before it."""

    hazards: AfterSums
    n_causes: int

    def __call__(self, sums: Any, weights: Any) -> Any:
        """Map first sums to risks: (tile, 1), or (tile, 1 + C) with that of no event first."""
        import tensorflow as tf

        found = self.hazards(sums, weights)
        each = tf.reshape(found, (found.shape[0], -1, self.n_causes))
        total = tf.reduce_sum(each, 2)
        log_free = weights["spent"] * tf.math.log1p(-tf.clip_by_value(total, 1e-12, 1.0 - 1e-6))
        gone = tf.exp(tf.cumsum(log_free, axis=1, exclusive=True)) * -tf.math.expm1(log_free)
        incidence = tf.reduce_sum(each * (gone / tf.maximum(total, 1e-12))[:, :, None], 1)
        return incidence if self.n_causes == 1 else _beside_none(incidence)


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
