"""The parts of a report that say who the patients were and what was done."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from medcore.data.cohort import Column
from medcore.data.describe.small_cells import FEWEST_TOLD, HIDDEN
from medcore.data.describe.table_one import table_one
from medcore.data.quantities.ranges import unit_message
from medcore.data.values.sequences import STEPS
from medcore.evaluation import Evaluation
from medcore.features.text.pieces import MOST_READ
from medcore.i18n import N_, _, bracketed, percent, running
from medcore.models.contract.candidate import candidates
from medcore.models.contract.settings import in_use
from medcore.models.contract.titles import title
from medcore.reporting.formats.document import Block, Bullets, Heading, Paragraph, Table
from medcore.reporting.frame import rows_of
from medcore.reporting.inputs import AnyInputs, NumberReportInputs, ReportInputs, TimedReportInputs
from medcore.reporting.preparation import tell
from medcore.reporting.standards.tripod import ASKED, not_stated, part

SPLITS: Mapping[str, str] = {
    "random": N_("at random, with the same share of every class in each part"),
    "group": N_("by patient, so that all rows of one patient are on one side"),
    "time": N_("by time: folds are periods, and what is locked away is the latest"),
    "site": N_("by site: folds are sites, and what is locked away are whole sites"),
    "column": N_("by a column of the table"),
}
CALIBRATIONS: Mapping[str, str] = {
    "none": N_("Risks were not recalibrated, for out of fold nothing did better."),
    "platt": N_("Risks were recalibrated by Platt's method, chosen by out-of-fold log loss."),
    "isotonic": N_("Risks were recalibrated by isotonic regression, chosen by out-of-fold log loss."),
    "beta": N_("Risks were recalibrated by beta calibration, chosen by out-of-fold log loss."),
    "temperature": N_("Risks were recalibrated by temperature scaling, chosen by out-of-fold log loss."),
    "vector": N_("Risks were recalibrated by vector scaling, chosen by out-of-fold log loss."),
    "venn_abers": N_("Risks were recalibrated by the Venn–Abers method, chosen by out-of-fold log loss."),
    "isotonic_and_platt": N_(
        "Risks were recalibrated by the mean, in log odds, of isotonic regression and Platt's method, chosen by out-of-fold log loss."
    ),
    "venn_abers_and_platt": N_(
        "Risks were recalibrated by the mean, in log odds, of the Venn–Abers method and Platt's, chosen by out-of-fold log loss."
    ),
}


#: More groups than this side by side cannot be read on an upright page.
MAX_GROUPS = 4


def asked(inputs: AnyInputs, keys: Iterable[str]) -> list[Block]:
    """Print what people were asked and what they answered, or that they did not."""
    items = ((_(ASKED[key]), not_stated(inputs.answers.get(key))) for key in keys)
    return [Bullets(tuple(_("{question}: {answer}", question=question, answer=answer) for question, answer in items))]


def flow(inputs: ReportInputs) -> list[Block]:
    """Say how many rows and patients went where."""
    results, rows = inputs.results, rows_of(inputs)
    rows.append((_("Trained on, and judged out of fold"), _counted(inputs, results.cross_validated)))
    if results.tested:
        rows.append((_("Locked test set"), _counted(inputs, results.tested)))
    if inputs.new_patients:
        rows.append((_("New patients"), _counted(inputs, inputs.new_patients)))
    table = Table.of(_("Who was in which part, by class of the outcome"), (_("Part"), _("Rows")), rows)
    return [Heading(part("flow"), 2), table, *_alike(inputs)]


def _alike(inputs: ReportInputs) -> list[Block]:
    """Say who are taken for one patient where no column names the patient."""
    n, patients = inputs.results.cross_validated.n, inputs.results.cross_validated.n_patients
    if patients is None or inputs.schema.only("group") is not None:
        return []
    text = _(
        "No column names the patient. Rows that say the same as an earlier one ({n} of those trained on) may be copies: they are taken for one patient, stay in one fold, and count together in intervals.",
        n=n - patients if n - patients >= FEWEST_TOLD else _("fewer than {n}", n=FEWEST_TOLD),
    )
    return [Paragraph(text)]


def _counted(inputs: ReportInputs, evaluation: Evaluation) -> str:
    classes = inputs.counted(evaluation)
    if evaluation.n_patients is None:
        return bracketed(evaluation.n, classes)
    return _("{rows} of {n} patients ({classes})", rows=evaluation.n, n=evaluation.n_patients, classes=classes)


def predictors(inputs: AnyInputs) -> list[Block]:
    """List the predictors with kind, unit and missing share."""
    used = set(inputs.results.manifest["predictors"])
    columns = [c for c in inputs.schema.columns if c.name in used]
    coded = (
        inputs.results.table_one.coded([c.name for c in columns if c.kind == "numeric"])
        if inputs.results.table_one
        else ()
    )
    missing = inputs.results.table_one.missing() if inputs.results.table_one else {}
    if inputs.prepared is not None:
        missing = {str(name): float(share) for name, share in inputs.prepared.predictors.isna().mean().items()}
    n_rows = sum(inputs.results.table_one.counts) if inputs.results.table_one else 0
    n_rows = inputs.prepared.n_rows if inputs.prepared is not None else n_rows
    rows = [
        (
            str(inputs.shown(c.name)),
            _kind(c, coded),
            str(unit_message(c.unit, c.name)),
            missing_share(missing[c.name], n_rows) if c.name in missing else "–",
        )
        for c in columns
    ]
    head = (_("Column"), _("Kind"), _("Unit"), _("Missing"))
    return [Heading(part("missing"), 2), Table.of(_("Candidate predictors"), head, rows)]


def missing_share(share: float, n_rows: int) -> str:
    """Write a share of missing values; one of under 5 rows is not told."""
    if 0 < round(share * n_rows) < FEWEST_TOLD:
        return f"<{percent(FEWEST_TOLD / n_rows)}"
    return percent(share)


def _kind(column: Column, coded: Collection[str]) -> str:
    if column.name in coded:
        return _("code, entered as a number")
    words = {
        "numeric": _("number"),
        "category": _("category"),
        "boolean": _("yes or no"),
        "date": _("date"),
        "text": _("text"),
        "note": _("note, read by its words and phrases"),
        "series": _("measurements over time"),
    }
    return words[column.kind]


def characteristics(inputs: AnyInputs) -> list[Block]:
    """Print Table 1 by outcome and by part, small counts hidden."""
    by_outcome = inputs.results.table_one if inputs.prepared is None else table_one(inputs.prepared)
    if by_outcome is None:
        return []
    notes = _(
        "Numbers: mean (standard deviation); median [quartiles], in the unit beside the name. Categories: count (share of those known). SMD: standardised mean difference, the largest between two groups. “{mark}” hides a count under {n}, or one from which such a count could be worked out.",
        n=FEWEST_TOLD,
        mark=HIDDEN,
    )
    blocks: list[Block] = [Heading(part("table_one"), 2), Paragraph(notes)]
    repeated = inputs.schema.only("group") is not None
    caption = _("Rows by outcome, several of a patient") if repeated else _("Patients by outcome")
    classes = by_outcome if isinstance(inputs, NumberReportInputs) else by_outcome.named(inputs.class_names)
    tables = [(caption, classes)]
    if inputs.prepared is not None and inputs.split is not None and inputs.split.test.any():
        parts = (
            _("Rows of training and of the locked test set, several of a patient")
            if repeated
            else _("Training patients and the locked test set")
        )
        tables.append((parts, table_one(inputs.prepared, split=inputs.split)))
    for caption, found in tables:
        frame = found.frame(naming=inputs.shown)
        blocks += _in_parts(caption, list(frame.columns), frame.to_numpy().tolist())
    return blocks


def _in_parts(caption: str, head: list[str], rows: list[list[object]]) -> list[Block]:
    """Print a table of many groups as several that fit on paper: every one has the column's name and all patients.

    The first two columns name the row; the last belongs to all groups and ends the last part.
    """
    named, groups = 2, range(2, len(head) - 1)
    if len(groups) <= MAX_GROUPS:
        return [Table.of(caption, head, rows)]
    starts = groups[::MAX_GROUPS]
    parts: list[Block] = []
    for number, start in enumerate(starts, 1):
        shown = [*range(named), *range(start, min(start + MAX_GROUPS, len(head) - 1))]
        shown += [len(head) - 1] if start == starts[-1] else []
        title = _("{caption} (part {n} of {all})", caption=caption, n=number, all=len(starts))
        parts.append(Table.of(title, [head[i] for i in shown], [[row[i] for i in shown] for row in rows]))
    return parts


def preparation(inputs: AnyInputs) -> list[Block]:
    """Write what was done to the table before anything was learnt, and how missing values were handled."""
    heading, done = Heading(part("preparation"), 2), inputs.preparation
    if done is None:  # a bundle of before it was kept
        sentences = tuple(str(sentence) for sentence in inputs.recipe.sentences())
        return [heading, Paragraph(_("The rules of the preparation:")), Bullets(sentences), *_missing(inputs)]
    told = tell(inputs.schema if inputs.cohort is None else inputs.cohort.schema, done)
    blocks: list[Block] = [heading, Paragraph(told.who)]
    if told.done:
        blocks += [Paragraph(_("Preparation, in this order:")), Bullets(told.done)]
    if told.idle:
        blocks += [Paragraph(_("These steps found nothing to change:")), Bullets(told.idle)]
    return [*blocks, Paragraph(told.then), *_missing(inputs)]


def _missing(inputs: AnyInputs) -> list[Block]:
    """Say what the models did with missing values; regressions and trees differ in it."""
    known = candidates()
    treated = {known[name].missing for name in inputs.results.names if name in known}
    lines = []
    if "filled" in treated:
        lines.append(
            _(
                "Regressions and networks: a missing number is filled in by the median of the training fold, a missing category is a category of its own; where values are missing, a column beside says so. Numbers are scaled."
            )
        )
    if "branch" in treated:
        lines.append(
            _("Trees: nothing is filled in or scaled; they learn on which side of a cut a missing value belongs.")
        )
    return [Paragraph(running(lines))] if lines else []


def models(inputs: AnyInputs) -> list[Block]:
    """Write which models were trained, how, and what the bundle is made of."""
    manifest = inputs.results.manifest
    settings, calibration = manifest["settings"], manifest["calibrator"]["method"]
    weights = [f"{title(n)} {percent(w, 0)}" for n, w in manifest["weights"].items() if w > 0]
    by_when, of_classes = isinstance(inputs, TimedReportInputs), isinstance(inputs, ReportInputs)
    averaged = (
        _("What is predicted of a patient is the mean of these models' numbers, so weighted.")
        if isinstance(inputs, NumberReportInputs)
        else _("A patient's risk is the mean of these models' risks, so weighted.")
    )
    lines = [
        _split(inputs),
        _(
            "No predictor was chosen or dropped here by its single association with the outcome: the models take all candidates."
        ),
        _("Trained on the same folds: {names}.", names=[str(title(name)) for name in inputs.results.names]),
        _("The final model is made of: {weights}.", weights=weights),
        *([averaged] if len(weights) > 1 else []),
        *(_of_time(inputs) if by_when else ()),
        _(CALIBRATIONS[calibration]) if of_classes else "",
        ""
        if not of_classes
        else _("Classes were not balanced by resampling or weights.")
        if settings.get("class_weight") is None
        else _(
            "The loss was weighted ({weighting}), and the risks were recalibrated.", weighting=settings["class_weight"]
        ),
        _searched(manifest.get("search")) if of_classes else "",
    ]
    used = in_use(settings, inputs.results.names)
    told = [_("Settings in use: {settings}.", settings=[f"{k} = {v}" for k, v in used.items()])]
    if {"network", "tower"} & set(inputs.results.names):
        told.append(
            _(
                "For the network these are the most epochs and the fewest members; the rest follows from the table's size."
            )
        )
    if "tower" in inputs.results.names:
        told.append(
            _(
                "The network over time reads each measurement in {steps} equal steps up to the end of the time: its last value, which fades towards the training mean as fast as is learnt, whether it is of the step, and how long ago it was. Nothing is filled in.",
                steps=STEPS,
            )
        )
    if "bert" in inputs.results.names:
        told.append(
            _(
                "BERT is multilingual-e5-small with its last two layers and a weight for each class and column fine-tuned in every fold, all others as they are; it reads up to {pieces} word pieces of a note, a phrase at a time, and averages over them.",
                pieces=MOST_READ,
            )
        )
    return [Heading(part("models"), 2), *(Paragraph(line) for line in (*lines, running(told)) if line)]


def _of_time(inputs: AnyInputs) -> list[str]:
    """Say how each sort of model learns from patients who were followed for unequal time."""
    told = {
        "cox": N_(
            "Cox regression: a hazard for each event by its partial likelihood (ties by Efron), with a ridge penalty and curves that cross-validation chose; hazards are put together to cumulative incidences."
        ),
        "network": N_(
            "Network: a hazard for each interval of follow-up and each event, by the likelihood of the times, censored patients included."
        ),
    }
    trees = {"forest", "boosting"} & set(inputs.results.names)
    lines = [_(words) for name, words in told.items() if name in inputs.results.names]
    if trees:
        lines.append(
            _(
                "Trees: follow-up is cut into intervals, and each that a patient entered is a row; what they learn is the hazard in it."
            )
        )
    return lines


def _split(inputs: AnyInputs) -> str:
    """Say how the patients were split, how many were locked away, and by which seed."""
    results, split = inputs.results, inputs.results.manifest["split"]
    kind = split["kind"]
    how = _(
        "The patients were split {how}; cross-validation had {n} folds.",
        how=_(SPLITS[kind]),
        n=split["n_folds"],
    )
    if results.test is None:
        return running((how, _("No test set was locked away. Seed of the split: {seed}.", seed=split["seed"])))
    n_test = len(results.test.outcome)
    locked = _(
        "{n} of {all} rows were locked away as the test set before training. Seed of the split: {seed}.",
        n=n_test,
        all=n_test + len(results.training.outcome),
        seed=split["seed"],
    )
    return running((how, locked, *_sites(inputs)))


def _sites(inputs: AnyInputs) -> list[str]:
    site, test = inputs.schema.only("site"), inputs.results.test
    if inputs.results.manifest["split"]["kind"] != "site" or site is None or test is None:
        return []
    if site.name not in test.sensitive:
        return []
    return [_("Sites locked away: {names}.", names=sorted(map(str, test.sensitive[site.name].dropna().unique())))]


def _searched(search: Mapping[str, Any] | None) -> str:
    if search is None:
        return _(
            "No search for settings was asked for; logistic regression took the penalty that served the other folds best."
        )
    return _(
        "Settings were searched for during {minutes} minutes ({n} trials), again inside every fold without its own patients.",
        minutes=f"{search['minutes']:g}",
        n=search["n_trials"],
    )
