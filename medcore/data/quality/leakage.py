"""Checks for the answer among the predictors."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache

import numpy as np
import numpy.typing as npt

from medcore.data.cohort import Schema
from medcore.data.preparation.follow_up import event_times
from medcore.data.quality.association import joint_auroc, single_column_auroc
from medcore.data.quality.checking.catalogue import Hit, check, ignore, named
from medcore.data.quality.checking.view import View
from medcore.data.quantities.units import conversion
from medcore.data.values.time.spans import unit_of_time
from medcore.data.values.typed import typed
from medcore.errors import InputError
from medcore.i18n import N_, Message
from medcore.targets.event_time import DAYS

Floats = npt.NDArray[np.float64]
NEAR_COPY = 0.995
SUSPICIOUS = 0.95
TELLING_NAME = 0.70
FEWEST_EARLY = 5
ALIKE = 0.1
"""Share of patients measured more than a day after an end from which on it counts from another day than measurements do."""
SEPARATION = 0.995

# Words of what is known only at the end. A word must stand alone or begin a part of the name.
AFTER_WORDS = re.compile(
    r"(?<![a-z])(outcome|discharg|death|died|dead\b|deceas|mortality|expired?\b|surviv|readmi|autops|final_?diag|follow_?up"
    r"|length_?of_?stay|los\b)"
    r"|hospitaldischarg|unitdischarg|hospitalmortality|icumortality|dischargeweight"
    r"|出院|死亡|转归|结局|预后|离院|存活|生存|随访|最终诊断|住院天数",
    re.IGNORECASE,
)
SCORE_WORDS = re.compile(
    r"(?<![a-z])(predict(ed|ion)|scores?\b|risk_?score|probability)|(apache|saps|sofa|meld|timi|grace)\w*score|score$|评分|积分|预测",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


@check(
    "leakage.near_copy",
    "error",
    why=N_("A column that gives the answer away makes a model that looks perfect and is useless for a new patient."),
    remedy=N_("Leave it out, unless it is truly known at the moment of prediction."),
)
def near_copy(view: View) -> Iterator[Hit]:
    """Columns that alone separate the classes all but completely."""
    for name, value in aurocs(view).items():
        if value >= NEAR_COPY:
            yield Hit(message=_evidence(view, name, value), columns=(name,), fix=ignore([name]))


@check(
    "leakage.single_column",
    "warning",
    why=N_("One column that tells the outcome so well is rarely known before the outcome is."),
    remedy=N_("Ask: is it known at the moment of prediction? If not, leave it out; if so, keep it."),
)
def single_column(view: View) -> Iterator[Hit]:
    """Columns that alone have an AUROC above 0.95."""
    found = {name: a for name, a in aurocs(view).items() if SUSPICIOUS < a < NEAR_COPY}
    if len(found) == 1:
        yield from (
            Hit(message=_evidence(view, name, a), columns=(name,), fix=ignore([name])) for name, a in found.items()
        )
    elif found and view.outcome is not None:
        yield Hit(
            message=Message(
                N_(
                    "{n} columns tell “{outcome}” each alone, with an AUROC of up to {auroc} (judged out of fold): {columns}."
                ),
                {
                    "n": len(found),
                    "outcome": view.outcome.name,
                    "auroc": f"{max(found.values()):.3f}",
                    "columns": named(found),
                },
            ),
            columns=tuple(found),
        )


@check(
    "leakage.separation",
    "warning",
    why=N_(
        "Patients are seldom told apart so well: a result of the outcome may be among the predictors, or the groups were chosen to differ."
    ),
    remedy=N_("Ask how the patients were chosen, and of each column whether it is known at the moment of prediction."),
)
def separation(view: View) -> Iterator[Hit]:
    """Predictors that together separate two classes all but completely, by a plain naive Bayes out of fold."""
    outcome = view.outcome
    if outcome is None or outcome.target.event is None or max(aurocs(view).values(), default=1.0) >= NEAR_COPY:
        return
    together = joint_auroc([view.levels(n) for n in aurocs(view)], outcome.codes, view.folds)
    if together >= SEPARATION:
        yield Hit(
            message=Message(
                N_(
                    "The predictors together separate the classes of “{outcome}” almost completely (AUROC {auroc}, out of fold)."
                ),
                {"outcome": outcome.name, "auroc": f"{together:.3f}"},
            ),
            columns=(outcome.name,),
        )


@check(
    "leakage.name",
    "error",
    why=N_("What happens at or after discharge or death is not known when the risk is asked for."),
    remedy=N_("Leave these columns out, unless they are known at the moment of prediction."),
)
def name(view: View) -> Iterator[Hit]:
    """Columns whose name speaks of what comes after: outcome, discharge, death, a score."""
    scores = aurocs(view)
    after = [c.name for c in view.predictors if AFTER_WORDS.search(words_of(c.name))]
    telling = [n for n in after if scores.get(n, 1.0) >= TELLING_NAME or view.schema[n].kind == "date"]
    others = [n for n in after if n not in telling]
    score = [c.name for c in view.predictors if c.name not in after and SCORE_WORDS.search(words_of(c.name))]
    if telling:
        yield Hit(
            message=Message(
                N_("{n} predictor(s) speak by name of what comes afterwards, and tell the outcome: {columns}."),
                {"n": len(telling), "columns": named(telling)},
            ),
            columns=tuple(telling),
            fix=ignore(telling),
        )
    if others:
        yield Hit(
            message=Message(
                N_("{n} predictor(s) speak by name of what comes afterwards: {columns}."),
                {"n": len(others), "columns": named(others)},
            ),
            columns=tuple(others),
            severity="warning",
            fix=ignore(others),
        )
    follow_up = view.schema.follow_up
    asked = follow_up.columns if follow_up else ()  # they say when the outcome came, and are used for that
    unused = [c.name for c in view.schema.with_role("ignored") if c.kind == "date" and c.name not in asked]
    dates = [n for n in unused if AFTER_WORDS.search(words_of(n))]
    if dates:
        yield Hit(
            message=Message(
                N_(
                    "{n} date(s) speak by name of what comes afterwards and are not used: {columns}. An interval to them would tell the outcome."
                ),
                {"n": len(dates), "columns": named(dates)},
            ),
            columns=tuple(dates),
            severity="warning",
        )
    if score:
        yield Hit(
            message=Message(
                N_("{n} predictor(s) are by name a score or another model's prediction: {columns}."),
                {"n": len(score), "columns": named(score)},
            ),
            columns=tuple(score),
            severity="warning",
            fix=ignore(score),
        )


@check(
    "leakage.measured_after",
    "error",
    why=N_(
        "Who has had the outcome already needs no prediction, and what is measured after it, or in its last hours, tells it: the model looks better than it can be."
    ),
    remedy=N_(
        "Take only measurements of a time at whose end nobody has had the outcome yet, or leave out the patients who have had it by then."
    ),
)
def measured_after(view: View) -> Iterator[Hit]:
    """Look for outcomes that came before the end of the time of which measurements over time are taken."""
    series, outcome = view.schema.series, view.outcome
    if series is None or outcome is None or not series.ends:
        return
    until = max(high for _low, high in series.windows if high is not None)
    event = outcome.codes == outcome.target.event if outcome.target.event is not None else outcome.known
    last = _last_measured(view, until)
    for name, days, same_zero in _ends(view):
        early = event & (days < until)
        late = early & (last > days)
        # Of follow-up that counts from another day nothing says so but that its patients were not measured after its end.
        counted_alike = (
            early.any() and np.isfinite(last[early]).any() and (last[early] > days[early] + 1).mean() < ALIKE
        )
        if early.sum() >= FEWEST_EARLY and (same_zero or counted_alike):
            yield Hit(
                message=Message(
                    N_(
                        "{n} patients had had “{outcome}” before the {hours} hours had passed of which measurements are taken, as “{column}” says; {m} of them were measured after it."
                    ),
                    {
                        "n": int(early.sum()),
                        "outcome": outcome.name,
                        "hours": f"{24 * until:g}",
                        "column": name,
                        "m": int(late.sum()),
                    },
                ),
                columns=(name,),
                n_rows=int(early.sum()),
            )
            return


def _last_measured(view: View, until: float) -> Floats:
    """Return when each patient was last measured, in days after the index; NaN where nothing says."""
    series = view.schema.series
    names = [c.name for c in view.schema.columns if series is not None and series.summarises(c.name)]
    names = [name for name in names if name.endswith(" since") and name in view.frame.columns]
    if not names:
        return np.full(view.n, np.nan)
    part = Schema(tuple(view.schema[name] for name in names))
    return np.asarray(until - typed(view.frame[names], part).min(axis=1).to_numpy(np.float64) / 24)


def _ends(view: View) -> Iterator[tuple[str, Floats, bool]]:
    """Give the columns that say when the outcome came: days from the index, and whether they are known to count from it."""
    index = view.schema.series.index if view.schema.series else ""
    follow_up = view.schema.follow_up
    if follow_up is not None:
        with suppress(InputError):
            days = event_times(view.cohort, view.schema).duration * DAYS[follow_up.unit]
            yield follow_up.duration or follow_up.end or "", days, bool(index) and follow_up.start == index
        return
    begun = view.schema[index] if index in view.frame.columns else None
    for column in view.schema.columns:
        if column.name not in view.frame.columns or not AFTER_WORDS.search(words_of(column.name)):
            continue
        unit = conversion((column.unit or unit_of_time(column.name)).casefold() or "g", "d")
        if column.kind == "date" and begun is not None and begun.kind == "date":
            both = typed(view.frame[[index, column.name]], Schema((begun, column)))
            yield column.name, (both[column.name] - both[index]).dt.total_seconds().to_numpy(np.float64) / 86400, True
        elif column.kind == "numeric" and unit is not None:
            values = typed(view.frame[[column.name]], Schema((column,)))[column.name].to_numpy(np.float64)
            yield column.name, values * unit.scale, False


@cache
def words_of(text: str) -> str:
    """Write a column's name in lower-case words."""
    return _CAMEL.sub("_", text).lower()


def aurocs(view: View) -> Mapping[str, float]:
    """Judge every predictor alone; once for a view."""
    if view.aurocs is None:
        outcome = view.outcome
        view.aurocs = {}
        if outcome is not None:
            for column in view.predictors:
                levels = view.levels(column.name)
                if column.free_text or levels.n < 1 or (levels.numbers is None and levels.n > view.n / 2):
                    continue
                view.aurocs[column.name] = single_column_auroc(levels, outcome.codes, len(outcome.classes), view.folds)
    return view.aurocs


def _evidence(view: View, name: str, value: float) -> Message:
    assert view.outcome is not None
    return Message(
        N_("“{column}” alone tells “{outcome}” with an AUROC of {auroc} (judged out of fold)."),
        {"column": name, "outcome": view.outcome.name, "auroc": f"{value:.3f}"},
    )
