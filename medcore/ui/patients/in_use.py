"""The released model that the Patients page is about, and how its patients are shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import streamlit as st

from medcore import jobs
from medcore.data.cohort import Schema
from medcore.data.follow_up import span
from medcore.data.preparation.recipe import Recipe, required_columns
from medcore.data.schema.class_names import class_names
from medcore.data.schema.targets import target_of
from medcore.data.shown import Shown
from medcore.errors import MedcoreError, SettingsError
from medcore.explanation.patient.wording import RISK, Measure
from medcore.i18n import N_, _
from medcore.models.bundle.bundle import read_manifest
from medcore.studies.records import RunRecord, StudyRecord
from medcore.studies.use_records import Release
from medcore.targets import EventTime, Number, Target
from medcore.ui.kit import cache, links
from medcore.ui.kit.shown import components
from medcore.ui.kit.state import state
from medcore.ui.patient.explainer import Explainer
from medcore.ui.patient.open_run import open_explainer

STATES = {
    "in use": (N_("in use"), "done"),
    "succeeded": (N_("succeeded by a later version"), "stale"),
    "expired": (N_("its validity is over"), "stale"),
    "withdrawn": (N_("withdrawn"), "failed"),
}


@dataclass(frozen=True, slots=True)
class InUse:
    """A version of a model that a person may see patients of, with the study that it came from."""

    person: str = field(repr=False)
    release: Release
    study: StudyRecord = field(repr=False)
    run: RunRecord = field(repr=False)
    schema: Schema = field(repr=False)
    classes: tuple[str, ...]
    recipe: Recipe = field(repr=False)
    own_threshold: float

    @property
    def model(self) -> str:
        """The name it is released under."""
        return self.release.model

    @property
    def target(self) -> Target:
        """What is predicted."""
        return target_of(self.schema, self.classes)

    @property
    def of_number(self) -> bool:
        """Whether a number is predicted and no risk."""
        return isinstance(self.target, Number)

    @property
    def names(self) -> tuple[str, ...]:
        """What the classes are called, in the study's present words."""
        return tuple(map(str, class_names(self.classes, self.study.schema.outcome)))

    @property
    def outcome(self) -> str:
        """What the risk is of, or the number's name."""
        target = self.target
        if self.of_number:
            return self.shown(self.classes[0]).words
        if target.many:
            return _("the likeliest outcome")
        name = self.names[target.in_question(0)]
        if isinstance(target, EventTime):
            return _("{event} within {horizon}", event=name, horizon=str(span(target.main, target.unit)))
        return name

    @property
    def threshold(self) -> float | None:
        """From which risk on it calls; None where no risk of one event is predicted."""
        if self.of_number or self.target.many:
            return None
        released = self.release.terms.threshold
        return self.own_threshold if released is None else released

    @property
    def measure(self) -> Measure:
        """How what is predicted is written."""
        return self.explainer().measure if self.of_number else RISK

    def shown(self, name: str) -> Shown:
        """Say how a column is shown."""
        return self.study.schema.shown(name)

    def explainer(self) -> Explainer:
        """Return what forms and tables of new patients are asked with; reads the study's table once a session."""
        return open_explainer(self.study, self.run)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that a new patient must have, as they are in a file."""
        return required_columns(self.schema, self.recipe)

    @property
    def asked(self) -> jobs.ResultOf:
        """The trained model, as a worker is asked about it."""
        return jobs.ResultOf(cache.store().settings, self.person, self.run.id)


def choose(person: str) -> InUse | None:
    """Ask for one of the released models open to a person; None, with the way there, where there is none."""
    found = newest(cache.store().releases(person))
    if not found:
        components.empty(
            _("No model is released"),
            _("A person releases a trained model under Evaluate › Release: what for, for whom, and until when."),
            page="evaluate",
            label=_("Release a model"),
        )
        return None
    said = links.asked("model", state().model)
    if said:
        state().model = said if said in found else state().model
        if said not in found:
            components.note(_("The model in the link is not released, or not open to you."), look="warning")
    names = list(found)
    model = state().model if state().model in found else names[0]
    if len(names) > 1:
        model = st.selectbox(
            _("Model"), names, index=names.index(model), format_func=components.one_line, key=f"patients.model.{model}"
        )
    if model != state().model:
        state().model, state().course = model, None
    links.keep("model", model, model)
    return opened(person, found[model])


def newest(releases: tuple[Release, ...]) -> dict[str, Release]:
    """Return by model the version that answers, or the last one where none does; versions come the newest first."""
    found: dict[str, Release] = {}
    for release in releases:
        kept = found.get(release.model)
        if kept is None or (kept.withdrawn_at is not None and release.withdrawn_at is None):
            found[release.model] = release
    return found


def opened(person: str, release: Release) -> InUse:
    """Open a version after seeing that its files are those that were released."""
    store = cache.store()
    manifest = cache.once(
        lambda: read_manifest(store.release_folder(person, release.id)), "patients.manifest", release.id
    )
    state().about = release.study_id
    return InUse(
        person,
        release,
        cache.study(person, release.study_id),
        cache.once(lambda: store.get_run(person, release.run_id), "patients.run", release.run_id),
        Schema.from_dict(manifest["schema"]),
        tuple(manifest["classes"]),
        Recipe.from_dict(manifest["recipe"]),
        float(manifest.get("threshold") or 0.5),
    )


def answers(in_use: InUse) -> bool:
    """Say of a version that may not be asked why, and return whether it may."""
    try:
        cache.store().model_in_use(in_use.person, in_use.model)
    except SettingsError as problem:
        components.note(str(problem), look="warning")
        return False
    return True


def about(in_use: InUse) -> None:
    """Say what the model is for, and once that nothing here is advice."""
    terms, until = in_use.release.terms, in_use.release.terms.valid_until
    pairs = [
        (_("Model"), in_use.model),
        (_("Outcome"), in_use.outcome),
        (_("Version"), f"{in_use.release.version} · {_(STATES[in_use.release.state][0])}"),
        (_("Intended use"), terms.intended_use),
        (_("For whom"), terms.for_whom),
    ]
    if in_use.threshold is not None:
        pairs.append((_("Calls from"), in_use.measure.write(in_use.threshold)))
    if until is not None:
        pairs.append((_("Valid until"), until.isoformat()))
    components.facts(pairs)
    components.caption(
        _("The model says how likely something is, and never what to do: plans and tasks here are people’s own.")
    )


def moment(value: datetime, *, day: bool = False) -> str:
    """Write a moment as the pages do."""
    return f"{value:%Y-%m-%d}" if day else f"{value:%Y-%m-%d %H:%M}"


def done(action: str, undone: MedcoreError | None) -> None:
    """Say after a callback what was done, or at the top of the page what went wrong."""
    if undone is None:
        st.toast(action)
    else:
        state().problem = undone
