"""The nearest changes under which the model would say otherwise: few, plausible, and several.

A statement about the model, never a treatment plan. Candidate values come from
real training patients whose own risk is on the other side, so that combinations
stay plausible (the idea of NICE, Brughmans et al., 2023): each such patient
lends values, the largest help first, until the threshold is crossed, and then
every change that is not needed is taken back.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.explanation.game import Floats, Risk
from medcore.explanation.neighbours import decoded
from medcore.explanation.reference import Reference

N_DONORS = 12
MAX_CHANGES = 4


@dataclass(frozen=True, slots=True)
class Change:
    """One value that would have to be another; None is a missing value."""

    column: str
    now: str | None
    then: str | None


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """A set of changes, the risk (0–1) the model would give, and how far the changed patient is from real ones."""

    changes: tuple[Change, ...]
    risk: float
    size: float

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        changes = [{"column": c.column, "now": c.now, "then": c.then} for c in self.changes]
        return {"changes": changes, "risk": self.risk, "size": self.size}


def counterfactuals(
    risk: Risk,
    codes: Floats,
    reference: Reference,
    *,
    class_index: int,
    threshold: float,
    locked: Collection[str] = (),
    n: int = 3,
) -> tuple[Counterfactual, ...]:
    """Return up to n different sets of changes that carry a patient (codes (P,)) across the threshold.

    ``locked`` columns keep their value. Changes are within what training patients
    have, at most four columns at once, fewest and smallest first. An empty answer
    means that none was found among plausible changes.
    """
    own = _risks(risk, codes[None], class_index)[0]
    wanted_high = own < threshold
    free = np.array([c not in set(locked) for c in reference.columns])
    found: dict[frozenset[int], tuple[Floats, float, float]] = {}
    for donor in _donors(reference, codes, class_index, threshold, wanted_high):
        changed = _crossing(risk, codes, donor, free, class_index, threshold, wanted_high)
        if changed is None:
            continue
        places = frozenset(np.flatnonzero(_different(changed, codes)).tolist())
        size = float(np.sum(_sizes(reference, codes, changed)))
        if places not in found or size < found[places][2]:
            found[places] = (changed, float(_risks(risk, changed[None], class_index)[0]), size)
    ranked = sorted(found.items(), key=lambda item: (len(item[0]), item[1][2]))
    kept: list[frozenset[int]] = []
    for places, _found in ranked:
        if not any(other <= places for other in kept):
            kept.append(places)
    return tuple(_described(reference, codes, *found[places]) for places in kept[:n])


def _donors(reference: Reference, codes: Floats, class_index: int, threshold: float, wanted_high: bool) -> Floats:
    """Return the training patients nearest to this one whose out-of-fold risk is on the other side."""
    theirs = reference.risk[:, class_index]
    other_side = np.flatnonzero(theirs >= threshold if wanted_high else theirs < threshold)
    distances = reference.distances(codes)[other_side]
    return reference.codes[other_side[np.argsort(distances, kind="stable")[:N_DONORS]]]


def _crossing(
    risk: Risk,
    codes: Floats,
    donor: Floats,
    free: NDArray[np.bool_],
    class_index: int,
    threshold: float,
    wanted_high: bool,
) -> Floats | None:
    """Borrow the donor's values one by one, the most helpful first, until across; None after four without success."""
    sign = 1.0 if wanted_high else -1.0
    usable = free & _different(codes, donor) & ~np.isnan(donor)
    current = codes.copy()
    for _step in range(MAX_CHANGES):
        places = np.flatnonzero(usable & _different(current, donor))
        if not len(places):
            return None
        trials = np.tile(current, (len(places), 1))
        trials[np.arange(len(places)), places] = donor[places]
        risks = _risks(risk, trials, class_index)
        best = int(np.argmax(sign * risks))
        current = trials[best]
        if _across(risks[best], threshold, wanted_high):
            return _needed(risk, codes, current, class_index, threshold, wanted_high)
    return None


def _needed(
    risk: Risk, codes: Floats, changed: Floats, class_index: int, threshold: float, wanted_high: bool
) -> Floats:
    """Take back every change without which the patient is still across."""
    for place in np.flatnonzero(_different(codes, changed)):
        without = changed.copy()
        without[place] = codes[place]
        if _across(_risks(risk, without[None], class_index)[0], threshold, wanted_high):
            changed = without
    return changed


def _across(risk: float, threshold: float, wanted_high: bool) -> bool:
    return bool(risk >= threshold if wanted_high else risk < threshold)


def _risks(risk: Risk, codes: Floats, class_index: int) -> Floats:
    return np.asarray(risk(codes), dtype=np.float64)[:, class_index]


def _different(a: Floats, b: Floats) -> NDArray[np.bool_]:
    return np.asarray((a != b) & ~(np.isnan(a) & np.isnan(b)))


def _sizes(reference: Reference, codes: Floats, changed: Floats) -> Floats:
    """Return how large each change is: standard deviations, or 1 for another category."""
    numeric = np.array([kind == "numeric" for kind in reference.codebook.kinds])
    apart = np.where(numeric, np.abs(np.nan_to_num(codes - changed, nan=1.0)) / reference.spreads, 1.0)
    return np.where(_different(codes, changed), apart, 0.0)


def _described(reference: Reference, codes: Floats, changed: Floats, risk: float, size: float) -> Counterfactual:
    now, then = decoded(reference, codes), decoded(reference, changed)
    changes = tuple(Change(reference.columns[i], now[i], then[i]) for i in np.flatnonzero(_different(codes, changed)))
    return Counterfactual(changes, risk, size)
