"""The model as one HTML page that computes risks offline, in every language of medcore."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import asdict, replace
from hashlib import sha256
from html import escape
from typing import Any

from medcore.evaluation.figures.words import METRICS, short, with_interval
from medcore.evaluation.groups.sites import MEASURES
from medcore.i18n import LANGUAGES, _, current_language, language, running
from medcore.models.contract.titles import title
from medcore.models.run.manifest import INTENDED_USE, LIMITS
from medcore.models.run.results import Results
from medcore.models.run.sites import site_comparison
from medcore.models.written.specification import Specification
from medcore.settings import ASSETS

FOLDER = ASSETS / "calculator"
OTHER = "\u0000other"
"""The answer that is none of the known categories; no cell of a table holds this character."""


def to_calculator(model: Specification, results: Results) -> str:
    """Write the calculator: no address, no font and no script but its own; what is typed never leaves the page."""
    script, style = ((FOLDER / f"calculator.{kind}").read_text(encoding="utf-8") for kind in ("js", "css"))
    data = json.dumps(_data(model, results), ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; base-uri 'none'; form-action 'none'"
    )
    title = escape(_title(model, results))
    return (
        f'<!doctype html>\n<html lang="{_tag(current_language())}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>{title}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        f'<header><h1 data-word="title">{title}</h1><button type="button" id="language" data-word="switch"></button></header>\n'
        '<p class="strong" data-word="use"></p>\n<p data-word="how"></p>\n<form id="patient" autocomplete="off"></form>\n'
        '<h2 data-word="result"></h2>\n<output for="patient" aria-live="polite"><ul id="risks"></ul><p id="doubt"></p></output>\n'
        '<h2 data-word="read_first"></h2>\n<ul id="caveats"></ul>\n'
        f'<script type="application/json" id="specification">{data}</script>\n<script>{script}</script>\n</body>\n</html>\n'
    )


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode('utf-8')).digest()).decode('ascii')}'"


def _tag(code: str) -> str:
    return code.replace("_", "-")


def _data(model: Specification, results: Results) -> dict[str, Any]:
    """Return the numbers of the model and the words of every language."""
    words = {}
    for code in LANGUAGES:
        with language(code):
            words[_tag(code)] = _words(model, results)
    return {
        "outcome": model.outcome,
        "classes": model.classes,
        "inputs": [asdict(i) for i in model.inputs],
        "equation": asdict(model.equation),
        "calibrator": model.calibrator.to_dict(),
        "other": OTHER,
        "words": words,
    }


def _title(model: Specification, results: Results) -> str:
    event = results.target.event
    return _("Risk calculator: {outcome}", outcome=model.outcome if event is None else results.class_names[event])


def _words(model: Specification, results: Results) -> dict[str, Any]:
    return {
        "title": _title(model, results),
        "switch": _("中文"),
        "use": _(INTENDED_USE),
        "how": _(
            "Fill in what is known of one patient. What you type stays in this page; nothing is stored or sent, and no network is needed."
        ),
        "result": _("Risk"),
        "read_first": _("Read before use"),
        "risk": _("Risk of {name}: {risk} %", name="{name}", risk="{risk}"),
        "classes": [str(name) for name in results.class_names],
        "missing": _("not known: the model fills it in as in training"),
        "unknown": _("not known"),
        "nothing": _("No risk is given: nothing is filled in yet."),
        "other": _("another value than the training patients had"),
        "unseen": _("a value that the training patients did not have, or very few"),
        "seen": _("training patients: {low} to {high}", low="{low}", high="{high}"),
        "out_of_range": _("outside the range of the training patients"),
        "implausible": _("outside the plausible range: treated as not known"),
        "no_number": _("not a number; write it with digits and a decimal point"),
        "no_risk": _("No risk is given: correct what is not a number."),
        "doubt": _("{n} value(s) need attention; see the notes at the fields.", n="{n}"),
        "days_after": _("{name}, days after {since}", name="{name}", since="{since}"),
        "units": [i.shown.beside for i in model.inputs],
        "caveats": caveats(model, results),
    }


def caveats(model: Specification, results: Results) -> list[str]:
    """Say what whoever uses the written model must know, in the current language."""
    own = results.candidate(model.learner)
    judged = results.cross_validated if model.delivered or own is None else own.cross_validated
    lines = [
        _(
            "{model} learnt from {n} patients; trained {when}; SHA-256 of their table {hash}.",
            model=title(model.learner),
            n=model.n_patients,
            when=str(results.manifest["created"])[:10],
            hash=str(results.manifest["data_sha256"])[:16],
        ),
        *_judged_at_sites(model, results),
    ]
    if len(lines) == 1:
        lines.append(
            _(
                "Out of fold, on patients each model had not seen: AUROC {auroc}, calibration slope {slope} (95 % intervals).",
                auroc=with_interval(judged.metrics["auroc"]),
                slope=with_interval(judged.metrics["calibration_slope"], digits=2),
            )
        )
    if not model.delivered:
        lines.append(
            _("This is the equation that was trained beside the delivered model; its risks differ from that one's.")
        )
    return [*lines, *(_(limit) for limit in LIMITS)]


def _judged_at_sites(model: Specification, results: Results) -> list[str]:
    """Say what to expect at another site; nothing where the table has no sites to be judged by."""
    own = None if model.delivered else results.candidate(model.learner)
    found = site_comparison(results, None if own is None else replace(results.training, risk=own.oof))
    if found is None or not found.means:
        return []
    seen = (
        _("Out of fold, each site judged by itself, by models that had not seen it:")
        if found.left_out
        else _("Out of fold, each site judged by itself, by models that had seen other patients of it:")
    )
    told = (found.means[name].sentence(short(_(METRICS[name]))) for name in MEASURES if name in found.means)
    return [running([seen, *map(str, told)])]
