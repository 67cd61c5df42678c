"""The nearest changes under which the model would say otherwise: few, small, plausible, and several.

A statement about the model, never a treatment plan. Candidate values come from
real training patients whose own risk is on the other side, so that combinations
stay plausible (the idea of NICE, Brughmans et al., 2023): each such patient
lends known values, the largest help first, until the threshold is crossed. Then
every change that is not needed is taken back, and numbers go back towards the
patient's own, over values that training patients had, as far as the threshold
stays crossed.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.explanation.patient.changes.unchangeable import unchangeable
from medcore.explanation.patient.neighbours import decoded
from medcore.explanation.patient.reference import Reference
from medcore.explanation.patient.reliability import FAR
from medcore.explanation.shapley.game import Floats, RiskFunction
from medcore.features import AnyRows, Rows
from medcore.features.rows import different

N_DONORS = (12, 100)
"""How many training patients lend values: first so many, and as many more where these do not help."""
MAX_CHANGES = 4
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Change:
    """One value that would have to be another; None is a missing value."""

    column: str
    now: str | None
    then: str | None


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """A set of changes, the risk (0–1) the model would give, and how large the changes are together.

    ``size`` counts standard deviations of numbers, and 1 for another category.
    """

    changes: tuple[Change, ...]
    risk: float
    size: float

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        changes = [{"column": c.column, "now": c.now, "then": c.then} for c in self.changes]
        return {"changes": changes, "risk": self.risk, "size": self.size}


def counterfactuals(
    risk: RiskFunction,
    patient: AnyRows,
    reference: Reference,
    *,
    class_index: int,
    threshold: float,
    locked: Collection[str] | None = None,
    usual: Floats | None = None,
    n: int = 3,
) -> tuple[Counterfactual, ...]:
    """Return up to n different sets of changes that carry a patient (1, P) across the threshold.

    ``locked`` columns keep their value; those that nobody can change when none are
    given. Changes are to values that training patients have, at most four columns at
    once, and the changed patient is no further from the training patients than 99 % of
    them are from another, or than this patient is; ``usual`` are the reference's
    ``usual_distances()`` if they are at hand. The fewest and smallest changes come
    first; the next ones are in other columns as far as possible. An empty answer means
    that none was found among plausible changes.
    """
    kept = set(unchangeable(reference.columns) if locked is None else locked)
    free = np.array([c not in kept for c in reference.columns], dtype=bool)
    search = Search.of(risk, patient, reference, class_index=class_index, threshold=threshold)
    usual = reference.usual_distances() if usual is None else usual
    limit = max(float(np.quantile(usual, FAR)) if len(usual) else 0.0, reference.remoteness(search.patient))
    found = search.from_donors(free)
    for place in _leading(found, search):
        without = free.copy()
        without[place] = False
        found = np.vstack([found, search.from_donors(without)])
    plausible = [i for i, row in enumerate(found) if reference.remoteness(search.read(row)) <= limit]
    return tuple(_described(search, row) for row in _chosen(search, found[plausible], n))


@dataclass(frozen=True, slots=True)
class Search:
    """One patient's way across the threshold; many changed versions (n, P) are asked about at once."""

    risk: RiskFunction = field(repr=False)
    patient: Rows = field(repr=False)
    reference: Reference = field(repr=False)
    class_index: int
    threshold: float
    upwards: bool

    @classmethod
    def of(
        cls, risk: RiskFunction, patient: AnyRows, reference: Reference, *, class_index: int, threshold: float
    ) -> Search:
        """Begin with a patient as they are: upwards when their risk is below the threshold."""
        patient = Rows.of(patient)
        own = float(np.asarray(risk(patient.codes))[0, class_index])
        return cls(risk, patient, reference, class_index, threshold, own < threshold)

    @property
    def codes(self) -> Floats:
        """The patient's own codes (P,)."""
        return np.asarray(self.patient.codes[0])

    def read(self, codes: Floats) -> Rows:
        """Return changed patients (n, P), or one (P,), with the contents that their codes stand for."""
        return Rows.of(codes).knowing(self.patient, self.reference.patients)

    def from_donors(self, free: Bools) -> Floats:
        """Return changed patients (n, P) across the threshold, as small as the donors' values allow."""
        donors, few = self._donors(), N_DONORS[0]
        crossed = self._borrowed(donors[:few], free)
        if not len(crossed):
            crossed = self._borrowed(donors[few:], free)[:few]
        return self._needed(self._drawn_back(self._needed(crossed)))

    def risks(self, rows: Floats) -> Floats:
        """Return the risks (n,) of changed patients."""
        if not len(rows):
            return np.empty(0)
        return np.asarray(self.risk(rows), dtype=np.float64)[:, self.class_index]

    def across(self, rows: Floats) -> Bools:
        """Say which changed patients are across the threshold."""
        return self._beyond(self.risks(rows))

    def sizes(self, rows: Floats) -> Floats:
        """Return how large each change is (n, P): standard deviations, or 1 for another category or one not known."""
        return self.reference.codebook.distance(self.read(rows), self.patient, self.reference.spreads)

    def _beyond(self, risks: Floats) -> Bools:
        return np.asarray(risks >= self.threshold if self.upwards else risks < self.threshold)

    def _donors(self) -> Floats:
        """Return the training patients nearest to this one whose out-of-fold risk is on the other side."""
        other_side = np.flatnonzero(self._beyond(self.reference.risk[:, self.class_index]))
        distances = self.reference.distances(self.patient)[other_side]
        return self.reference.codes[other_side[np.argsort(distances, kind="stable")[: N_DONORS[1]]]]

    def _borrowed(self, donors: Floats, free: Bools) -> Floats:
        """Borrow each donor's known values, the most helpful first; return those across after four at most."""
        usable = free & self._known(donors) & different(donors, self.codes)
        current, open_ = np.tile(self.codes, (len(donors), 1)), np.ones(len(donors), dtype=bool)
        crossed = [np.empty((0, len(self.codes)))]
        for _step in range(MAX_CHANGES):
            rows, places = np.nonzero(usable & open_[:, None] & different(current, donors))
            if not len(rows):
                break
            trials = current[rows]
            trials[np.arange(len(rows)), places] = donors[rows, places]
            risks = self.risks(trials)
            for row in np.unique(rows):
                mine = np.flatnonzero(rows == row)
                best = mine[np.argmax(risks[mine] if self.upwards else -risks[mine])]
                current[row] = trials[best]
                if self._beyond(risks[[best]])[0]:
                    crossed.append(trials[[best]])
                    open_[row] = False
        return np.unique(np.vstack(crossed), axis=0)

    def _known(self, donors: Floats) -> Bools:
        """Say which values can be told: neither missing nor a category that is rare or was never seen."""
        return self.reference.codebook.known(Rows(donors))

    def _needed(self, changed: Floats) -> Floats:
        """Take back changes without which the patient is still across, the largest first, until each is needed."""
        changed = changed.copy()
        while True:
            rows, places = np.nonzero(different(changed, self.codes))
            trials = changed[rows]
            trials[np.arange(len(rows)), places] = self.codes[places]
            spare = self.across(trials)
            if not spare.any():
                return changed
            sizes = self.sizes(changed)[rows, places]
            for row in np.unique(rows[spare]):
                mine = np.flatnonzero(spare & (rows == row))
                changed[row] = trials[mine[np.argmax(sizes[mine])]]

    def _drawn_back(self, changed: Floats) -> Floats:
        """Let numbers go back towards the patient's own, the largest change first, while the patient stays across."""
        changed, sizes = changed.copy(), self.sizes(changed)
        order = np.argsort(-sizes, axis=1, kind="stable")
        for turn in range(min(MAX_CHANGES, changed.shape[1])):
            self._draw_back(changed, order[:, turn])
        return changed

    def _draw_back(self, changed: Floats, places: NDArray[np.intp]) -> None:
        """Find, in one column of each changed patient, the value nearest to the patient's own by bisection."""
        steps = [self._steps(int(place), float(row[place])) for row, place in zip(changed, places, strict=True)]
        low, high = np.zeros(len(steps), dtype=int), np.array([len(s) - 1 for s in steps])
        while (between := np.flatnonzero(low < high)).size:
            middle = (low + high) // 2
            trials = changed[between]
            trials[np.arange(len(between)), places[between]] = [steps[i][middle[i]] for i in between]
            good = self.across(trials)
            high[between[good]] = middle[between[good]]
            low[between[~good]] = middle[between[~good]] + 1
            changed[between[good]] = trials[good]

    def _steps(self, place: int, borrowed: float) -> Floats:
        """Return the training patients' values between the patient's own and the borrowed one, nearest first."""
        own, encoder = float(self.codes[place]), self.reference.codebook.encoders[place]
        if np.isnan(own) or own == borrowed:
            return np.array([borrowed])
        return encoder.between(self.reference.patients.column(place), own, borrowed)


def _leading(found: Floats, search: Search) -> list[int]:
    """Return the columns that the first answers lean on: those changed in most of them, at most two."""
    if not len(found):
        return []
    counts = different(found, search.codes).sum(axis=0)
    return [int(place) for place in np.argsort(-counts, kind="stable")[:2] if counts[place] > 0]


def _chosen(search: Search, found: Floats, n: int) -> list[Floats]:
    """Choose the fewest and smallest changes, then those that share the fewest columns with what was chosen."""
    sizes = search.sizes(found).sum(axis=1)
    places = [frozenset(np.flatnonzero(row).tolist()) for row in different(found, search.codes)]
    best: dict[frozenset[int], int] = {}
    for i in np.argsort(sizes, kind="stable"):
        best.setdefault(places[i], int(i))
    left = [one for one in best if one and not any(other < one for other in best)]
    chosen: list[frozenset[int]] = []
    while left and len(chosen) < n:
        used = frozenset().union(*chosen)
        chosen.append(min(left, key=lambda one: (len(one & used) / len(one), len(one), sizes[best[one]])))
        left.remove(chosen[-1])
    return [found[best[one]] for one in sorted(chosen, key=lambda one: (len(one), sizes[best[one]]))]


def _described(search: Search, changed: Floats) -> Counterfactual:
    reference = search.reference
    now, then = decoded(reference, search.patient), decoded(reference, search.read(changed))
    places = np.flatnonzero(different(changed, search.codes))
    changes = tuple(Change(reference.columns[i], now[i], then[i]) for i in places)
    return Counterfactual(changes, float(search.risks(changed[None])[0]), float(search.sizes(changed).sum()))
