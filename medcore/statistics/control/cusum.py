"""The risk-adjusted CUSUM: evidence, patient by patient, that the odds of the outcome are no longer those predicted."""

from __future__ import annotations

import numpy as np

from medcore.statistics.arrays import Floats
from medcore.statistics.logistic import logit

STEP = 0.02
"""The width of a state of the Markov chain: halving it moves a run length by about 1 %."""
GROUPS = 40
"""Groups of equally many patients by whose mean risks a distribution of risks is told."""
_LONGEST, _STEPS, _CLOSE = 60.0, 40, 2e-3


def scores(risk: Floats, odds_ratio: float) -> tuple[Floats, Floats]:
    """Return what a patient adds with the event, and without it: log R − log(1 − p + R p), and −log(1 − p + R p).

    The log-likelihood ratio of odds that are ``odds_ratio`` times those of ``risk`` (n,) against odds as
    predicted (Steiner et al. 2000, Biostatistics 1:441, equation 2.3 with R₀ = 1).
    """
    without: Floats = -np.log1p((odds_ratio - 1) * risk)
    return without + np.log(odds_ratio), without


def cusum(outcome: Floats, risk: Floats, odds_ratio: float, limit: float) -> tuple[Floats, list[tuple[int, int]]]:
    """Return the sum max(0, C + W) after each patient (n,), and from where to where it ran beyond ``limit``.

    ``outcome`` (n,) of 0 and 1, in order of time. After an alarm it starts again at 0. Each alarm is
    (first, at): the patient from which on the sum stayed above 0, the likeliest beginning, and the one at which
    it came to be above the limit.

    >>> path, alarms = cusum(np.array([0.0, 1, 1, 1]), np.full(4, 0.5), 2.0, 0.8)
    >>> path.round(2).tolist(), alarms
    ([0.0, 0.29, 0.58, 0.86], [(1, 3)])
    """
    with_event, without = scores(risk, odds_ratio)
    steps = np.where(outcome == 1, with_event, without)
    path, alarms, start = np.zeros(len(steps)), [], 0
    while start < len(steps):
        total = np.concatenate([[0.0], np.cumsum(steps[start:])])
        lowest = np.minimum.accumulate(total)
        run = (total - lowest)[1:]
        over = np.flatnonzero(run > limit)
        if not len(over):
            path[start:] = run
            break
        at = int(over[0])
        path[start : start + at + 1] = run[: at + 1]
        alarms.append((start + int(np.argmin(total[: at + 1])), start + at))
        start += at + 1
    return path, alarms


def average_run_length(
    risk: Floats, odds_ratio: float, limit: float, *, log_odds: float = 0.0, step: float = STEP
) -> float:
    """Return after how many patients on average a CUSUM that begins at 0 is above ``limit``.

    Patients are drawn from ``risk`` (n,); their true log odds are ``log_odds`` above those predicted. By the
    Markov chain of Brook & Evans (1972, Biometrika 59:539) with states ``step`` wide, the mass between two of
    them parted in the proportion that keeps the mean: rounding the few discrete steps would bend the drift.
    """
    from scipy.linalg import solve_banded

    states = max(int(np.ceil(limit / step)), 10)
    values = grouped(risk)
    moves = np.concatenate(scores(values, odds_ratio)) * (states / limit)
    event = 1 / (1 + np.exp(-logit(values) - log_odds))
    mass = np.concatenate([event, 1 - event]) / len(values)
    below = np.floor(moves).astype(np.int64)
    down, up = int(max(-below.min(), 0)), int(max(below.max() + 1, 0))
    part = moves - below
    chance = np.bincount(below + down, weights=(1 - part) * mass, minlength=down + up + 1)
    chance += np.bincount(below + 1 + down, weights=part * mass, minlength=down + up + 1)
    band = np.repeat(-chance[::-1, None], states, axis=1)
    band[up] += 1
    band[up:, 0] = -np.cumsum(chance)[down::-1]  # nothing falls below 0
    band[up, 0] += 1
    down, band = min(down, states - 1), band[: up + min(down, states - 1) + 1]
    band, up = band[max(up - states + 1, 0) :], min(up, states - 1)
    return float(solve_banded((down, up), band, np.ones(states))[0])


def limit_for(risk: Floats, odds_ratio: float, *, patients: float, rate: float, error: float = 0.0) -> float:
    """Return the limit at which ``patients`` as predicted give an alarm with probability ``rate``.

    The time to a false alarm is taken to be geometric. ``error`` is the standard error of the log odds at which
    the risks were set: the rate is then on average over what the truth may be, so that risks which were set by few
    patients do not give more false alarms than stated.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(5 if error > 0 else 1)
    weights = weights / weights.sum()
    values = grouped(risk)

    def beyond(limit: float) -> float:
        lengths = [average_run_length(values, odds_ratio, limit, log_odds=error * float(x)) for x in nodes]
        return float(np.log(weights @ -np.expm1(-patients / np.array(lengths))) - np.log(rate))

    low, high = 3.0, 6.0
    above, under = beyond(low), beyond(high)
    for _again in range(_STEPS):
        if abs(under) < _CLOSE or high >= _LONGEST:
            break
        slope = (under - above) / (high - low)
        low, above = high, under
        high = float(np.clip(high - under / slope, 0.2, _LONGEST)) if slope < 0 else min(2 * high, _LONGEST)
        under = beyond(high)
    return high


def grouped(risk: Floats) -> Floats:
    """Return the mean risks of :data:`GROUPS` groups of equally many patients; few risks as they are."""
    if len(risk) <= GROUPS:
        return risk
    return np.array([part.mean() for part in np.array_split(np.sort(risk), GROUPS)])
