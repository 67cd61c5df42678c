"""CUSUMs: evidence, patient by patient, that the odds of the outcome, or a measured number, are no longer as predicted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from medcore.statistics.arrays import Floats
from medcore.statistics.logistic import logit

STEP = 0.02
"""The width of a state of the Markov chain: halving it moves a run length by about 1 %."""
GROUPS = 40
"""Groups of about equally many patients by whose mean risks a distribution of risks is told."""
RESIDUAL_GROUPS = 400
"""The same of residuals, whose extremes decide when a limit is passed."""
Grouped = tuple[Floats, Floats]
_LONGEST, _STEPS, _CLOSE = 60.0, 40, 2e-3


def scores(risk: Floats, odds_ratio: float) -> tuple[Floats, Floats]:
    """Return what a patient adds with the event, and without it: log R − log(1 − p + R p), and −log(1 − p + R p).

    The log-likelihood ratio of odds that are ``odds_ratio`` times those of ``risk`` (n,) against odds as
    predicted (Steiner et al. 2000, Biostatistics 1:441, equation 2.3 with R₀ = 1).
    """
    without: Floats = -np.log1p((odds_ratio - 1) * risk)
    return without + np.log(odds_ratio), without


def shift_scores(residual: Floats, shift: float) -> Floats:
    """Return what a patient adds, δ z − δ²/2: the log-likelihood ratio of a mean of ``shift`` (δ) against one of 0.

    ``residual`` (n,) is z, measured less predicted in standard deviations (Page 1954, Biometrika 41:100, of normal
    residuals; run lengths below are of residuals as they are).
    """
    return shift * residual - shift**2 / 2


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
    return run_up(np.where(outcome == 1, with_event, without), limit)


def run_up(steps: Floats, limit: float) -> tuple[Floats, list[tuple[int, int]]]:
    """Return the sum max(0, C + W) of ``steps`` (n,), and from where to where it ran beyond ``limit``, as :func:`cusum` does."""
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
    return _of_risks(grouped(risk), odds_ratio, limit, log_odds, step)


def _of_risks(risks: Grouped, odds_ratio: float, limit: float, log_odds: float, step: float = STEP) -> float:
    values, share = risks
    event = 1 / (1 + np.exp(-logit(values) - log_odds))
    mass = np.concatenate([event * share, (1 - event) * share])
    return _run_length(np.concatenate(scores(values, odds_ratio)), mass, limit, step)


def shifted_run_length(
    residual: Floats, shift: float, limit: float, *, moved: float = 0.0, step: float = STEP
) -> float:
    """Return after how many patients on average a CUSUM of numbers is above ``limit``.

    Residuals are drawn from ``residual`` (n,) and lie ``moved`` standard deviations higher; :func:`average_run_length`
    says how it is worked out.
    """
    return _of_residuals(grouped(residual, RESIDUAL_GROUPS), shift, limit, moved, step)


def _of_residuals(residuals: Grouped, shift: float, limit: float, moved: float, step: float = STEP) -> float:
    values, share = residuals
    return _run_length(shift_scores(values + moved, shift), share, limit, step)


def _run_length(scored: Floats, mass: Floats, limit: float, step: float) -> float:
    from scipy.linalg import solve_banded

    states = max(int(np.ceil(limit / step)), 10)
    moves = scored * (states / limit)
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
    risks = grouped(risk)
    return _limit(lambda limit, off: _of_risks(risks, odds_ratio, limit, off), patients, rate, error)


def limit_for_shift(residual: Floats, shift: float, *, patients: float, rate: float, error: float = 0.0) -> float:
    """Return the limit of a CUSUM of numbers, as :func:`limit_for` does; ``error`` is that of the residuals' mean."""
    residuals = grouped(residual, RESIDUAL_GROUPS)
    return _limit(lambda limit, off: _of_residuals(residuals, shift, limit, off), patients, rate, error)


def _limit(run_length: Callable[[float, float], float], patients: float, rate: float, error: float) -> float:
    nodes, weights = np.polynomial.hermite_e.hermegauss(5 if error > 0 else 1)
    weights = weights / weights.sum()

    def beyond(limit: float) -> float:
        lengths = [run_length(limit, error * float(x)) for x in nodes]
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


def grouped(values: Floats, groups: int = GROUPS) -> Grouped:
    """Return the mean values of some ``groups``, by order of size, and the share of the patients in each; few values as they are."""
    if len(values) <= groups:
        return values, np.full(len(values), 1 / len(values))
    parts = np.array_split(np.sort(values), groups)
    return np.array([part.mean() for part in parts]), np.array([len(part) for part in parts]) / len(values)
