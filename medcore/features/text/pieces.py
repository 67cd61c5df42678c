"""Notes as word pieces in their order: what a BERT reads, and how a note's phrases lie in one row of numbers.

WordPieces are those of a unigram vocabulary (Kudo, ACL 2018): of all ways to part a text, the one whose pieces' logarithmic
probabilities add up to the most. Only pieces that enough training patients have are kept, as with words; what is rare
falls apart into smaller ones, or is told as unknown. A phrase is read by itself, so that it has the same
pieces alone and among others.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.data.values.notes import phrases

START, PAD, END, UNKNOWN = 0, 1, 2, 3
"""The special pieces of XLM-RoBERTa's vocabulary."""
MAX_PIECES = 20_000
"""The most pieces that are kept, those of most patients; 1,444 abstracts have 10,500."""
LONGEST = 64
"""Pieces of a segment, at most: a phrase of more has several, so that none costs much by its length."""
MOST_READ = 256
"""Pieces of a note that are read, an end of each segment among them; what comes later is not. Some 200 English words."""
ROOM = 2 * MOST_READ
"""Pieces in a row: those of a note, and in an explanation those of another one beside them."""
_SPACE = "\u2581"
_BEYOND = 10.0
"""How much less likely an unknown character is than the least likely piece, in logarithms; as the package has it."""

Row = NDArray[np.int32]
Segment = tuple[int, ...]


def plain(text: str) -> str:
    r"""Write a text with one form of each character, as the vocabulary was made: NFKC, no control characters, one space.

    >>> plain("ﬁne①  text\nnext")
    'fine1 text next'
    """
    found = (_plain_letter(letter) for letter in text)
    return " ".join(unicodedata.normalize("NFKC", "".join(found)).split())


def _plain_letter(letter: str) -> str:
    if letter.isspace() or unicodedata.category(letter) == "Cf":
        return " "
    return "" if unicodedata.category(letter) == "Cc" else letter


@dataclass(frozen=True)
class WordPieces:
    """Word pieces: ``texts`` (V,), their logarithmic ``scores`` (V,), their ``ids`` (V,) in the whole vocabulary, and its ``lowest`` score."""

    texts: tuple[str, ...]
    scores: tuple[float, ...] = field(repr=False)
    ids: tuple[int, ...] = field(repr=False)
    lowest: float

    @cached_property
    def _known(self) -> Mapping[str, tuple[float, int]]:
        return {text: (score, own) for text, score, own in zip(self.texts, self.scores, self.ids, strict=True)}

    @cached_property
    def _longest(self) -> int:
        return max(map(len, self.texts), default=0)

    def read(self, text: str) -> Segment:
        """Part a text into its most probable pieces; return their ids."""
        told = plain(text)
        if not told:
            return ()
        letters = _SPACE + told.replace(" ", _SPACE)
        best, came = [0.0] + [-np.inf] * len(letters), [(0, UNKNOWN)] * (len(letters) + 1)
        for start in range(len(letters)):
            for end in range(start + 1, min(start + self._longest, len(letters)) + 1):
                found = self._known.get(letters[start:end])
                if found is not None and best[start] + found[0] > best[end]:
                    best[end], came[end] = best[start] + found[0], (start, found[1])
            unknown = best[start] + self.lowest - _BEYOND
            if unknown > best[start + 1]:
                best[start + 1], came[start + 1] = unknown, (start, UNKNOWN)
        pieces, at = [], len(letters)
        while at:
            at, piece = came[at]
            pieces.append(piece)
        return tuple(reversed(pieces))

    def common(self, notes: Iterable[tuple[Any, str]], *, patients: int) -> WordPieces:
        """Return the pieces that notes of so many patients have, given each note with whose it is."""
        whose: dict[int, set[Any]] = {}
        having: Counter[int] = Counter()
        for patient, note in notes:
            own = {piece for phrase in phrases(note) for piece in self.read(phrase)}
            having.update(own)
            for piece in own:
                known = whose.setdefault(piece, set())
                if len(known) < patients:
                    known.add(patient)
        enough = sorted((-n, piece) for piece, n in having.items() if len(whose[piece]) >= patients)
        return self.only({piece for _n, piece in enough[:MAX_PIECES]})

    def only(self, ids: Collection[int]) -> WordPieces:
        """Return some of the pieces."""
        kept = [place for place, own in enumerate(self.ids) if own in ids]
        scores, own = tuple(self.scores[place] for place in kept), tuple(self.ids[place] for place in kept)
        return WordPieces(tuple(self.texts[place] for place in kept), scores, own, self.lowest)

    def written(self, said: Sequence[str]) -> list[list[Segment]]:
        """Return the segments of each phrase of one note, as far as the note is read."""
        found: list[list[Segment]] = []
        left = MOST_READ
        for phrase in said:
            pieces, own = self.read(phrase), []
            for at in range(0, len(pieces), LONGEST):
                segment = pieces[at : at + max(0, min(LONGEST, left - 1))]
                if segment:
                    own.append(segment)
                    left -= len(segment) + 1
            found.append(own)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {
            "texts": list(self.texts),
            "scores": list(self.scores),
            "ids": list(self.ids),
            "lowest": self.lowest,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> WordPieces:
        """Read what :meth:`to_dict` wrote."""
        return cls(tuple(data["texts"]), tuple(data["scores"]), tuple(data["ids"]), float(data["lowest"]))


def row_of(segments: Iterable[Segment]) -> Row:
    """Lay segments (of one note, or of two that fit together) one after the other into a row (ROOM,), each with its end."""
    row = np.full(ROOM, PAD, np.int32)
    told = [piece for segment in segments for piece in (*segment, END)]
    row[: len(told)] = told
    return row


def segments_of(row: Row) -> tuple[Segment, ...]:
    """Return the segments that :func:`row_of` laid into a row."""
    told, found, start = row.tolist(), [], 0
    for end in np.flatnonzero(row == END).tolist():
        found.append(tuple(told[start:end]))
        start = end + 1
    return tuple(found)
