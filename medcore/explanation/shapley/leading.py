"""What a pair of coalitions says of all others: a logistic function near every background row, with the pair's slopes.

How much every column changes about a coalition follows mostly from how steep the risk is there. A logistic function of
a sum over the columns knows that, its weights are the changes of one pair beside the steepness, and its Shapley values
are known exactly (:class:`~medcore.explanation.shapley.surrogate.Surrogate`). Of another pair only what it tells
otherwise than the function is left to chance. A function knows nothing of the pair that it leads, so that the mean of
the values stays what it is, but for what slopes miss: the function knows what its own slopes miss, which is made up for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from medcore.explanation.shapley.game import Floats, Game
from medcore.explanation.shapley.surrogate import Surrogate, logistic
from medcore.statistics.logistic import logit

NODES = 12
"""Of the integral for its Shapley values; with 400 columns it errs by 4e-9."""
FLATTEST = 1e-3
"""A coalition is taken to be as steep as this at least: where risks are all but certain, changes tell of no weight."""
Ints = NDArray[np.intp]

EDGE = 1e-6
"""Risks nearer to 0 or 1 are read as this."""
SHARES = (0.0, 0.5, 0.75, 1.0)
"""How much of what a function says may be believed."""


@dataclass(frozen=True, slots=True)
class ToldPairs:
    """A pair of coalitions for each of m background rows.

    The columns ``present`` (m, P) are the patient's in one and not in the other, ``outputs`` (2, m) are the model's,
    ``changes`` (m, P) is what having each column changes, the mean of a pair, and ``slopes`` (m, P) the same as it was
    told before columns were flipped. ``by_slopes`` (P,) is how much of a column's changes was told by slopes, 0 to 1.
    """

    present: NDArray[np.bool_] = field(repr=False)
    outputs: Floats = field(repr=False)
    slopes: Floats = field(repr=False)
    changes: Floats = field(repr=False)
    by_slopes: Floats = field(repr=False)


@dataclass(frozen=True, slots=True)
class Lead:
    """A function near every background row, its Shapley values (m, P), and the ``share`` of it that is believed."""

    surrogate: Surrogate
    values: Floats = field(repr=False)
    differs: NDArray[np.bool_] = field(repr=False)
    share: float = 1.0

    @classmethod
    def of(cls, game: Game, able: Ints, told: Sequence[ToldPairs], share: float = 1.0) -> Lead:
        """Take the weights from some pairs of the background rows ``able``."""
        differs = game.differs[able]
        steep = sum(steepness(pair.outputs).sum(axis=0) for pair in told)
        slopes = np.asarray(sum(pair.slopes for pair in told))
        weights = 2.0 * slopes / np.maximum(np.asarray(steep), 2 * len(told) * FLATTEST)[:, None]
        surrogate = Surrogate(_starts(game, able, told, weights), weights, 0.0, 1.0)
        counts = differs.sum(axis=1).astype(np.int64)
        players = np.argsort(~differs, axis=1, kind="stable").astype(np.int32)
        return cls(surrogate, surrogate.shapley_values(players, counts, n_nodes=NODES), differs, share)

    def leads(self, told: ToldPairs, rows: Ints) -> Floats:
        """Return the changes (k, P) of other pairs of ``rows`` (k,), led as far as is believed."""
        return np.asarray(told.changes + self.share * sum(self.beside(told, rows))) if self.share else told.changes

    def beside(self, told: ToldPairs, rows: Ints) -> tuple[Floats, Floats]:
        """Return what the functions say of all coalitions of ``rows`` (k,) beside what they say of these pairs, and what slopes miss, (k, P).

        Of what the model told by slopes, slopes of the functions at these pairs miss about as much.
        """
        weights, steps, missed = (
            self.surrogate.weights[rows],
            np.zeros(told.present.shape),
            np.zeros(told.present.shape),
        )
        for there in (told.present, ~told.present & self.differs[rows]):
            here = (self.surrogate.start[rows] + np.einsum("mp,mp->m", there, weights))[:, None]
            risk = logistic(here)
            each = np.where(there, -0.5, 0.5) * (logistic(here + np.where(there, -weights, weights)) - risk)
            steps += each
            missed += told.by_slopes * (each - steepness(risk) * weights / 2)
        return self.values[rows] - steps, missed


def _starts(game: Game, able: Ints, told: Sequence[ToldPairs], weights: Floats) -> Floats:
    """Return where the functions begin (m,), by patient, background rows and the pairs, the steeper the more."""
    patient, others = game.grand_and_empty
    summed, whole = [np.zeros(len(able)), weights.sum(axis=1)], weights.sum(axis=1)
    outputs = [others[able], np.full(len(able), patient)]
    for pair in told:
        own = np.einsum("mp,mp->m", pair.present, weights)
        summed += [own, whole - own]
        outputs += list(pair.outputs)
    risks = np.clip(np.stack(outputs), EDGE, 1.0 - EDGE)
    starts, steep = logit(risks, edge=EDGE) - np.stack(summed), risks * (1.0 - risks)
    return np.asarray((steep * starts).sum(axis=0) / steep.sum(axis=0))


def first_leads(game: Game, able: Ints, first: ToldPairs, second: ToldPairs) -> FirstLeads:
    """Lead the first two pairs of each row by each other, as far as serves them best."""
    if game.scale != "probability":  # on the others nothing bends but what the model does itself
        nothing = np.zeros_like(first.changes)
        return FirstLeads((first.changes, second.changes), (nothing, nothing), 0.0)
    everybody = np.arange(len(able))
    of_first, missed_there = Lead.of(game, able, [first]).beside(second, everybody)
    of_second, missed_here = Lead.of(game, able, [second]).beside(first, everybody)
    squares = game.weights[able] ** 2
    apart, wider = first.changes - second.changes, of_second + missed_here - of_first - missed_there
    sums = [float(np.sqrt(squares @ (apart + share * wider) ** 2).sum()) for share in SHARES]
    share = SHARES[int(np.argmin(sums))]
    led = first.changes + share * (of_second + missed_here), second.changes + share * (of_first + missed_there)
    return FirstLeads(led, (share * of_second, share * of_first), share)


@dataclass(frozen=True, slots=True)
class FirstLeads:
    """The ``changes`` (m, P) of two pairs, each led by the other, by what chance alone they were ``moved``, and the ``share`` believed."""

    changes: tuple[Floats, Floats] = field(repr=False)
    moved: tuple[Floats, Floats] = field(repr=False)
    share: float


def steepness(risk: Floats) -> Floats:
    """Return how much a risk moves for a small step on log odds."""
    return np.asarray(risk * (1.0 - risk))
