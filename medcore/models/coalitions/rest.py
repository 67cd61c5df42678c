"""What parts compute after their first sums, as TensorFlow programs of mixed rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from medcore.models.network.parts import activate
from medcore.models.network.seed import DenseNetwork
from medcore.models.network.table import TableNetwork


class Rest(Protocol):
    """What a part computes after its first sums; equal ones compute the same, so that programs are compiled once."""

    def __hash__(self) -> int: ...

    def __call__(self, sums: Any, weights: Any) -> Any:
        """Map first sums (M, tile, H) to risks (tile, C)."""


@dataclass(frozen=True, slots=True)
class Scores:
    """A softmax of the sums: logistic regression."""

    def __call__(self, sums: Any, weights: Any) -> Any:  # noqa: ARG002
        """Map first sums to risks."""
        import tensorflow as tf

        return tf.nn.softmax(sums[0])


@dataclass(frozen=True, slots=True)
class Waves:
    """A cosine of each sum, given in turns, and a softmax: the kernel part."""

    def __call__(self, sums: Any, weights: Any) -> Any:
        """Map first sums to risks."""
        import tensorflow as tf

        coefficients, intercepts = weights
        return tf.nn.softmax(tf.matmul(_cosine(sums[0]), coefficients) + intercepts)


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


@dataclass(frozen=True, slots=True)
class Dense:
    """The later layers of a dense network, the mean over its members."""

    network: DenseNetwork

    def __call__(self, sums: Any, weights: Any) -> Any:
        """Map first sums to risks."""
        import tensorflow as tf

        h = sums
        for kernel, bias in zip(weights[::2], weights[1::2], strict=True):
            h = tf.matmul(activate(self.network.activation, h), kernel) + bias[:, None]
        risk = tf.sigmoid(h) if self.network.n_outputs == 1 else tf.nn.softmax(h)
        return tf.reduce_mean(risk, 0)


@dataclass(frozen=True, slots=True)
class Table:
    """The later layers of the network for tables, the mean over members and sub-models."""

    network: TableNetwork

    def __call__(self, sums: Any, weights: Any) -> Any:
        """Map first sums to risks."""
        import tensorflow as tf

        network, k, C = self.network, self.network.n_submodels, self.network.n_outputs
        members, tile, _ = sums.shape
        units = network.layers[0] if network.layers else C
        h = sums[:, :, : k * units]
        straight = sums[:, :, k * units : k * units + C]
        if network.layers:
            *hidden, head, bias = weights
            h = activate(network.activation, h)
            for i, width in enumerate(network.layers[1:]):
                kernel, scale_in, scale_out, start = hidden[4 * i : 4 * i + 4]
                h = h * tf.reshape(scale_in, (members, 1, -1))
                h = tf.matmul(tf.reshape(h, (members, tile * k, -1)), kernel)
                h = tf.reshape(h, (members, tile, k, width)) * scale_out[:, None] + start[:, None]
                h = tf.reshape(activate(network.activation, h), (members, tile, k * width))
            h = tf.reshape(h, (members, tile, k, -1))
            if C == 1:
                h = tf.reduce_sum(h * head[:, None, :, :, 0], 3, keepdims=True)
            else:
                h = tf.einsum("mbki,mkio->mbko", h, head)
            h = h + bias[:, None]
        else:
            h = tf.reshape(h, (members, tile, k, C))
        h = h + straight[:, :, None] if network.linear else h
        risk = tf.sigmoid(h) if C == 1 else tf.nn.softmax(h)
        return tf.reduce_mean(risk, (0, 2))
