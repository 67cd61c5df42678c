"""A made-up year of a model in use: six numbers, four categories, two sites, two sexes."""

from dataclasses import replace

import numpy as np
import pandas as pd

from medcore.monitoring.watched import Inputs, Predicts, Watched
from medcore.targets import EventTime, Number, Target

COLUMNS = ("a", "b", "c", "d", "e", "f", "p", "q", "r", "s")


def month_of(watched: Watched) -> np.ndarray:
    """Return the month (1–12) of each prediction."""
    return watched.time.astype("datetime64[M]").astype(int) % 12 + 1


def year(seed: int = 0, n: int = 12_000) -> Watched:
    """Return a year in which nothing changes; outcomes come from the risks themselves, after ten days."""
    rng = np.random.default_rng(seed)
    time = np.datetime64("2025-01-01", "s") + np.sort(rng.integers(0, 365, n)).astype("timedelta64[D]")
    numbers = rng.normal(size=(n, 6))
    numbers[:, 3] = rng.exponential(size=n).round()
    codes = np.column_stack([numbers, rng.choice(4, p=[0.6, 0.3, 0.07, 0.03], size=(n, 4)).astype(float)])
    risk = 1 / (1 + np.exp(1.8 - 0.9 * codes[:, 0] - 0.5 * codes[:, 1]))
    codes[rng.random(codes.shape) < 0.05] = np.nan
    ordered = np.array([True] * 6 + [False] * 4)
    inputs = Inputs(
        columns=COLUMNS,
        codes=codes,
        ordered=ordered,
        categories=~ordered,
        unused=np.zeros(codes.shape, dtype=bool),
        unseen=np.zeros(codes.shape, dtype=bool),
        outside=(np.abs(codes) > 3) & ordered,
    )
    places = pd.DataFrame({"site": rng.choice(["North", "South"], n), "sex": rng.choice(["f", "m"], n)})
    return Watched(
        time=time,
        risk=np.column_stack([1 - risk, risk]),
        outcome=(rng.random(n) < risk).astype(float),
        known=time + np.timedelta64(10, "D"),
        inputs=inputs,
        places=places,
        site="site",
        version="v1",
    )


def with_codes(watched: Watched, who: np.ndarray, column: str, change) -> Watched:
    """Return the same with other values of a column for some patients."""
    codes = watched.inputs.codes.copy()
    place = COLUMNS.index(column)
    codes[who, place] = change(codes[who, place])
    return replace(watched, inputs=replace(watched.inputs, codes=codes))


def with_odds(watched: Watched, who: np.ndarray, odds: float) -> Watched:
    """Return the same with other odds of the event for some patients."""
    rng, truth = np.random.default_rng(9), watched.risk[:, 1].copy()
    truth[who] = odds * truth[who] / (1 - truth[who] + odds * truth[who])
    return replace(watched, outcome=np.where(who, rng.random(len(truth)) < truth, watched.outcome).astype(float))


def year_of_classes(seed: int = 0, n: int = 8_000) -> Watched:
    """Return the same with three classes, of which one comes true as its risks say."""
    watched = year(seed, n)
    rng, high = np.random.default_rng(seed), watched.risk[:, 1]
    risk = np.column_stack([1 - high, 0.6 * high, 0.4 * high])
    came = (rng.random(n)[:, None] > risk.cumsum(axis=1)[:, :2]).sum(axis=1).astype(float)
    return replace(watched, risk=risk, outcome=came, predicts=Predicts(Target(3), ("none", "mild", "severe"), none=0))


def year_by_time(seed: int = 0, n: int = 8_000, *, competing: bool = False) -> Watched:
    """Return the same with an event within 90 days: hazards follow the risks, a third of patients leave earlier."""
    watched = year(seed, n)
    rng, risk = np.random.default_rng(seed), watched.risk[:, 1]
    happens = rng.exponential(size=n) * 90 / -np.log1p(-risk)
    leaves = np.where(rng.random(n) < 0.3, rng.uniform(5, 90, n), 200.0)
    other = rng.exponential(400, n) if competing else np.full(n, np.inf)
    if competing:  # the cumulative incidence of the event by 90 days, beside a constant other hazard
        own, rest = -np.log1p(-risk) / 90, 1 / 400
        risk = own / (own + rest) * -np.expm1(-90 * (own + rest))
    ends = np.min([happens, leaves, other], axis=0)
    cause = np.select([happens == ends, other == ends], [1.0, 2.0], 0.0)
    target = EventTime(3 if competing else 2, horizons=(90.0,), main=90.0, unit="days")
    risks = np.column_stack([1 - risk, risk])
    predicts = Predicts(target, ("no event", "death", "transplant")[: target.n_classes])
    return replace(watched, risk=risks, outcome=cause, duration=ends, predicts=predicts, known=None)


def year_of_numbers(seed: int = 0, n: int = 6_000) -> Watched:
    """Return the same with a number that is predicted with an error of 2."""
    watched = year(seed, n)
    predicted = 10 + 4 * np.nan_to_num(watched.inputs.codes[:, 0])
    value = predicted + np.random.default_rng(seed).normal(scale=2, size=n)
    ends = (predicted - 3.29, predicted + 3.29)
    return replace(
        watched, risk=predicted[:, None], outcome=value, interval=ends, predicts=Predicts(Number(), ("stay",))
    )
