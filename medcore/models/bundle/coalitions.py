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
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from medcore.features import Codes, Rows
from medcore.models.bundle.bundle import Bundle
from medcore.models.coalitions.tiles import Tiles
from medcore.models.contract.coalitions import (
    Apart,
    BackgroundCoalitions,
    Coalitions,
    ExactCoalitions,
    Explained,
    MeanCoalitions,
    OneColumnCoalitions,
    Pairs,
    PatientCoalitions,
    paired,
)
from medcore.models.contract.giving_way import give_way
from medcore.models.contract.task import Part, Risk, n_threads

Floats = NDArray[np.float64]
T = TypeVar("T")
MOST_ANSWERS = 64
"""Patients whose risks are remembered, from when they were read."""
MOST_KEPT = 256_000_000
"""Bytes of what was worked out about one background that are kept for the next patient, about."""
TO_ASK = 20_000
"""What it takes to ask any part about one composite row, in multiplications, about."""
MOST_OF_ONE = 3
"""Coalitions about which a part of one model is asked at most: the logistic functions that lead it are close to it."""
FEWEST_MODELS = 4
"""With fewer models, asking each about coalitions of its own tells little more."""
GROUP_FLOATS = 16_000_000
"""Background rows are worked on in groups whose shares are about so many numbers."""


@dataclass(frozen=True, slots=True)
class Background:
    """Background rows ``(m, P)`` as every part of a bundle has prepared them, with their risks ``(m, K)``."""

    parts: tuple[tuple[float, BackgroundCoalitions], ...] = field(repr=False)
    risk: Risk = field(repr=False)
    n_columns: int
    group_size: int
    apart: tuple[Risk, ...] = field(repr=False)
    """The risks (m, K) by each part alone, where those of all are their mean."""
    kept: bool
    """Whether what was worked out of the rows is kept: of a wide table it is too much, and worked out anew each time."""

    @classmethod
    def of(cls, bundle: Bundle, rows: Rows, ways: Sequence[tuple[float, Part, Coalitions]]) -> Background:
        """Prepare background rows for any patient."""
        widest = max(1, *(way.n_floats for _weight, _part, way in ways))
        size = max(1, min(len(rows), GROUP_FLOATS // widest))
        kept = 4 * widest * len(rows) <= MOST_KEPT
        parts = tuple((weight, way.prepare(rows, size, kept=kept)) for weight, _part, way in ways)
        if not bundle.is_mean:
            return cls(parts, bundle.risk(rows), rows.shape[1], size, (), kept)
        apart = tuple(replace(bundle, parts=((1.0, part),)).risk(rows) for _weight, part, _way in ways)
        pooled = sum(weight * risk for (weight, _part, _way), risk in zip(ways, apart, strict=True))
        return cls(parts, bundle.settled(np.asarray(pooled)), rows.shape[1], size, apart, kept)


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
    _answers: dict[bytes, Risk] = field(default_factory=dict, repr=False, compare=False)
    _ways: list[tuple[float, Part, Coalitions]] = field(default_factory=list, repr=False, compare=False)

    def knowing(self, *rows: Rows | None) -> BundleRisk:
        """Return the same, with what is kept, for codes that stand for contents of these rows."""
        given = [one for one in rows if one is not None and one.payloads]
        return replace(self, rows=given[0].knowing(*given[1:])) if given else self

    def __call__(self, codes: Codes, /) -> Risk:
        """Predict from codes ``(n, P)``: risks ``(n, K)``."""
        return self.bundle.risk(self._read(codes))

    def remember(self, rows: Rows, risks: Risk) -> None:
        """Keep what the bundle says of a few patients (n, P), risks (n, K): it is asked again when they are explained."""
        new = {row.tobytes(): risk for row, risk in zip(rows.codes[:MOST_ANSWERS], risks, strict=False)}
        if len(self._answers) + len(new) > MOST_ANSWERS:
            self._answers.clear()
        self._answers.update(new)

    def _read(self, codes: Codes) -> Rows:
        rows = Rows.of(codes)
        return rows if self.rows is None else rows.knowing(self.rows)

    def ways(self) -> list[tuple[float, Part, Coalitions]]:
        """Return the parts with their weights and ways to composite rows."""
        if not self._ways:
            self._ways[:] = [(weight, part, part.coalitions()) for weight, part in self.bundle.parts]
        return self._ways

    @property
    def can_pair(self) -> bool:
        """Whether every part can say what having each column changes about a coalition, all columns at once."""
        return all(way.can_pair for _weight, _part, way in self.ways())

    def inside(self, place: int) -> Callable[[Rows], Risk]:
        """Return the risk of rows ``(n, P)`` many of which differ in the column at ``place`` alone."""

        def risk(rows: Rows) -> Risk:
            others = np.nan_to_num(np.delete(rows.codes, place, axis=1), nan=np.inf)
            _, first, group = np.unique(others, axis=0, return_index=True, return_inverse=True)
            pooled = np.zeros((len(rows), len(self.bundle.classes)))
            for weight, part, way in self.ways():
                if isinstance(way, OneColumnCoalitions):
                    pooled += weight * way.one_column(rows, first, group.ravel(), place)
                else:
                    pooled += weight * part.risk(rows)
            return self.bundle.settled(pooled)

        return risk

    def for_patient(self, row: Codes, background: Codes) -> BundlePatientRisk:
        """Prepare a patient ``(P,)`` against background rows ``(m, P)``."""
        codes = np.ascontiguousarray(background, dtype=np.float64)
        key = codes.tobytes()
        known = self._kept.get(key)
        if known is None:
            known = Background.of(self.bundle, self._read(codes), self.ways())
            if len(self._kept) >= self.n_kept:
                self._kept.clear()
            self._kept[key] = known
        patient = self._read(row)
        parts = tuple((weight, prepared.against(patient)) for weight, prepared in known.parts)
        costs = np.array([way.n_sums + TO_ASK for _weight, _part, way in self.ways()], dtype=np.float64)
        answer = self._answers.get(patient.codes[0].tobytes())
        return BundlePatientRisk(self.bundle, known, parts, patient, tuple(costs / costs.sum()), answer)


@dataclass(frozen=True, slots=True)
class BundleMember:
    """A part of a bundle that knows a patient, by itself: its weight, its share of the work, and its Shapley values (m, P, K) where it knows them."""

    weight: float
    share: float
    model: BundlePatientRisk = field(repr=False)
    exact: Risk | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class BundlePatientRisk:
    """A bundle that knows one patient and the background rows, and needs only be told which columns are whose."""

    bundle: Bundle = field(repr=False)
    background: Background
    parts: tuple[tuple[float, PatientCoalitions], ...] = field(repr=False)
    patient: Rows = field(repr=False)
    shares: tuple[float, ...]
    """What each part takes of the work of a composite row."""
    answer: Risk | None = field(default=None, repr=False)
    """The risks (K,) of the patient, where the bundle was asked before."""

    def summands(self) -> tuple[BundleMember, ...]:
        """Return its parts by themselves, where it is their mean and everything about them is kept."""
        known = self.background
        if not known.kept or not known.apart:
            return ()
        found = []
        for (weight, part), share, risk in zip(self.parts, self.shares, known.apart, strict=True):
            alone = replace(self, parts=((1.0, part),), background=replace(known, risk=risk, apart=()), answer=None)
            exact = part.shapley_values() if isinstance(part, ExactCoalitions) else None
            found.append(BundleMember(weight, share, alone, exact))
        return tuple(found)

    def grand_and_empty(self) -> tuple[Risk, Risk]:
        """Return the patient's risks ``(K,)`` and those of the background rows ``(m, K)``."""
        all_theirs, none = np.ones((1, self.background.n_columns), dtype=bool), np.zeros(1, np.intp)
        if self.can_pair and not self.background.kept:
            own = self.bundle.risk(self.patient)[0] if self.answer is None else self.answer
            return own, self.background.risk
        return self.risk(none, all_theirs)[0], self.background.risk

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

    @property
    def can_pair(self) -> bool:
        """Whether every part can say what having each column changes about a coalition, all columns at once."""
        return all(paired(part) for _weight, part in self.parts)

    def pairs(
        self, rows: NDArray[np.intp], present: NDArray[np.bool_], output: Callable[[Risk], Floats]
    ) -> BundlePairs:
        """Ask about coalitions of background rows ``(n,)`` that have the columns ``present`` (n, P), and their opposites.

        ``output`` (n,) is what of the risks ``(n, K)`` is explained.
        """
        give_way()
        able = [(weight, part) for weight, one in self.parts if (part := paired(one)) is not None]
        asked = list(_concurrently([partial(part.pairs, rows, present) for _weight, part in able]))
        parts = tuple((weight, pairs) for (weight, _part), pairs in zip(able, asked, strict=True))
        return BundlePairs(self._explained(output), present, parts)

    def _explained(self, output: Callable[[Risk], Floats]) -> Explained:
        """Return what is explained of the risks of parts."""
        return Explained(lambda risk: output(self.bundle.settled(risk)))

    @property
    def is_mean(self) -> bool:
        """Whether its risks are the mean of its models': not where they are recalibrated."""
        return self.bundle.is_mean

    def settled(self, mean: Floats, class_index: int) -> Floats:
        """Return the risks of one of two classes that the models' ``mean`` (…) is made to."""
        both = np.stack([1.0 - mean, mean] if class_index else [mean, 1.0 - mean], axis=-1)
        return self.bundle.settled(both.reshape(-1, 2))[:, class_index].reshape(mean.shape)

    @property
    def voices(self) -> Floats:
        """How much each of the coalitions of a row tells of the whole, (V,), where models are asked about their own.

        Nothing where that does not pay: no part has several models, or one does not tell them apart; nor where
        the risks of several classes are recalibrated together.
        """
        counts = self._n_asked
        each = [[weight / n] * n for (weight, _part), n in zip(self.parts, counts, strict=False)]
        return np.array([share for part in each for share in part])

    @property
    def _n_asked(self) -> tuple[int, ...]:
        """Say about how many coalitions each part is asked: one a model; one model alone, as many as its weight asks for."""
        able = [part.n_models if isinstance(part, MeanCoalitions) else 0 for _weight, part in self.parts]
        if not all(able) or max(able) < FEWEST_MODELS or (self.bundle.target.many and not self.is_mean):
            return ()
        least = min(weight / n for (weight, _part), n in zip(self.parts, able, strict=True) if n > 1)
        each = zip(self.parts, able, strict=True)
        return tuple(
            n if n > 1 else int(np.clip(np.ceil(2 * weight / least), 1, MOST_OF_ONE)) for (weight, _part), n in each
        )

    def apart(
        self,
        rows: NDArray[np.intp],
        present: NDArray[np.bool_],
        halves: NDArray[np.bool_],
        class_index: int,
    ) -> BundleApart:
        """Ask every model about the risk of a class at coalitions ``present`` (V, n, P) of its own of background rows ``(n,)``, and their opposites."""
        give_way()
        ends = np.cumsum(self._n_asked).tolist()
        each = [present[start:end] for start, end in zip([0, *ends], ends, strict=False)]
        found = []
        for (_weight, part), masks in zip(self.parts, each, strict=True):
            assert isinstance(part, MeanCoalitions)
            found.append(part.apart(rows, masks, halves, class_index))
        return BundleApart(tuple(found))


@dataclass(frozen=True, slots=True)
class BundleApart:
    """Pairs of coalitions (V, n) about which the models of a bundle were asked, each about its own."""

    parts: tuple[Apart, ...] = field(repr=False)

    @property
    def outputs(self) -> Floats:
        """The risks of the coalitions and of their opposites, (V, 2, n)."""
        return np.concatenate([part.outputs for part in self.parts])

    @property
    def by_slopes(self) -> NDArray[np.bool_]:
        """Whose changes are told by slopes, (V,)."""
        return np.concatenate([np.full(len(part.outputs), part.by_slopes) for part in self.parts])

    @property
    def changes(self) -> NDArray[Any]:
        """What having each column changes, the mean of a pair ``(V, n, P)``."""
        return np.concatenate([part.changes for part in self.parts])

    @property
    def directions(self) -> NDArray[Any]:
        """How far each column moves the log odds, ``(V, n, P)``."""
        return np.concatenate([part.directions for part in self.parts])

    @property
    def ends(self) -> Floats:
        """The risks of the patient and of the background rows, (V, 1 + n)."""
        return np.concatenate([part.ends for part in self.parts])

    def weighed(self, worth: Floats) -> NDArray[Any]:
        """Return the changes (V, n, P) where those of coalitions and opposites are ``worth`` (2, n) as much."""
        return np.concatenate([part.weighed(worth) for part in self.parts])

    def flipped(self, columns: NDArray[np.intp]) -> Floats:
        """Return the risks with each of the ``columns`` (J,) taken from the other one: (V, 2, n, J)."""
        return np.concatenate([part.flipped(columns) for part in self.parts])


@dataclass(frozen=True, slots=True)
class BundlePairs:
    """Coalitions and their opposites, about which every part of a bundle was asked."""

    explained: Explained = field(repr=False)
    present: NDArray[np.bool_] = field(repr=False)
    parts: tuple[tuple[float, Pairs], ...] = field(repr=False)

    @property
    def outputs(self) -> Floats:
        """What is explained of the coalitions and of their opposites, (2, n)."""
        return self.explained(self._risk)

    @property
    def by_slopes(self) -> float:
        """The weight of the parts that tell changes by slopes."""
        return float(sum(weight for weight, pairs in self.parts if pairs.by_slopes))

    @property
    def _risk(self) -> Risk:
        """The parts' risks together (2, n, K)."""
        return np.asarray(sum(weight * pairs.risk for weight, pairs in self.parts))

    def changes(self) -> Floats:
        """Return what having each column changes, the mean of a pair ``(n, P)``, to its second order."""
        worth = self.explained.slopes(self._risk)
        return np.asarray(sum(_concurrently([partial(pairs.changes, w * worth) for w, pairs in self.parts])))

    def exactly(self, columns: NDArray[np.intp]) -> Floats:
        """Return what having each of the ``columns`` (J,) changes, the mean of a pair ``(n, J)``."""
        here = self.outputs
        flipped = list(_concurrently([partial(pairs.flipped, columns) for _weight, pairs in self.parts]))
        pooled = sum(weight * each for (weight, _pairs), each in zip(self.parts, flipped, strict=True))
        apart = here[..., None] - self.explained(np.asarray(pooled))
        sign = np.where(self.present[:, columns], 1.0, -1.0)
        return np.asarray(sign * (apart[0] - apart[1]) / 2)


def _concurrently(questions: Sequence[Callable[[], T]]) -> Iterator[T]:
    """Answer questions on every core; a single one here, for a thread would take longer to begin."""
    if len(questions) == 1:
        yield questions[0]()
        return

    def answered(context: Context, question: Callable[[], T]) -> T:
        context.run(give_way)
        return question()

    with ThreadPoolExecutor(n_threads()) as threads:
        yield from threads.map(answered, [copy_context() for _ in questions], questions)


def n_sums(bundle: Bundle) -> int:
    """Return how many multiplications a bundle needs for one composite row, about."""
    return sum(part.coalitions().n_sums for _weight, part in bundle.parts)
