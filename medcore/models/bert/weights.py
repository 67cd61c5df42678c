"""What a BERT takes from the package: the layers that stay frozen, with the words that training notes have, and the first weights of the others.

Frozen kernels stay the blocks of four bits that the package holds, so that a bundle of all of them has some ten megabytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.features.text.base import BaseWeights
from medcore.features.text.pieces import END, LONGEST, START, UNKNOWN
from medcore.models.bert.layers import BertShape

Floats = NDArray[np.float32]
TRAINED = 2
"""Layers that are trained, the last ones: each costs as much again as reading a note through all that are frozen takes a third of."""
_BLOCK, _BYTES = 32, 18
"""Weights of a block and its bytes: a scale of two bytes, then two weights a byte, the first half of them in the lower bits."""
_KERNELS = {"seen": "ao", "inner": "fi", "outer": "fo"}
_BESIDE = {"seen_gain": "aln.w", "seen_shift": "aln.b", "outer_gain": "oln.w", "outer_shift": "oln.b"}
_PLACED = {"position": "emb.pos", "type": "emb.type", "gain": "emb.ln.w", "shift": "emb.ln.b", "word": "emb.word"}


@dataclass(frozen=True, eq=False)
class Frozen:
    """The frozen layers of a network of this ``shape``, as ``arrays`` of the package, and the ``ids`` (V,) of the pieces that they know."""

    shape: BertShape
    ids: NDArray[np.int64]
    arrays: Mapping[str, NDArray[Any]] = field(repr=False)

    @classmethod
    def of(cls, base: BaseWeights, pieces: Sequence[int]) -> Frozen:
        """Take from the package what is needed to read these pieces."""
        shape = BertShape(base.width, base.heads, base.inner, base.layers, min(TRAINED, base.layers), base.epsilon)
        ids = np.unique([START, END, UNKNOWN, *pieces]).astype(np.int64)
        frozen = tuple(f"l{place}." for place in range(shape.layers - shape.trained))
        arrays = {name: np.array(a) for name, a in base.arrays.items() if name.startswith(frozen)}
        arrays |= {own: np.array(base.arrays[name]) for own, name in _PLACED.items()}
        words = arrays["word"].reshape(-1, base.width // _BLOCK * _BYTES)
        arrays["word"] = words[ids].ravel()
        arrays["position"] = arrays["position"][: (LONGEST + 2) * base.width]
        arrays["type"] = arrays["type"][: base.width]
        return cls(shape, ids, arrays)

    @cached_property
    def placing(self) -> dict[str, Floats]:
        """How tokens are placed before the first layer."""
        wide = {"word", "position"}
        found = {name: floats(self.arrays[name]) for name in _PLACED}
        return {name: a.reshape(-1, self.shape.width) if name in wide else a for name, a in found.items()}

    @cached_property
    def layers(self) -> tuple[dict[str, Floats], ...]:
        """The weights of the frozen layers."""
        n = self.shape.layers - self.shape.trained
        return tuple(layer_of(self.arrays, place, self.shape.width) for place in range(n))

    def tokens(self, segment: Sequence[int]) -> NDArray[np.int32]:
        """Return a segment's rows in the table of words, with its start and end; what is not known is unknown."""
        asked = np.array([START, *segment, END])
        places = np.minimum(np.searchsorted(self.ids, asked), len(self.ids) - 1)
        unknown = np.searchsorted(self.ids, UNKNOWN)
        return np.where(self.ids[places] == asked, places, unknown).astype(np.int32)


def trained_at_first(base: BaseWeights) -> tuple[dict[str, Floats], ...]:
    """Return the weights that the trained layers begin with."""
    n = min(TRAINED, base.layers)
    return tuple(layer_of(base.arrays, place, base.width) for place in range(base.layers - n, base.layers))


def layer_of(arrays: Mapping[str, NDArray[Any]], place: int, width: int) -> dict[str, Floats]:
    """Read one layer; queries, keys and values are one kernel."""

    def kernel(name: str) -> Floats:
        bias = arrays[f"l{place}.{name}.b"]
        return np.ascontiguousarray(floats(arrays[f"l{place}.{name}.w"]).reshape(len(bias), -1).T)

    found = {
        "qkv_kernel": np.concatenate([kernel(name) for name in "qkv"], axis=1),
        "qkv_bias": np.concatenate([arrays[f"l{place}.{name}.b"] for name in "qkv"]),
    }
    for own, name in _KERNELS.items():
        found |= {f"{own}_kernel": kernel(name), f"{own}_bias": np.array(arrays[f"l{place}.{name}.b"])}
    if found["qkv_kernel"].shape != (width, 3 * width):
        raise ValueError("the arrays of a layer are of another width")
    return found | {own: np.array(arrays[f"l{place}.{name}"]) for own, name in _BESIDE.items()}


def floats(array: NDArray[Any]) -> Floats:
    """Write an array of the package as float32: as it is, or block by block (weight − 8) · scale."""
    if array.dtype != np.uint8:
        return np.asarray(array, np.float32)
    blocks = array.reshape(-1, _BYTES)
    scale = np.ascontiguousarray(blocks[:, :2]).view("<f2").astype(np.float32)
    halves = blocks[:, 2:] & 15, blocks[:, 2:] >> 4
    return np.asarray(((np.concatenate(halves, axis=1).astype(np.float32) - 8.0) * scale).ravel())
