"""Notes in a matrix: words weighted by TF-IDF and reduced to a few columns, by the training rows of one model.

A word counts 1 + log(times) in a note, more the fewer training notes have it
(log((1 + n) / (1 + n with it)) + 1), and each note has length 1. The columns are
the first right singular vectors of the training notes (latent semantic analysis;
Deerwester et al., JASIS 1990;41:391–407). Where a sentence encoder reads the notes
too, further columns are the principal components of where they lie. The columns of
each share one scale, so that the first stay the largest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.preprocessing import normalize
from sklearn.utils.extmath import randomized_svd

from medcore.features.rows import CodedColumn, Rows
from medcore.features.text.encoder import counts_of, placed_of

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Topics:
    """One column of notes: ``weights`` (V,) of its words, ``axes`` (V, D), ``centre`` (D,) and ``scale``."""

    weights: Floats
    axes: Floats
    centre: Floats
    scale: float

    @classmethod
    def fit(cls, counts: NDArray[np.uint8], width: int) -> Topics:
        """Learn from the counts (n, V) of training notes; what they cannot tell apart is 0."""
        n, n_terms = counts.shape
        weights = (np.log((1 + n) / (1 + (counts > 0).sum(axis=0))) + 1).astype(np.float32)
        axes = np.zeros((n_terms, width), dtype=np.float32)
        found = _weighted(counts, weights)
        if rank := min(width, n, n_terms):
            _left, _sizes, right = randomized_svd(found, rank, n_iter=5, random_state=0)
            axes[:, :rank] = right.T
        placed = _unit(found @ axes)
        centre = placed.mean(axis=0) if n else np.zeros(width, dtype=np.float32)
        return cls(weights, axes, centre.astype(np.float32), float(placed.std(axis=0).max(initial=0.0)) or 1.0)

    def transform(self, counts: NDArray[np.uint8]) -> Floats:
        """Write notes (n, V) as columns (n, D)."""
        return (_unit(_weighted(counts, self.weights) @ self.axes) - self.centre) / np.float32(self.scale)


@dataclass(frozen=True, slots=True)
class Meanings:
    """What phrases of one column of notes mean: ``centre`` (D,), ``axes`` (D, M) and ``scale``."""

    centre: Floats
    axes: Floats
    scale: float

    @classmethod
    def fit(cls, placed: Floats, width: int) -> Meanings:
        """Learn from where training notes lie, (n, D); what they cannot tell apart is 0."""
        known = _unit(placed)
        centre = known.mean(axis=0) if len(known) else np.zeros(placed.shape[1], np.float32)
        axes, rank = np.zeros((placed.shape[1], width), dtype=np.float32), min(width, *placed.shape)
        if rank:
            _left, _sizes, right = randomized_svd(known - centre, rank, n_iter=5, random_state=0)
            axes[:, :rank] = right.T
        scale = float(((known - centre) @ axes).std(axis=0).max(initial=0.0)) if len(known) else 0.0
        return cls(centre.astype(np.float32), axes, scale or 1.0)

    def transform(self, placed: Floats) -> Floats:
        """Write where notes lie (n, D) as columns (n, M)."""
        return np.asarray((_unit(placed) - self.centre) @ self.axes / np.float32(self.scale))


@dataclass(frozen=True, slots=True)
class TopicScaler:
    """All columns of notes in a matrix, at ``places``, each with its topics and its meanings."""

    places: NDArray[np.intp]
    topics: tuple[Topics, ...]
    meanings: tuple[Meanings, ...]

    @classmethod
    def fit(cls, rows: Rows, places: NDArray[np.intp], entries: Sequence[tuple[int, ...]]) -> TopicScaler:
        """Learn from the training rows that have a note."""
        columns = [rows.column(int(place)) for place in places]
        there = [column.take(~np.isnan(column.codes)) for column in columns]
        widths = [_widths(entry) for entry in entries]
        topics = (Topics.fit(counts_of(c), words) for c, (words, _meant) in zip(there, widths, strict=True))
        meanings = (Meanings.fit(placed_of(c), meant) for c, (_words, meant) in zip(there, widths, strict=True))
        return cls(places, tuple(topics), tuple(meanings))

    def write(self, rows: Rows, matrix: NDArray[Any], starts: NDArray[np.intp], /) -> None:
        """Write every note's columns; 0, the mean of the training notes, where there is no note."""
        for place, topics, meanings, start in zip(self.places, self.topics, self.meanings, starts, strict=True):
            column = rows.column(int(place))
            there = ~np.isnan(column.codes)
            if not there.any():
                continue
            # Coalitions repeat the notes of a few patients many times.
            codes, own = np.unique(column.codes[there], return_inverse=True)
            notes = CodedColumn(codes, column.payload)
            found = np.hstack([topics.transform(counts_of(notes)), meanings.transform(placed_of(notes))])
            matrix[there, start : start + found.shape[1]] = found[own]

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {
            "topics": [
                {"weights": t.weights.tolist(), "axes": t.axes.tolist(), "centre": t.centre.tolist(), "scale": t.scale}
                for t in self.topics
            ],
            "meanings": [
                {"centre": m.centre.tolist(), "axes": m.axes.tolist(), "scale": m.scale} for m in self.meanings
            ],
        }

    @classmethod
    def from_dict(
        cls, data: Mapping[str, Any], places: NDArray[np.intp], entries: Sequence[tuple[int, ...]]
    ) -> TopicScaler:
        """Read what :meth:`to_dict` wrote, today or before notes were read by a sentence encoder."""
        topics = (
            Topics(
                np.asarray(t["weights"], np.float32),
                np.asarray(t["axes"], np.float32).reshape(len(t["weights"]), _widths(entry)[0]),
                np.asarray(t["centre"], np.float32),
                float(t["scale"]),
            )
            for t, entry in zip(data["topics"], entries, strict=True)
        )
        none = {"centre": [], "axes": [], "scale": 1.0}
        meanings = (
            Meanings(
                np.asarray(m["centre"], np.float32),
                np.asarray(m["axes"], np.float32).reshape(len(m["centre"]), _widths(entry)[1]),
                float(m["scale"]),
            )
            for m, entry in zip(data.get("meanings", [none] * len(entries)), entries, strict=True)
        )
        return cls(places, tuple(topics), tuple(meanings))


def _widths(entries: tuple[int, ...]) -> tuple[int, int]:
    """Return how many columns words and meanings have."""
    words = sum(entry >= 0 for entry in entries)
    return words, len(entries) - words


def _weighted(counts: NDArray[np.uint8], weights: Floats) -> Any:
    """Return the weighted words of notes (n, V), each note of length 1, as a sparse matrix."""
    found = sparse.csr_matrix(counts, dtype=np.float32)
    found.data = (1 + np.log(found.data)).astype(np.float32)
    found.data *= weights[found.indices]
    return _of_length_one(found)


def _unit(placed: Any) -> Floats:
    return np.asarray(_of_length_one(np.array(placed, dtype=np.float32)))


def _of_length_one(rows: Any) -> Any:
    """Give each row length 1; without columns, where no word is common or no encoder reads the notes, there is nothing to do."""
    return normalize(rows, copy=False) if all(rows.shape) else rows
