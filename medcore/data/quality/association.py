"""How well one column alone tells the outcome, judged out of fold and quickly.

Everything is counted on distinct values, so that the cost does not grow with
the number of rows beyond one pass.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from medcore.data.quality.checking.view import Ints, Levels
from medcore.statistics.ranking import auroc_of_counts
from medcore.targets import Target

Floats = npt.NDArray[np.float64]
FEWEST_ROWS_OF_A_CLASS = 10


def _auroc(positive: Floats, negative: Floats) -> float:
    """Return the AUROC from counts at each rising value of a score; 0.5, no separation, without any pair."""
    found = float(auroc_of_counts(positive[None, :], negative[None, :])[0])
    return 0.5 if np.isnan(found) else found


def single_column_auroc(levels: Levels, outcome: Ints, n_classes: int, folds: Ints) -> float:
    """Return how well a column alone separates the classes: 0.5 not at all, 1 wholly.

    A numeric column is ranked by its own values, in either direction, and also
    read through the share of events in its quantile bins, learnt on four fifths
    of the patients and judged on the last; a category likewise. A missing value
    is a value of its own. With more than two classes it is the mean over the
    classes of at least ten rows, each against the rest.
    """
    known = outcome >= 0
    counts = np.bincount(outcome[known], minlength=n_classes)
    wanted = np.flatnonzero(counts >= FEWEST_ROWS_OF_A_CLASS)
    only = Target(n_classes).event
    if only is not None:
        wanted = wanted[wanted == only] if len(wanted) == 2 else wanted[:0]
    if not len(wanted):
        return 0.5
    bins, n_bins = _bins(levels, known, int(counts[wanted].min()))
    scores = []
    for k in wanted:
        event = outcome[known] == k
        best = _out_of_fold(bins, n_bins, event, folds[known])
        if levels.numbers is not None:
            best = max(best, _by_rank(levels.codes[known], levels.n, event))
        scores.append(best)
    return float(np.mean(scores))


def _bins(levels: Levels, known: npt.NDArray[np.bool_], n_events: int) -> tuple[Ints, int]:
    """Give every row a bin; missing values have the last one."""
    codes = levels.codes[known]
    if levels.numbers is None or levels.n <= 2:
        return np.where(codes < 0, levels.n, codes), levels.n + 1
    n_bins = int(np.clip(n_events // 5, 4, 32))
    counts = np.bincount(codes[codes >= 0], minlength=levels.n)
    middle = np.cumsum(counts) - counts / 2
    bin_of = np.append(np.minimum(middle * n_bins // max(counts.sum(), 1), n_bins - 1), n_bins)
    return bin_of[codes].astype(np.int64), n_bins + 1


def _out_of_fold(bins: Ints, n_bins: int, event: npt.NDArray[np.bool_], folds: Ints) -> float:
    """Score each row by the share of events of its bin in the other folds."""
    table = _counts(bins, n_bins, event, folds)
    others = table.sum(axis=0) - table
    overall = others[..., 1].sum(axis=1, keepdims=True) / np.maximum(others.sum(axis=(1, 2))[:, None], 1)
    share = (others[..., 1] + overall) / (others.sum(axis=2) + 1)
    order = np.argsort(share, axis=None, kind="stable")
    _, tied = np.unique(share.ravel()[order], return_inverse=True)
    positive = np.bincount(tied, weights=table[..., 1].ravel()[order])
    negative = np.bincount(tied, weights=table[..., 0].ravel()[order])
    return _auroc(positive.astype(np.float64), negative.astype(np.float64))


def _by_rank(codes: Ints, n: int, event: npt.NDArray[np.bool_]) -> float:
    """Rank the measured values, in the better direction; missing ones are put in the middle."""
    measured = codes >= 0
    cell = codes[measured] * 2 + event[measured]
    table = np.bincount(cell, minlength=2 * n).reshape(n, 2).astype(np.float64)
    found = _auroc(table[:, 1], table[:, 0])
    lost = 1 - (event & measured).sum() / max(event.sum(), 1) * (~event & measured).sum() / max((~event).sum(), 1)
    return float(max(found, 1 - found) * (1 - lost) + 0.5 * lost)


def joint_auroc(columns: Sequence[Levels], outcome: Ints, folds: Ints) -> float:
    """Return how well all columns together separate two classes, by naive Bayes on bins, out of fold.

    Each bin adds the logarithm of its share among events over its share among
    the others, learnt in the other folds with half a patient added to each.
    """
    known = outcome >= 0
    event = outcome[known] == 1
    n_events = int(min(event.sum(), (~event).sum()))
    if n_events < FEWEST_ROWS_OF_A_CLASS:
        return 0.5
    score = np.zeros(int(known.sum()))
    for levels in columns:
        bins, n_bins = _bins(levels, known, n_events)
        table = _counts(bins, n_bins, event, folds[known])
        others = table.sum(axis=0) - table + 0.5
        share = others / others.sum(axis=1, keepdims=True)
        score += np.log(share[..., 1] / share[..., 0])[folds[known], bins]
    _, rank = np.unique(score, return_inverse=True)
    return _auroc(
        np.bincount(rank, weights=event).astype(np.float64), np.bincount(rank, weights=~event).astype(np.float64)
    )


def _counts(bins: Ints, n_bins: int, event: npt.NDArray[np.bool_], folds: Ints) -> Floats:
    """Count rows by fold, bin and event."""
    cell = (folds * n_bins + bins) * 2 + event
    return np.bincount(cell, minlength=5 * n_bins * 2).reshape(5, n_bins, 2).astype(np.float64)
