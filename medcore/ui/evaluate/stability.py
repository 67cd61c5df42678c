"""How stable the risks are, on the Evaluate page: the modelling repeated on a worker, some refits at a time."""

from __future__ import annotations

import streamlit as st

from medcore import jobs
from medcore.charts.stability import calibration_instability, risk_instability
from medcore.evaluation.figures.words import IN_ITS_UNIT, METRICS, short
from medcore.explanation.patient.wording import RISK, Measure
from medcore.i18n import _, number, running
from medcore.jobs.queries.stability import refits_of, stability_of
from medcore.models.run.number.results import NumberResults
from medcore.models.run.results import Results
from medcore.models.run.stability import REMEMBERED, Corrected, Refit, Stability, told
from medcore.models.run.timed.results import TimedResults
from medcore.studies.records import RunRecord
from medcore.ui.evaluate.judging import Judged
from medcore.ui.kit import cache
from medcore.ui.kit.layout import caption, note, section
from medcore.ui.kit.notices import errors_shown
from medcore.ui.kit.shown.figures import figure
from medcore.ui.kit.shown.inputs import choice
from medcore.ui.kit.shown.tables import table
from medcore.ui.kit.shown.waiting import SessionTask, waited
from medcore.ui.kit.state import state

NUMBERS = ("20", "50", "200")
AT_ONCE = 5
MOST_SECONDS = 600.0


def stability(run: RunRecord, results: Results, judged: Judged) -> None:
    """Offer to repeat the modelling of classes."""
    of = _("The risk of {name}; another class is chosen above.", name=judged.positive) if judged.target.many else ""
    repeated(run, results, judged.class_index, of)


def repeated(
    run: RunRecord,
    results: Results | TimedResults | NumberResults,
    question: int,
    of: str = "",
    *,
    measure: Measure = RISK,
) -> None:
    """Offer to repeat the modelling on bootstrap samples, and show how much what is predicted moves; it is kept for the report."""
    section(
        _("How stable are the numbers?") if measure.of_number else _("How stable are the risks?"),
        _(
            "The whole modelling is repeated on samples of the training patients drawn with replacement. 200 are usual; fewer are quicker and less certain. What is done is kept for this session."
        ),
    )
    if "version_of" in run.summary:
        note(_("This is a recalibrated version: look at the stability of the model it was made from."))
        return
    if not st.toggle(_("Repeat the modelling"), key=f"evaluate.stability.{run.id}"):
        return
    n = int(choice(_("Samples"), list(NUMBERS), key=f"evaluate.stability.n.{run.id}", show=str))
    with errors_shown():
        found = _found(run, n)
        if found is None:
            return
        state().refits[run.id] = told(results.target, results.classes, found)
        _show(run, found[question], of, measure)


def _found(run: RunRecord, n: int) -> dict[int, Stability] | None:
    settings = cache.store().settings
    refits: dict[int, tuple[Refit, ...]] = cache.once(dict, "refits", run.id)

    def work(task: SessionTask) -> dict[int, Stability]:
        begun = len([first for first in refits if first < n])
        for done, first in enumerate(first for first in range(0, n, AT_ONCE) if first not in refits):
            refits[first] = jobs.call(
                refits_of, settings, run.owner, run.id, first, AT_ONCE, timeout=MOST_SECONDS, stop=task.stop
            )
            task.tell((done + 1) / (n / AT_ONCE - begun + 1))
        found = tuple(refit for first in range(0, n, AT_ONCE) for refit in refits[first])
        return jobs.call(stability_of, settings, run.owner, run.id, found, timeout=MOST_SECONDS, stop=task.stop)

    return waited(
        work, *("stability", run.id, n), key=f"evaluate.stability.{run.id}", doing=_("The modelling is repeated.")
    )


def _show(run: RunRecord, stable: Stability, of: str, measure: Measure) -> None:
    if of:
        caption(of)
    left, right = st.columns(2)
    with left:
        figure(risk_instability(stable, measure=measure), key=f"evaluate.stability.risk.{run.id}")
    with right:
        figure(calibration_instability(stable, measure=measure), key=f"evaluate.stability.calibration.{run.id}")
    table([_row(name, found, measure) for name, found in stable.figures.items()])
    meaning = _(
        "Apparent: on the patients the model learnt from. Optimism: how much better refits are on their own sample than on these patients (Harrell), with the error left by the number of samples. Corrected figures stand beside those of cross-validation; neither has seen the locked test set."
    )
    caption(running((meaning, _(REMEMBERED))))


def _row(name: str, found: Corrected, measure: Measure) -> dict[str, str]:
    digits = measure.decimals + 1 if measure.of_number and name in IN_ITS_UNIT else 3
    return {
        _("Figure"): short(_(METRICS[name])),
        _("Apparent"): number(found.apparent, f".{digits}f"),
        _("Optimism"): f"{number(found.optimism, f'.{digits}f')} (± {number(found.standard_error, f'.{digits}f')})",
        _("Corrected"): number(found.corrected, f".{digits}f"),
    }
