"""The limits that this study's own figures show, beside those of every model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from medcore.data.describe.small_cells import FEWEST_TOLD
from medcore.evaluation.figures.words import with_interval
from medcore.i18n import _
from medcore.models.run.manifest import LIMITS
from medcore.reporting.formats.document import Block, Bullets, Heading
from medcore.reporting.inputs import ReportInputs
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
FEW_EVENTS = 100
"""Fewer patients with or without the outcome say little of calibration (Collins et al., Stat Med 2016;35:214)."""


def limits(inputs: ReportInputs, *, too_few: Sequence[str] = ()) -> list[Block]:
    """Print what limits the use of this model: first what this study found, then what is true of all."""
    own = (*too_few, *_sites(inputs), *_missing(inputs), *_few(inputs), *_locked(inputs))
    always = (
        *(_(limit) for limit in LIMITS),
        _(
            "Missing inputs are filled in as in training and marked; values outside the training patients' range are marked."
        ),
        _("This report lists the items of TRIPOD+AI; it does not claim that they are met."),
    )
    return [Heading(part("limits"), 1), Bullets((*own, *always))]


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


def _missing(inputs: ReportInputs) -> Iterator[str]:
    shares = inputs.results.table_one.missing() if inputs.results.table_one else {}
    much = sorted(((share, name) for name, share in shares.items() if share > MUCH_MISSING), reverse=True)
    if much:
        yield _(
            "Much is missing of {columns}. The model learnt from gaps as they came about here; where tests are ordered otherwise, its risks change.",
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
        words = (
            _(
                "On the locked test set the calibration slope was {slope}: high risks were too high and low ones too low.",
                slope=with_interval(slope, digits=2),
            )
            if slope.value < 1
            else _(
                "On the locked test set the calibration slope was {slope}: risks were too much alike.",
                slope=with_interval(slope, digits=2),
            )
        )
        yield words
