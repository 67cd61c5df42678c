"""What the parts inside one column contribute: Owen values, which add up to the column's Shapley value.

A column is one player, however much it holds. Its parts (the two numbers of a blood
pressure, the sentences of a note) are players of a game inside it: given which other
columns are the patient's, a coalition of parts is worth the output for the composite
row whose content has these parts from the patient and all others from the background
row. The Shapley values of that inner game, averaged over coalitions of the other
columns with Shapley's weights, are the Owen values (Owen, 1977); their sum is the
Shapley value of the column.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import comb
from typing import Any

import numpy as np

from medcore.explanation.shapley.exact import values_of
from medcore.explanation.shapley.game import Floats, on_scale
from medcore.explanation.shapley.results import Scale
from medcore.features import AnyRows, CodedColumn, Rows
from medcore.features.kind import Parts

MOST_COMPOSITES = 2**18
"""Composite rows for all background rows together up to which the answer is exact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InsideColumn:
    """What each part of a patient's value of one column contributes, on the scale of the explanation.

    ``exact`` is false where coalitions of the other columns were sampled; ``total``
    is then near the column's own contribution, and otherwise the same.
    """

    column: str
    names: tuple[str, ...]
    contributions: Floats = field(repr=False)
    exact: bool
    n_evaluations: int

    @property
    def total(self) -> float:
        """The sum of the parts: the contribution of the column."""
        return float(self.contributions.sum())

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        parts = [
            {"part": name, "contribution": float(v)} for name, v in zip(self.names, self.contributions, strict=True)
        ]
        return {"column": self.column, "parts": parts, "exact": self.exact, "n_evaluations": self.n_evaluations}


def explain_inside(
    risk: Callable[[AnyRows], Floats],
    patient: Rows,
    background: Rows,
    parts: Parts,
    place: int,
    *,
    column: str,
    class_index: int,
    scale: Scale = "probability",
    seed: int = 0,
) -> InsideColumn:
    """Explain the parts of a patient's (1, P) value at ``place`` against background rows (m, P).

    ``risk`` answers rows (n, P) with risks (n, K).
    """
    known, differs = patient.knowing(background), patient.differs(background)
    q, n_asked = len(parts.names), 0
    inner = _subsets(q)
    players = [np.flatnonzero(row & (np.arange(len(row)) != place)) for row in differs]
    exact = sum(2 ** (len(others) + q) for others, row in zip(players, differs, strict=True) if row[place])
    most = MOST_COMPOSITES // max(1, len(background) * len(inner))
    generator, total = np.random.default_rng(seed), np.zeros(q)
    for row in np.flatnonzero(differs[:, place]):
        outer, weights = (
            _every(len(players[row])) if exact <= MOST_COMPOSITES else _some(len(players[row]), max(2, most), generator)
        )
        content = parts.mixed(inner, background.column(place).take(np.full(len(inner), row)))
        present = np.zeros((len(outer), differs.shape[1]), dtype=bool)
        present[:, players[row]] = outer
        codes = np.repeat(np.where(present, patient.codes, background.codes[row]), len(inner), axis=0)
        rows = known.with_codes(codes).with_column(
            place, CodedColumn(np.tile(content.codes, len(outer)), content.payload)
        )
        outputs = on_scale(np.asarray(risk(rows), dtype=np.float64)[:, class_index], scale)
        total += weights @ values_of(outputs.reshape(len(outer), len(inner)))
        n_asked += len(rows)
    return InsideColumn(
        column=column,
        names=parts.names,
        contributions=total / len(background),
        exact=exact <= MOST_COMPOSITES,
        n_evaluations=n_asked,
    )


def _subsets(n: int) -> np.ndarray:
    """Write all subsets of n players (2^n, n); bit k of the position is player k's presence."""
    return np.asarray((np.arange(2**n)[:, None] >> np.arange(n)) & 1, dtype=bool)


def _every(n: int) -> tuple[np.ndarray, Floats]:
    """Return all coalitions of n other columns with the weight of the column's joining them (Shapley, 1953)."""
    subsets = _subsets(n)
    steps = np.array([1 / ((n + 1) * comb(n, size)) for size in range(n + 1)])
    return subsets, steps[subsets.sum(axis=1)]


def _some(n: int, n_drawn: int, generator: np.random.Generator) -> tuple[np.ndarray, Floats]:
    """Draw coalitions of n other columns as random orders do: a size, all alike, then a subset of that size."""
    sizes = generator.integers(0, n + 1, n_drawn)
    ranks = generator.permuted(np.tile(np.arange(n), (n_drawn, 1)), axis=1)
    return ranks < sizes[:, None], np.full(n_drawn, 1 / n_drawn)
