"""The view of the Evaluate page that judges the frozen model on new patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
import streamlit as st

from medcore import jobs
from medcore.charts import calibration as calibration_charts
from medcore.charts import utility
from medcore.data.cohort import Cohort, Schema
from medcore.data.preparation.recipe import Recipe, required_columns
from medcore.data.schema.matching import propose_names
from medcore.data.shown import Naming
from medcore.evaluation import Estimate, calibration_curve, decision_curve
from medcore.evaluation.curves.utility import thresholds_with
from medcore.i18n import _, percent
from medcore.jobs.runs.versions import keep_version
from medcore.models.deployed.external import ExternalValidation
from medcore.models.deployed.recalibration import WEIGHTED
from medcore.models.deployed.versions import AnyRecalibration, AnyValidation, Judgement, judge_saved
from medcore.models.run.results import Results
from medcore.studies.records import RunRecord
from medcore.ui.evaluate import judging
from medcore.ui.evaluate.judging import Judged
from medcore.ui.evaluate.new_patients.levels import LevelQuestion, level_form
from medcore.ui.kit import cache
from medcore.ui.kit.layout import caption, facts, note, section
from medcore.ui.kit.notices import mends
from medcore.ui.kit.shown.brought import brought
from medcore.ui.kit.shown.figures import figure
from medcore.ui.kit.shown.inputs import choice
from medcore.ui.kit.shown.tables import metric_table, table, with_interval
from medcore.ui.kit.shown.undoing import last_change
from medcore.ui.kit.shown.waiting import under_way, waited
from medcore.ui.kit.text import plain

AFTER_RECALIBRATION = ("auroc", "brier", "log_loss", "calibration_slope", "calibration_intercept", "o_e_ratio", "ici")


MOST_SECONDS = 600.0


def external(run: RunRecord, results: Results, judged: Judged, threshold: float, naming: Naming) -> None:
    """Ask for a table of new patients with known outcomes and judge the model as it is."""
    section(
        _("How good is it on other patients?"),
        _("The model stays as it is. The table needs the columns of training, the outcome included; it is not stored."),
    )
    _needed(judged)
    file = st.file_uploader(_("Table of new patients with their outcomes"), key=f"evaluate.external.{run.id}")
    if file is None:
        return
    study = cache.study(run.owner, run.study_id)
    cohort = brought(file, study.identity, like=study.schema, key="evaluate.reading")
    if cohort is None:
        return
    names = column_form(cohort, results.manifest, run.id)
    if names is None:
        return
    levels = level_form(run, cohort, names)
    if levels is None:
        return
    found = _judgement(run, cohort, names, levels, _weight(cohort, run.id), threshold)
    if found is None:
        return
    schema = Schema.from_dict(results.manifest["schema"])
    renamed = replace(cohort, frame=cohort.frame.rename(columns={here: name for name, here in names.items()}))
    mends(cache.model_mends(renamed, run, schema, sorted(names.items())), naming=naming)
    _counted(found.validation)
    if found.validation.same_table:
        return
    _judged(found.validation, judged)
    _case_mix(found.validation, naming)
    _recalibrations(run, found)


def _needed(judged: Judged) -> None:
    """Say how many new patients judge the model precisely, if they are like those of training."""
    needed = judging.size_of_validation(judged)
    if needed is None:
        return
    caption(
        _(
            "For a precise judgement about {required} new patients are needed, {events} of them with {outcome}, if they are like those of training: {o_e} for observed : expected (0.9–1.1), {slope} for the calibration slope (0.9–1.1), {auroc} for the AUROC (± 0.05) (Riley 2021).",
            required=needed.required,
            events=needed.required_events,
            outcome=judged.positive,
            o_e=needed.o_e,
            slope=needed.slope,
            auroc=needed.auroc,
        )
    )


def _judgement(
    run: RunRecord,
    cohort: Cohort,
    names: Mapping[str, str],
    levels: LevelQuestion,
    weight: str | None,
    threshold: float,
) -> Judgement | None:
    model = jobs.ResultOf(cache.store().settings, run.owner, run.id)
    return waited(
        lambda task: jobs.call(
            judge_saved,
            model,
            cohort,
            names=names,
            levels=levels.mapped,
            new_levels=levels.new,
            weight=weight,
            threshold=threshold,
            stop=task.stop,
            timeout=MOST_SECONDS,
        ),
        *("external", run.id, cohort.sha256, sorted(names.items()), levels, weight, threshold),
        key="evaluate.external",
        doing=_("The new patients are judged."),
    )


def _weight(cohort: Cohort, run_id: str) -> str | None:
    """Ask by which column patients count, if not all count alike."""
    return st.selectbox(
        _("Weights"),
        list(map(str, cohort.frame.columns)),
        index=None,
        placeholder=_("every patient counts alike"),
        help=_(
            "A column of numbers, 0 or more, that says for how many patients each row stands: inverse sampling or "
            "censoring weights, for example. Leave it empty unless the sample was drawn with unequal chances."
        ),
        key=f"evaluate.weight.{run_id}.{cohort.sha256[:12]}",
    )


def column_form(cohort: Cohort, manifest: Mapping[str, Any], run_id: str) -> dict[str, str] | None:
    """Ask which column is which where names differ from those of a model's manifest; None until every needed one is there."""
    schema = Schema.from_dict(manifest["schema"])
    needed = list(required_columns(schema, Recipe.from_dict(manifest["recipe"])))
    needed += [schema.outcome.name] if schema.outcome else []
    needed += [name for name in (schema.follow_up.columns if schema.follow_up else ()) if name not in needed]
    optional = [c.name for c in (schema.only("group"),) if c is not None]
    here = list(map(str, cohort.frame.columns))
    proposed = propose_names([*needed, *optional], here)
    lacking = [name for name in proposed if name not in here]
    if not lacking:
        return {}
    section(
        _("Which column is which?"),
        _(
            "This table names {n} column(s) differently, or lacks them. The nearest name is proposed: check each, and "
            "that it is in the same unit.",
            n=len(lacking),
        ),
    )
    chosen: dict[str, str] = {}
    places = st.columns(3)
    for number, name in enumerate(lacking):
        guess = proposed[name]
        with places[number % 3]:
            picked = st.selectbox(
                plain(name),
                here,
                index=here.index(guess) if guess is not None else None,
                placeholder=_("not in this table"),
                key=f"evaluate.map.{run_id}.{cohort.sha256[:12]}.{number}",
            )
        if picked is not None:
            chosen[name] = picked
    missing = [name for name in lacking if name in needed and name not in chosen]
    twice = {h for h in chosen.values() if list(chosen.values()).count(h) > 1}
    if missing:
        note(_("Say which column is meant by: {columns}.", columns=missing), look="warning")
    if twice:
        note(_("One column cannot stand for two: {columns}.", columns=sorted(twice)), look="warning")
    return None if missing or twice else chosen


def _counted(found: ExternalValidation) -> None:
    pairs = [(_("Patients judged"), f"{found.n_patients:,}")]
    if found.n_without_outcome:
        pairs.append((_("Left out, no outcome"), f"{found.n_without_outcome:,}"))
    if found.n_weight_zero:
        pairs.append((_("Left out, weight 0"), f"{found.n_weight_zero:,}"))
    facts(pairs)
    for warning in found.warnings():
        note(str(warning), look="warning")
    for line in found.weighting():
        note(str(line))


def _judged(found: ExternalValidation, judged: Judged) -> None:
    new, old = _("New patients"), _("Out of fold")
    if judged.target.many:
        metric_table({new: found.evaluation.metrics, old: judged.evaluation.metrics})
        return
    event, risk = (found.outcome == 1).astype(np.float64), found.risk[:, 1]
    left, right = st.columns(2)
    with left:
        chart = calibration_charts.calibration(
            {new: calibration_curve(event, risk, groups=found.groups, weights=found.weights)},
            {new: found.evaluation.metrics},
        )
        figure(chart, key="evaluate.external.calibration")
    with right:
        metric_table({new: found.evaluation.metrics, old: judged.metrics[judged.name]})
        threshold = found.confusion.threshold if found.confusion else None
        grid = None if threshold is None else thresholds_with(threshold)
        curves = {new: decision_curve(event, risk, thresholds=grid, groups=found.groups, weights=found.weights)}
        figure(utility.decision_curve(curves, threshold=threshold), key="evaluate.external.decision")


def _case_mix(found: ExternalValidation, naming: Naming) -> None:
    apart = found.membership
    section(
        _("How these patients differ from those of training"),
        _("Above 0.2 is a notable difference: standard deviations for numbers, shares that moved for categories."),
    )
    facts([(_("AUROC of telling them apart (0.5: not at all)"), with_interval(apart.auroc, digits=2))])
    if found.meaning is not None:
        note(str(found.meaning))
    ordered = sorted(found.differences, key=lambda d: -(d.difference or 0.0))
    table(
        [
            {
                _("Column"): plain(naming(d.column)),
                _("Difference"): "–" if d.difference is None else f"{d.difference:.2f}",
                _("Missing (training)"): f"{percent(d.missing, 0)} ({percent(d.missing_training, 0)})",
                _("Never seen in training"): str(d.unseen),
            }
            for d in ordered
        ]
    )


def _recalibrations(run: RunRecord, found: Judgement) -> None:
    """Show what recalibration to the new patients would give, in rising strength, and keep one as a new version."""
    section(
        _("What recalibration would give"),
        _(
            "Judged by cross-validation: each patient's risk was recalibrated on other patients. The ranking of "
            "patients hardly changes; if it is poor here, train again with these patients."
        ),
    )
    if found.validation.weight:
        note(_(WEIGHTED))
        return
    before = found.validation.evaluation.metrics
    after: dict[str, Mapping[str, Estimate]] = {r.strength: r.evaluation.metrics for r in found.recalibrations}
    choose_recalibration(run, found.validation, found.recalibrations, before, after, AFTER_RECALIBRATION)


def choose_recalibration(
    run: RunRecord,
    validation: AnyValidation,
    offered: Sequence[AnyRecalibration],
    before: Mapping[str, Estimate],
    after: Mapping[str, Mapping[str, Estimate]],
    metrics: Sequence[str],
    *,
    own_digits: Mapping[str, int] = MappingProxyType({}),
) -> None:
    """Show figures before and after each recalibration by its strength, and offer to keep one; ``own_digits`` as in a table of measures."""
    if validation.unreadable:
        note(_("None is offered while the model cannot read some categories of these patients."), look="warning")
        return
    if not offered:
        note(_("These patients do not allow a recalibration: they are too few to learn it from."), look="warning")
        return
    columns = {_("As it is"): before} | {str(r.title): after[r.strength] for r in offered}
    metric_table(columns, metrics=metrics, own_digits=own_digits)
    by_strength = {r.strength: r for r in offered}
    titles = {r.strength: str(r.title) for r in offered}
    strength = choice(_("Recalibration"), list(by_strength), key="evaluate.recalibration", show=titles.__getitem__)
    note(_("What it does: {what}.", what=by_strength[strength].meaning))
    _keep(run, by_strength[strength], validation)


def _keep(run: RunRecord, change: AnyRecalibration, validation: AnyValidation) -> None:
    """Offer to keep a recalibration as a new version, once for a table."""
    kept = _kept_as(run, change, validation)
    if kept is not None:
        note(_("Kept as run {number}; choose it above under Training run.", number=kept.number), look="success")
        last_change(cache.study(run.owner, run.study_id), where="evaluate.version")
        return
    if cache.study(run.owner, run.study_id).access == "read":
        return
    note(
        _(
            "A new version is a run of its own, beside this one, which stays as it was. The table of new patients is "
            "not kept with it. Judge it on further patients before it is used."
        )
    )
    settings = cache.store().settings
    keeping = ("evaluate.keeping", run.id, change.strength, validation.data_sha256)
    asked = st.button(_("Keep this as a new version"), key="evaluate.keep_version", icon=":material/save:")
    if not (asked or under_way(*keeping)):
        return
    kept_now = waited(
        lambda task: jobs.call(keep_version, settings, run.owner, run.id, change, validation, stop=task.stop),
        *keeping,
        key="evaluate.keeping",
        doing=_("The new version is being kept."),
        keep=False,
    )
    if kept_now is not None:
        st.rerun()


def _kept_as(run: RunRecord, change: AnyRecalibration, validation: AnyValidation) -> RunRecord | None:
    wanted = {"run_id": run.id, "strength": change.strength, "data_sha256": validation.data_sha256}
    runs = cache.runs(run.owner, run.study_id)
    return next((r for r in runs if wanted.items() <= r.summary.get("version_of", {}).items()), None)
