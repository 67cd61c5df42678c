"""The command that hands over the model itself."""

from __future__ import annotations

from pathlib import Path

from medcore.commands.result import Result
from medcore.i18n import _


def reproduce(bundle: Path, *, out: Path) -> Result:
    """Write a script that trains a bundle's model again from its table and compares every figure."""
    from medcore.models.bundle.bundle import read_manifest
    from medcore.reporting.reproduce import reproduction, tables_of

    manifest = read_manifest(bundle)
    out.write_text(reproduction(manifest, out.name), encoding="utf-8")
    line = _(
        "{out} trains the same again and compares every figure: python {out} {tables}",
        out=out,
        tables=tables_of(manifest),
    )
    return Result({"bundle": str(bundle), "out": str(out), "data_sha256": manifest["data_sha256"]}, (line,))


def model(bundle: Path, *, out: Path) -> Result:
    """Write a bundle's regression as a calculator (.html), PMML (.pmml) or a table (.csv)."""
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
            _("It is the equation that was trained beside the bundle's model; its risks differ from the bundle's.")
        )
    return Result(data, tuple(lines))
