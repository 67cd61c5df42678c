"""Categories of new patients that training never saw: a table in other codes or words is not judged unawares."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from medcore.data.cohort import Cohort
from medcore.data.preparation.replay import prepare_predictors
from medcore.data.schema.matching import with_levels, with_names
from medcore.errors import UnknownLevelsError
from medcore.features import CodeBook, Codes
from medcore.i18n import N_
from medcore.models.bundle.bundle import Bundle, load_bundle
from medcore.sealing import Folder

MOSTLY = 0.5
"""Share of a column's values that are not known from which the column is unreadable to the model, not merely varied."""
FEWEST_TOLD = 5
"""Rows that a value must have to be named outside the page: cells under 5 are told to nobody."""
MOST_TOLD = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownLevels:
    """One category in which most values of new patients are not among those of training.

    ``unknown`` counts the rows of each such value, most frequent first; ``known``
    are the values of training; ``n`` is the number of rows that hold a value.
    """

    column: str
    known: tuple[str, ...]
    unknown: Mapping[str, int]
    n: int

    @property
    def n_unknown(self) -> int:
        """Rows whose value the model does not know."""
        return sum(self.unknown.values())


def unknown_levels(
    codebook: CodeBook, training: Codes, predictors: pd.DataFrame, codes: Codes
) -> tuple[UnknownLevels, ...]:
    """Find the categories whose values are mostly unknown, by :data:`MOSTLY` more than in training.

    ``training`` (m, P) are codes of training rows: values too rare for a code of
    their own are no surprise. ``predictors`` are prepared rows, and ``codes`` (n, P)
    what the code book makes of them.
    """
    found = []
    for place, name in enumerate(codebook.columns):
        if not codebook.categories[place]:
            continue
        values, unseen = predictors[name], codes[:, place] == -1
        n = int((~np.isnan(codes[:, place])).sum())
        usual = float((training[:, place] == -1).mean()) if len(training) else 0.0
        if unseen.sum() >= FEWEST_TOLD and unseen.sum() > (MOSTLY + usual) * n:
            counts = values[unseen].value_counts()
            found.append(
                UnknownLevels(
                    column=name,
                    known=codebook.categories[place],
                    unknown={str(k): int(v) for k, v in counts.items()},
                    n=n,
                )
            )
    return tuple(found)


def refuse_unknown(found: tuple[UnknownLevels, ...], *, table: str, accepted: Collection[str]) -> None:
    """Stop before patients are judged whose categories the model cannot read.

    Raises:
        UnknownLevelsError: a column that was not ``accepted`` as truly new; the message names the option.

    """
    stopped = [u for u in found if u.column not in accepted]
    if not stopped:
        return
    first = stopped[0]
    told = [value for value, n in first.unknown.items() if n >= FEWEST_TOLD][:MOST_TOLD]
    raise UnknownLevelsError(
        N_(
            "{table}: the model knows hardly any value of {columns}. {column} holds {unknown} in {n} of {total} rows, "
            'where training had {known}. Say which is which, for example --map-level "{column}:{example}={level}"; '
            'if the values are truly new, add --new-levels "{column}".'
        ),
        table=table,
        columns=[u.column for u in stopped],
        column=first.column,
        unknown=told or "–",
        n=first.n_unknown,
        total=first.n,
        known=list(first.known[:MOST_TOLD]) or "–",
        example=told[0] if told else "VALUE",
        level=first.known[0] if first.known else "LEVEL",
    )


def find_unknown(
    folder: Folder, cohort: Cohort, *, names: Mapping[str, str], levels: Mapping[str, Mapping[str, str]]
) -> tuple[UnknownLevels, ...]:
    """Find the unknown categories of a table for the bundle in a folder: what a page asks before it judges."""
    bundle = load_bundle(folder)
    return unknown_in(bundle, read_as(bundle, with_names(cohort, names), levels).frame)


def unknown_in(bundle: Bundle, frame: pd.DataFrame) -> tuple[UnknownLevels, ...]:
    """Find the unknown categories of a table in the model's columns."""
    predictors = prepare_predictors(frame, bundle.schema, bundle.recipe)
    codes = bundle.codebook.transform(predictors).codes
    return unknown_levels(bundle.codebook, bundle.background.codes, predictors, codes)


def read_as(bundle: Bundle, cohort: Cohort, levels: Mapping[str, Mapping[str, str]]) -> Cohort:
    """Return a table in the values the model knows, as ``levels`` (theirs → ours, by column) says."""
    return with_levels(cohort, bundle.schema, levels) if levels else cohort
