"""One column of notes: the words that enough training patients have, and a note as how often it has each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medcore.data.values.notes import NOT, phrases, spans
from medcore.features.kind import Alternatives, Value
from medcore.features.rows import CodedColumn, Codes, Payload

MIN_PATIENTS = 5
"""Words of fewer patients are left out: too few to learn from, and they may name one of them (cells under 5)."""
MAX_TERMS = 2_000
"""The most words that are kept, those of most patients; more add little (docs/decisions/0092)."""
_MOST = 255
"""A word is counted up to here in one note: a byte each."""
_TOLD = 6
"""Words that stand for a note where its text is not at hand."""
_COMPARED = 30
"""The commonest words by which new notes are compared with the training ones."""


@dataclass(frozen=True)
class NoteEncoder:
    """A column of notes; ``terms`` (V,) by falling number of patients, with the ``shares`` (V,) of notes that have each."""

    terms: tuple[str, ...]
    shares: tuple[float, ...]

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
        return cls(tuple(kept), tuple(having[term] / len(notes) for term in kept))

    @cached_property
    def _places(self) -> dict[str, int]:
        return {term: place for place, term in enumerate(self.terms)}

    def encode(self, values: pd.Series[Any], /) -> CodedColumn:
        """Write notes as the keys of their counts; NaN where there is none."""
        known = values.notna().to_numpy()
        counts = np.zeros((len(values), len(self.terms)), dtype=np.uint8)
        places = self._places
        for row in np.flatnonzero(known):
            found = Counter(places.get(term, -1) for term, _start, _end in spans(str(values.iloc[row])))
            found.pop(-1, None)
            counts[row, list(found)] = np.minimum(list(found.values()), _MOST)
        return coded(counts, known)

    def values(self, column: CodedColumn, /) -> tuple[Value, ...]:
        """Return the rarest known words of each note in their place; the text itself is kept nowhere."""
        return tuple(None if np.isnan(code) else self._told(column, row) for row, code in enumerate(column.codes))

    def _told(self, column: CodedColumn, row: int) -> str:
        places = np.flatnonzero(column.take([row]).contents()[0])
        words = [self.terms[p].replace(NOT, "¬") for p in places[::-1][:_TOLD]]
        return " · ".join(words) + (" …" if len(places) > _TOLD else "") if words else "–"

    def known(self, codes: Codes, /) -> NDArray[np.bool_]:
        """Say which rows have a note."""
        return np.asarray(~np.isnan(codes))

    def flags(self, column: CodedColumn, /) -> Mapping[str, NDArray[np.bool_]]:
        """Say which notes have no word that training notes had."""
        strange = np.zeros(len(column), dtype=bool)
        there = ~np.isnan(column.codes)
        strange[there] = ~column.take(there).contents().any(axis=1) if there.any() else False
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
        known = counts.any() and (counts.sum(axis=0) == own.contents()[0]).all()
        return NoteParts.of(said, counts) if known else None

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
        return {"terms": list(self.terms), "shares": list(self.shares)}


@dataclass(frozen=True, slots=True, eq=False)
class NoteParts:
    """One note's phrases as players, with their ``counts`` (Q, V) and the phrase in whose place (V,) each word of another note stands.

    A phrase that is not in a coalition gives way to as large a share of another patient's
    words as it has of the note's: a phrase without a known word is nothing to the model.
    """

    names: tuple[str, ...]
    counts: NDArray[np.uint8]
    places: NDArray[np.intp]

    @classmethod
    def of(cls, said: tuple[str, ...], counts: NDArray[np.uint8]) -> NoteParts:
        """Give every word of other notes, by chance, the place of a phrase."""
        sizes = counts.sum(axis=1, dtype=np.int64)
        dealt = np.repeat(np.arange(len(said)), sizes)
        places = np.resize(dealt, counts.shape[1]) if len(dealt) else np.zeros(counts.shape[1], dtype=np.intp)
        return cls(said, counts, np.random.default_rng(0).permutation(places))

    def mixed(self, present: NDArray[np.bool_], others: CodedColumn, /) -> CodedColumn:
        """Return the notes that have the phrases ``present`` (n, Q), and words of other notes (n,) in place of the rest."""
        there = ~np.isnan(others.codes)
        found = (present.astype(np.float32) @ self.counts.astype(np.float32)).astype(np.int64)
        found[there] += np.where(present[there][:, self.places], 0, counts_of(others.take(there)))
        return coded(np.minimum(found, _MOST).astype(np.uint8), there | present.any(axis=1))


def counts_of(column: CodedColumn) -> NDArray[np.uint8]:
    """Return the counts (n, V) of notes that are all there."""
    return np.asarray(column.contents())


def coded(counts: NDArray[np.uint8], known: NDArray[np.bool_]) -> CodedColumn:
    """Give notes (n, V) their codes."""
    return CodedColumn(*Payload.of(counts, known))
