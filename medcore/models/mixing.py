"""Risks of patients mixed with others, for explanations, without writing down the mixed rows.

A mixed row takes some columns from the patient and the others from a background
row. What a dense network's first layer makes of it is a sum over the columns, so
each column's share in it is worked out once for every background row; a mixed row
is then only a row of zeros and ones, and its first layer one small product.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.features import Codes
from medcore.models.bundle import Bundle
from medcore.models.network_parts import bucket, unpack
from medcore.models.network_seed import DenseNetwork
from medcore.models.networks import NetworkPart
from medcore.models.task import Indices, Risk, clean

Floats32 = NDArray[np.float32]
_TILE = 128  # mixed rows of one background row computed together
_TILES = 64  # tiles in one call: always as many, since a program is compiled for each number


@dataclass(frozen=True, slots=True)
class BundleRisk:
    """A bundle as explanations ask it: risks of codes, and of one patient mixed with others where that is faster."""

    bundle: Bundle

    def __call__(self, codes: Codes, /) -> Risk:
        """Predict from codes ``(n, P)``: risks ``(n, K)``."""
        return self.bundle.risk(codes)

    def mixer(self, row: Codes, background: Codes) -> Mixer | None:
        """Prepare a patient ``(P,)`` against background rows ``(m, P)``; None where the model has no faster way."""
        part = self.bundle.parts[0][1]
        if len(self.bundle.parts) > 1 or not isinstance(part, NetworkPart) or len(part.networks) > 1:
            return None
        network = part.networks[0].architecture
        if not isinstance(network, DenseNetwork) or not network.layers:
            return None
        return Mixer.of(self.bundle, part, network, row, background)


@dataclass(frozen=True, slots=True)
class Mixer:
    """The first layer of a dense network taken apart by column; M members, m background rows, H units.

    ``first`` is what the first layer makes of each background row, (m, M, H), and
    ``steps`` what changes when a column becomes the patient's, (m, M, P, H).
    """

    bundle: Bundle = field(repr=False)
    network: DenseNetwork
    first: Floats32 = field(repr=False)
    steps: Floats32 = field(repr=False)
    later: tuple[Floats32, ...] = field(repr=False)

    @classmethod
    def of(cls, bundle: Bundle, part: NetworkPart, network: DenseNetwork, row: Codes, background: Codes) -> Mixer:
        """Take the first layer apart for one patient and some background rows."""
        maker, held = part.makers[0], part.networks[0].weights
        members = [unpack(network.parts, weights) for weights in held]
        others = maker.transform(background)
        apart = maker.transform(np.asarray(row)[None]) - others
        kernels = np.stack([m["kernel_0"][: others.shape[1]] for m in members])
        first = np.einsum("bf,mfh->bmh", others, kernels) + np.stack([m["bias_0"] for m in members])
        steps = np.zeros((len(others), len(members), len(row), kernels.shape[2]), np.float32)
        for place, block in enumerate(maker.blocks_):
            steps[:, :, place] = np.einsum("bf,mfh->bmh", apart[:, block], kernels[:, block])
        later = tuple(np.stack([m[p.name] for m in members]) for p in network.parts[2:])
        size = bucket(len(others))
        return cls(bundle, network, _padded(first, size), _padded(steps, size), later)

    def risk(self, rows: Indices, present: NDArray[np.bool_]) -> Risk:
        """Predict for background rows ``(n,)`` in which the columns ``present`` (n, P) are the patient's: ``(n, K)``."""
        order = np.argsort(rows, kind="stable")
        place = np.empty(len(rows), np.intp)
        counts = np.bincount(rows, minlength=len(self.first))
        tiles = -(-counts // _TILE)
        owner = np.repeat(np.arange(len(counts)), tiles).astype(np.int32)
        begins = (np.cumsum(tiles) - tiles) * _TILE
        within = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        place[order] = np.repeat(begins, counts) + within
        masks = np.zeros((len(owner) * _TILE, present.shape[1]), np.uint8)
        masks[place] = present
        outputs = self._run(owner, masks.reshape(len(owner), _TILE, -1))
        risk: Risk = outputs[place].astype(np.float64)
        if self.network.n_outputs == 1:
            risk = np.column_stack([1.0 - risk[:, 0], risk[:, 0]])
        return self.bundle.calibrator.apply(clean(risk, len(self.bundle.classes)))

    def _run(self, owner: NDArray[np.int32], masks: NDArray[np.uint8]) -> Floats32:
        found = np.empty((*masks.shape[:2], self.network.n_outputs), np.float32)
        program = _program(self.network, self.steps.shape)
        for start in range(0, len(owner), _TILES):
            part = slice(start, start + _TILES)
            tiles = _padded(owner[part], _TILES), _padded(masks[part], _TILES)
            found[part] = program(self.first, self.steps, self.later, *tiles).numpy()[: len(owner[part])]
        return found.reshape(-1, self.network.n_outputs)


def _padded(values: NDArray[Any], n: int) -> NDArray[Any]:
    if len(values) == n:
        return values
    return np.concatenate([values, np.zeros((n - len(values), *values.shape[1:]), values.dtype)])


@lru_cache(maxsize=64)
def _program(network: DenseNetwork, shapes: tuple[Any, ...]) -> Callable[..., Any]:  # noqa: ARG001 - one program each
    """Return the program tiles of masks (T, tile, P) → risks (T, tile, C), compiled at its first call."""
    import tensorflow as tf

    from medcore.models.network_parts import activate

    def program(first: Any, steps: Any, later: Any, owner: Any, masks: Any) -> Any:
        slots, tile, _ = masks.shape
        members = first.shape[1]
        seen = tf.TensorArray(tf.float32, slots, element_shape=(tile, network.n_outputs))

        def body(i: Any, seen: Any) -> Any:
            mine = tf.gather(owner, i)  # an index in brackets would compile the program anew for every owner
            mask = tf.repeat(tf.cast(tf.gather(masks, i), tf.float32)[None], members, axis=0)
            h = tf.matmul(mask, tf.gather(steps, mine)) + tf.gather(first, mine)[:, None]
            for kernel, bias in zip(later[::2], later[1::2], strict=True):
                h = tf.matmul(activate(network.activation, h), kernel) + bias[:, None]
            risk = tf.sigmoid(h) if network.n_outputs == 1 else tf.nn.softmax(h)
            return i + 1, seen.write(i, tf.reduce_mean(risk, 0))

        return tf.while_loop(lambda i, *_: i < slots, body, (0, seen))[1].stack()

    compiled: Callable[..., Any] = tf.function(program, jit_compile=True, autograph=False)
    return compiled
