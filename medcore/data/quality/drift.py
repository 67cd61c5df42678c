"""Checks for differences between sites and between periods."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from medcore.data.quality.checking.catalogue import Hit, check, named
from medcore.data.quality.checking.view import Ints, Levels, View
from medcore.i18n import N_, Message

FEWEST_ROWS = 50
MOST_PARTS = 60
N_BINS = 10
# Share of patients that would have to change their value to make two parts alike.
DIFFERENT = 0.35
DIFFERENT_EVENTS = 0.10


@check(
    "drift.outcome",
    "warning",
    why=N_(
        "Where the outcome is more frequent, the same patient gets another risk; a model must be recalibrated there."
    ),
    remedy=N_("Judge the model at a site or period it has not seen: split by site or by time."),
)
def outcome(view: View) -> Iterator[Hit]:
    """Find a share of events that differs between sites or periods by more than chance."""
    found = view.outcome
    if found is None or found.target.event is None or view.schema.number is not None:
        return
    for label, parts in _partitions(view):
        here = found.known & (parts >= 0)
        total = np.bincount(parts[here], minlength=int(parts.max()) + 1)
        events = np.bincount(parts[here], weights=found.codes[here], minlength=len(total))
        big = total >= FEWEST_ROWS
        if big.sum() < 2:
            continue
        share = events[big] / total[big]
        error = np.sqrt(share.mean() * (1 - share.mean()) / total[big].min())
        if share.max() - share.min() > max(DIFFERENT_EVENTS, 4 * error):
            yield Hit(
                message=Message(
                    N_("The outcome's frequency differs by “{column}”: from {low} % to {high} %."),
                    {
                        "column": label,
                        "low": round(100 * float(share.min()), 1),
                        "high": round(100 * float(share.max()), 1),
                    },
                ),
                columns=(label,),
                n_rows=int(total[big].sum()),
            )


@check(
    "drift.columns",
    "warning",
    why=N_(
        "A column recorded or distributed differently from place to place, or from year to year, misleads a model elsewhere."
    ),
    remedy=N_(
        "Compare how it was measured; leave it out, or judge the model by leaving out a site or the last period."
    ),
)
def columns(view: View) -> Iterator[Hit]:
    """Predictors whose values differ greatly between sites or periods."""
    for label, parts in _partitions(view):
        distances = {
            c.name: _distance(view.levels(c.name), parts)
            for c in view.predictors
            if c.name != label and not c.free_text
        }
        found = [n for n, d in sorted(distances.items(), key=lambda i: -i[1]) if d > DIFFERENT]
        if found:
            yield Hit(
                message=Message(
                    N_("{n} predictor(s) differ greatly by “{column}”: {columns}."),
                    {"n": len(found), "column": label, "columns": named(found)},
                ),
                columns=tuple(found),
            )


@check(
    "drift.missing",
    "warning",
    why=N_("A column that one site or period records and another does not stands for the place, not for the patient."),
    remedy=N_("Leave it out if the model is meant for other places, or judge the model by leaving out a site."),
)
def missing(view: View) -> Iterator[Hit]:
    """Predictors that are nearly always missing at some sites or periods and seldom at others."""
    for label, parts in _partitions(view):
        found = []
        for column in view.predictors:
            if column.name == label:
                continue
            share = _missing_share(view.levels(column.name), parts)
            if len(share) >= 2 and share.max() - share.min() > 0.5:
                found.append(column.name)
        if found:
            yield Hit(
                message=Message(
                    N_("{n} predictor(s) are recorded in some parts and not in others, by “{column}”: {columns}."),
                    {"n": len(found), "column": label, "columns": named(found)},
                ),
                columns=tuple(found),
            )


def _partitions(view: View) -> Iterator[tuple[str, Ints]]:
    """Cut the rows by site, and by year or quarter of the time column."""
    site = view.schema.only("site")
    if site is not None and site.name in view.frame.columns:
        levels = view.levels(site.name)
        if levels.n >= 2:
            yield site.name, _large_parts(levels.codes)
    time = view.schema.only("time")
    if time is not None and time.name in view.frame.columns:
        levels = view.levels(time.name)
        if levels.numbers is not None and levels.n >= 2:
            yield time.name, _periods(levels)


def _large_parts(codes: Ints) -> Ints:
    """Keep the largest parts of at least 50 rows, numbered from 0; the other rows are −1."""
    counts = np.bincount(codes[codes >= 0])
    kept = [int(k) for k in np.argsort(-counts, kind="stable")[:MOST_PARTS] if counts[k] >= FEWEST_ROWS]
    lookup = np.full(len(counts) + 1, -1, dtype=np.int64)
    lookup[kept] = np.arange(len(kept))
    return lookup[codes]


def _periods(levels: Levels) -> Ints:
    """Cut time into at most four periods of about as many rows."""
    counts = levels.counts
    middle = np.cumsum(counts) - counts / 2
    quarter = np.minimum(middle * 4 // counts.sum(), 3).astype(np.int64)
    return np.asarray(_large_parts(np.append(quarter, -1)[levels.codes]))


def _table(levels: Levels, parts: Ints) -> npt.NDArray[np.float64]:
    """Count rows by part and by bin of the column."""
    here = (parts >= 0) & (levels.codes >= 0)
    codes = levels.codes[here]
    n_bins = levels.n
    if levels.numbers is not None and levels.n > N_BINS:
        counts = np.bincount(codes, minlength=levels.n)
        middle = np.cumsum(counts) - counts / 2
        codes = np.minimum(middle * N_BINS // max(counts.sum(), 1), N_BINS - 1).astype(np.int64)[codes]
        n_bins = N_BINS
    n_parts = int(parts.max(initial=-1)) + 1
    return np.bincount(parts[here] * n_bins + codes, minlength=n_parts * n_bins).reshape(n_parts, n_bins).astype(float)


def _distance(levels: Levels, parts: Ints) -> float:
    """Return the largest total variation distance between one part and the others, less what chance gives."""
    if levels.n < 2:
        return 0.0
    table = _table(levels, parts)
    table = table[table.sum(axis=1) >= FEWEST_ROWS]
    if len(table) < 2:
        return 0.0
    n = table.sum(axis=1, keepdims=True)
    share = table / n
    others = (table.sum(axis=0) - table) / np.maximum(n.sum() - n, 1)
    distance = np.abs(share - others).sum(axis=1) / 2
    by_chance = np.sqrt(table.shape[1] / (2 * np.pi * n[:, 0]))
    return float((distance - by_chance).max())


def _missing_share(levels: Levels, parts: Ints) -> npt.NDArray[np.float64]:
    here = parts >= 0
    if not here.any():
        return np.zeros(0)
    total = np.bincount(parts[here])
    lost = np.bincount(parts[here], weights=levels.missing[here], minlength=len(total))
    return np.asarray(lost / total)
