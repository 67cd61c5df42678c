"""Release the run that is looked at: on what terms, what is then said, and the versions there are."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from medcore.data.cohort import Schema
from medcore.data.preparation.recipe import Recipe, required_columns
from medcore.errors import InputError, MedcoreError
from medcore.evaluation import Estimate
from medcore.evaluation.figures.words import METRICS
from medcore.i18n import N_, _, percent
from medcore.models.run.any_results import AnyResults
from medcore.studies.records import RunRecord, StudyRecord
from medcore.studies.reminders import ReminderRules
from medcore.studies.use_records import Release, Terms, checked_model_name
from medcore.ui.evaluate.question import SIDES
from medcore.ui.kit import cache
from medcore.ui.kit.shown import components
from medcore.ui.kit.state import speak, state
from medcore.ui.kit.thresholds import threshold_of
from medcore.ui.patients.in_use import STATES, moment
from medcore.ui.release import champion

HOURS = 48.0
FIGURES = {"cross_validated": SIDES["training"], "test": SIDES["test"]}
"""By the manifest's name of a side, what it is called."""


def show(study: StudyRecord, run: RunRecord, results: AnyResults, class_index: int) -> None:
    """Show what is released; who may change the study may release this run, and withdraw."""
    versions = cache.store().releases(study.owner, study_id=study.id)
    _versions(study, versions)
    threshold = None
    if results.target.event is not None:
        threshold = threshold_of(study, run, results, class_index)
    if study.access == "read":
        components.note(_("Who may change this study releases its models, and withdraws them."))
    else:
        with components.errors_shown():
            _ask(study, run, results, versions, threshold)
    with components.errors_shown():
        champion.show(study, run, results, threshold)


def _versions(study: StudyRecord, versions: Sequence[Release]) -> None:
    components.section(_("Released versions"))
    if not versions:
        components.note(_("No model of this study is released."))
        return
    numbers = {run.id: run.number for run in cache.runs(study.owner, study.id)}
    for release in versions:
        with st.container(
            border=True, horizontal=True, vertical_alignment="center", key=f"evaluate-release-{release.id}"
        ):
            words, look = STATES[release.state]
            said = [
                _("Run {number}", number=numbers.get(release.run_id, "–")),
                _("released {moment}", moment=moment(release.released_at)),
                release.terms.intended_use,
            ]
            if release.terms.valid_until:
                said.append(_("valid until {day}", day=release.terms.valid_until.isoformat()))
            if release.withdrawn_why:
                said.append(_("withdrawn: {why}", why=release.withdrawn_why))
            components.card(f"{release.model} {release.version}", " · ".join(said), badge=_(words), look=look)
            if study.access != "read":
                _change(release)


def _change(release: Release) -> None:
    """Offer to withdraw a version, or to release it again on the same terms."""
    if release.withdrawn_at is not None:
        st.button(
            _("Release again"),
            key=f"evaluate.release.again.{release.id}",
            on_click=_tried,
            args=(lambda: cache.store().release(release.owner, release.run_id, release.model, release.terms),),
        )
        return
    with st.popover(_("Withdraw"), key=f"evaluate.release.withdraw.{release.id}"):
        key = f"evaluate.release.why.{release.id}"
        st.text_area(_("Why? Whoever asks the model is told."), key=key, height=80, max_chars=1_000)
        st.button(
            _("Withdraw this version"),
            key=f"evaluate.release.withdraw.yes.{release.id}",
            on_click=_tried,
            args=(lambda: cache.store().withdraw(release.owner, release.id, st.session_state.get(key) or ""),),
        )


def _tried(act: Callable[[], object]) -> None:
    speak()
    try:
        act()
    except MedcoreError as problem:
        state().problem = problem


def _ask(
    study: StudyRecord, run: RunRecord, results: AnyResults, versions: Sequence[Release], threshold: float | None
) -> None:
    """Ask on what terms this run is released, show what is then said, and release it."""
    components.section(
        _("Release run {number}", number=run.number),
        _("A person answers for it. What is released never changes; the next release is the next version."),
    )
    key = f"evaluate.release.{run.id}"
    last = max(versions, key=lambda r: r.released_at, default=None)
    left, right = st.columns(2)
    with left:
        proposed = last.model if last else _proposed(study.name)
        name = st.text_input(_("Name, as it stands in addresses"), proposed, key=f"{key}.name", max_chars=63)
        use = _text(_("Intended use"), last.terms.intended_use if last else "", key=f"{key}.use")
    with right:
        until = components.day_input(_("Valid until (empty: until it is withdrawn)"), key=f"{key}.until")
        whom = _text(_("For which patients"), last.terms.for_whom if last else "", key=f"{key}.whom")
    rules = _rules(study, results, key)
    if not use or not whom:
        components.note(_("Say what the model is released for, and for which patients: that stands in every answer."))
        return
    if until is not None and until < datetime.now(UTC).date():
        raise InputError(N_("A version cannot be released until a day that is over: {day}."), day=until.isoformat())
    terms = Terms(
        intended_use=use,
        for_whom=whom,
        threshold=threshold,
        valid_until=until,
        figures={side: results.manifest[side] for side in FIGURES if results.manifest.get(side)},
        codes=last.terms.codes if last and last.model == name else {},
        reminders=rules.to_dict(),
    )
    _preview(checked_model_name(name), terms, looked=bool(st.session_state.get(f"evaluate.looked.{run.id}")))
    if st.button(_("Release this version"), type="primary", key=f"{key}.do", icon=":material/publish:"):
        made = cache.store().release(study.owner, run.id, name, terms)
        if "test" in terms.figures:
            cache.store().count_look(study.owner, study.id, run.id)
        st.toast(_("{model} {version} is released.", model=made.model, version=made.version))
        st.rerun()


def _text(label: str, value: str, *, key: str) -> str:
    return st.text_area(label, value, key=key, height=80, max_chars=4_000).strip()


def _rules(study: StudyRecord, results: AnyResults, key: str) -> ReminderRules:
    """Ask when patients are to be looked at again."""
    schema, recipe = Schema.from_dict(results.manifest["schema"]), Recipe.from_dict(results.manifest["recipe"])
    with st.expander(_("Reminders in the patient list")):
        left, middle, right = st.columns([2, 3, 2])
        with left:
            days = st.number_input(
                _("Look again after (days)"), 0.0, 3_650.0, value=None, step=1.0, key=f"{key}.days", placeholder="–"
            )
        with middle:
            columns = st.multiselect(
                _("Values that must not be old"),
                required_columns(schema, recipe),
                format_func=lambda c: components.one_line(study.schema.shown(c)),
                key=f"{key}.columns",
                placeholder=_("Choose a column"),
            )
        with right:
            hours = st.number_input(_("Old after (hours)"), 1.0, 87_600.0, HOURS, step=1.0, key=f"{key}.hours")
    return ReminderRules(days or None, {column: float(hours) for column in columns})


def _preview(name: str, terms: Terms, *, looked: bool) -> None:
    """Show what every answer of the version says of itself; figures of the locked test set only once it was looked at."""
    components.section(_("What is then said"))
    facts = [
        (_("Model"), name),
        (_("Intended use"), terms.intended_use),
        (_("For whom"), terms.for_whom),
        (_("Valid until"), terms.valid_until.isoformat() if terms.valid_until else _("it is withdrawn")),
    ]
    if terms.threshold is not None:
        facts.append((_("Calls from"), percent(terms.threshold)))
    components.facts(facts)
    sides = [side for side in terms.figures if looked or side != "test"]
    if len(sides) < len(terms.figures):
        components.note(
            _("The figures of the locked test set go along. They are not shown here; releasing counts as a look at it.")
        )
    told = {_(FIGURES[side]): found for side in sides if (found := estimates(terms.figures[side]))}
    if told:
        measures = [m for m in METRICS if any(m in figures for figures in told.values())]
        components.metric_table(told, metrics=measures)


def estimates(figures: Mapping[str, Any]) -> dict[str, Estimate]:
    """Return those of a manifest's figures that have an interval."""
    own = figures.get("metrics")
    found = own if isinstance(own, Mapping) else figures
    return {
        name: Estimate.from_dict(value)
        for name, value in found.items()
        if isinstance(value, Mapping) and {"value", "low", "high"} <= set(value)
    }


def _proposed(study: str) -> str:
    """Propose a name from a study's: small letters, digits and hyphens; ``model`` where there are none."""
    words = re.sub(r"[^a-z0-9]+", "-", study.lower()).strip("-")[:63]
    return words if len(words) > 1 else "model"
