"""The report of a trained model, in the order in which a reviewer reads."""

from __future__ import annotations

from medcore.evaluation import Evaluation
from medcore.evaluation.words import with_interval
from medcore.i18n import _, current_language
from medcore.models.manifest import INTENDED_USE, LIMITS
from medcore.reporting import findings, methods
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
        *findings.measures(),
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
    parts = frozenset(key for key, title in PLACES.items() if _has(blocks, _(title))) | {"title"}
    blocks += [Heading(_("TRIPOD+AI items"), 1), checklist(subject.answers, parts)]
    return Document(
        title=subject.title,
        subtitle=_(
            "Prediction of “{outcome}”; trained {when}", outcome=subject.outcome_name, when=manifest["created"][:10]
        ),
        language=current_language(),
        blocks=tuple(blocks),
        footer=_(INTENDED_USE),
    )


def _has(blocks: list[Block], title: str) -> bool:
    return any(isinstance(block, Heading) and block.text == title for block in blocks)


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
        Paragraph(f"{figures} {test}".strip()),
    ]


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
        (_("Seed"), manifest["seed"]),
        (_("Date of training"), manifest["created"]),
        *((name, version) for name, version in manifest["versions"].items()),
    ]
    return [
        Heading(part("versions"), 1),
        Table.of(_("What is needed to repeat this"), (_("What"), _("Value")), rows),
    ]
