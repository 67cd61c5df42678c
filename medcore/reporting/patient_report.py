"""One patient on one page, for the record: the risk, what the model used, and how far to trust it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from medcore.charts.patients.explanation import signed, waterfall
from medcore.data.cohort import Schema
from medcore.data.shown import Naming, named
from medcore.explanation.patient import wording
from medcore.explanation.patient.conformal import ConformalSets
from medcore.explanation.patient.reliability import Reliability
from medcore.explanation.patient.wording import RISK, Measure
from medcore.explanation.patient.worker_queries import PatientRisk
from medcore.explanation.shapley.results import Contribution, Explanation
from medcore.i18n import N_, Message, _, bracketed, current_language, language, listed, running
from medcore.models.run.manifest import INTENDED_USE
from medcore.reporting.formats.document import Block, Bullets, Document, Heading, Paragraph, Picture, Table

BARS = 6
"""Columns drawn one by one in the waterfall."""
VALUES = 24
"""Values printed, those the model used most; more would not fit on the page."""
ACROSS = 3
"""Pairs of column and value side by side."""
PHRASES, PHRASE = 5, 90
"""Phrases of a note printed, those that did most, and their length in characters."""
MARKS: Mapping[str, str] = {
    "imputed": N_("filled in"),
    "unreadable": N_("given, not readable, filled in"),
    "unknown_unit": N_("given in a unit that does not convert, filled in"),
    "not_used": N_("given, not possible, filled in"),
    "out_of_range": N_("outside the training range"),
    "unseen_category": N_("not seen in training"),
}
BY_HAND = "_" * 34


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientReportInputs:
    """Everything the page says, already computed.

    ``who`` is how the patient was chosen ("Row 12"), never a name. ``base`` is the
    share (0–1) of training patients with the outcome, which is called ``class_name``, ``threshold`` the study's, ``model`` what the model is
    called, ``model_sha256`` the hash of the bundle's list of hashes. ``labels`` is the
    schema by which columns and values are shown. Of a number, ``measure`` says how it is written, ``interval``
    between which ends nine of ten patients like this one are, and ``base`` is the mean of the training patients.
    """

    study: str
    who: str
    patient: PatientRisk = field(repr=False)
    explanation: Explanation = field(repr=False)
    reliability: Reliability = field(repr=False)
    sets: ConformalSets | None
    class_name: str
    class_index: int
    threshold: float
    base: float
    model: str
    model_sha256: str
    run_number: int
    trained: str
    n_training: int
    made: date
    labels: Schema = field(repr=False, default_factory=lambda: Schema(()))
    measure: Measure = RISK
    interval: tuple[float, float] | None = None

    @property
    def risk(self) -> float:
        """The risk (0–1) of the class in question."""
        return float(self.patient.risk[self.class_index])

    @property
    def spread(self) -> tuple[float, float] | None:
        """The lowest and highest risk among the models the bundle combines, where there are several."""
        risks = [float(r[self.class_index]) for _kind, weight, r in self.patient.members if weight > 0]
        return (min(risks), max(risks)) if len(risks) > 1 else None


def write_patient_report(inputs: PatientReportInputs, *, kind: str, words: str) -> bytes:
    """Write the page as ``pdf``, ``docx`` or ``html`` in the language ``words``; meant for a worker."""
    from medcore.reporting import render
    from medcore.reporting.formats.pdf import paged

    with language(words):
        if kind != "pdf":
            return render(patient_report(inputs), f"patient.{kind}")
        for n_values in range(VALUES, 0, -ACROSS):  # long names take the room of several short ones
            written, n_pages = paged(patient_report(inputs, n_values=n_values))
            if n_pages == 1:
                break
        return written


def patient_report(inputs: PatientReportInputs, *, n_values: int = VALUES) -> Document:
    """Lay out the page in the current language, with so many of the patient's values at most."""
    blocks: list[Block] = [
        Paragraph(_("Patient (write by hand): {line}    Signed: {line}", line=BY_HAND)),
        Paragraph(_verdict(inputs), strong=True),
        Bullets(tuple(_bounds(inputs))),
        Heading(_("How far to trust it"), 2),
        Paragraph(running([inputs.reliability.headline, *_reasons(inputs)])),
        Heading(_("What the model used"), 2),
        Picture(waterfall(inputs.explanation, n_shown=BARS, naming=inputs.labels.shown)),
        Paragraph(_(inputs.explanation.caption)),
        *_inside(inputs),
        _values(inputs, n_values),
        _identity(inputs),
    ]
    return Document(
        title=_("Prediction for one patient") if inputs.measure.of_number else _("Risk of one patient"),
        subtitle=_("{study} · {who} · {date}", study=inputs.study, who=inputs.who, date=inputs.made.isoformat()),
        language=current_language(),
        blocks=tuple(blocks),
        footer=_(INTENDED_USE),
        compact=True,
    )


def _verdict(inputs: PatientReportInputs) -> str:
    """Say the risk as a natural frequency, or the number, or that there is none to rely on."""
    measure = inputs.measure
    if measure.of_number and inputs.reliability.level == "abstain":
        return running((_(wording.NO_NUMBER) + ".", wording.unreliable_number(inputs.risk, measure)))
    if measure.of_number:
        said = _("{name}: {value}.", name=inputs.class_name, value=measure.write(inputs.risk))
        return running((said, wording.against_mean(inputs.risk, inputs.base, measure)))
    if inputs.reliability.level == "abstain":
        return _(wording.NO_RISK) + ". " + str(wording.unreliable(inputs.risk, inputs.class_name))
    said = _(
        "{frequency}: {name}.",
        frequency=str(wording.frequency(inputs.risk)),
        name=inputs.class_name,
    )
    return running((said, wording.against_base(inputs.risk, inputs.base)))


def _bounds(inputs: PatientReportInputs) -> list[str]:
    """Say how sure the risk is: similar patients, the models in it, the outcomes that cannot be ruled out."""
    local, spread = inputs.reliability.local, inputs.spread
    if inputs.measure.of_number:
        return _bounds_of_number(inputs)
    side = (
        N_("Risk: {risk}, at or above the threshold of {percent} %.")
        if inputs.risk >= inputs.threshold
        else N_("Risk: {risk}, below the threshold of {percent} %.")
    )
    lines = [_(side, risk=wording.percent(inputs.risk, digits=1), percent=f"{100 * inputs.threshold:.1f}")]
    if local.n and np.isfinite(local.low):
        lines.append(
            _(
                "Of the {n} training patients most like this one, {observed} of 100 had it (95 % interval {low} to {high}).",
                n=local.n,
                observed=round(100 * local.observed),
                low=round(100 * local.low),
                high=round(100 * local.high),
            )
        )
    if spread is not None:
        lines.append(
            _(
                "The models it combines say {low} to {high}.",
                low=wording.percent(spread[0]),
                high=wording.percent(spread[1]),
            )
        )
    if inputs.sets is not None:
        names = listed(inputs.sets.set_of(inputs.patient.risk)) or _("none fits")
        sure = round(100 * inputs.sets.coverage)
        lines.append(_("Cannot be ruled out, with {n} % certainty: {names}.", n=sure, names=names))
    return lines


def _bounds_of_number(inputs: PatientReportInputs) -> list[str]:
    """Say how sure the number is: its interval, similar patients, the models in it."""
    local, spread, measure = inputs.reliability.local, inputs.spread, inputs.measure
    lines = []
    if inputs.interval is not None:
        low, high = map(measure.write, inputs.interval)
        lines.append(_("Nine of ten patients like this one are between {low} and {high}.", low=low, high=high))
    if local.n and np.isfinite(local.low):
        lines.append(
            _(
                "Of the {n} training patients most like this one, the mean was {observed} (95 % interval {low} to {high}).",
                n=local.n,
                **{name: local.written[name] for name in ("observed", "low", "high")},
            )
        )
    if spread is not None:
        low, high = map(measure.write, spread)
        lines.append(_("The models it combines say {low} to {high}.", low=low, high=high))
    return lines


def _values(inputs: PatientReportInputs, most: int) -> Table:
    """Print the patient's values with units and marks, several side by side, those used most if there are many."""
    found = inputs.explanation
    used = {c.column for c in found.largest(most)}
    shown = [c for c in found.contributions if c.column in used]
    marks = {column: name for name, _colon, column in (flag.partition(":") for flag in inputs.patient.flags)}
    naming = inputs.labels.shown
    cells = [text for c in shown for text in (str(naming(c.column)), _value(c, naming, marks.get(c.column, "")))]
    cells += [""] * (-len(cells) % (2 * ACROSS))
    rows = [cells[i : i + 2 * ACROSS] for i in range(0, len(cells), 2 * ACROSS)]
    left = len(found.contributions) - len(shown)
    caption = _("Values the model was given")
    if left:
        caption = _("Values the model was given: the {n} it used most, {left} others not printed", n=most, left=left)
    return Table.of(caption, (_("Column"), _("Value")) * ACROSS, rows)


def _inside(inputs: PatientReportInputs) -> list[Table]:
    """Print what the parts of a value, such as the phrases of a note, contributed, the strongest first, which add up to the bar of the column."""
    found = []
    for whole in inputs.explanation.contributions:
        if not whole.parts:
            continue
        strongest = sorted(whole.parts, key=lambda part: -abs(part.contribution))
        told, others = strongest[:PHRASES], strongest[PHRASES:]
        rows = [(_short(part.part), signed(part.contribution, inputs.explanation)) for part in told]
        if others:
            rest = signed(sum(part.contribution for part in others), inputs.explanation)
            rows.append((_("{n} other parts", n=len(others)), rest))
        column = inputs.labels.shown(whole.column)
        found.append(
            Table.of(
                _("What the model used within {column}", column=column.words), (_("Part"), _("Contribution")), rows
            )
        )
    return found


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= PHRASE else line[: PHRASE - 1] + "…"


def _reasons(inputs: PatientReportInputs) -> list[Message]:
    """Return why the risk is to be trusted, with columns as people read them."""
    columns = [c.column for c in inputs.explanation.contributions]
    return [named(reason, inputs.labels.shown, columns) for reason in inputs.reliability.reasons]


def _value(contribution: Contribution, naming: Naming, mark: str) -> str:
    shown = _short(contribution.value or "") if contribution.parts else contribution.value
    text = naming(contribution.column).measured(shown, unit=contribution.unit) or _("missing")
    return bracketed(text, _(MARKS[mark])) if mark in MARKS else text


def _identity(inputs: PatientReportInputs) -> Bullets:
    return Bullets(
        (
            _(
                "Model: {model}, run {number}, trained {when} on {n} patients; SHA-256 {hash}.",
                model=inputs.model,
                number=inputs.run_number,
                when=inputs.trained,
                n=inputs.n_training,
                hash=inputs.model_sha256[:16],
            ),
            _("For research use; not a medical device. Intended to inform a physician, never to decide alone."),
            _(
                "The predictions hold only for patients like those the model was trained on. This page holds data of a patient."
            ),
        )
    )
