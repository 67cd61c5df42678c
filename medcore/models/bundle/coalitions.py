"""A bundle's risks of composite rows, for Shapley values, without writing the rows out.

A composite row takes some columns from the patient and the others from a background
row. Every part has its own way to them (:meth:`~medcore.models.contract.task.Part.coalitions`);
here their risks are pooled and recalibrated as the bundle does it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from medcore.features import Codes, Rows
from medcore.models.bundle.bundle import Bundle
from medcore.models.coalitions.tiles import Tiles
from medcore.models.contract.coalitions import BackgroundCoalitions, PatientCoalitions
from medcore.models.contract.giving_way import give_way
from medcore.models.contract.task import Risk, n_threads

MOST_KEPT = 256_000_000
"""Bytes of what was worked out about one background that are kept for the next patient, about."""
GROUP_FLOATS = 16_000_000
"""Background rows are worked on in groups whose shares are about so many numbers."""


@dataclass(frozen=True, slots=True)
class Background:
    """Background rows ``(m, P)`` as every part of a bundle has prepared them, with their risks ``(m, K)``."""

    parts: tuple[tuple[float, BackgroundCoalitions], ...] = field(repr=False)
    risk: Risk = field(repr=False)
    n_columns: int
    group_size: int

    @classmethod
    def of(cls, bundle: Bundle, rows: Rows) -> Background:
        """Prepare background rows for any patient."""
        ways = [(weight, part.coalitions()) for weight, part in bundle.parts]
        widest = max(1, *(way.n_floats for _weight, way in ways))
        size = max(1, min(len(rows), GROUP_FLOATS // widest))
        kept = 4 * widest * len(rows) <= MOST_KEPT
        parts = tuple((weight, way.prepare(rows, size, kept=kept)) for weight, way in ways)
        return cls(parts, bundle.risk(rows), rows.shape[1], size)


@dataclass(frozen=True, slots=True)
class BundleRisk:
    """A bundle as explanations ask it: risks of codes, and of coalitions of one patient, which is faster.

    What was worked out about the last background, or the last ``n_kept``, is kept for the next patient.
    Whoever asks knows codes only; the contents they stand for are those of ``rows``, (n, P), of any patients.
    """

    bundle: Bundle
    n_kept: int = 1
    rows: Rows | None = field(default=None, repr=False)
    _kept: dict[bytes, Background] = field(default_factory=dict, repr=False, compare=False)

    def knowing(self, *rows: Rows | None) -> BundleRisk:
        """Return the same, with what is kept, for codes that stand for contents of these rows."""
        given = [one for one in rows if one is not None and one.payloads]
        return replace(self, rows=given[0].knowing(*given[1:])) if given else self

    def __call__(self, codes: Codes, /) -> Risk:
        """Predict from codes ``(n, P)``: risks ``(n, K)``."""
        return self.bundle.risk(self._read(codes))

    def _read(self, codes: Codes) -> Rows:
        rows = Rows.of(codes)
        return rows if self.rows is None else rows.knowing(self.rows)

    def for_patient(self, row: Codes, background: Codes) -> BundlePatientRisk:
        """Prepare a patient ``(P,)`` against background rows ``(m, P)``."""
        codes = np.ascontiguousarray(background, dtype=np.float64)
        key = codes.tobytes()
        known = self._kept.get(key)
        if known is None:
            known = Background.of(self.bundle, self._read(codes))
            if len(self._kept) >= self.n_kept:
                self._kept.clear()
            self._kept[key] = known
        patient = self._read(row)
        parts = tuple((weight, prepared.against(patient)) for weight, prepared in known.parts)
        return BundlePatientRisk(self.bundle, known, parts)


@dataclass(frozen=True, slots=True)
class BundlePatientRisk:
    """A bundle that knows one patient and the background rows, and needs only be told which columns are whose."""

    bundle: Bundle = field(repr=False)
    background: Background
    parts: tuple[tuple[float, PatientCoalitions], ...] = field(repr=False)

    def grand_and_empty(self) -> tuple[Risk, Risk]:
        """Return the patient's risks ``(K,)`` and those of the background rows ``(m, K)``."""
        all_theirs = np.ones((1, self.background.n_columns), dtype=bool)
        return self.risk(np.zeros(1, np.intp), all_theirs)[0], self.background.risk

    def risk(self, rows: NDArray[np.intp], present: NDArray[np.bool_]) -> Risk:
        """Predict for background rows ``(n,)`` in which the columns ``present`` (n, P) are the patient's: ``(n, K)``."""
        K = len(self.bundle.classes)
        give_way()
        tiles = Tiles.of(rows, present)
        pieces = list(tiles.pieces(self.background.group_size))
        pooled = np.zeros((tiles.n_slots, K))
        asked = [partial(part.risk, piece, group) for piece, group in pieces for _weight, part in self.parts]
        answers, start = _concurrently(asked), 0
        for piece, _group in pieces:
            of_piece = pooled[start : start + piece.n_slots]
            for weight, _part in self.parts:
                of_piece += weight * next(answers)
            start += piece.n_slots
        return self.bundle.settled(pooled[tiles.place])


def _concurrently(questions: Sequence[Callable[[], Risk]]) -> Iterator[Risk]:
    """Answer questions on every core; a single one here, for a thread would take longer to begin."""
    if len(questions) == 1:
        yield questions[0]()
        return

    def answered(context: Context, question: Callable[[], Risk]) -> Risk:
        context.run(give_way)
        return question()

    with ThreadPoolExecutor(n_threads()) as threads:
        yield from threads.map(answered, [copy_context() for _ in questions], questions)


def n_sums(bundle: Bundle) -> int:
    """Return how many multiplications a bundle needs for one composite row, about."""
    return sum(part.coalitions().n_sums for _weight, part in bundle.parts)
