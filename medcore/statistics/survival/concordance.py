"""Of two patients, has the one with the higher risk the event first? Harrell's and Uno's C."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medcore.statistics.arrays import Floats
from medcore.statistics.survival.censoring import Censoring
from medcore.statistics.survival.life_table import Ints, checked

Indices = NDArray[np.intp]

NAN = float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class Concordance:
    """The share of pairs in which the patient with the event first has the higher risk, ties counting half.

    ``influence`` (n,) is what each patient adds to its error (the infinitesimal jackknife, by way of
    the weights too); ``pairs`` is how many pairs were compared, weighted or not. NaN where there are none.
    """

    value: float
    influence: Floats
    pairs: float


def harrell_c(duration: Floats, event: Ints, risk: Floats, *, until: float = np.inf) -> Concordance:
    """Return Harrell's C (1982) for events by ``until``: every pair whose order is known counts the same.

    ``duration``, ``event`` and ``risk`` (n,). Who has a competing event never has the event in question, and so
    counts as later (Wolbers 2009, Epidemiology 20:555). It depends on the censoring; :func:`uno_c` does not.
    """
    return _concordance(duration, event, risk, until, None)


def uno_c(duration: Floats, event: Ints, risk: Floats, *, until: float = np.inf) -> Concordance:
    """Return Uno's C (2011, Stat Med 30:1105) for events by ``until``, each pair weighted by the inverse of its censoring.

    ``duration``, ``event`` and ``risk`` (n,). With competing events as Wolbers 2014 (Biostatistics 15:526): who
    has one counts as later than every event, in a pair weighted by both patients' censoring.
    """
    return _concordance(duration, event, risk, until, Censoring.of(duration, event))


def _concordance(duration: Floats, event: Ints, risk: Floats, until: float, censoring: Censoring | None) -> Concordance:
    checked(duration, event)
    n = len(duration)
    case = ((event == 1) & (duration <= until)).astype(np.float64)
    competing = (event > 1).astype(np.float64)
    weight = np.ones(n) if censoring is None else 1 / censoring.before
    place, rank = (np.unique(x, return_inverse=True)[1] for x in (duration, risk))
    # The other one is followed longer. At equal times events come before censoring, and two events are in no order.
    first, second = _sides(2 * place + (event == 0), rank, case * weight**2, np.ones(n))
    # The other one had a competing event, before or at the same time.
    past, rival = _sides(-2 * place + (event > 1), rank, case * weight, competing * weight)
    agreed, compared = (first + second + past + rival).T
    total = compared.sum() / 2
    if not total > 0:
        return Concordance(NAN, np.full(n, NAN), 0.0)
    value = float(agreed.sum() / 2 / total)
    influence = (agreed - value * compared) / total
    if censoring is not None:
        moved = 2 * first + past + rival
        own = censoring.table.place - 1
        influence = influence + censoring.through((moved[:, 0] - value * moved[:, 1]) / total, own)
    return Concordance(value, influence, float(total))


def _sides(order: Indices, rank: Indices, case: Floats, other: Floats) -> tuple[Floats, Floats]:
    """Sum over the pairs of a case and another of a higher ``order``: agreeing (ties half) and all, each of shape (n, 2).

    A pair weighs ``case`` times ``other`` (n,). The first result has each patient's sums as the case, the second as the
    other.
    """
    code = order - order.min()
    as_case = case[:, None] * _above(code, rank, other)
    as_other = other[:, None] * _above(code.max() - code, rank.max() - rank, case)
    return as_case, as_other


def _above(code: Indices, rank: Indices, weight: Floats) -> Floats:
    """Sum, for each patient, the ``weight`` of those with a higher ``code``: of lower ``rank`` (equal half), and of any.

    Returns (n, 2). Two codes differ first in one bit; for each bit, patients with the same bits above it are put
    in order of rank and added up, so that the work is n log n a bit.
    """
    found = np.zeros((len(code), 2))
    by_rank = np.argsort(rank, kind="stable")
    for bit in range(int(code.max()).bit_length()):
        block = code >> (bit + 1)
        order = by_rank[np.argsort(block[by_rank], kind="stable")]
        high = (code[order] >> bit & 1).astype(bool)
        summed = np.concatenate([[0.0], np.cumsum(np.where(high, weight[order], 0.0))])
        new_block = np.flatnonzero(np.diff(block[order], prepend=-1))
        new_run = np.flatnonzero((np.diff(block[order], prepend=-1) != 0) | (np.diff(rank[order], prepend=-1) != 0))
        start, end = _extent(new_block, len(order))
        run_start, run_end = _extent(new_run, len(order))
        below = (summed[run_start] + summed[run_end]) / 2 - summed[start]
        found[order] += np.where(high, 0.0, np.stack([below, summed[end] - summed[start]])).T
    return found


def _extent(starts: Indices, size: int) -> tuple[Indices, Indices]:
    """Return where each place's stretch starts and ends, the stretches beginning at ``starts``."""
    lengths = np.diff(starts, append=size)
    return np.repeat(starts, lengths), np.repeat(starts + lengths, lengths)
