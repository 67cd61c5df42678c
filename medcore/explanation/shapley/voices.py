"""Shapley values of wide games whose model is made of others, each of which is asked about coalitions of its own.

The Shapley values of a mean are the mean of the models', so that with fifteen networks one round of coalitions
(:mod:`~medcore.explanation.shapley.pairs`) is fifteen, at the price of one. A network alone is explained by more chance
than their mean; nearly all of it is how steep its risk is at a coalition. A logistic function of a sum near every
background row knows that: its weights are the slopes of the same network at the rows of the other half, so that it
knows nothing of the coalitions that it serves, and it goes through what the network says of the patient and of the
background row. What it says of these coalitions less what it says of all others is taken off, a control variate.

Where risks are recalibrated after the mean, the mean of what is explained of the models is not quite what is explained
of all. The rest is a game of its own, small and smooth: it is asked about a few background rows, all models together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.explanation.shapley.game import AskedApart, Floats, Game
from medcore.explanation.shapley.leading import EDGE, steepness
from medcore.explanation.shapley.pairs import (
    AT_ONCE,
    CHANCE,
    MOST_LACKING,
    cost,
    largest_changes,
    next_rows,
    spread_of,
    worth_of,
)
from medcore.explanation.shapley.sampling import MANY_ROWS
from medcore.explanation.shapley.surrogate import logistic
from medcore.statistics.logistic import logit
from medcore.statistics.threads import one_blas_thread

Ints = NDArray[np.intp]

COUNTED, CHANCES, STEPS = 3, 8, 5
"""Columns that are counted out, and nodes of the integrals over q and over the sum of the others: more change nothing."""
RESTS, DRAWN = 20, 64
"""Pairs of coalitions about which all models are asked together where their mean is recalibrated, and pairs of which the
functions alone say how steep the recalibration is."""
STEP = 1e-4
"""By which a risk is moved to see how steep the recalibration is, of what it lacks to 0 or 1."""


def rounds(game: Game, *, seed: int, max_evaluations: int) -> Iterator[tuple[Floats, Floats]]:
    """Yield, after every round, the values so far (P,) and their standard errors (P,).

    In the first round every model is asked about one coalition of each background row, with its opposite; then about
    some rows more often. Rounds end as those of :func:`~medcore.explanation.shapley.pairs.rounds` do.
    """
    asking = _Asking.of(game, np.random.default_rng([seed, 4]))
    everybody = np.arange(len(asking.able))
    first = asking.told(everybody)
    found = _Found.of(asking, first)
    n_most = max(len(everybody), max_evaluations // cost(1, 1))
    rest = Rest.of(asking, found)
    while True:
        values, errors, lacking = found.adding_up(asking, rest)
        if lacking > MOST_LACKING * float(np.abs(values).sum()):
            return
        yield values, errors
        n_next = min(AT_ONCE, len(everybody), n_most - int(found.n.sum()))
        if n_next <= 0:
            return
        rows = next_rows(found.worth, found.n, n_next)
        found.add(rows, asking.told(rows))


@dataclass(slots=True)
class _Asking:
    """Asks the models about the background rows ``able``; ``n`` (m,) is how often each was asked about."""

    game: Game
    voices: Floats
    generator: np.random.Generator
    able: Ints
    halves: NDArray[np.bool_]
    shift: Floats
    turns: Ints
    n: Ints
    largest: Ints | None = None

    @classmethod
    def of(cls, game: Game, generator: np.random.Generator) -> _Asking:
        assert game.of_models is not None
        able, voices = np.flatnonzero(game.differs.any(axis=1)), game.of_models.voices
        m = len(able)
        halves = generator.permutation(m) % 2 == 0
        shift = (generator.permutation(m) + generator.random(m)) / max(1, m)
        turns = generator.permutation(np.resize(np.arange(len(voices)), m))
        return cls(game, voices, generator, able, halves, shift, turns, np.zeros(m, np.intp))

    def told(self, rows: Ints) -> ToldApart:
        """Ask each model about one coalition of its own, and its opposite, of each of ``rows`` (k,), of which one may be there several times.

        The q of the coalitions of a row are spread evenly over the models, and those of a model over the rows.
        """
        n_voices, before = len(self.voices), np.array([(rows[:at] == row).sum() for at, row in enumerate(rows)])
        spread = np.array([spread_of(int(n)) for n in self.n[rows] + before])
        turns = np.arange(n_voices)[:, None] + self.turns[rows]
        q = (self.shift[rows] / 2 + (spread + turns / 2) / n_voices) % 0.5
        np.add.at(self.n, rows, 1)
        differs = self.game.differs[self.able[rows]]
        present = (self.generator.random((n_voices, *differs.shape), np.float32) < q[..., None]) & differs
        return self.asked(rows, present)

    @property
    def is_mean(self) -> bool:
        """Whether what is explained is the mean of the models."""
        assert self.game.of_models is not None
        return self.game.of_models.is_mean

    def pooled(self, each: Floats) -> Floats:
        """Return the mean of what is known of each model (V, …)."""
        return np.asarray(np.tensordot(self.voices, each, 1))

    def settled(self, mean: Floats) -> Floats:
        """Return what is explained of mean risks."""
        model = self.game.of_models
        assert model is not None
        return mean if model.is_mean else model.settled(mean, self.game.class_index)

    def slope(self, mean: Floats) -> Floats:
        """Return how much of what is explained a step of mean risks is."""
        step = STEP * mean * (1.0 - mean) + STEP**2
        return np.asarray((self.settled(mean + step) - self.settled(mean - step)) / (2 * step))

    def asked(self, rows: Ints, present: NDArray[np.bool_]) -> ToldApart:
        """Ask about coalitions ``present`` (V, k, P)."""
        differs = self.game.differs[self.able[rows]]
        asked = self.game.apart(self.able[rows], present, self.halves[rows])
        changes = asked.changes
        changes *= differs
        if self.largest is None:
            outputs = self.pooled(asked.outputs)
            pooled = self.pooled(changes)
            self.largest = largest_changes(self.game, self.able[rows], outputs, pooled)
        flipped = asked.flipped(self.largest) if len(self.largest) else None
        if flipped is not None:
            own = _between(asked.outputs, flipped, present[:, :, self.largest])
            changes[:, :, self.largest] = own * differs[:, self.largest]
        return ToldApart(present, asked, changes, flipped)


@dataclass(frozen=True, slots=True)
class ToldApart:
    """What each model told of coalitions of its own ``present`` (V, k, P) and their opposites: ``changes`` (V, k, P)."""

    present: NDArray[np.bool_] = field(repr=False)
    asked: AskedApart = field(repr=False)
    changes: NDArray[Any] = field(repr=False)
    flipped: Floats | None = field(repr=False)
    """The risks with each of the largest columns flipped, (V, 2, k, J), where there are any."""


def _between(here: Floats, flipped: Floats, present: NDArray[np.bool_]) -> Floats:
    """Return what having columns ``present`` (…, k, J) changes, the mean of a pair, by what is told here (…, 2, k) and with them flipped (…, 2, k, J)."""
    apart = here[..., None] - flipped
    return np.where(present, 0.5, -0.5) * (apart[..., 0, :, :] - apart[..., 1, :, :])


@dataclass(frozen=True, slots=True)
class Leads:
    """Near every background row a logistic function of a sum for each model: ``start`` (V, m), ``weights`` (V, m, P).

    ``directions`` (V, m, P) are what its steepness tells of the columns' changes, ``means`` its derivatives over all coalitions.
    """

    start: Floats = field(repr=False)
    weights: Floats = field(repr=False)
    directions: Floats = field(repr=False)
    means: Derivatives = field(repr=False)

    @classmethod
    def of(cls, asked: AskedApart) -> Leads:
        """Go through what each model says of the patient and of the background rows, in the direction of its slopes elsewhere."""
        ends, directions = logit(np.clip(asked.ends, EDGE, 1.0 - EDGE), edge=EDGE), asked.directions
        start, way = ends[:, 1:], ends[:, :1] - ends[:, 1:]
        told, sizes = directions.sum(axis=2, dtype=np.float64), np.abs(directions)
        squares = (told**2).sum(axis=1)
        scale = np.where(squares > 0, (told * way).sum(axis=1) / np.maximum(squares, 1e-300), 1.0)[:, None]
        whole = sizes.sum(axis=2, dtype=np.float64)
        lacking = np.where(whole > 0, (way - scale * told) / np.maximum(whole, 1e-300), 0.0)
        weights = scale[..., None] * directions + lacking[..., None] * sizes
        return cls(start, weights, directions, Derivatives.of(start, weights))

    def risks_at(self, present: NDArray[np.bool_], rows: Ints) -> Floats:
        """Return the risks of the functions of ``rows`` (k,) at coalitions (V, k, P) and their opposites, (2, V, k)."""
        weights = self.weights[:, rows]
        own = np.where(present, weights, 0.0).sum(axis=2)
        return logistic(np.stack([own, weights.sum(axis=2) - own]) + self.start[:, rows])

    def settling(self, asking: _Asking) -> Floats:
        """Return how much of what is explained a step of each function's risk is in the mean over coalitions, (V, m).

        The coalitions are the same for all rows, with the columns in another order for each.
        """
        found, n_columns = np.ones(self.start.shape), self.weights.shape[2]
        if asking.is_mean:
            return found
        chances = (np.arange(DRAWN) + 0.5) / (2 * DRAWN)
        drawn = (asking.generator.random((n_columns, DRAWN)) < chances).astype(np.float64)
        for row in range(self.start.shape[1]):
            weights = self.weights[:, row][:, asking.generator.permutation(n_columns)]
            own = weights @ drawn
            both = logistic(np.stack([own, weights.sum(axis=1)[:, None] - own]) + self.start[:, row, None])
            steep, slopes = steepness(both), asking.slope(np.tensordot(both, asking.voices, (1, 0)))
            found[:, row] = (steep * slopes[:, None]).sum(axis=(0, 2)) / steep.sum(axis=(0, 2))
        return found


@dataclass(frozen=True, slots=True)
class Derivatives:
    """Derivatives of logistic functions (…) in the mean over all coalitions: the first, the third, and how the second goes with q.

    A column is there with chance q, from 0 to 1, and its slope is told at the end where it is. So what slopes tell of a
    change w is too much by w² times ``turned``, the mean of (q − 1/2) times the second derivative, and, of the two ends
    taken alike, by w³ / 12 times the third, ``bent``.
    """

    steep: Floats = field(repr=False)
    turned: Floats = field(repr=False)
    bent: Floats = field(repr=False)

    @classmethod
    def of(cls, start: Floats, weights: Floats) -> Derivatives:
        """Take the means of functions of ``start`` (…) plus ``weights`` (…, P).

        The columns of the largest weights are counted out, the sum of the others is taken to be normal: with hundreds
        of columns that errs by some thousandths for one function, and by less than one in the mean of many.
        """
        steep, turned, bent = (np.zeros(start.shape) for _ in range(3))
        for share, q, middles, spread in _sums(start, weights):
            for step, of_step in zip(*_normal(), strict=True):
                risk = logistic(middles + step * spread)
                slope = share * of_step * steepness(risk)
                steep += slope
                turned += (q - 0.5) * slope * (1.0 - 2.0 * risk)
                bent += slope * (1.0 - 6.0 * steepness(risk))
        return cls(steep, turned, bent)

    def missed(self, weights: Floats) -> Floats:
        """Return by how much slopes tell too much of changes ``weights`` (…, P)."""
        return np.asarray(weights**2 * (self.turned[..., None] + weights * self.bent[..., None] / 12))


@cache
def _normal() -> tuple[Floats, Floats]:
    steps, shares = np.polynomial.hermite_e.hermegauss(STEPS)
    return steps, shares / shares.sum()


def _sums(start: Floats, weights: Floats) -> Iterator[tuple[float, float, Floats, Floats]]:
    """Yield, for nodes q and with the largest columns there or not, the share, q, and the middle and the spread of the sums (…)."""
    n_counted = min(COUNTED, weights.shape[-1])
    largest = np.argpartition(-np.abs(weights), n_counted - 1, axis=-1)[..., :n_counted]
    counted = np.take_along_axis(weights, largest, axis=-1)
    total = weights.sum(axis=-1, dtype=np.float64) - counted.sum(axis=-1)
    squares = np.maximum((weights**2).sum(axis=-1, dtype=np.float64) - (counted**2).sum(axis=-1), 0.0)
    nodes, of_nodes = np.polynomial.legendre.leggauss(CHANCES)
    there = np.array(list(product((0.0, 1.0), repeat=counted.shape[-1])))
    sums = np.moveaxis(counted @ there.T, -1, 0)
    for q, of_node in zip((nodes + 1) / 2, of_nodes / 2, strict=True):
        spread = np.sqrt(q * (1 - q) * squares)
        for mask, added in zip(there, sums, strict=True):
            yield of_node * float(np.prod(np.where(mask, q, 1 - q))), q, start + q * total + added, spread


@dataclass(slots=True)
class _Found:
    """What is known of each column against each background row (m, P): what functions say, and sums of what models say otherwise.

    ``shares`` (V, m) is how much a step of each model's risk tells of the whole. ``squares`` (m, P) are of what each
    says otherwise, times its share, ``crossed`` with the sum of all columns', whose own squares are ``whole`` (m,).
    """

    leads: Leads
    shares: Floats
    said: Floats
    total: Floats
    squares: Floats
    crossed: Floats
    whole: Floats
    n: Ints
    worth: Floats

    @classmethod
    def of(cls, asking: _Asking, first: ToldApart) -> _Found:
        """Begin with one coalition of each model and row."""
        leads = Leads.of(first.asked)
        with one_blas_thread():  # products of one row: threads would wait for each other longer than they work
            shares = asking.voices[:, None] * leads.settling(asking)
        said = ((shares * leads.means.steep)[..., None] * leads.directions).sum(axis=0)
        by_slopes = shares * first.asked.by_slopes[:, None]
        missed = (by_slopes[..., None] * leads.means.missed(leads.weights)).sum(axis=0)
        assert asking.largest is not None
        missed[:, asking.largest] = 0.0
        zero, alone, m = np.zeros(said.shape), np.zeros(len(said)), len(said)
        worth = worth_of(asking.game.weights[asking.able], asking.pooled(first.changes))
        sums = (zero, zero.copy(), zero.copy(), alone)
        found = cls(leads, shares, said - missed, *sums, np.zeros(m, np.intp), worth)
        found.add(np.arange(m), first)
        return found

    def add(self, rows: Ints, told: ToldApart) -> None:
        """Take in what models told of ``rows`` (k,)."""
        steep = steepness(self.leads.risks_at(told.present, rows)).mean(axis=0)
        other = told.changes - steep[..., None] * self.leads.directions[:, rows]
        other *= self.shares[:, rows, None]
        whole = other.sum(axis=2)
        np.add.at(self.total, rows, other.sum(axis=0))
        np.add.at(self.crossed, rows, (other * whole[..., None]).sum(axis=0))
        np.add.at(self.squares, rows, (other**2).sum(axis=0))
        np.add.at(self.whole, rows, (whole**2).sum(axis=0))
        np.add.at(self.n, rows, 1)

    def adding_up(self, asking: _Asking, rest: Rest) -> tuple[Floats, Floats, float]:
        """Return the values (P,) that add up to the patient's output, their standard errors (P,), and what they lacked beyond chance."""
        game, n, weights = asking.game, self.n[:, None], asking.game.weights[asking.able]
        values = weights @ (self.said + self.total / n) + rest.values
        scale = (weights / self.n) ** 2
        squares, crossed = scale @ self.squares + rest.squares, scale @ self.crossed + rest.crossed
        variance, sizes = float(scale @ self.whole) + rest.whole, np.abs(values)
        shares = crossed / variance if variance > 0 else sizes / max(float(sizes.sum()), 1e-300)
        lacking = game.grand_and_empty[0] - game.base_value - float(values.sum())
        left = np.maximum(squares - 2 * shares * crossed + shares**2 * variance, 0.0)
        judged = int(self.n.sum()) >= MANY_ROWS  # fewer do not say what chance is
        beyond = float(np.sqrt(max(lacking**2 - CHANCE**2 * variance, 0.0))) if judged else 0.0
        return values + shares * lacking, np.sqrt(left + (shares * beyond) ** 2), beyond


@dataclass(frozen=True, slots=True)
class Rest:
    """What recalibration makes otherwise of each column, (P,): ``squares`` (P,) of its errors, ``crossed`` with that of the sum, which is ``whole``."""

    values: Floats = field(repr=False)
    squares: Floats = field(repr=False)
    crossed: Floats = field(repr=False)
    whole: float

    @classmethod
    def of(cls, asking: _Asking, found: _Found) -> Rest:
        """Ask all models about the same coalitions of a few background rows, drawn by what they are worth.

        What the functions say of that is 0 in the mean, and taken off.
        """
        game, generator, m = asking.game, asking.generator, len(asking.able)
        nothing = np.zeros(len(game.row))
        if asking.is_mean or not m:
            return cls(nothing, nothing, nothing, 0.0)
        rows = np.searchsorted(np.cumsum(found.worth), (np.arange(RESTS) + generator.random(RESTS)) / RESTS)
        rows = np.minimum(rows, m - 1)
        q = (generator.permutation(RESTS) + generator.random(RESTS)) / (2 * RESTS)
        differs = game.differs[asking.able[rows]]
        present = (generator.random(differs.shape) < q[:, None]) & differs
        same = np.broadcast_to(present, (len(asking.voices), *present.shape))
        told, leads = asking.asked(rows, same), found.leads
        mean = asking.pooled(told.asked.outputs)
        whole = asking.pooled(told.asked.weighed(asking.slope(mean))) * differs
        if told.flipped is not None:
            flipped, largest = asking.pooled(told.flipped), asking.largest
            own = _between(asking.settled(mean), asking.settled(flipped), present[:, largest])
            whole[:, largest] = own * differs[:, largest]
        apart = whole - (found.shares[:, rows, None] * told.changes).sum(axis=0)
        risks = leads.risks_at(same, rows)
        slopes = asking.slope(np.tensordot(risks, asking.voices, (1, 0)))
        said = (steepness(risks) * (slopes[:, None] * asking.voices[:, None] - found.shares[:, rows])).mean(axis=0)
        apart -= (said[..., None] * leads.directions[:, rows]).sum(axis=0)
        each = apart * (game.weights[asking.able[rows]] / found.worth[rows])[:, None]
        left = (each - each.mean(axis=0)) / np.sqrt(RESTS * (RESTS - 1))
        sums = left.sum(axis=1)
        return cls(each.mean(axis=0), (left**2).sum(axis=0), sums @ left, float(sums @ sums))
