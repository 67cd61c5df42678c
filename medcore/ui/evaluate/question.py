"""What is to be judged: which run, on which patients, beside which model, for which class."""

from __future__ import annotations

import numpy as np
import streamlit as st

from medcore.data.schema.targets import diseases_first
from medcore.i18n import N_, _
from medcore.models.contract.candidate import COX, LINEAR, LOGISTIC
from medcore.models.run.results import Results
from medcore.reporting.classes.ordered import question_name
from medcore.studies.records import RunRecord, StudyRecord
from medcore.ui.evaluate import judging
from medcore.ui.evaluate.judging import Judged
from medcore.ui.kit import cache, guards, links
from medcore.ui.kit.runs import run_title, say_out_of_date
from medcore.ui.kit.shown import components
from medcore.ui.kit.state import state
from medcore.ui.kit.words import model_name

NO_OTHER = "none"
SIDES = {"training": N_("Out of fold"), "test": N_("Locked test set")}


def choose_run(study: StudyRecord) -> RunRecord:
    """Ask for one of the study's finished runs."""
    run = guards.require_run(study)
    runs = guards.finished_runs(study)
    if len(runs) > 1:
        titles = {r.id: run_title(r) for r in runs}
        ids = list(titles)
        picked = st.selectbox(
            _("Training run"), ids, index=ids.index(run.id), format_func=titles.__getitem__, key="evaluate.run"
        )
        run = next(r for r in runs if r.id == picked)
        links.keep("run", str(run.number), run.id)
    state().run_id = run.id
    say_out_of_date(run)
    return run


def choose(study: StudyRecord, run: RunRecord, results: Results) -> Judged:
    """Ask on which patients, beside which model, and for which class; the locked test set only after a word."""
    left, middle, right = st.columns(3)
    with left:
        sides = list(SIDES) if results.test is not None else ["training"]
        side = components.choice(_("Patients"), sides, key="evaluate.side", show=lambda s: _(SIDES[s]), link="side")
    with middle:
        other = beside(run, [name for name in results.names if name != results.model])
    class_index = len(results.classes) - 1
    if results.target.many:
        with right:
            ranked = diseases_first(np.bincount(results.training.outcome).tolist(), results.absence)
            names = [str(name) for name in results.class_names]
            cuts = results.target.cuts[:-1]  # of the highest class "or higher" says nothing more
            questions, key = [*cuts, *ranked], f"evaluate.class.{run.id}"
            links.take_up("class", key, questions, usual=questions[0])
            class_index = st.selectbox(
                _("Class against all others")
                if not cuts
                else _("At or above a class, or one class against the others"),
                questions,
                format_func=lambda i: components.one_line(question_name(results.target, names, i)),
                key=key,
            )
            links.keep("class", "" if class_index == questions[0] else str(class_index), class_index)
    if side == "test" and not unlocked(study, run):
        st.stop()
    return judging.judge(results, run.id, side=side, class_index=class_index, other=other)


def beside(run: RunRecord, others: list[str]) -> str | None:
    """Ask beside which other model it is judged."""
    names, key = [None, *others], f"evaluate.other.{run.id}"
    usual = next((name for name in (LOGISTIC, COX, LINEAR) if name in others), None)
    links.take_up("beside", key, names, usual=usual, told=lambda n: n or NO_OTHER)
    other = st.selectbox(
        _("Beside it"),
        names,
        index=names.index(usual),
        format_func=lambda n: model_name(n) if n else _("no other model"),
        key=key,
    )
    links.keep("beside", "" if other == usual else other or NO_OTHER, other)
    return other


def unlocked(study: StudyRecord, run: RunRecord) -> bool:
    """Ask before the locked test set is looked at, and count the look."""
    key = f"evaluate.looked.{run.id}"
    if not st.session_state.get(key):
        components.note(
            _(
                "The locked test set is for one last look. Choosing among models after seeing it makes its figures too "
                "good. It has been looked at {n} times in this study.",
                n=study.n_looks,
            ),
            look="warning",
        )
        if st.button(_("Look at the locked test set; this is counted"), key="evaluate.unlock"):
            cache.store().count_look(study.owner, study.id, run.id)
            st.session_state[key] = True
            st.rerun()
        return False
    components.note(_("Locked test set; looks in this study so far: {n}.", n=study.n_looks))
    return True
