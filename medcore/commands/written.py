"""Commands that hand over the model itself: written down, trained again, or recalibrated."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medcore.commands.output import check_out, write_out
from medcore.commands.result import Result
from medcore.i18n import _

if TYPE_CHECKING:
    from medcore.models.deployed.versions import AnyRecalibration, AnyValidation


def recalibrated(
    bundle: Path, out: Path, change: AnyRecalibration, validation: AnyValidation, figures: Sequence[str]
) -> tuple[dict[str, Any], list[str]]:
    """Keep a recalibrated version in a folder; return what is told of it, for programs and for people.

    ``figures`` are the lines about it on the new patients.
    """
    from medcore.models.deployed.versions import save_version

    save_version(bundle, out, change, validation)
    said = _("Recalibrated: {what}. Kept in {out}; the original is unchanged.", what=change.meaning, out=out)
    return {"bundle": str(out), **change.to_dict()}, [said, *figures]


def reproduce(bundle: Path, *, out: Path) -> Result:
    """Write a script that trains a bundle's model again from its table and compares every figure."""
    from medcore.models.bundle.bundle import read_manifest
    from medcore.reporting.reproduce import reproduction, tables_of

    check_out(out, bundle)
    manifest = read_manifest(bundle)
    write_out(out, reproduction(manifest, out.name))
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

    check_out(out, bundle)
    results = read_results(bundle)
    written = render_model(results, out.name)
    found = written_model(results)
    write_out(out, written)
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
