"""Shapley values for one patient: exact where affordable, sampled to a stated tolerance where not."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from typing import Any

import numpy as np

from medcore.explanation.shapley import exact, members, pairs, regression_adjusted, sampling, voices
from medcore.explanation.shapley.game import Floats, Game, RiskFunction
from medcore.explanation.shapley.results import Contribution, Explanation, Method, Scale
from medcore.explanation.shapley.sampling import moderated, permutations_seen

MAX_EVALUATIONS = 1_000_000
TOLERANCE = 0.01
PAYS = 1.5
"""A surrogate of the game is fitted when what it costs is so many times smaller than what is still to be spent."""
NEGLIGIBLE = 1e-5
"""A sum of standard errors below this, on either scale, never takes another sweep."""


def explain(
    risk: RiskFunction,
    row: Any,
    background: Any,
    *,
    columns: Sequence[str],
    values: Sequence[str | None] | None = None,
    class_index: int = -1,
    scale: Scale = "probability",
    tolerance: float = TOLERANCE,
    max_evaluations: int = MAX_EVALUATIONS,
    seed: int = 0,
) -> Explanation:
    """Explain one row of codes (P,) against background rows (m, P), a contribution a column.

    ``risk`` answers codes (n, P) with risks (n, K). The answer is exact when
    counting out every coalition takes at most ``max_evaluations`` composite rows;
    otherwise antithetic permutations are drawn until the sum of the standard
    errors is at most ``tolerance`` times the sum of the absolute contributions,
    or ``max_evaluations`` is spent. The same seed gives the same numbers.

    >>> import numpy as np
    >>> def risk(codes):
    ...     p = codes @ [0.1, 0.2]
    ...     return np.column_stack([1 - p, p])
    >>> found = explain(risk, [1.0, 2.0], [[0.0, 0.0], [1.0, 0.0]], columns=["a", "b"])
    >>> [round(c.contribution, 6) for c in found.contributions], round(found.base_value, 6), found.method
    ([0.05, 0.4], 0.05, 'exact')
    """
    *_, last = refine(
        risk,
        row,
        background,
        columns=columns,
        values=values,
        class_index=class_index,
        scale=scale,
        tolerance=tolerance,
        max_evaluations=max_evaluations,
        seed=seed,
    )
    return last


def refine(
    risk: RiskFunction,
    row: Any,
    background: Any,
    *,
    columns: Sequence[str],
    values: Sequence[str | None] | None = None,
    class_index: int = -1,
    scale: Scale = "probability",
    tolerance: float = TOLERANCE,
    max_evaluations: int = MAX_EVALUATIONS,
    seed: int = 0,
) -> Iterator[Explanation]:
    """Yield ever better explanations of one row, as :func:`explain` does, the last one being its answer.

    Every one of them adds up to the prediction; the first comes after one sweep.
    """
    start = time.perf_counter()
    game = Game.of(risk, row, background, class_index=class_index, scale=scale)
    texts = list(values) if values is not None else [None] * len(columns)
    if len(columns) != len(game.row) or len(texts) != len(game.row):
        raise ValueError(f"got {len(columns)} columns and {len(texts)} values for a row of {len(game.row)} codes")
    n_background = len(np.asarray(background))
    for contributions, errors, method in _estimates(game, tolerance, max_evaluations, seed):
        yield Explanation(
            prediction=game.grand_and_empty[0],
            base_value=game.base_value,
            scale=scale,
            contributions=tuple(
                Contribution(str(column), text, float(c), float(e))
                for column, text, c, e in zip(columns, texts, contributions, errors, strict=True)
            ),
            additivity_residual=abs(game.grand_and_empty[0] - game.base_value - float(contributions.sum())),
            method=method,
            n_background=n_background,
            n_evaluations=game.counter.n,
            seconds=time.perf_counter() - start,
            tolerance=tolerance,
        )


def _estimates(
    game: Game, tolerance: float, max_evaluations: int, seed: int
) -> Iterator[tuple[Floats, Floats, Method]]:
    if exact.cost(game) <= max_evaluations:
        yield exact.shapley_values(game), np.zeros(len(game.row)), "exact"
        return
    for contributions, errors in _sampled(game, tolerance, max_evaluations, seed):
        yield contributions, errors, "sampled"


def _sampled(game: Game, tolerance: float, max_evaluations: int, seed: int) -> Iterator[tuple[Floats, Floats]]:
    if game.differs.sum(axis=1).max() > regression_adjusted.MOST_PLAYERS and game.can_pair:
        told = yield from _by_pairs(game, tolerance, max_evaluations, seed)
        if told:
            return
    apart, judged = _by_members(game, max_evaluations), False
    sampled = (members if apart else sampling).sweeps(game, seed=seed, max_evaluations=max_evaluations)
    for contributions, spread, known in sampled:
        errors = spread if apart else moderated(game, spread, permutations_seen(game))
        yield contributions, errors
        if known and _enough(contributions, errors, tolerance):
            return
        first, judged = known and not judged, judged or known
        if first and _surrogate_pays(game, contributions, errors, tolerance, max_evaluations):
            fruitless = float(errors.sum()) * float(np.sqrt(game.counter.n))
            adjusting = regression_adjusted.rounds(game, seed=seed, max_evaluations=max_evaluations, wanted=tolerance)
            for contributions, spread in adjusting:
                errors = moderated(game, spread, permutations_seen(game))
                if float(errors.sum()) * float(np.sqrt(regression_adjusted.FEWEST_PAIRS * 2)) > fruitless:
                    break
                yield contributions, errors
                if _enough(contributions, errors, tolerance):
                    return
            else:
                return


def _by_pairs(
    game: Game, tolerance: float, max_evaluations: int, seed: int
) -> Generator[tuple[Floats, Floats], None, bool]:
    """Sample a wide game by coalitions that tell of every column; return whether they could."""
    n_before, told = game.counter.n, False
    asked = (pairs if game.of_models is None else voices).rounds(game, seed=seed, max_evaluations=max_evaluations)
    for contributions, spread in asked:
        errors = moderated(game, spread, game.counter.n - n_before)
        yield contributions, errors
        told = True
        if _enough(contributions, errors, tolerance):
            break
    return told


def _by_members(game: Game, max_evaluations: int) -> bool:
    """Say whether the model is a sum of others that are known exactly, or can be walked through one by one."""
    summands = game.summands
    if not summands or game.counter.n + members.first_cost(game) > max_evaluations:
        return False
    return len(summands) > 1 or summands[0].exact is not None


def _enough(contributions: Floats, errors: Floats, tolerance: float) -> bool:
    return bool(errors.sum() <= max(tolerance * np.abs(contributions).sum(), NEGLIGIBLE))


def _surrogate_pays(game: Game, contributions: Floats, errors: Floats, tolerance: float, max_evaluations: int) -> bool:
    """Say whether permutations would take so long that it pays to fit a surrogate first."""
    if game.scale == "log_odds" or game.differs.sum(axis=1).max() > regression_adjusted.MOST_PLAYERS:
        return False
    cost, spent = regression_adjusted.pilot_cost(game), game.counter.n
    wanted = max(tolerance * float(np.abs(contributions).sum()), NEGLIGIBLE)
    needed = spent * (float(errors.sum()) / wanted) ** 2 - spent
    return bool(min(needed, max_evaluations - spent) > PAYS * (cost + 2 * regression_adjusted.FEWEST_PAIRS))
