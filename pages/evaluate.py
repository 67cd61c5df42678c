"""Evaluate: can these risks be trusted, and is acting on them better than not."""

from __future__ import annotations

import streamlit as st

from medcore.i18n import N_, _
from medcore.models.run.results import Results
from medcore.studies.records import RunRecord, StudyRecord
from medcore.ui.evaluate import comparison, external, groups, judging, overview, report
from medcore.ui.evaluate.judging import Judged
from medcore.ui.kit import cache, components, guards
from medcore.ui.kit.state import state
from medcore.ui.kit.words import model_name

VIEWS = {
    "overview": N_("Overview"),
    "compare": N_("Two models compared"),
    "groups": N_("Groups of patients"),
    "errors": N_("Errors"),
    "external": N_("New patients"),
    "report": N_("Report"),
}
SIDES = {"training": N_("Out of fold"), "test": N_("Locked test set")}


def page() -> None:
    components.header(
        _("Evaluate"), _("Can these risks be trusted, and is acting on them better than treating everyone or no one?")
    )
    study = guards.require_outcome()
    run = choose_run(study)
    results = cache.results(run)
    judged = choose(study, run, results)
    who(judged)
    view = components.choice(_("Look at"), list(VIEWS), key="evaluate.view", show=lambda v: _(VIEWS[v]))
    threshold = state().thresholds.get(judged.threshold_key, default_threshold(study, run, results, judged))
    with components.errors_shown():
        if view == "overview":
            overview.overview(study, results, judged, threshold)
        elif view == "compare":
            comparison.compared(judged, results, threshold)
        elif view == "groups":
            groups.groups(judged, results, threshold)
        elif view == "errors":
            groups.errors(judged, study)
        elif view == "external":
            external.external(run, results, judged)
        else:
            report.report(study, run, threshold)


def default_threshold(study: StudyRecord, run: RunRecord, results: Results, judged: Judged) -> float:
    if len(judged.classes) > 2:
        return judged.choose("youden", None).threshold
    kept = study.choice
    if kept is not None and kept.run_id == run.id and kept.threshold is not None:
        return kept.threshold
    return float(results.manifest.get("threshold") or 0.5)


def choose_run(study: StudyRecord) -> RunRecord:
    run = guards.require_run()
    runs = guards.finished_runs(study)
    if len(runs) > 1:
        titles = {r.id: run_title(r) for r in runs}
        ids = list(titles)
        picked = st.selectbox(
            _("Training run"), ids, index=ids.index(run.id), format_func=titles.__getitem__, key="evaluate.run"
        )
        run = next(r for r in runs if r.id == picked)
    state().run_id = run.id
    if run.out_of_date:
        components.note(
            _("Out of date: the columns, the preparation or the split were changed after this run."), look="warning"
        )
    return run


def run_title(run: RunRecord) -> str:
    model = model_name(run.settings.model)
    if run.version_of is None:
        return _("Run {number}: {model}", number=run.number, model=model)
    return _("Run {number}: {model}, run {of} recalibrated", number=run.number, model=model, of=run.version_of)


def choose(study: StudyRecord, run: RunRecord, results: Results) -> Judged:
    left, middle, right = st.columns(3)
    with left:
        sides = list(SIDES) if results.test is not None else ["training"]
        side = components.choice(_("Patients"), sides, key="evaluate.side", show=lambda s: _(SIDES[s]))
    others = [name for name in results.names if name != results.model]
    with middle:
        other = st.selectbox(
            _("Beside it"),
            [None, *others],
            index=1 + others.index("logistic") if "logistic" in others else 0,
            format_func=lambda n: model_name(n) if n else _("no other model"),
            key=f"evaluate.other.{run.id}",
        )
    class_index = len(results.classes) - 1
    if len(results.classes) > 2:
        with right:
            class_index = st.selectbox(
                _("Class against all others"),
                range(len(results.classes)),
                format_func=lambda i: components.plain(results.classes[i]),
                key=f"evaluate.class.{run.id}",
            )
    if side == "test" and not unlocked(study, run):
        st.stop()
    return judging.judge(results, run.id, side=side, class_index=class_index, other=other)


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


def who(judged: Judged) -> None:
    evaluation, outcome = judged.evaluation, judged.outcome
    pairs = [(_("Model"), judged.name), (_("Rows"), f"{evaluation.n:,}")]
    if evaluation.n_patients is not None and evaluation.n_patients != evaluation.n:
        pairs.append((_("Patients"), f"{evaluation.n_patients:,}"))
    pairs += [
        (_("With {outcome}", outcome=judged.positive), f"{int(outcome.sum()):,} ({outcome.mean():.1%})"),
        (_("AUROC (95 % interval)"), components.with_interval(judged.metrics[judged.name]["auroc"], digits=2)),
        (_("Risks come from"), _("models that had not seen the patient")),
    ]
    components.facts(pairs)


page()
