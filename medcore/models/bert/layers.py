"""The layers of a BERT: what is read of segments of word pieces, token by token.

Post-norm transformer layers as Devlin et al. (NAACL 2019) describe them. Tokens of many segments lie one after the other
without padding, since most of the work is done token by token; only attention, which stays within a segment, lays them
side by side. TensorFlow is imported inside the functions that need it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

Layer = Mapping[str, Any]
"""The weights of one layer by name: kernels (inputs, outputs), biases, and gains and shifts of its two normalisations."""
_NOWHERE = -1e9  # added to what attention thinks of padding


@dataclass(frozen=True, slots=True)
class BertShape:
    """Numbers of a token, heads of attention, inner units, layers, how many of them are trained, and what keeps a normalisation finite."""

    width: int
    heads: int
    inner: int
    layers: int
    trained: int
    epsilon: float

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return asdict(self)


class PackedSegments(NamedTuple):
    """Segments (S) one after the other as tokens (T): where each token of a segment is, and each token's place.

    ``side`` (S, L) are the tokens side by side, T where a segment has no more; ``back`` (T,) each token's place there,
    counted along; ``within`` (T,) its place in its segment; ``owner`` (T,) its segment.
    """

    side: Any
    back: Any
    within: Any
    owner: Any


def packed(lengths: np.ndarray) -> PackedSegments:
    """Lay segments of these lengths (S,) one after the other."""
    total, longest = int(lengths.sum()), int(lengths.max(initial=0))
    places = np.arange(longest)
    starts = np.cumsum(lengths) - lengths
    side = np.where(places < lengths[:, None], starts[:, None] + places, total).astype(np.int32)
    owner = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
    within = (np.arange(total) - np.repeat(starts, lengths)).astype(np.int32)
    return PackedSegments(side, owner * np.int32(longest) + within, within, owner)


def embedded(shape: BertShape, weights: Layer, tokens: Any, at: PackedSegments) -> Any:
    """Place tokens (T,), rows of the table of words, by what they are and where they stand: (T, H)."""
    import tensorflow as tf

    placed = tf.gather(weights["word"], tokens) + tf.gather(weights["position"], at.within) + weights["type"]
    return _normalised(placed, weights["gain"], weights["shift"], shape.epsilon)


def layer(shape: BertShape, weights: Layer, x: Any, at: PackedSegments) -> Any:
    """Read every token (T, H) beside the others of its segment."""
    import tensorflow as tf

    seen = _attention(shape, _dense(x, weights, "qkv"), at)
    seen = _dense(seen, weights, "seen")
    x = _normalised(x + seen, weights["seen_gain"], weights["seen_shift"], shape.epsilon)
    inner = _dense(tf.nn.gelu(_dense(x, weights, "inner")), weights, "outer")
    return _normalised(x + inner, weights["outer_gain"], weights["outer_shift"], shape.epsilon)


def totals(x: Any, at: PackedSegments) -> Any:
    """Add up the tokens (T, H) of each segment, (S, H)."""
    import tensorflow as tf

    return tf.math.unsorted_segment_sum(x, at.owner, tf.shape(at.side)[0])


def _attention(shape: BertShape, asked: Any, at: PackedSegments) -> Any:
    """Mix what the tokens of a segment hold, by queries, keys and values (T, 3 · H), to (T, H)."""
    import tensorflow as tf

    n, length = tf.shape(at.side)[0], tf.shape(at.side)[1]
    each = shape.width // shape.heads
    with_none = tf.concat([asked, tf.zeros((1, 3 * shape.width))], 0)
    parts = tf.reshape(tf.gather(with_none, at.side), (n, length, 3, shape.heads, each))
    query, key, value = tf.unstack(tf.transpose(parts, (2, 0, 3, 1, 4)), num=3)
    scores = tf.matmul(query, key, transpose_b=True) / float(np.sqrt(each))
    padding = tf.cast(at.side == tf.shape(asked)[0], tf.float32)
    mixed = tf.matmul(tf.nn.softmax(scores + _NOWHERE * padding[:, None, None, :]), value)
    mixed = tf.reshape(tf.transpose(mixed, (0, 2, 1, 3)), (n * length, shape.width))
    return tf.gather(mixed, at.back)


def _normalised(x: Any, gain: Any, shift: Any, epsilon: float) -> Any:
    """Give each token's numbers mean 0 and variance 1, then a gain and a shift."""
    import tensorflow as tf

    mean, variance = tf.nn.moments(x, [-1], keepdims=True)
    return (x - mean) * tf.math.rsqrt(variance + epsilon) * gain + shift


def _dense(x: Any, weights: Layer, name: str) -> Any:
    import tensorflow as tf

    return tf.matmul(x, weights[f"{name}_kernel"]) + weights[f"{name}_bias"]
