"""The command that hands over the model itself."""

from __future__ import annotations

from pathlib import Path

from medcore.commands.result import Result
from medcore.i18n import _


def model(bundle: Path, *, out: Path) -> Result:
    """Write a bundle's logistic regression as a calculator (.html), PMML (.pmml) or a table (.csv)."""
    from medcore.models.run.results import read_results
    from medcore.reporting.model import render_model, written_model

    results = read_results(bundle)
    written = render_model(results, out.name)
    found = written_model(results)
    out.write_bytes(written)
    data = {
        "bundle": str(bundle),
        "out": str(out),
        "is_the_bundle": found.delivered,
        "classes": list(found.classes),
        "n_terms": len(found.equation.terms),
        "intercepts": list(found.equation.intercepts),
        "inverse_penalty": found.inverse_penalty,
        "recalibration": found.calibrator.method,
    }
    lines = [_("The equation of {n} terms is written to {out}.", n=len(found.equation.terms), out=out)]
    if not found.delivered:
        lines.append(
            _(
                "It is the logistic regression that was trained beside the bundle's model; its risks differ from the bundle's."
            )
        )
    return Result(data, tuple(lines))
