"""Checks of the outcome: are there enough patients who had it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from medcore.data.findings import Fix
from medcore.data.preparation.follow_up import event_times
from medcore.data.preparation.number import read_number
from medcore.data.quality.checking.catalogue import Hit, check
from medcore.data.quality.checking.view import View
from medcore.data.schema.targets import class_counts, default_positive
from medcore.data.scripts import in_both
from medcore.data.shown import with_code
from medcore.errors import InputError
from medcore.i18n import N_, Message
from medcore.statistics.sample_size.development import (
    SampleSize,
    multinomial_sample_size,
    ordinal_sample_size,
    riley_sample_size,
    survival_sample_size,
)
from medcore.statistics.sample_size.development_of_numbers import NumberSampleSize, sample_size_of_numbers
from medcore.statistics.survival.rates import Rate

LOST = frozenset(in_both(["失访", "失联", "脱落", "退出", "退出研究"])) | frozenset(
    [
        "lost",
        "ltfu",
        "lost to follow-up",
        "lost to follow up",
        "lost to fu",
        "lost to f/u",
        "withdrawn",
        "withdrew",
        "dropout",
        "drop-out",
        "drop out",
        "perdu de vue",
        "lost of follow-up",
        "verloren",
        "perdido",
    ]
)
"""Words that say that a patient's outcome was not seen."""
FEW_EVENTS = 100
TOO_FEW_EVENTS = 20
FEW_ROWS_OF_A_CLASS = 50
TOO_FEW_ROWS_OF_A_CLASS = 10
IMBALANCED = 0.10
MOST_LEVELS_COUNTED = 20
_NEEDED = (
    N_(
        "{n} rows have an outcome; {parameters} candidate parameters at {share} % events need about {required} (Riley), if the model explains 15 % of what can be explained."
    ),
    N_(
        "{n} rows have an outcome; {parameters} candidate parameters of all equations, with a rarest class of {share} %, need about {required} (Pate), if the model explains 15 % of what can be explained."
    ),
    N_(
        "{n} rows have an outcome; {parameters} candidate parameters of one equation for classes in order, with a rarest class of {share} %, need about {required} (Riley), if the model explains 15 % of what can be explained."
    ),
)
"""By whether the outcome has two classes, more, or more in an order."""


@check(
    "outcome.missing",
    "info",
    why=N_("Rows without an outcome cannot teach or test a model; if they differ from the others, results are biased."),
    remedy=N_("They are left out of training. Ask why the outcome is missing."),
)
def missing(view: View) -> Iterator[Hit]:
    """Rows whose outcome is missing."""
    if view.outcome is None:
        return
    n = int((~view.outcome.known).sum())
    if n:
        yield Hit(
            message=Message(
                N_("{n} of {total} rows have no outcome “{outcome}”."),
                {"n": n, "total": view.n, "outcome": view.outcome.name},
            ),
            columns=(view.outcome.name,),
            n_rows=n,
            severity="warning" if n > 0.05 * view.n else "info",
        )


@check(
    "outcome.lost",
    "warning",
    why=N_(
        "Nobody knows what became of these patients: as a class of their own the model learns who is lost, and among the others they count as if nothing had happened."
    ),
    remedy=N_(
        "Leave them out, or predict by when the event comes, with the time until they were last seen: they then count until that day."
    ),
)
def lost(view: View) -> Iterator[Hit]:
    """Patients who were lost to follow-up, as a class of the outcome."""
    column = view.schema.outcome
    if column is None or column.name not in view.frame.columns or view.schema.follow_up or view.schema.number:
        return
    counts = class_counts(view.frame, column)
    words = [name for name in counts if name.casefold() in LOST]
    codes = (*column.missing_codes, *words)
    kept = {name: n for name, n in counts.items() if name not in words}
    if words and len(kept) > 1:
        yield Hit(
            message=Message(
                N_("“{outcome}” of {n} row(s) says {words}: what became of them is not known."),
                {"outcome": column.name, "n": sum(counts[name] for name in words), "words": words},
            ),
            columns=(column.name,),
            n_rows=sum(counts[name] for name in words),
            fix=Fix(
                label=Message(N_("Leave these rows out")),
                action="leave_class_out",
                columns=(column.name,),
                values={
                    "codes": codes,
                    "event": view.schema.positive
                    or (default_positive(kept, column.level_labels)[0] if len(kept) == 2 else None),
                },
                option=f'--missing "{column.name}={",".join(codes)}"',
            ),
        )


PREFER_COX = N_("Collect more patients, use fewer predictors, and prefer Cox regression.")


@check(
    "outcome.few_events",
    "warning",
    why=N_("With few events a model learns chance, and its figures come with very wide intervals."),
    remedy=N_("Collect more patients, use fewer predictors, and prefer logistic regression."),
)
def few_events(view: View) -> Iterator[Hit]:
    """Fewer than 100 patients in the smaller of two classes."""
    outcome = view.outcome
    if outcome is None or outcome.target.event is None or view.schema.number is not None:
        return
    timed = view.schema.follow_up is not None  # who was not seen to have the event tells less, however few they are
    rarer = outcome.target.event if timed else int(np.argmin(outcome.counts))
    n = int(outcome.counts[rarer])
    if n < FEW_EVENTS:
        beside = timed or any(p.status == outcome.name for p in view.event_times)
        yield Hit(
            message=Message(
                N_("Only {n} rows have “{outcome}” = {name}; below 100 the results are unstable."),
                {"n": n, "outcome": outcome.name, "name": _said(view, rarer)},
            ),
            columns=(outcome.name,),
            n_rows=n,
            severity="error" if n < TOO_FEW_EVENTS else "warning",
            remedy=Message(PREFER_COX) if beside else None,
        )


def _said(view: View, k: int) -> str:
    """Return what a class of the outcome is called, with its code behind."""
    column = view.schema.outcome
    name = view.outcome.classes[k] if view.outcome else ""
    return with_code(name, column.level_labels) if column else name


@check(
    "outcome.rare_class",
    "warning",
    why=N_("A class of a few patients can be neither learnt nor judged, and does not reach every fold."),
    remedy=N_("Merge it with a related class before upload, or leave its patients out."),
)
def rare_class(view: View) -> Iterator[Hit]:
    """Classes with fewer than 50 rows, among three or more."""
    outcome = view.outcome
    if outcome is None or not outcome.target.many:
        return
    for k in np.flatnonzero(outcome.counts < FEW_ROWS_OF_A_CLASS):
        n = int(outcome.counts[k])
        yield Hit(
            message=Message(
                N_("The class {name} of “{outcome}” has only {n} rows."),
                {"name": _said(view, int(k)), "outcome": outcome.name, "n": n},
            ),
            columns=(outcome.name,),
            n_rows=n,
            severity="error" if n < TOO_FEW_ROWS_OF_A_CLASS else "warning",
        )


@check(
    "outcome.imbalance",
    "info",
    why=N_("When few have the outcome, accuracy is high for a model that always says no; 0.5 is a poor threshold."),
    remedy=N_("Do not resample: judge by AUROC, calibration and net benefit, and move the threshold."),
)
def imbalance(view: View) -> Iterator[Hit]:
    """Find a rarest class of less than a tenth of the rows."""
    outcome = view.outcome
    if outcome is None or view.schema.follow_up is not None or view.schema.number is not None:
        return
    share = outcome.counts.min() / max(outcome.counts.sum(), 1)
    if 0 < share < IMBALANCED:
        yield Hit(
            message=Message(
                N_("The rarest class of “{outcome}” has {share} % of the rows."),
                {"outcome": outcome.name, "share": round(100 * float(share), 1)},
            ),
            columns=(outcome.name,),
            n_rows=int(outcome.counts.min()),
        )


@check(
    "outcome.sample_size",
    "warning",
    why=N_(
        "With fewer patients than this the model is expected to overfit: its risks will be too extreme in new patients."
    ),
    remedy=N_("Use fewer predictors, collect more patients, or read the results as exploratory."),
)
def sample_size(view: View) -> Iterator[Hit]:
    """Fewer patients than Riley's criteria ask for with this many predictors."""
    outcome = view.outcome
    if outcome is None:
        return
    n = int(outcome.counts.sum())
    if view.schema.follow_up is not None:
        yield from _too_few_for_a_time(view, outcome.name, n)
        return
    if view.schema.number is not None:
        yield from _too_few_for_a_number(view, outcome.name, n)
        return
    needed = required_size(view)
    if needed is not None and n < needed.required:
        yield Hit(
            message=Message(
                _NEEDED[outcome.target.many + outcome.target.ordered],
                {
                    "n": n,
                    "parameters": needed.n_parameters,
                    "share": round(100 * needed.event_share, 1),
                    "required": needed.required,
                },
            ),
            columns=(outcome.name,),
            n_rows=n,
        )


def _too_few_for_a_number(view: View, name: str, n: int) -> Iterator[Hit]:
    needed = required_size_of_number(view)
    if needed is not None and n < needed.required:
        yield Hit(
            message=Message(
                N_(
                    "{n} rows have a number in “{outcome}”; {parameters} candidate parameters need about {required} (Riley), if the model explains 15 % of its variance."
                ),
                {"n": n, "outcome": name, "parameters": needed.n_parameters, "required": needed.required},
            ),
            columns=(name,),
            n_rows=n,
        )


def _too_few_for_a_time(view: View, name: str, n: int) -> Iterator[Hit]:
    needed = required_size_by_when(view)
    if needed is not None and n < needed.required:
        yield Hit(
            message=Message(
                N_(
                    "{n} rows have “{outcome}” with its time; {parameters} candidate parameters need about {required} patients and {events} events (Riley), if the model explains 15 % of what can be explained."
                ),
                {
                    "n": n,
                    "outcome": name,
                    "parameters": needed.n_parameters,
                    "required": needed.required,
                    "events": needed.required_events,
                },
            ),
            columns=(name,),
            n_rows=n,
        )


def required_size_by_when(view: View) -> SampleSize | None:
    """Apply the criteria of Riley for an event with its time, by its rate and follow-up in this table; None where they do not hold."""
    follow_up, n_parameters = view.schema.follow_up, n_candidate_parameters(view)
    if follow_up is None or n_parameters < 1:
        return None
    try:
        times = event_times(view.cohort, view.schema)
        rate = Rate.of(times.duration[times.known], times.event[times.known])
        mean = rate.person_time / max(1, int(times.known.sum()))
        return survival_sample_size(n_parameters, rate.rate, mean, follow_up.main)
    except InputError:
        return None


def required_size_of_number(view: View) -> NumberSampleSize | None:
    """Apply the criteria of Riley for an outcome that is a number, on the scale that models learn."""
    n_parameters, number = n_candidate_parameters(view), view.schema.number
    if number is None or view.outcome is None or n_parameters < 1:
        return None
    value, _n = read_number(view.cohort, view.schema)
    known = value[~np.isnan(value)]
    if len(known) < 2:
        return None
    mean = 0.0 if number.log else float(known.mean())  # that of a logarithm means nothing by itself
    return sample_size_of_numbers(n_parameters, mean, float((np.log(known) if number.log else known).std(ddof=1)))


def required_size(view: View) -> SampleSize | None:
    """Apply the criteria of Riley for two classes, or for one equation of classes in an order, and of Pate for others."""
    outcome = view.outcome
    n_parameters = n_candidate_parameters(view)
    if outcome is None or n_parameters < 1:
        return None
    shares = [float(s) for s in outcome.counts / outcome.counts.sum() if s > 0]
    if len(shares) < 2:
        return None
    if len(shares) == 2:
        return riley_sample_size(n_parameters, shares[-1])
    return (ordinal_sample_size if outcome.target.ordered else multinomial_sample_size)(n_parameters, shares)


def n_candidate_parameters(view: View) -> int:
    """Count what one equation estimates: one a numeric predictor, levels minus one a category, one more where values are missing."""
    n = 0
    for column in view.predictors:
        levels = view.levels(column.name).n
        if column.free_text or levels < 2:
            continue
        n += 1 if column.kind in ("numeric", "date") else min(levels, MOST_LEVELS_COUNTED) - 1
        n += int(view.levels(column.name).missing.any())
    return n
