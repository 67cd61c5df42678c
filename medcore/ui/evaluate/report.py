"""The Evaluate page's report: ask what only people know, write it on the worker, hand it over."""

from __future__ import annotations

import streamlit as st

from medcore import jobs
from medcore.i18n import _, current_language
from medcore.jobs.queries.reports import write_report
from medcore.reporting.standards.tripod import ASKED
from medcore.studies.records import RunRecord, StudyRecord
from medcore.ui.kit import cache
from medcore.ui.kit.formats import FORMATS
from medcore.ui.kit.shown import components
from medcore.ui.kit.state import state

MOST_SECONDS = 180.0


def report(study: StudyRecord, run: RunRecord, threshold: float) -> None:
    """Ask, write, download."""
    st.markdown(
        _(
            "Everything that was computed goes into the report: flow of patients, Table 1, methods, figures with "
            "intervals, subgroups, limits, and the TRIPOD+AI items. What only you know is asked here; what stays empty "
            "is printed as “not stated”."
        )
    )
    kind = components.choice(_("Format"), list(FORMATS), key="evaluate.report.format", show=lambda k: _(FORMATS[k][0]))
    reports, key = state().reports, _key(study, run, threshold, kind)
    if key not in reports:
        wanted = st.session_state.get("evaluate.report.wanted") == key
        if not wanted and st.button(
            _("Write the report"), type="primary", icon=":material/description:", key="evaluate.report.write"
        ):
            st.session_state["evaluate.report.wanted"] = key
            st.rerun()
        written = _written(run, threshold, kind, key) if wanted else None
        if written is None:
            ask(study)
            return
        reports[key] = written
    components.note(_("The report is ready. It holds no patient's row; counts under 5 are not told."))
    components.download(
        _("Download the report"),
        reports[key],
        file_name=f"medcore-report-{run.number}.{kind}",
        mime=FORMATS[kind][1],
        key="evaluate.report.download",
    )
    ask(study)


def ask(study: StudyRecord) -> None:
    """Ask what only people know, and keep the answers with the study."""
    if study.access == "read":
        return
    answered = sum(key in study.answers for key in ASKED)
    title = _("What only you know: {n} of {all} answered", n=answered, all=len(ASKED))
    with st.expander(title), st.form("evaluate.answers", border=False):
        answers = {}
        for number, (key, question) in enumerate(ASKED.items()):
            if number % 2 == 0:
                sides = st.columns(2)
            with sides[number % 2]:
                answers[key] = st.text_area(
                    _(question), study.answers.get(key, ""), key=f"evaluate.answer.{study.id}.{key}", height=80
                )
        if st.form_submit_button(_("Keep these answers")):
            cache.store().save_answers(study.owner, study.id, answers)
            st.rerun()
    components.last_change(study, where="evaluate.answers")


def _written(run: RunRecord, threshold: float, kind: str, key: str) -> bytes | None:
    settings, words, refits = cache.store().settings, current_language(), state().refits.get(run.id)
    return components.waited(
        lambda task: jobs.call(
            write_report,
            settings,
            run.owner,
            run.id,
            threshold=threshold,
            kind=kind,
            words=words,
            refits=refits,
            timeout=MOST_SECONDS,
            stop=task.stop,
        ),
        *("report", key),
        key="evaluate.report",
        doing=_("The report is being written."),
    )


def _key(study: StudyRecord, run: RunRecord, threshold: float, kind: str) -> str:
    """Name a finished report: another threshold, language or answer makes another report."""
    answers = hash(tuple(sorted(study.answers.items())))
    refits = state().refits.get(run.id, {}).get("n_refits", 0)
    return f"{run.id}.{kind}.{threshold:.4f}.{current_language()}.{answers}.{study.n_looks}.{refits}"
