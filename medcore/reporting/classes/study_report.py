"""The report of a trained model, in the order in which a reviewer reads."""

from __future__ import annotations

from medcore.data.schema.class_names import NAMELESS_EVENT
from medcore.evaluation import Evaluation
from medcore.evaluation.figures.words import with_interval
from medcore.i18n import _, current_language, running
from medcore.models.run.manifest import INTENDED_USE
from medcore.reporting import methods
from medcore.reporting.classes import findings
from medcore.reporting.classes.card import model_card
from medcore.reporting.classes.subgroups import subgroups
from medcore.reporting.clusters import over_sites
from medcore.reporting.formats.document import Block, Document, Heading, Paragraph, Table
from medcore.reporting.inputs import ReportInputs
from medcore.reporting.sample_size import sample_size, too_few
from medcore.reporting.specification import the_model
from medcore.reporting.stability import stability
from medcore.reporting.standards.limits import limits
from medcore.reporting.standards.probast import QUESTIONS
from medcore.reporting.standards.tripod import PLACES, answered, checklist, part


def study_report(inputs: ReportInputs) -> Document:
    """Write the whole report in the current language.

    What the tool knows it fills in; what only people know is printed as they
    answered it, or as "not stated". It never claims that a guideline is met.
    """
    blocks = _chapters(inputs)
    blocks += _checklists(inputs, _parts(inputs, blocks))
    return Document(
        title=_title(inputs),
        subtitle=running(
            (
                *([inputs.title + ("." if current_language() == "en" else "。")] if inputs.title else []),
                _("Trained {when}.", when=inputs.results.manifest["created"][:10]),
            )
        ),
        language=current_language(),
        blocks=tuple(blocks),
        footer=_(INTENDED_USE),
    )


def _chapters(inputs: ReportInputs) -> list[Block]:
    """Write what the study is and found, from the summary to the statements."""
    return [
        *_summary(inputs),
        *model_card(inputs),
        Heading(_("Purpose"), 1),
        *methods.asked(inputs, ("intended_use", "background", "inequalities")),
        Heading(_("Patients"), 1),
        *methods.asked(
            inputs, ("source", "setting", "eligibility", "treatments", "outcome_definition", "predictors_chosen")
        ),
        *methods.flow(inputs),
        *methods.predictors(inputs),
        *methods.characteristics(inputs),
        *sample_size(inputs),
        Heading(_("Methods"), 1),
        *methods.preparation(inputs),
        *methods.models(inputs),
        *findings.measures(inputs),
        *findings.threshold(inputs),
        *the_model(inputs.results, inputs.shown),
        *findings.performance(inputs),
        *stability(inputs),
        *subgroups(inputs),
        *findings.external(inputs),
        *limits(inputs, too_few=too_few(inputs)),
        Heading(_("Interpretation and statements"), 1),
        *methods.asked(
            inputs, ("interpretation", "next_steps", "ethics", "funding", "registration", "sharing", "involvement")
        ),
        *_identity(inputs),
    ]


def _checklists(inputs: ReportInputs, parts: frozenset[str]) -> list[Block]:
    """Write what the ``parts`` of a report say of each question of PROBAST+AI and each item of TRIPOD+AI."""
    asked = answered(QUESTIONS, inputs.answers, parts)
    return [
        Heading(_("PROBAST+AI questions"), 1),
        Paragraph(
            _(
                "What this report knows of each signalling question; which risk of bias follows is for the reader to judge."
            )
        ),
        Table.of(_("Signalling questions"), (_("Number"), _("Question"), _("What is known")), asked),
        Heading(_("TRIPOD+AI items"), 1),
        checklist(inputs.answers, parts),
    ]


def _title(inputs: ReportInputs) -> str:
    """Say which kind of study this is, of which outcome (TRIPOD+AI item 1)."""
    nameless = inputs.target.event is None or inputs.class_names[-1] == _(NAMELESS_EVENT)
    what = inputs.outcome_name if nameless else inputs.class_names[-1]
    if inputs.new_patients is None:
        return _("Prediction of {outcome}: development and internal validation of a model", outcome=what)
    return _("Prediction of {outcome}: development and external validation of a model", outcome=what)


def _parts(inputs: ReportInputs, blocks: list[Block]) -> frozenset[str]:
    """Return which parts this report has: those with a heading, and of some the very thing that is asked for."""
    headings = {block.text for block in blocks if isinstance(block, Heading)}
    site = inputs.schema.only("site")
    inside = {
        "external": inputs.new_patients is not None,
        "clusters": inputs.target.event is not None
        and site is not None
        and site.name in inputs.results.training.sensitive,
        "compared": inputs.prepared is not None and inputs.split is not None and bool(inputs.split.test.any()),
        "recalibrated": bool(inputs.recalibrations),
        "updated": "recalibration" in inputs.results.manifest,
    }
    return frozenset(
        key for key, title in PLACES.items() if _(title) in headings | {part("title")} and inside.get(key, True)
    )


def _summary(inputs: ReportInputs) -> list[Block]:
    results = inputs.results
    judged = results.cross_validated
    words = {
        "who": _who(judged),
        "auroc": with_interval(judged.metrics["auroc"]),
        "slope": with_interval(judged.metrics["calibration_slope"], digits=2),
        "brier": with_interval(judged.metrics["brier"]),
    }
    figures = (
        _(
            "Out of fold, on {who}, the AUROC was {auroc} and the calibration slope {slope} (both means of each class against the rest), and the Brier score {brier} (summed over the classes).",
            **words,
        )
        if inputs.target.many
        else _(
            "Out of fold, on {who}, the AUROC was {auroc}, the calibration slope {slope} and the Brier score {brier}.",
            **words,
        )
    )
    test = ""
    if inputs.tested:
        test = _(
            "On the locked test set of {who} the AUROC was {auroc}.",
            who=_who(inputs.tested),
            auroc=with_interval(inputs.tested.metrics["auroc"]),
        )
    return [
        Heading(part("summary"), 1),
        Paragraph(_(INTENDED_USE), strong=True),
        Paragraph(running((_aim(inputs), over_sites(results), figures, test, _anew(inputs)))),
        *_nobody_new(inputs),
    ]


def _nobody_new(inputs: ReportInputs) -> list[Block]:
    """Warn that the table it was to be judged on is that of the training: nothing of it is printed."""
    validation = inputs.validation
    if validation is None or not validation.same_table:
        return []
    return [Paragraph(str(warning), strong=True) for warning in validation.warnings()]


def _aim(inputs: ReportInputs) -> str:
    """Say what the model is for, and on how many patients it was made."""
    made = _who(inputs.results.cross_validated)
    if inputs.target.event is None:
        return _(
            "Aim: the risk of every class of “{outcome}” ({classes}), learnt from {who}.",
            outcome=inputs.outcome_name,
            classes=list(inputs.class_names),
            who=made,
        )
    return _(
        "Aim: the risk of {event} (column “{outcome}”), learnt from {who}.",
        event=inputs.class_names[-1],
        outcome=inputs.outcome_name,
        who=made,
    )


def _anew(inputs: ReportInputs) -> str:
    """Say how it did on new patients, where there are any and they are new."""
    judged = inputs.new_patients
    if judged is None:
        return ""
    return _(
        "On {who} of another table the AUROC was {auroc}.",
        who=_who(judged),
        auroc=with_interval(judged.metrics["auroc"]),
    )


def _who(judged: Evaluation) -> str:
    """Count the patients, and their rows where they have several."""
    if judged.n_patients is None:
        return _("{n} patients", n=judged.n)
    return _("{rows} rows of {n} patients", rows=judged.n, n=judged.n_patients)


def _identity(inputs: ReportInputs) -> list[Block]:
    manifest = inputs.results.manifest
    rows = [
        (_("SHA-256 of the table"), manifest["data_sha256"]),
        *([(_("SHA-256 of the bundle's list of hashes"), inputs.bundle_sha256)] if inputs.bundle_sha256 else []),
        *(
            [(_("SHA-256 of the new patients' table"), inputs.validation.data_sha256)]
            if inputs.validation and inputs.new_patients
            else []
        ),
        (_("Seed of the training"), manifest["seed"]),
        (_("Seed of the split"), manifest["split"]["seed"]),
        (_("Date of training"), manifest["created"]),
        *((name, version) for name, version in manifest["versions"].items()),
    ]
    return [
        Heading(part("versions"), 1),
        Table.of(_("What is needed to repeat this"), (_("What"), _("Value")), rows),
    ]
