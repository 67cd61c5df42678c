"""The part of a report about how many patients a model needs: to be made, and to be judged."""

from __future__ import annotations

from medcore.errors import SettingsError
from medcore.features import CodeBook
from medcore.i18n import _, listed, running
from medcore.models.learners.equation import Term
from medcore.models.run.number.results import NumberResults
from medcore.models.run.results import Results
from medcore.models.run.timed.results import TimedResults
from medcore.reporting.formats.document import Block, Heading, Paragraph
from medcore.reporting.inputs import ReportInputs, events_and_risks
from medcore.reporting.standards.tripod import part
from medcore.statistics.sample_size.development import (
    SampleSize,
    multinomial_sample_size,
    ordinal_sample_size,
    riley_sample_size,
)
from medcore.statistics.sample_size.validation import size_if_possible


def n_parameters(results: Results | TimedResults | NumberResults) -> int:
    """Count what one equation estimates of the predictors: slopes, curves, categories less one, and flags for missing.

    The logistic regression of the run is counted as it is written down; where none was
    kept, the predictors are, each with a flag if any of its values is missing.
    """
    if isinstance(results, Results) and results.specification is not None:
        terms = results.specification.equation.terms
        return sum(_degrees([t for t in terms if t.place == place]) for place in {t.place for t in terms})
    book = CodeBook.from_dict(results.manifest["codebook"])
    missing = results.table_one.missing() if results.table_one else {}
    return sum(
        max(1, n - 1) + int(missing.get(name, 0.0) > 0) for name, n in zip(book.columns, book.n_categories, strict=True)
    )


def _degrees(terms: list[Term]) -> int:
    """Return the parameters of one predictor: categories and their flag add up to one that says nothing."""
    redundant = len(terms) > 1 and any(t.kind == "level" for t in terms)
    return len(terms) - int(redundant)


def needed_to_train(results: Results) -> SampleSize | None:
    """Calculate how many patients the criteria of Riley (two classes, or an order) or Pate (others) ask for; None where they do not hold."""
    evaluation, event = results.cross_validated, results.target.event
    shares = [n / evaluation.n for n in evaluation.class_counts.values()]
    parameters = n_parameters(results)
    try:
        if event is not None:
            return riley_sample_size(parameters, shares[event])
        return (ordinal_sample_size if results.target.ordered else multinomial_sample_size)(parameters, shares)
    except SettingsError:
        return None


def n_trained_on(results: Results) -> int:
    """Count the patients of the training."""
    evaluation = results.cross_validated
    return evaluation.n if evaluation.n_patients is None else evaluation.n_patients


def sample_size(inputs: ReportInputs) -> list[Block]:
    """Compare the numbers of patients with what the criteria ask for."""
    needed, trained_on = needed_to_train(inputs.results), n_trained_on(inputs.results)
    if needed is None:
        return []
    made = Paragraph(_to_be_made(inputs, needed, trained_on), strong=trained_on < needed.required)
    return [Heading(part("sample_size"), 2), made, *_to_be_judged(inputs)]


def _to_be_made(inputs: ReportInputs, needed: SampleSize, trained_on: int) -> str:
    words = {
        "parameters": needed.n_parameters,
        "share": f"{100 * needed.event_share:.1f}",
        "needed": needed.required,
        "criteria": listed(map(str, needed.criteria)),
        "n": trained_on,
    }
    counted = _(
        "Parameters are those of the regression: slopes, curves, categories less one, and flags for missing values; curves that were tried and not taken are not counted."
    )
    if inputs.target.ordered:
        text = _(
            "For {parameters} parameters of the one equation of proportional odds and a rarest class of {share} %, the criteria of Riley et al. (Stat Med 2019;38:1276), with the likelihood of all classes, ask for {needed} patients ({criteria} by criterion), assuming that 15 % of the attainable variation is explained; {n} were trained on.",
            **words,
        )
    elif inputs.target.event is None:
        text = _(
            "For {parameters} parameters of all equations and a rarest class of {share} %, the criteria of Pate et al. (Stat Methods Med Res 2023;32:555) ask for {needed} patients ({criteria} by criterion), assuming that 15 % of the attainable variation is explained; {n} were trained on.",
            **words,
        )
    else:
        text = _(
            "For {parameters} parameters and {share} % events, the criteria of Riley et al. (BMJ 2020;368:m441) ask for {needed} patients ({criteria} by criterion), assuming that 15 % of the attainable variation is explained; {n} were trained on.",
            **words,
        )
    return running((text, counted))


def _to_be_judged(inputs: ReportInputs) -> list[Block]:
    """Say how many new patients judge the model precisely, and whether the locked test set has them."""
    event = inputs.target.event
    if event is None:
        return []
    outcome, risk = events_and_risks(inputs.results.training)
    auroc = inputs.results.cross_validated.metrics["auroc"].value
    needed = size_if_possible(risk, auroc, float(outcome.mean()))
    if needed is None:
        return []
    text = _(
        "To judge the model precisely, new patients like these should number {needed}, {events} of them with the outcome (Riley et al., Stat Med 2021;40:4230: {o_e} for O:E, {slope} for the calibration slope, {auroc} for the AUROC).",
        needed=needed.required,
        events=needed.required_events,
        o_e=needed.o_e,
        slope=needed.slope,
        auroc=needed.auroc,
    )
    tested = inputs.tested
    there = "" if tested is None else _("The locked test set has {n}.", n=tested.n_patients or tested.n)
    return [Paragraph(running((text, there)))]


def too_few(inputs: ReportInputs) -> list[str]:
    """Say among the limits that fewer patients were trained on than the criteria ask for."""
    needed, n = needed_to_train(inputs.results), n_trained_on(inputs.results)
    if needed is None or n >= needed.required:
        return []
    return [
        _(
            "{n} patients were trained on where {needed} are asked for: expect risks too extreme, and figures better than in new patients.",
            n=n,
            needed=needed.required,
        )
    ]
