"""The kind of columns of notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medcore.data.preparation.predictors import PredictorReading
from medcore.features.kind import Scaling
from medcore.features.rows import CodedColumn, Codes, Rows
from medcore.features.text.encoder import NoteEncoder, counts_of, placed_of
from medcore.features.text.topics import TopicScaler
from medcore.i18n import N_

MAX_TOPICS = 100
"""The most columns of a matrix for the words of one column of notes: fitted on abstracts, 100 do as well as 150 (docs/decisions/0092)."""
PATIENTS_A_TOPIC = 5
"""Training rows for each column of the matrix, at the least."""
MAX_MEANINGS, PATIENTS_A_MEANING = 50, 10
"""The same for what phrases mean, where a sentence encoder reads the notes too (docs/decisions/0103)."""


@dataclass(frozen=True, slots=True)
class NoteKind:
    """Notes: weighted words and what phrases mean, each reduced in the fold, in a matrix; for trees the share of each common word.

    Entries from 0 are words and their topics, those below 0 what phrases mean.
    """

    name: ClassVar[str] = "note"
    reading: ClassVar[PredictorReading] = PredictorReading("note", ("note",), lambda cells: cells)
    scalar: ClassVar[bool] = False
    ordered: ClassVar[bool] = False
    in_order: ClassVar[bool] = False
    cautions: ClassVar[Mapping[str, str]] = {
        "note_without_known_words": N_("{column} has no word that the training patients’ notes had")
    }

    def fit(self, values: pd.Series[Any], /) -> NoteEncoder:
        """Learn the words of the training notes."""
        return NoteEncoder.fit(values)

    def load(self, data: Mapping[str, Any], /) -> NoteEncoder:
        """Read an encoder back."""
        return NoteEncoder.from_dict(data)

    def spreads(self, rows: Rows, /) -> NDArray[np.float64]:
        """Return 1: notes without a word in common are apart by that."""
        return np.ones(rows.shape[1])

    def distance(self, rows: Rows, one: Rows, spreads: NDArray[np.float64], /) -> NDArray[np.float64]:  # noqa: ARG002
        """Return 1 − the cosine of the notes' logarithmic word counts."""
        apart = np.ones(rows.shape)
        for place in range(rows.shape[1]):
            there = ~np.isnan(rows.codes[:, place])
            if np.isnan(one.codes[0, place]) or not there.any():
                continue
            many, own = (
                np.log1p(counts_of(side).astype(np.float32))
                for side in (rows.column(place).take(there), one.column(place))
            )
            lengths = np.linalg.norm(many, axis=1) * np.linalg.norm(own[0])
            apart[there, place] = 1 - np.divide(
                many @ own[0], lengths, out=np.zeros(len(many), np.float32), where=lengths > 0
            )
        return np.maximum(apart, 0.0)

    def entries(self, column: CodedColumn, /, *, some_missing: bool) -> tuple[int, ...]:  # noqa: ARG002
        """Choose the commonest words, as many as a matrix has columns for the notes."""
        known = column.take(~np.isnan(column.codes))
        if not len(known):
            return ()
        varying = int((counts_of(known) != counts_of(known)[0]).any(axis=0).sum())
        topics = min(MAX_TOPICS, varying, max(1, len(known) // PATIENTS_A_TOPIC))
        meanings = min(MAX_MEANINGS, placed_of(known).shape[1], len(known) // PATIENTS_A_MEANING)
        return (*range(topics), *range(-1, -1 - meanings, -1))

    def entry_names(self, entries: tuple[int, ...], column: str, /) -> list[str]:
        """Name each column of the matrix by its rank."""
        return [f"{column}: {rank + 1}" if rank >= 0 else f"{column}: meaning {-rank}" for rank in entries]

    def numbers(self, column: CodedColumn, entries: tuple[int, ...], /) -> Codes:
        """Return the shares of the commonest words among each note's known words (n, len(entries)), in per cent; 0 for meanings."""
        found = np.full((len(column), len(entries)), np.nan)
        there = ~np.isnan(column.codes)
        if there.any() and entries:
            codes, rows = np.unique(column.codes[there], return_inverse=True)
            counts = counts_of(CodedColumn(codes, column.payload))
            total = np.maximum(counts.sum(axis=1, dtype=np.float64), 1.0)
            words = [rank for rank in entries if rank >= 0]
            shares = np.zeros((len(codes), len(entries)))
            shares[:, : len(words)] = 100 * counts[:, words] / total[:, None]
            found[there] = shares[rows]
        return found

    def scaler(
        self,
        rows: Rows,
        places: NDArray[np.intp],
        entries: Sequence[tuple[int, ...]],
        /,
        *,
        scaling: Scaling,  # noqa: ARG002
    ) -> TopicScaler:
        """Learn weights of words, and reductions of both, from training rows."""
        return TopicScaler.fit(rows, places, entries)

    def load_scaler(
        self, data: Mapping[str, Any], places: NDArray[np.intp], entries: Sequence[tuple[int, ...]], /
    ) -> TopicScaler:
        """Read a scaler back."""
        return TopicScaler.from_dict(data, places, entries)


NOTE = NoteKind()
