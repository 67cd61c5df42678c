"""The whole model: what it uses, how, how stably, and for which groups of patients."""

from __future__ import annotations

import numpy as np
import streamlit as st

from medcore import jobs
from medcore.charts.model import whole_model as charts
from medcore.explanation.model import overview
from medcore.explanation.model.tables import Explanations
from medcore.explanation.model.whole import (
    FEWEST,
    Importance,
    ImportanceStability,
    ReasonGroup,
    importance,
    reason_groups,
)
from medcore.explanation.patient import wording
from medcore.explanation.shapley.results import caption_of
from medcore.i18n import _, listed, percent
from medcore.models.run.results import Results
from medcore.ui.kit import cache
from medcore.ui.kit.shown import components
from medcore.ui.kit.words import model_name
from medcore.ui.patient.explainer import Explainer
from medcore.ui.patient.many.batch import Batch, follow
from medcore.ui.patient.many.table import ask_class

MOST_PATIENTS = 200
PAIRED = 6
"""Of so many columns, those used most, every two are asked whether they interact."""


def show(explainer: Explainer) -> None:
    """Explain a sample of training patients, then show what the model uses over all of them."""
    name = ask_class(explainer, "patient.whole.class")
    places = _sample(explainer)
    rows = explainer.results.training.rows[places]
    batch = cache.once(
        lambda: Batch(explainer.model, explainer.frame.iloc[rows][list(explainer.columns)], name),
        *("patient.whole", explainer.identity, name),
    )
    if not batch.started:
        components.note(
            _("For this, {n} training patients are explained one by one. It may take a minute.", n=len(rows))
        )
        st.button(_("Look at the whole model"), type="primary", key="patient.whole.start", on_click=batch.start)
        return
    if not batch.finished:
        follow(batch, key="patient.whole")
        return
    found = batch.found
    if found is None:
        st.button(_("Go on"), key="patient.whole.start", on_click=batch.start)
        return
    _uses(explainer, found)
    with components.errors_shown():
        _one_column(explainer, found, name)
    with components.errors_shown():
        _stability(explainer, name)
    index = explainer.classes.index(name)
    events = None
    if isinstance(explainer.results, Results):
        events = explainer.results.training.outcome[places][: len(found.rows)] == index
    with components.errors_shown():
        _groups(explainer, found, events, name)


def _sample(explainer: Explainer) -> np.ndarray:
    n = len(explainer.results.training.rows)
    return np.sort(np.random.default_rng(0).permutation(n)[:MOST_PATIENTS])


def _uses(explainer: Explainer, found: Explanations) -> None:
    components.section(
        _("What the model uses"),
        _(
            "Over {n} training patients. Importance is what the model leans on, not what makes patients ill.",
            n=len(found.rows),
        ),
    )
    components.figure(
        charts.importance_chart(_importance(explainer, found), scale=found.scale, naming=explainer.shown),
        key="patient.whole.importance",
    )
    components.figure(
        charts.beeswarm(found, explainer.reference.codebook, naming=explainer.shown),
        key="patient.whole.swarm",
        caption=_(caption_of(found.scale)),
    )


def _one_column(explainer: Explainer, found: Explanations, name: str) -> None:
    """Show a column's contributions by its value, and the mean risk along it."""
    components.section(
        _("One column"), _("What it does to the prediction by its value, and with which other column it acts.")
    )
    ranked = [found.columns[i] for i in _importance(explainer, found).order]
    column = st.selectbox(
        _("Column"),
        ranked,
        format_func=lambda c: components.one_line(explainer.shown(c)),
        key=f"patient.whole.column.{explainer.run.id}",
    )
    if column is None:
        return
    place, naming = found.columns.index(column), explainer.shown
    paired = tuple(ranked[:PAIRED])
    pairs = components.waited(
        lambda task: jobs.call(overview.interactions_of, explainer.model, paired, class_name=name, stop=task.stop),
        *("patient.whole.pairs", explainer.identity, name, len(found.rows)),
        key="patient.whole.pairs",
        doing=_("Looking at which columns act together."),
    )
    if pairs is None:
        return
    model, reference, unit = explainer.model, explainer.reference, naming(column).unit or None
    effect = components.waited(
        lambda task: jobs.call(
            overview.effect_of, model, reference, column, class_name=name, unit=unit, stop=task.stop
        ),
        *("patient.whole.effect", explainer.identity, name, column),
        key="patient.whole.column-effect",
        doing=_("The model is asked for the effect of the column."),
    )
    if effect is None:
        return
    left, right = st.columns(2)
    with left:
        drawn = charts.dependence(found, explainer.reference.codebook, place, pairs.partner(place), naming=naming)
        components.figure(drawn, key="patient.whole.dependence")
    with right:
        components.figure(
            charts.effect_chart(effect, naming=naming, measure=explainer.measure), key="patient.whole.effect"
        )


def _stability(explainer: Explainer, name: str) -> None:
    """Show whether the models inside lean on the same columns."""
    components.section(
        _("Would another model say the same?"),
        _(
            "Models trained on other patients or from another start. Where they disagree, do not read much into a column."
        ),
    )
    stability: ImportanceStability | None = components.waited(
        lambda task: jobs.call(overview.stability_of, explainer.model, class_name=name, stop=task.stop),
        *("patient.whole.stability", explainer.identity, name),
        key="patient.whole.models",
        doing=_("The models inside are compared."),
    )
    if stability is None:
        return
    if len(stability.models) < 2:
        components.note(_("This run’s model is a single one: nothing to compare."))
        return
    names = [_named(m) for m in stability.models]
    components.figure(charts.stability_chart(stability, names, naming=explainer.shown), key="patient.whole.stability")


def _groups(explainer: Explainer, found: Explanations, events: np.ndarray | None, name: str) -> None:
    """Show groups of patients whose risks have the same reasons; small ones are not shown."""
    components.section(
        _("Patients with the same reasons"),
        _(
            "Training patients grouped by what moved their prediction. Groups and counts under {n} are not told.",
            n=FEWEST,
        ),
    )
    groups: tuple[ReasonGroup, ...] = cache.once(
        lambda: reason_groups(found, events), *("patient.whole.groups", explainer.identity, name, len(found.rows))
    )
    components.table([_group(explainer, g) for g in groups], alt=_("Groups of patients with the same reasons"))


def _group(explainer: Explainer, group: ReasonGroup) -> dict[str, str]:
    """Write one group: how many, what is predicted for them, what was observed of classes, and what moved it."""
    measure = explainer.measure
    moved = [
        f"{components.plain(explainer.shown(c).words)} {measure.bare(v, signed=True, more=0 if measure.of_number else -1)}"
        for c, v in group.reasons
    ]
    told = {_("Patients"): f"{group.n} ({percent(group.share, 0)})"}
    if measure.of_number:
        told[_("Mean prediction")] = components.plain(measure.write(group.mean_risk))
        return told | {_("What moved it most"): listed(moved) or "–"}
    told[_("Mean risk")] = components.plain(wording.percent(group.mean_risk))
    observed = group.observed
    told[_("Observed")] = _("not told") if observed is None else components.plain(wording.percent(observed))
    return told | {_("What moved their risk most, in points"): listed(moved) or "–"}


def _importance(explainer: Explainer, found: Explanations) -> Importance:
    return cache.once(
        lambda: importance(found), "patient.whole.importance", explainer.identity, found.class_name, len(found.rows)
    )


def _named(model: str) -> str:
    """Name a model inside, with the number of its fold where it has one."""
    kind, _space, number = model.partition(" ")
    return f"{model_name(kind)} {number}".strip()
