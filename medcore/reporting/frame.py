"""What the reports of times and of numbers have alike: the checklists behind, the document around, and identity."""

from __future__ import annotations

from medcore.i18n import _, current_language, running
from medcore.models.run.manifest import INTENDED_USE
from medcore.reporting.formats.document import Block, Document, Heading, Paragraph, Table
from medcore.reporting.inputs import AnyInputs
from medcore.reporting.standards.probast import QUESTIONS
from medcore.reporting.standards.tripod import PLACES, answered, checklist, part


def framed(inputs: AnyInputs, blocks: list[Block], *, outcome: str) -> Document:
    """Put the items of PROBAST+AI and TRIPOD+AI behind a report of a prediction of ``outcome``, and make it a document."""
    parts = _parts(inputs, blocks)
    known = _(
        "What this report knows of each signalling question; which risk of bias follows is for the reader to judge."
    )
    questions = answered(QUESTIONS, inputs.answers, parts)
    title = (
        _("Prediction of {outcome}: development and internal validation of a model", outcome=outcome)
        if inputs.new_patients is None
        else _("Prediction of {outcome}: development and external validation of a model", outcome=outcome)
    )
    named = [inputs.title + ("." if current_language() == "en" else "。")] if inputs.title else []
    return Document(
        title=title,
        subtitle=running((*named, _("Trained {when}.", when=inputs.results.manifest["created"][:10]))),
        language=current_language(),
        blocks=(
            *blocks,
            Heading(_("PROBAST+AI questions"), 1),
            Paragraph(known),
            Table.of(_("Signalling questions"), (_("Number"), _("Question"), _("What is known")), questions),
            Heading(_("TRIPOD+AI items"), 1),
            checklist(inputs.answers, parts),
        ),
        footer=_(INTENDED_USE),
    )


def _parts(inputs: AnyInputs, blocks: list[Block]) -> frozenset[str]:
    """Return which parts this report has: those with a heading, and of some the very thing that is asked for."""
    headings = {block.text for block in blocks if isinstance(block, Heading)}
    inside = {
        "external": inputs.new_patients is not None,
        "compared": inputs.prepared is not None and inputs.split is not None and bool(inputs.split.test.any()),
        "clusters": False,
        "recalibrated": False,
        "updated": "recalibration" in inputs.results.manifest,
    }
    return frozenset(
        key for key, title in PLACES.items() if _(title) in headings | {part("title")} and inside.get(key, True)
    )


def updates(inputs: AnyInputs) -> list[Block]:
    """Say to whom the model was recalibrated after training, if to anybody."""
    told = [f for f in inputs.results.findings if f.code == "model.recalibrated"]
    return [Paragraph(running((f.message, f.why))) for f in told]


def identity(inputs: AnyInputs) -> list[Block]:
    """Print what is needed to repeat the training."""
    manifest = inputs.results.manifest
    rows = [
        (_("SHA-256 of the table"), manifest["data_sha256"]),
        *([(_("SHA-256 of the bundle's list of hashes"), inputs.bundle_sha256)] if inputs.bundle_sha256 else []),
        (_("Seed of the training"), manifest["seed"]),
        (_("Seed of the split"), manifest["split"]["seed"]),
        (_("Date of training"), manifest["created"]),
        *((name, version) for name, version in manifest["versions"].items()),
    ]
    table = Table.of(_("What is needed to repeat this"), (_("What"), _("Value")), rows)
    return [Heading(part("versions"), 1), table]


def rows_of(inputs: AnyInputs) -> list[tuple[str, object]]:
    """Say what became of the table's rows before any was trained on."""
    done = inputs.preparation
    if done is None:
        return []
    rows: list[tuple[str, object]] = [(_("Rows of the table"), done.n_source)]
    rows += [
        (f"– {entry.step.title}", f"−{entry.rows_before - entry.rows_after}")
        for entry in done.log
        if entry.rows_before != entry.rows_after
    ]
    rows.append((_("Rows that remained"), done.n_rows))
    return rows if done.n_patients is None else [*rows, (_("Patients among them"), done.n_patients)]
