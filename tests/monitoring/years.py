"""A made-up year of a model in use: six numbers, four categories, two sites, two sexes."""

from dataclasses import replace

import numpy as np
import pandas as pd

from medcore.monitoring.watched import Inputs, Watched

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
        risk=risk,
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
    rng, truth = np.random.default_rng(9), watched.risk.copy()
    truth[who] = odds * truth[who] / (1 - truth[who] + odds * truth[who])
    return replace(watched, outcome=np.where(who, rng.random(len(truth)) < truth, watched.outcome).astype(float))
