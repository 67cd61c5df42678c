"""Notes in a matrix: words weighted by TF-IDF and reduced to a few columns, by the training rows of one model.

A word counts 1 + log(times) in a note, more the fewer training notes have it
(log((1 + n) / (1 + n with it)) + 1), and each note has length 1. The columns are
the first right singular vectors of the training notes (latent semantic analysis;
Deerwester et al., JASIS 1990;41:391–407). All columns of one note column share one
scale, so that the first stay the largest.
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
from medcore.features.text.encoder import counts_of

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
        if n:
            rank = min(width, n, n_terms)
            _left, _sizes, right = randomized_svd(found, rank, n_iter=5, random_state=0)
            axes[:, :rank] = right.T
        placed = _unit(found @ axes)
        centre = placed.mean(axis=0) if n else np.zeros(width, dtype=np.float32)
        return cls(weights, axes, centre.astype(np.float32), float(placed.std(axis=0).max(initial=0.0)) or 1.0)

    def transform(self, counts: NDArray[np.uint8]) -> Floats:
        """Write notes (n, V) as columns (n, D)."""
        return (_unit(_weighted(counts, self.weights) @ self.axes) - self.centre) / np.float32(self.scale)


@dataclass(frozen=True, slots=True)
class TopicScaler:
    """All columns of notes in a matrix, at ``places``, each with its topics."""

    places: NDArray[np.intp]
    topics: tuple[Topics, ...]

    @classmethod
    def fit(cls, rows: Rows, places: NDArray[np.intp], entries: Sequence[tuple[int, ...]]) -> TopicScaler:
        """Learn from the training rows that have a note."""
        columns = [rows.column(int(place)) for place in places]
        there = [column.take(~np.isnan(column.codes)) for column in columns]
        return cls(places, tuple(Topics.fit(counts_of(c), len(e)) for c, e in zip(there, entries, strict=True)))

    def write(self, rows: Rows, matrix: NDArray[Any], starts: NDArray[np.intp], /) -> None:
        """Write every note's columns; 0, the mean of the training notes, where there is no note."""
        for place, topics, start in zip(self.places, self.topics, starts, strict=True):
            column = rows.column(int(place))
            there = ~np.isnan(column.codes)
            if not there.any() or not topics.axes.shape[1]:
                continue
            # Coalitions repeat the notes of a few patients many times.
            codes, own = np.unique(column.codes[there], return_inverse=True)
            found = topics.transform(counts_of(CodedColumn(codes, column.payload)))
            matrix[there, start : start + found.shape[1]] = found[own]

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {
            "topics": [
                {"weights": t.weights.tolist(), "axes": t.axes.tolist(), "centre": t.centre.tolist(), "scale": t.scale}
                for t in self.topics
            ]
        }

    @classmethod
    def from_dict(
        cls, data: Mapping[str, Any], places: NDArray[np.intp], entries: Sequence[tuple[int, ...]]
    ) -> TopicScaler:
        """Read what :meth:`to_dict` wrote."""
        topics = (
            Topics(
                np.asarray(t["weights"], np.float32),
                np.asarray(t["axes"], np.float32).reshape(len(t["weights"]), len(entry)),
                np.asarray(t["centre"], np.float32),
                float(t["scale"]),
            )
            for t, entry in zip(data["topics"], entries, strict=True)
        )
        return cls(places, tuple(topics))


def _weighted(counts: NDArray[np.uint8], weights: Floats) -> Any:
    """Return the weighted words of notes (n, V), each note of length 1, as a sparse matrix."""
    found = sparse.csr_matrix(counts, dtype=np.float32)
    found.data = (1 + np.log(found.data)).astype(np.float32)
    found.data *= weights[found.indices]
    return normalize(found, copy=False)


def _unit(placed: Any) -> Floats:
    return np.asarray(normalize(np.asarray(placed, dtype=np.float32)))
