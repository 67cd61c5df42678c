"""The model card: what a model is, at a glance, for whoever is offered it.

In the spirit of Mitchell et al., "Model cards for model reporting", FAT* 2019.
"""

from __future__ import annotations

from medcore.evaluation import Evaluation
from medcore.evaluation.figures.words import METRICS, short, with_interval
from medcore.i18n import _, listed, parted, percent
from medcore.models.contract.titles import title
from medcore.models.run.advice import CALIBRATIONS
from medcore.models.run.manifest import INTENDED_USE
from medcore.reporting.clusters import over_sites
from medcore.reporting.formats.document import Block, Heading, Table
from medcore.reporting.inputs import ReportInputs
from medcore.reporting.standards.tripod import not_stated, part

_TOLD = ("auroc", "calibration_slope", "brier")


def model_card(inputs: ReportInputs) -> list[Block]:
    """Write the card: use, inputs, making, figures, groups, limits and identity, a line each."""
    results, manifest = inputs.results, inputs.results.manifest
    recalibrated = manifest["calibrator"]["method"]
    weights = [f"{title(n)} {percent(w, 0)}" for n, w in manifest["weights"].items() if w > 0]
    rows = [
        (_("Status"), _(INTENDED_USE)),
        (_("Intended use"), not_stated(inputs.answers.get("intended_use"))),
        (_("Predicts"), _predicts(inputs)),
        (
            _("Inputs"),
            _("{n} columns: {names}", n=len(manifest["predictors"]), names=_some(inputs, manifest["predictors"])),
        ),
        (_("Made of"), listed(weights)),
        (_("Recalibration"), _(CALIBRATIONS[recalibrated])),
        (_("Learnt from"), _rows(inputs, results.cross_validated)),
        *([(_("Over sites"), by_site)] if (by_site := over_sites(results)) else []),
        (_("Out of fold"), _figures(results.cross_validated)),
        *([(_("Locked test set"), _figures(inputs.tested))] if inputs.tested else []),
        *([(_("New patients"), _figures(inputs.new_patients))] if inputs.new_patients else []),
        *([(_("Threshold"), percent(inputs.threshold))] if inputs.target.event is not None else []),
        (_("Groups judged apart"), _groups(inputs)),
        (_("Not for"), _("Patients unlike those it was learnt from, and decisions without a physician.")),
        (_("Date of training"), manifest["created"][:10]),
    ]
    return [Heading(part("card"), 1), Table.of(_("The model at a glance"), (_("What"), _("Value")), rows)]


def _predicts(inputs: ReportInputs) -> str:
    names = inputs.class_names
    if inputs.target.event is not None:
        return _("The risk of {event} (column “{outcome}”)", event=names[-1], outcome=inputs.outcome_name)
    return _("The risk of each class of “{outcome}”: {classes}", outcome=inputs.outcome_name, classes=list(names))


def _some(inputs: ReportInputs, names: list[str], most: int = 12) -> list[str]:
    """Return the first columns in words, and a mark that there are more."""
    shown = [inputs.shown(name).words for name in names[:most]]
    return shown if len(names) <= most else [*shown, "…"]


def _rows(inputs: ReportInputs, judged: Evaluation) -> str:
    counts = inputs.counted(judged)
    if judged.n_patients is None:
        return _("{n} patients ({classes})", n=judged.n, classes=counts)
    return _("{rows} rows of {n} patients ({classes})", rows=judged.n, n=judged.n_patients, classes=counts)


def _figures(judged: Evaluation) -> str:
    return parted(f"{short(_(METRICS[name]))} {with_interval(judged.metrics[name])}" for name in _TOLD)


def _groups(inputs: ReportInputs) -> str:
    columns = [inputs.shown(str(name)).words for name in inputs.results.training.sensitive.columns]
    return listed(columns) if columns and inputs.target.event is not None else _("none")
