"""The report of a model that says by when, in the order in which a reviewer reads."""

from __future__ import annotations

from medcore.evaluation import SurvivalPerformance
from medcore.i18n import _, listed, percent, running
from medcore.models.contract.titles import title
from medcore.models.run.manifest import INTENDED_USE, LIMITS
from medcore.reporting.chapters import chapters
from medcore.reporting.formats.document import Block, Bullets, Document, Heading, Paragraph, Table
from medcore.reporting.frame import framed
from medcore.reporting.inputs import TimedReportInputs
from medcore.reporting.stability import stability
from medcore.reporting.standards.limits import much_missing
from medcore.reporting.standards.tripod import not_stated, part
from medcore.reporting.timed import findings
from medcore.reporting.timed.equation import the_model
from medcore.reporting.timed.patients import flow, sample_size

FEW_EVENTS = 100
"""Fewer events say little of calibration (Collins et al., Stat Med 2016;35:214)."""


def timed_report(inputs: TimedReportInputs) -> Document:
    """Write the whole report in the current language.

    What the tool knows it fills in; what only people know is printed as they
    answered it, or as "not stated". It never claims that a guideline is met.
    """
    blocks = chapters(
        inputs,
        opening=[*_summary(inputs), *timed_card(inputs)],
        flow=flow(inputs),
        sample_size=sample_size(inputs),
        judged=[
            *findings.measures(inputs),
            *findings.threshold(inputs),
            *the_model(inputs),
            *findings.performance(inputs),
            *stability(inputs),
            *findings.subgroups(inputs),
            *findings.external(inputs),
            *_limits(inputs),
        ],
    )
    return framed(inputs, blocks, outcome=_event(inputs))


def _event(inputs: TimedReportInputs) -> str:
    return _("{event} within {horizon}", event=inputs.class_names[1], horizon=inputs.when)


def _who(judged: SurvivalPerformance) -> str:
    if judged.n_patients is None:
        return _("{n} patients", n=judged.n)
    return _("{rows} rows of {n} patients", rows=judged.n, n=judged.n_patients)


def _summary(inputs: TimedReportInputs) -> list[Block]:
    results, main = inputs.results, inputs.results.target.main
    judged = results.cross_validated
    at = judged.by(main)
    lines = [
        _(
            "Aim: the risk of {event} (column “{outcome}”), learnt from {who}.",
            event=_event(inputs),
            outcome=inputs.outcome_name,
            who=_who(judged),
        ),
        _(
            "By then {observed} of 100 had had it (Kaplan–Meier, or Aalen–Johansen where events compete); the outcome of those censored before is not known.",
            observed=f"{100 * at.observed.value:.0f}",
        ),
        _(
            "Out of fold, on {who}, the AUROC by then was {auroc}, the calibration slope {slope}, and the integrated Brier score {brier}.",
            who=_who(judged),
            **findings.headline(judged, main),
        ),
    ]
    tested, new = inputs.tested, inputs.new_patients
    if tested is not None:
        auroc = findings.headline(tested, main)["auroc"]
        lines.append(_("On the locked test set of {who} the AUROC was {auroc}.", who=_who(tested), auroc=auroc))
    if new is not None and main in new.horizons:
        auroc = findings.headline(new, main)["auroc"]
        lines.append(_("On {who} of another table the AUROC was {auroc}.", who=_who(new), auroc=auroc))
    return [Heading(part("summary"), 1), Paragraph(_(INTENDED_USE), strong=True), Paragraph(running(lines))]


def timed_card(inputs: TimedReportInputs) -> list[Block]:
    """Write the model card: use, inputs, making, figures, groups and identity, a line each."""
    results, manifest = inputs.results, inputs.results.manifest
    weights = [f"{title(n)} {percent(w, 0)}" for n, w in manifest["weights"].items() if w > 0]
    names = [inputs.shown(name).words for name in manifest["predictors"]]
    groups = [inputs.shown(str(name)).words for name in results.training.sensitive.columns]
    figures = findings.headline(results.cross_validated, results.target.main)
    rows = [
        (_("Status"), _(INTENDED_USE)),
        (_("Intended use"), not_stated(inputs.answers.get("intended_use"))),
        (_("Predicts"), _event(inputs)),
        (
            _("Inputs"),
            _("{n} columns: {names}", n=len(names), names=names[:12] if len(names) <= 12 else [*names[:12], "…"]),
        ),
        (_("Made of"), listed(weights)),
        (_("Learnt from"), _who(results.cross_validated)),
        (
            _("Out of fold"),
            _("AUROC {auroc}; calibration slope {slope}; integrated Brier score {brier}", **figures),
        ),
        (_("Threshold"), percent(inputs.threshold)),
        (_("Groups judged apart"), listed(groups) if groups else _("none")),
        (_("Not for"), _("Patients unlike those it was learnt from, and decisions without a physician.")),
        (_("Date of training"), manifest["created"][:10]),
    ]
    return [Heading(part("card"), 1), Table.of(_("The model at a glance"), (_("What"), _("Value")), rows)]


def _limits(inputs: TimedReportInputs) -> list[Block]:
    """Print what limits the use of this model: first what this study found, then what is true of all."""
    at = inputs.results.cross_validated.by(inputs.results.target.main)
    own = []
    if 0 < at.n_events < FEW_EVENTS:
        own.append(
            _(
                "Fewer than {n} patients had the event by the horizon: calibration is known roughly at best.",
                n=FEW_EVENTS,
            )
        )
    if at.n_unknown > inputs.results.cross_validated.n / 2:
        own.append(_("More than half were censored before the horizon: what became of them is not known."))
    always = (
        _(
            "Censoring is taken to be independent of the predictors; where sicker patients leave early, figures mislead."
        ),
        *(_(limit) for limit in LIMITS),
        _(
            "Missing inputs are filled in as in training and marked; values outside the training patients' range are marked."
        ),
        _("This report lists the items of TRIPOD+AI; it does not claim that they are met."),
    )
    return [Heading(part("limits"), 1), Bullets((*own, *much_missing(inputs), *always))]
