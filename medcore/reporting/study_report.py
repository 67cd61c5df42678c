"""The report of a trained model, in the order in which a reviewer reads."""

from __future__ import annotations

from medcore.evaluation import Evaluation
from medcore.evaluation.figures.words import with_interval
from medcore.i18n import _, current_language, running
from medcore.models.run.manifest import INTENDED_USE, LIMITS
from medcore.reporting import findings, methods
from medcore.reporting.card import model_card
from medcore.reporting.clusters import over_sites
from medcore.reporting.document import Block, Bullets, Document, Heading, Paragraph, Table
from medcore.reporting.subject import Subject
from medcore.reporting.tripod import PLACES, checklist, part


def study_report(subject: Subject) -> Document:
    """Write the whole report in the current language.

    What the tool knows it fills in; what only people know is printed as they
    answered it, or as "not stated". It never claims that a guideline is met.
    """
    manifest = subject.results.manifest
    blocks: list[Block] = [
        *_summary(subject),
        *model_card(subject),
        Heading(_("Purpose"), 1),
        *methods.asked(subject, ("intended_use", "background", "inequalities")),
        Heading(_("Patients"), 1),
        *methods.asked(
            subject, ("source", "setting", "eligibility", "treatments", "outcome_definition", "predictors_chosen")
        ),
        *methods.flow(subject),
        *methods.predictors(subject),
        *methods.characteristics(subject),
        *methods.sample_size(subject),
        Heading(_("Methods"), 1),
        *methods.preparation(subject),
        *methods.models(subject),
        *findings.measures(subject),
        *findings.threshold(subject),
        *findings.performance(subject),
        *findings.subgroups(subject),
        *findings.external(subject),
        *_limits(),
        Heading(_("Interpretation and statements"), 1),
        *methods.asked(
            subject, ("interpretation", "next_steps", "ethics", "funding", "registration", "sharing", "involvement")
        ),
        *_identity(subject),
    ]
    blocks += [Heading(_("TRIPOD+AI items"), 1), checklist(subject.answers, _parts(subject, blocks))]
    return Document(
        title=subject.title,
        subtitle=_(
            "Prediction of “{outcome}”; trained {when}", outcome=subject.outcome_name, when=manifest["created"][:10]
        ),
        language=current_language(),
        blocks=tuple(blocks),
        footer=_(INTENDED_USE),
    )


def _parts(subject: Subject, blocks: list[Block]) -> frozenset[str]:
    """Return which parts this report has: those with a heading, and of some the very thing that is asked for."""
    headings = {block.text for block in blocks if isinstance(block, Heading)}
    site = subject.schema.only("site")
    inside = {
        "clusters": subject.target.event is not None
        and site is not None
        and site.name in subject.results.training.sensitive,
        "compared": subject.prepared is not None and subject.split is not None and bool(subject.split.test.any()),
        "recalibrated": bool(subject.recalibrations),
        "updated": "recalibration" in subject.results.manifest,
    }
    return frozenset(
        key for key, title in PLACES.items() if _(title) in headings | {part("title")} and inside.get(key, True)
    )


def _summary(subject: Subject) -> list[Block]:
    results = subject.results
    judged = results.cross_validated
    figures = _(
        "Out of fold, on {who}, the AUROC was {auroc}, the calibration slope {slope} and the Brier score {brier}.",
        who=_who(judged),
        auroc=with_interval(judged.metrics["auroc"]),
        slope=with_interval(judged.metrics["calibration_slope"], digits=2),
        brier=with_interval(judged.metrics["brier"]),
    )
    test = ""
    if subject.tested:
        test = _(
            "On the locked test set of {who} the AUROC was {auroc}.",
            who=_who(subject.tested),
            auroc=with_interval(subject.tested.metrics["auroc"]),
        )
    return [
        Heading(part("summary"), 1),
        Paragraph(_(INTENDED_USE), strong=True),
        Paragraph(running((_aim(subject), over_sites(results), figures, test, _anew(subject)))),
    ]


def _aim(subject: Subject) -> str:
    """Say what the model is for, and on how many patients it was made."""
    made = _who(subject.results.cross_validated)
    if subject.target.event is None:
        return _(
            "Aim: the risk of every class of “{outcome}” ({classes}), learnt from {who}.",
            outcome=subject.outcome_name,
            classes=list(subject.results.classes),
            who=made,
        )
    return _(
        "Aim: the risk that “{outcome}” is {positive}, learnt from {who}.",
        outcome=subject.outcome_name,
        positive=subject.results.classes[-1],
        who=made,
    )


def _anew(subject: Subject) -> str:
    """Say how it did on new patients, where there are any and they are new."""
    validation = subject.validation
    if validation is None or validation.same_table:
        return ""
    return _(
        "On {who} of another table the AUROC was {auroc}.",
        who=_who(validation.evaluation),
        auroc=with_interval(validation.evaluation.metrics["auroc"]),
    )


def _who(judged: Evaluation) -> str:
    """Count the patients, and their rows where they have several."""
    if judged.n_patients is None:
        return _("{n} patients", n=judged.n)
    return _("{rows} rows of {n} patients", rows=judged.n, n=judged.n_patients)


def _limits() -> list[Block]:
    further = (
        _(
            "Missing inputs are filled in as in training and marked; values outside the training patients' range are marked."
        ),
        _("This report lists the items of TRIPOD+AI; it does not claim that they are met."),
    )
    return [Heading(part("limits"), 1), Bullets((*(_(limit) for limit in LIMITS), *further))]


def _identity(subject: Subject) -> list[Block]:
    manifest = subject.results.manifest
    rows = [
        (_("SHA-256 of the table"), manifest["data_sha256"]),
        *([(_("SHA-256 of the bundle's list of hashes"), subject.bundle_sha256)] if subject.bundle_sha256 else []),
        *([(_("SHA-256 of the new patients' table"), subject.validation.data_sha256)] if subject.validation else []),
        (_("Seed of the training"), manifest["seed"]),
        (_("Seed of the split"), manifest["split"]["seed"]),
        (_("Date of training"), manifest["created"]),
        *((name, version) for name, version in manifest["versions"].items()),
    ]
    return [
        Heading(part("versions"), 1),
        Table.of(_("What is needed to repeat this"), (_("What"), _("Value")), rows),
    ]
