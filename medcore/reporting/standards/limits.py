"""The limits that this study's own figures show, beside those of every model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from medcore.data.describe.small_cells import FEWEST_TOLD
from medcore.evaluation import Estimate
from medcore.evaluation.figures.words import with_interval
from medcore.i18n import _, number, running
from medcore.models.run.manifest import LIMITS
from medcore.models.run.sites import site_comparison
from medcore.reporting.formats.document import Block, Bullets, Heading
from medcore.reporting.inputs import AnyInputs, ReportInputs
from medcore.reporting.standards.tripod import part

FEWEST_AT_A_SITE = 20
"""Smaller sites' shares are mostly chance."""
UNLIKE_SITES = 0.1
"""Shares of the outcome further apart than this between sites are told."""
MUCH_MISSING = 0.2
"""A predictor of which more is missing is told; how its gaps came about then decides what it means."""
FALL = 0.02
"""A fall of the AUROC from out of fold to the locked test set that is told."""
GOOD_SLOPES = (0.8, 1.25)
"""Calibration slopes outside are told: risks too extreme, or too much alike."""
CHANCE = 0.5
"""The AUROC of a model that tells nobody apart."""
ADVICE = frozenset({"model.no_better_than_prevalence", "model.worse_than_simple", "model.simple_is_as_good"})
"""Findings of training that say how far the model itself is shown to be of use."""
FEW_EVENTS = 100
"""Fewer patients with or without the outcome say little of calibration (Collins et al., Stat Med 2016;35:214)."""


def limits(inputs: ReportInputs, *, too_few: Sequence[str] = ()) -> list[Block]:
    """Print what limits the use of this model: first what this study found, then what is true of all."""
    own = (
        *too_few,
        *_advice(inputs),
        *_sites(inputs),
        *_elsewhere(inputs),
        *much_missing(inputs),
        *_few(inputs),
        *_classes(inputs),
        *_locked(inputs),
    )
    always = (
        *(_(limit) for limit in LIMITS),
        _(
            "Missing inputs are filled in as in training and marked; values outside the training patients' range are marked."
        ),
        _("This report lists the items of TRIPOD+AI; it does not claim that they are met."),
    )
    return [Heading(part("limits"), 1), Bullets((*own, *always))]


def _advice(inputs: ReportInputs) -> Iterator[str]:
    """Tell what training found: that the model cannot be shown to beat the prevalence or the simple one, or loses to it."""
    yield from (str(f.message) for f in inputs.results.findings if f.code in ADVICE)


def _sites(inputs: ReportInputs) -> Iterator[str]:
    site, training = inputs.schema.only("site"), inputs.results.training
    if inputs.target.event is None or site is None or site.name not in training.sensitive:
        return
    events = training.outcome == 1
    sites = training.sensitive[site.name].astype(object)
    shares = {
        str(name): float(events[sites == name].mean())
        for name, n in sites.value_counts().items()
        if n >= FEWEST_AT_A_SITE
    }
    if len(shares) < 2 or max(shares.values()) - min(shares.values()) < UNLIKE_SITES:
        return
    least, most = min(shares, key=shares.__getitem__), max(shares, key=shares.__getitem__)
    yield _(
        "The outcome is not as common everywhere: {low} % at {least}, {high} % at {most}. Risks need not hold at another site.",
        low=round(100 * shares[least]),
        least=least,
        high=round(100 * shares[most]),
        most=most,
    )


def _elsewhere(inputs: ReportInputs) -> Iterator[str]:
    """Tell where the sites do not rule out that the model is of no use at another one."""
    found = site_comparison(inputs.results)
    area = None if found is None else found.means.get("auroc")
    if area is not None and area.expected.low <= CHANCE:
        yield _(
            "At another site the AUROC is expected between {low} and {high}: these sites do not rule out that the model tells nobody apart there.",
            low=number(area.expected.low, ".2f"),
            high=number(area.expected.high, ".2f"),
        )


def much_missing(inputs: AnyInputs) -> Iterator[str]:
    """Tell of which predictors much is missing, whatever is predicted."""
    shares = inputs.results.table_one.missing() if inputs.results.table_one else {}
    much = sorted(((share, name) for name, share in shares.items() if share > MUCH_MISSING), reverse=True)
    if much:
        yield _(
            "Much is missing of {columns}. The model learnt from gaps as they came about here; where tests are ordered otherwise, what it predicts changes.",
            columns=[
                _("{column} ({share} %)", column=inputs.shown(name).words, share=round(100 * share))
                for share, name in much
            ],
        )


def _few(inputs: ReportInputs) -> Iterator[str]:
    training = inputs.results.training
    patients = np.arange(len(training.outcome)) if training.groups is None else training.groups
    counts = [len(np.unique(patients[training.outcome == k])) for k in range(len(inputs.class_names))]
    fewest = min(counts)
    if fewest < FEW_EVENTS:
        yield _(
            "Only {n} patients are of class {name}: calibration is known roughly at best.",
            n=fewest if fewest >= FEWEST_TOLD else _("fewer than {n}", n=FEWEST_TOLD),
            name=inputs.class_names[counts.index(fewest)],
        )


def _locked(inputs: ReportInputs) -> Iterator[str]:
    if inputs.tested is None:
        return
    before, after = inputs.results.cross_validated.metrics, inputs.tested.metrics
    if before["auroc"].value - after["auroc"].value > FALL:
        yield _(
            "The AUROC fell from {before} out of fold to {after} on the locked test set.",
            before=with_interval(before["auroc"]),
            after=with_interval(after["auroc"]),
        )
    large, o_e = after["calibration_intercept"], after["o_e_ratio"]
    if inputs.target.event is not None and large.exists and (large.low > 0 or large.high < 0):
        yield (
            _(
                "On the locked test set risks were too low on average: {o_e} observed for each expected.",
                o_e=with_interval(o_e, digits=2),
            )
            if large.low > 0
            else _(
                "On the locked test set risks were too high on average: {o_e} observed for each expected.",
                o_e=with_interval(o_e, digits=2),
            )
        )
    slope = after["calibration_slope"]
    if slope.exists and not GOOD_SLOPES[0] <= slope.value <= GOOD_SLOPES[1]:
        told = with_interval(slope, digits=2)
        yield _perhaps(
            slope,
            _(
                "On the locked test set the calibration slope was {slope}: high risks were too high and low ones too low.",
                slope=told,
            )
            if slope.value < 1
            else _("On the locked test set the calibration slope was {slope}: risks were too much alike.", slope=told),
        )


def _perhaps(slope: Estimate, said: str) -> str:
    """Add to what a slope says that it may be chance, where its interval does not rule out 1."""
    shown = slope.low > 1 or slope.high < 1
    return (
        said if shown else running((said, _("Chance may be all of it: these patients do not rule out a slope of 1.")))
    )


def _classes(inputs: ReportInputs) -> Iterator[str]:
    """Tell of each of more classes where its own risks are too extreme or too much alike, out of fold."""
    judged = inputs.results.cross_validated
    for name, called in zip(judged.classes, inputs.class_names, strict=True):
        slope = judged.per_class[name]["calibration_slope"] if judged.per_class else None
        if slope is None or not slope.exists or GOOD_SLOPES[0] <= slope.value <= GOOD_SLOPES[1]:
            continue
        told = with_interval(slope, digits=2)
        yield _perhaps(
            slope,
            _(
                "Out of fold the calibration slope of {name} against the rest was {slope}: its high risks were too high and its low ones too low.",
                name=called,
                slope=told,
            )
            if slope.value < 1
            else _(
                "Out of fold the calibration slope of {name} against the rest was {slope}: its risks were too much alike.",
                name=called,
                slope=told,
            ),
        )
