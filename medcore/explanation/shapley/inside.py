"""What the parts inside one column contribute: Owen values, which add up to the column's Shapley value.

A column is one player, however much it holds. Its parts (the two numbers of a blood
pressure, the phrases of a note) are players of a game inside it: given which other
columns are the patient's, a coalition of parts is worth the output for the composite
row whose content has these parts from the patient and all others from the background
row. The Shapley values of that inner game, averaged over coalitions of the other
columns with Shapley's weights, are the Owen values (Owen, 1977); their sum is the
Shapley value of the column.

They are exact where counting out is affordable. Otherwise orders of the parts are
drawn with coalitions of the other columns, each with its reverse and its complement,
for background rows in turn; the sum along an order is what the whole column does.
What is then missing to the column's own contribution, found with more care, is laid
on the parts by their variances, which is their best estimate given the sum.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import comb

import numpy as np
from numpy.typing import NDArray

from medcore.explanation.shapley.exact import values_of
from medcore.explanation.shapley.game import Floats, on_scale
from medcore.explanation.shapley.results import Contribution, PartContribution, Scale
from medcore.features import CodedColumn, Rows
from medcore.features.kind import Parts

MOST_COMPOSITES = 2**11
"""Composite rows asked about: up to there the answer is exact, beyond they are drawn. A second of an ensemble, about."""
TOGETHER = 2**11
"""Composite rows laid out at a time."""


@dataclass(frozen=True, slots=True)
class _Inside:
    """The game inside the column at ``place`` of a patient (1, P) against background rows (m, P)."""

    risk: Callable[[Rows], Floats] = field(repr=False)
    patient: Rows = field(repr=False)
    background: Rows = field(repr=False)
    parts: Parts = field(repr=False)
    place: int
    class_index: int
    scale: Scale

    @property
    def differs(self) -> NDArray[np.bool_]:
        """Where the patient differs from each background row (m, P)."""
        return self.patient.differs(self.background)

    def outputs(self, rows: NDArray[np.intp], outer: NDArray[np.bool_], inner: NDArray[np.bool_]) -> Floats:
        """Ask about background rows (n,) with the columns ``outer`` (n, P) and the parts ``inner`` (n, Q) of the patient."""
        content = self.parts.mixed(inner, self.background.column(self.place).take(rows))
        codes = np.where(outer, self.patient.codes, self.background.codes[rows])
        composite = (
            self.patient.knowing(self.background)
            .with_codes(codes)
            .with_column(self.place, CodedColumn(content.codes, content.payload))
        )
        return on_scale(np.asarray(self.risk(composite), dtype=np.float64)[:, self.class_index], self.scale)


def explain_inside(
    risk: Callable[[Rows], Floats],
    patient: Rows,
    background: Rows,
    parts: Parts,
    place: int,
    *,
    of: Contribution | None = None,
    class_index: int,
    scale: Scale = "probability",
    max_evaluations: int = MOST_COMPOSITES,
    seed: int = 0,
) -> tuple[PartContribution, ...]:
    """Explain the parts of a patient's (1, P) value at ``place`` against background rows (m, P).

    ``risk`` answers rows (n, P) with risks (n, K). ``of`` is what the whole column
    contributes, where it is known already: the parts then add up to it, and their standard errors know of its own.
    """
    game = _Inside(risk, patient, background, parts, place, class_index, scale)
    differs, q = game.differs, len(parts.names)
    cost = sum(2.0 ** (int(row.sum()) - 1 + q) for row in differs if row[place])
    if not differs[:, place].any():
        values, errors = np.zeros(q), np.zeros(q)
    elif cost <= max_evaluations:
        values, errors = _counted_out(game), np.zeros(q)
    else:
        values, errors = _drawn(game, max_evaluations, np.random.default_rng(seed))
    if of is not None:
        values, errors = _adding_up(values, errors, of.contribution, of.standard_error)
    return tuple(
        PartContribution(name, float(value), float(error))
        for name, value, error in zip(parts.names, values, errors, strict=True)
    )


def _counted_out(game: _Inside) -> Floats:
    """Ask about every coalition of parts with every coalition of the other columns."""
    differs, q = game.differs, len(game.parts.names)
    inner, total = _subsets(q), np.zeros(q)
    for row in np.flatnonzero(differs[:, game.place]):
        others = np.flatnonzero(differs[row] & (np.arange(differs.shape[1]) != game.place))
        subsets = _subsets(len(others))
        present = np.zeros((len(subsets), differs.shape[1]), dtype=bool)
        present[:, others] = subsets
        steps = np.array([1 / ((len(others) + 1) * comb(len(others), size)) for size in range(len(others) + 1)])
        rows = np.full(len(subsets) * len(inner), row)
        outputs = game.outputs(rows, np.repeat(present, len(inner), axis=0), np.tile(inner, (len(subsets), 1)))
        total += steps[subsets.sum(axis=1)] @ values_of(outputs.reshape(len(subsets), len(inner)))
    return np.asarray(total / len(differs))


def _drawn(game: _Inside, max_evaluations: int, generator: np.random.Generator) -> tuple[Floats, Floats]:
    """Draw orders of the parts; return the values (Q,) and their standard errors (Q,).

    The errors are of pairs of orders about as many background rows, whose differences they count: an upper estimate.
    """
    differs, q = game.differs, len(game.parts.names)
    able = generator.permutation(np.flatnonzero(differs[:, game.place]))
    n = max(2, max_evaluations // (2 * (q + 1)))
    rows = np.resize(able, n)
    per = max(1, TOGETHER // (2 * (q + 1)))
    found = np.concatenate([_pairs(game, rows[at : at + per], generator) for at in range(0, n, per)])
    share = len(able) / len(differs)
    return share * found.mean(axis=0), share * found.std(axis=0, ddof=1) / np.sqrt(n)


def _pairs(game: _Inside, rows: NDArray[np.intp], generator: np.random.Generator) -> Floats:
    """Return what each part changes (n, Q) along an order and its reverse, one pair a background row (n,)."""
    n, q, n_columns = len(rows), len(game.parts.names), game.differs.shape[1]
    sizes = generator.integers(0, n_columns, n)  # of the others, all alike, as random orders have them
    keys = generator.random((n, n_columns))
    keys[:, game.place] = np.inf
    outer = np.argsort(np.argsort(keys, axis=1), axis=1) < sizes[:, None]
    orders = generator.permuted(np.tile(np.arange(q), (n, 1)), axis=1)
    position = np.argsort(orders, axis=1)
    position = np.concatenate([position, q - 1 - position])
    outer = np.concatenate([outer, ~outer])
    steps = np.arange(q + 1)
    inner = position[:, None, :] < steps[None, :, None]
    outputs = game.outputs(
        np.repeat(np.tile(rows, 2), q + 1), np.repeat(outer, q + 1, axis=0), inner.reshape(-1, q)
    ).reshape(2 * n, q + 1)
    changed = np.take_along_axis(np.diff(outputs, axis=1), position, axis=1)
    return np.asarray((changed[:n] + changed[n:]) / 2)


def _adding_up(values: Floats, errors: Floats, total: float, total_error: float) -> tuple[Floats, Floats]:
    """Return the values (Q,) that add up to ``total``, and their errors, given how sure each is.

    A part's share of what is missing is its variance among all; where all are sure, its size.
    """
    variances = errors**2
    weights = variances if variances.sum() > 0 else np.abs(values)
    shares = weights / weights.sum() if weights.sum() > 0 else np.full(len(values), 1 / len(values))
    left = variances * (1 - shares) + (shares * total_error) ** 2
    return values + shares * (total - values.sum()), np.sqrt(left)


def _subsets(n: int) -> NDArray[np.bool_]:
    """Write all subsets of n players (2^n, n); bit k of the position is player k's presence."""
    return np.asarray((np.arange(2**n)[:, None] >> np.arange(n)) & 1, dtype=bool)
