"""One column of notes: the words that enough training patients have, how often a note has each, and where its phrases lie."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medcore.data.values.notes import NOT, phrases, spans
from medcore.errors import BundleError
from medcore.features.kind import Alternatives, Value
from medcore.features.rows import CodedColumn, Codes, Payload
from medcore.features.text import base, embedding
from medcore.features.text.pieces import ROOM, Segment, WordPieces, row_of, segments_of
from medcore.i18n import N_
from medcore.statistics.threads import one_blas_thread

MIN_PATIENTS = 5
"""Words of fewer patients are left out: too few to learn from, and they may name one of them (cells under 5)."""
MAX_TERMS = 4_000
"""The most words that are kept, those of most patients; more add little (docs/decisions/0092)."""
_MOST = 255
"""A word is counted up to here in one note: a byte each."""
_TOLD = 6
"""Words that stand for a note where its text is not at hand."""
_COMPARED = 30
"""The commonest words by which new notes are compared with the training ones."""


@dataclass(frozen=True)
class NoteEncoder:
    """A column of notes; ``terms`` (V,) by falling number of patients, with the ``shares`` (V,) of notes that have each.

    ``encoder`` names the sentence encoder that also reads them, if one does; ``pieces`` are those in which a BERT does.
    """

    terms: tuple[str, ...]
    shares: tuple[float, ...]
    encoder: str = ""
    pieces: WordPieces | None = None

    kind = "note"
    levels: tuple[str, ...] = ()

    @classmethod
    def fit(cls, values: pd.Series[Any]) -> NoteEncoder:
        """Learn the words of training notes; the index of ``values`` says whose note each is."""
        notes = values.dropna()
        patients: dict[str, set[Any]] = {}
        having: Counter[str] = Counter()
        for patient, text in zip(notes.index, notes, strict=True):
            own = {term for term, _start, _end in spans(str(text))}
            having.update(own)
            for term in own:
                known = patients.setdefault(term, set())
                if len(known) < MIN_PATIENTS:
                    known.add(patient)
        enough = [(-n, term) for term, n in having.items() if len(patients[term]) >= MIN_PATIENTS]
        kept = [term for _n, term in sorted(enough)[:MAX_TERMS]]
        encoder = embedding.NAME if embedding.installed() else ""
        return cls(tuple(kept), tuple(having[term] / len(notes) for term in kept), encoder)

    def word_by_word(self, values: pd.Series[Any]) -> NoteEncoder:
        """Return an encoder that also tells notes as word pieces in their order, given the training notes.

        Raises:
            BundleError: the package that holds the vocabulary is not installed.

        """
        notes = values.dropna()
        told = zip(notes.index, map(str, notes), strict=True)
        return replace(self, pieces=base.read().pieces.common(told, patients=MIN_PATIENTS))

    @cached_property
    def _places(self) -> dict[str, int]:
        return {term: place for place, term in enumerate(self.terms)}

    def encode(self, values: pd.Series[Any], /) -> CodedColumn:
        """Write notes as the keys of their counts; NaN where there is none."""
        with (
            one_blas_thread()
        ):  # products of a sentence are small: threads would wait for each other longer than they work
            return self._encoded(values)

    def _encoded(self, values: pd.Series[Any]) -> CodedColumn:
        known = values.notna().to_numpy()
        counts = np.zeros((len(values), len(self.terms)), dtype=np.uint8)
        placed, rows = self._placed(len(values)), self._rows(len(values))
        places = self._places
        for row in np.flatnonzero(known):
            text = str(values.iloc[row])
            found = Counter(places.get(term, -1) for term, _start, _end in spans(text))
            found.pop(-1, None)
            counts[row, list(found)] = np.minimum(list(found.values()), _MOST)
            if placed is not None:
                placed[row] = embedding.whole(text)
            if rows is not None and self.pieces is not None:
                rows[row] = row_of(chain.from_iterable(self.pieces.written(phrases(text))))
        return coded(counts, known, placed, rows)

    def _rows(self, n: int) -> NDArray[np.int32] | None:
        """Return room for the pieces of n notes, None where no BERT reads them."""
        return None if self.pieces is None else np.zeros((n, ROOM), dtype=np.int32)

    def _placed(self, n: int) -> NDArray[np.float32] | None:
        """Return room for where n notes lie, None where no sentence encoder reads them.

        Raises:
            BundleError: the model was trained with another encoder than this version knows.

        """
        if self.encoder not in ("", embedding.NAME):
            raise BundleError(
                N_(
                    "This model reads notes with the sentence encoder {name}, which this version of medcore does not know."
                ),
                name=self.encoder,
            )
        return np.zeros((n, embedding.PLACES), dtype=np.float32) if self.encoder else None

    def values(self, column: CodedColumn, /) -> tuple[Value, ...]:
        """Return the rarest known words of each note in their place; the text itself is kept nowhere."""
        return tuple(None if np.isnan(code) else self._told(column, row) for row, code in enumerate(column.codes))

    def _told(self, column: CodedColumn, row: int) -> str:
        places = np.flatnonzero(counts_of(column.take([row]))[0])
        words = [self.terms[p].replace(NOT, "¬") for p in places[::-1][:_TOLD]]
        return " · ".join(words) + (" …" if len(places) > _TOLD else "") if words else "–"

    def known(self, codes: Codes, /) -> NDArray[np.bool_]:
        """Say which rows have a note."""
        return np.asarray(~np.isnan(codes))

    def flags(self, column: CodedColumn, /) -> Mapping[str, NDArray[np.bool_]]:
        """Say which notes have no word that training notes had."""
        strange = np.zeros(len(column), dtype=bool)
        there = ~np.isnan(column.codes)
        strange[there] = ~counts_of(column.take(there)).any(axis=1) if there.any() else False
        return {"note_without_known_words": strange}

    def alternatives(self, patients: CodedColumn, own: CodedColumn | None, /, *, n_points: int) -> Alternatives:
        """Return notes of training patients, at most ``n_points``, in the order of their keys, which is that of chance."""
        known = patients.codes[~np.isnan(patients.codes)]
        codes, counts = np.unique(known, return_counts=True)
        codes, counts = codes[:n_points], counts[:n_points]
        payload = patients.payload
        if own is not None and own.payload is not None and own.codes[0] not in codes:
            codes, counts = np.append(codes, own.codes), np.append(counts, (known == own.codes[0]).sum())
            payload = own.payload if payload is None else payload.union(own.payload)
        column = CodedColumn(codes, payload)
        texts = tuple(str(value) for value in self.values(column))
        return Alternatives(column, texts, counts / max(1, len(known)))

    def between(self, patients: CodedColumn, own: float, other: float, /) -> Codes:  # noqa: ARG002
        """Return the other note: there is nothing between two."""
        return np.array([other])

    def difference(self, training: CodedColumn, new: CodedColumn, /) -> float | None:
        """Return how far the shares of notes with each of the commonest words are apart on average (0–1)."""
        shares = []
        for side in (training, new):
            known = side.take(~np.isnan(side.codes))
            if not len(known):
                return None
            shares.append((counts_of(known)[:, :_COMPARED] > 0).mean(axis=0))
        return float(np.abs(shares[0] - shares[1]).mean()) if shares[0].size else None

    def parts(self, own: CodedColumn, shown: str | None, /) -> NoteParts | None:
        """Return the phrases of one note, given the note itself; None where it is not at hand."""
        said = phrases(shown or "")
        if not said:
            return None
        counts = self._counted(said)
        placed = embedding.embedded_once(said) if self.encoder else None
        segments = self.pieces.written(said) if self.pieces else None
        told = counts.any() or placed is not None or any(segments or ())
        known = (counts.sum(axis=0) == counts_of(own)[0]).all() and told
        return NoteParts.of(own, said, counts, placed, segments) if known else None

    def _counted(self, said: Sequence[str]) -> NDArray[np.uint8]:
        """Return how often each phrase (Q,) of one note has each word, (Q, V); together as the whole note has them."""
        ends, places = np.cumsum([len(phrase) for phrase in said]), self._places
        counts = np.zeros((len(said), len(self.terms)), dtype=np.int64)
        for term, start, _end in spans("".join(said)):
            if (place := places.get(term)) is not None:
                counts[np.searchsorted(ends, start, side="right"), place] += 1
        before = np.minimum(np.cumsum(counts, axis=0), _MOST)
        return np.diff(before, axis=0, prepend=0).astype(np.uint8)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        encoder = {"encoder": self.encoder} if self.encoder else {}
        pieces = {"pieces": self.pieces.to_dict()} if self.pieces else {}
        return {"terms": list(self.terms), "shares": list(self.shares), **encoder, **pieces}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> NoteEncoder:
        """Read what :meth:`to_dict` wrote, today or before notes were read by a sentence encoder or a BERT."""
        pieces = WordPieces.from_dict(data["pieces"]) if "pieces" in data else None
        return cls(tuple(data["terms"]), tuple(data["shares"]), data.get("encoder", ""), pieces)


@dataclass(frozen=True, slots=True, eq=False)
class NoteParts:
    """One note's phrases as players, with their ``counts`` (Q, V) and the phrase in whose place (V,) each word of another note stands.

    A phrase that is not in a coalition gives way to as large a share of another patient's
    words as it has of the note's: a phrase without a known word is nothing to a model of words.
    ``placed`` (Q, D) is where a sentence encoder puts the phrases; the other note's place counts by the same shares.
    ``segments`` are each phrase's pieces for a BERT: each segment of the other note stands in the place of a phrase
    (``turns``) as a word does.
    """

    own: CodedColumn
    names: tuple[str, ...]
    counts: NDArray[np.uint8]
    placed: NDArray[np.float32] | None
    places: NDArray[np.intp]
    shares: NDArray[np.float32]
    segments: list[list[Segment]] | None
    turns: NDArray[np.intp]

    @classmethod
    def of(
        cls,
        own: CodedColumn,
        said: tuple[str, ...],
        counts: NDArray[np.uint8],
        placed: NDArray[np.float32] | None,
        segments: list[list[Segment]] | None = None,
    ) -> NoteParts:
        """Give every word and every segment of other notes, by chance, the place of a phrase."""
        sizes = counts.sum(axis=1, dtype=np.int64) + (0 if placed is None else placed.any(axis=1))
        sizes += np.array([bool(each) for each in segments]) if segments else 0
        dealt = np.resize(np.repeat(np.arange(len(said)), sizes), counts.shape[1])
        shares = (sizes / sizes.sum()).astype(np.float32)
        places = np.random.default_rng(0).permutation(dealt)
        turns = np.random.default_rng(1).choice(len(said), ROOM, p=sizes / sizes.sum())
        return cls(own, said, counts, placed, places, shares, segments, turns)

    def mixed(self, present: NDArray[np.bool_], others: CodedColumn, /) -> CodedColumn:
        """Return the notes that have the phrases ``present`` (n, Q), and words of other notes (n,) in place of the rest."""
        there, kept = ~np.isnan(others.codes), present.astype(np.float32)
        found = (kept @ self.counts.astype(np.float32)).astype(np.int64)
        found[there] += np.where(present[there][:, self.places], 0, counts_of(others.take(there)))
        placed = None
        if self.placed is not None:
            placed = kept @ self.placed
            left = 1 - kept @ self.shares
            placed[there] += left[there, None] * placed_of(others.take(there))
            whole = present.all(axis=1)
            placed[whole] = placed_of(self.own)
        rows = None if self.segments is None else self._laid(present, others, there)
        return coded(np.minimum(found, _MOST).astype(np.uint8), there | present.any(axis=1), placed, rows)

    def _laid(self, present: NDArray[np.bool_], others: CodedColumn, there: NDArray[np.bool_]) -> NDArray[np.int32]:
        """Return the rows of pieces (n, ROOM): the segments of the phrases that are present, and others' in place of the rest."""
        assert self.segments is not None
        rows = np.zeros((len(present), ROOM), np.int32)
        codes, which = np.unique(others.codes[there], return_inverse=True)
        other = [segments_of(row) for row in rows_of(CodedColumn(codes, others.payload))]
        of_row = dict(zip(np.flatnonzero(there).tolist(), which.tolist(), strict=True))
        for row, kept in enumerate(present):
            said = [segment for phrase in np.flatnonzero(kept) for segment in self.segments[phrase]]
            told = other[of_row[row]] if row in of_row else ()
            said += [segment for turn, segment in zip(self.turns, told, strict=False) if not kept[turn]]
            rows[row] = row_of(said)
        return rows


def counts_of(column: CodedColumn) -> NDArray[np.uint8]:
    """Return the counts (n, V) of notes that are all there."""
    contents = column.contents()
    return np.asarray(contents["counts"] if contents.dtype.names else contents)


def placed_of(column: CodedColumn) -> NDArray[np.float32]:
    """Return where a sentence encoder puts notes that are all there, (n, D); D is 0 where none read them."""
    contents = column.contents()
    return np.asarray(contents["placed"]) if contents.dtype.names else np.zeros((len(column), 0), np.float32)


def rows_of(column: CodedColumn) -> NDArray[np.int32]:
    """Return the rows of word pieces (n, ROOM) of notes that are all there.

    Raises:
        ValueError: the notes were read without their order.

    """
    contents = column.contents()
    if "pieces" not in (contents.dtype.names or ()):
        raise ValueError("notes whose words' order was not kept")
    return np.asarray(contents["pieces"])


def coded(
    counts: NDArray[np.uint8],
    known: NDArray[np.bool_],
    placed: NDArray[np.float32] | None = None,
    rows: NDArray[np.int32] | None = None,
) -> CodedColumn:
    """Give notes (n, V) their codes, with where they lie (n, D) and their pieces in order (n, ROOM) if these are known."""
    if placed is None and rows is None:
        return CodedColumn(*Payload.of(counts, known))
    lies = np.zeros((len(counts), 0), np.float32) if placed is None else placed
    parts: dict[str, NDArray[Any]] = {"counts": counts, "placed": lies}
    if rows is not None:
        parts["pieces"] = rows
    contents = np.zeros(len(counts), dtype=[(name, part.dtype, part.shape[1:]) for name, part in parts.items()])
    for name, part in parts.items():
        contents[name] = part
    return CodedColumn(*Payload.of(contents, known))
