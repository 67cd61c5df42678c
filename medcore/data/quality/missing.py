"""Checks of what is missing, and whether being missing tells the outcome."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from medcore.data.quality.checking.boxes import ticked_or_empty
from medcore.data.quality.checking.catalogue import Hit, check, ignore, named
from medcore.data.quality.checking.view import View
from medcore.data.quality.leakage import aurocs
from medcore.i18n import N_, Message
from medcore.statistics.proportions import equal_proportions_p

MOSTLY_MISSING = 0.5
NEARLY_ALL_MISSING = 0.95
# A difference in the share of missing values between the classes worth a person's time.
TELLING_DIFFERENCE = 0.15
HABITS = (" count", " since")
"""Endings of columns that say how often something was measured, or how long ago, and not what came out."""
TELLING_HABIT = 0.6


@check(
    "missing.table",
    "info",
    why=N_("The more is missing, the more the model learns from who was measured instead of what was measured."),
    remedy=N_(
        "See below which columns; values stay missing and are imputed inside each training fold, with an indicator."
    ),
)
def table(view: View) -> Iterator[Hit]:
    """Measure the share of missing cells of the whole table."""
    columns = [c.name for c in view.predictors]
    if not columns or not view.n:
        return
    n = sum(int(view.levels(c).missing.sum()) for c in columns)
    share = n / (view.n * len(columns))
    if share >= 0.01:
        rows = np.zeros(view.n, dtype=bool)
        for name in columns:
            rows |= view.levels(name).missing
        yield Hit(
            message=Message(
                N_("{share} % of all predictor cells are missing; {n} of {total} rows have at least one missing."),
                {"share": round(100 * share, 1), "n": int(rows.sum()), "total": view.n},
            ),
            n_rows=int(rows.sum()),
            severity="warning" if share > MOSTLY_MISSING else "info",
        )


@check(
    "missing.much",
    "warning",
    why=N_("A column that is mostly empty teaches little, and its gaps may differ between hospitals."),
    remedy=N_(
        "Ask why it is empty; leave it out unless not being measured is itself known at the moment of prediction."
    ),
)
def much(view: View) -> Iterator[Hit]:
    """Columns of which more than half is missing."""
    asked = ticked_or_empty(view)
    shares = {
        c.name: float(view.levels(c.name).missing.mean()) for c in view.predictors if view.n and c.name not in asked
    }
    nearly = [name for name, share in shares.items() if share >= NEARLY_ALL_MISSING]
    mostly = [name for name, share in shares.items() if MOSTLY_MISSING < share < NEARLY_ALL_MISSING]
    if nearly:
        yield Hit(
            message=Message(
                N_("{n} column(s) are at least 95 % empty: {columns}."), {"n": len(nearly), "columns": named(nearly)}
            ),
            columns=tuple(nearly),
            fix=ignore(nearly),
        )
    if mostly:
        yield Hit(
            message=Message(
                N_("{n} column(s) are more than half empty: {columns}."), {"n": len(mostly), "columns": named(mostly)}
            ),
            columns=tuple(mostly),
            fix=ignore(mostly),
        )


@check(
    "missing.codes",
    "info",
    why=N_("A code such as 999, “?” or an impossible 0 read as a number or a category would teach the model nonsense."),
    remedy=N_("Check the codes in the column table; take one out where it is a true value."),
)
def codes(view: View) -> Iterator[Hit]:
    """Cells that hold a code for missing."""
    found = {c.name: n for c in view.schema.columns if c.name in view.frame.columns and (n := view.coded_missing(c))}
    if found:
        yield Hit(
            message=Message(
                N_("{n} cells hold a code that stands for “missing”, in {columns}."),
                {"n": sum(found.values()), "columns": named(found)},
            ),
            columns=tuple(found),
            n_rows=max(found.values()),
        )


@check(
    "missing.predicts_outcome",
    "warning",
    why=N_(
        "Who was measured depends on how ill the patient was or on what came later; elsewhere the habit differs and the model fails."
    ),
    remedy=N_("Ask whether the column is known for every patient at the moment of prediction; leave it out otherwise."),
)
def predicts_outcome(view: View) -> Iterator[Hit]:
    """Columns missing much more often in one class than in another."""
    outcome = view.outcome
    if outcome is None:
        return
    telling, asked = [], ticked_or_empty(view)
    for column in view.predictors:
        if column.name in asked:
            continue
        missing = view.levels(column.name).missing[outcome.known]
        if _differs(missing, outcome.codes[outcome.known], len(outcome.classes), len(view.predictors)):
            telling.append(column.name)
    if telling:
        yield Hit(
            message=Message(
                N_("In {n} column(s) being missing tells the outcome “{outcome}”: {columns}."),
                {"n": len(telling), "outcome": outcome.name, "columns": named(telling)},
            ),
            columns=tuple(telling),
        )


@check(
    "missing.together",
    "info",
    why=N_("Columns that are empty together come from one examination or one form that some patients did not have."),
    remedy=N_(
        "Consider who had the examination; the pattern itself may stand for a site or for how ill a patient was."
    ),
)
def together(view: View) -> Iterator[Hit]:
    """Blocks of columns that are missing in exactly the same rows."""
    blocks: dict[bytes, list[str]] = {}
    for column in view.predictors:
        missing = view.levels(column.name).missing
        if 0.02 <= missing.mean() < 1:
            blocks.setdefault(np.packbits(missing).tobytes(), []).append(column.name)
    series = view.schema.series
    for names in blocks.values():
        of = {series.measurement_of(name) if series else name for name in names}
        if len(of) >= 3:  # the summaries of one series are missing together by their nature
            n = int(view.levels(names[0]).missing.sum())
            yield Hit(
                message=Message(
                    N_("{k} columns are missing in the same {n} rows: {columns}."),
                    {"k": len(names), "n": n, "columns": named(names)},
                ),
                columns=tuple(names),
                n_rows=n,
            )


@check(
    "missing.measured_at_all",
    "warning",
    why=N_(
        "Who is measured, and how often, follows from what the staff already feared; where the habit differs, or changes because of the model, it fails."
    ),
    remedy=N_(
        "Train once without the numbers of measurements and the hours since the last, and compare: what is lost by it is what the habit brought."
    ),
)
def measured_at_all(view: View) -> Iterator[Hit]:
    """Look whether how often or when something was measured tells the outcome better than any value does."""
    series, outcome = view.schema.series, view.outcome
    if series is None or outcome is None:
        return
    habits = {c.name for c in view.predictors if series.summarises(c.name) and c.name.endswith(HABITS)}
    scores = aurocs(view)
    by_habit, by_value = (
        max(((a, name) for name, a in scores.items() if (name in habits) is habit), default=(0.5, ""))
        for habit in (True, False)
    )
    if by_habit[0] >= TELLING_HABIT and by_habit[0] > by_value[0]:
        yield Hit(
            message=Message(
                N_(
                    "How often or when something was measured tells “{outcome}” better than any value: “{column}” alone has an AUROC of {auroc}, the best value of {other}."
                ),
                {
                    "outcome": outcome.name,
                    "column": by_habit[1],
                    "auroc": f"{by_habit[0]:.3f}",
                    "other": f"{by_value[0]:.3f}",
                },
            ),
            columns=(by_habit[1],),
            fix=ignore(sorted(habits)),
        )


def _differs(missing: np.ndarray, outcome: np.ndarray, n_classes: int, n_tests: int) -> bool:
    """Compare the share missing between classes: large, and not by chance (Bonferroni)."""
    total = np.bincount(outcome, minlength=n_classes).astype(float)
    here = np.bincount(outcome[missing], minlength=n_classes).astype(float)
    used = total >= 10
    if used.sum() < 2 or not 0 < here[used].sum() < total[used].sum():
        return False
    share = here[used] / total[used]
    if share.max() - share.min() < TELLING_DIFFERENCE:
        return False
    return equal_proportions_p(here[used], total[used]) < 0.01 / n_tests
