"""Commands on a bundle and patients: their risks, and why."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from medcore.commands.asked import Asked
from medcore.commands.matching import read_mapped, read_mapped_if_there
from medcore.commands.outcomes.timed import at_horizon, horizon_lines, horizons_told
from medcore.commands.output import check_out, write_out
from medcore.commands.result import Result, mended_lines
from medcore.data.describe.export import to_csv
from medcore.data.describe.mended import mended_of
from medcore.data.schema.class_names import class_names
from medcore.errors import NotFoundError, SettingsError
from medcore.i18n import N_, _, number

if TYPE_CHECKING:
    import pandas as pd

    from medcore.data.shown import Naming, Shown
    from medcore.evaluation.curves.calls import CallRule
    from medcore.explanation.shapley.results import Contribution, Explanation, PartContribution
    from medcore.models.bundle.bundle import Bundle


def predict(
    bundle: Path,
    data: Path,
    *,
    out: Path,
    mapping: Sequence[str] = (),
    levels: Sequence[str] = (),
    calls: CallRule | None = None,
    asked: Asked | None = None,
) -> Result:
    """Write the risk of every patient, one line a row of the table, and what they are called where it is said by which rule."""
    from medcore.models.bundle.bundle import load_bundle
    from medcore.models.deployed.external import predict_table, shares_for
    from medcore.models.deployed.levels import unknown_in
    from medcore.models.deployed.number import predict_number_table
    from medcore.models.deployed.timed import predict_timed_table

    check_out(out, bundle, data)
    model = load_bundle(bundle)
    if calls is not None:
        shares_for(model, calls)
    cohort, mapped = read_mapped(data, model, mapping, levels=levels, asked=asked)
    unreadable = [u.column for u in unknown_in(model, cohort.frame)]
    classes = partial(predict_table, rule=calls)
    predicted = classes if model.schema.follow_up is None else predict_timed_table
    predicted = predicted if model.schema.number is None else predict_number_table
    table, mends = predicted(model, cohort.frame, shifted=cohort.source.shifted), mended_of(cohort, model.schema)
    write_out(out, to_csv(table))
    flagged = int((table["flags"] != "").sum())
    found = {
        "bundle": str(bundle),
        "out": str(out),
        "mapping": mapped,
        "n_rows": len(table),
        "n_flagged": flagged,
        "unreadable": unreadable,
        "calls": calls,
        "mended": [m.to_dict() for m in mends],
        **horizons_told(model),
    }
    words = (
        N_("{n} risks written to {out}; {flagged} rows carry a flag.")
        if model.schema.number is None
        else N_("{n} predicted numbers written to {out}; {flagged} rows carry a flag.")
    )
    lines = [_(words, n=len(table), out=out, flagged=flagged)]
    if unreadable:
        lines.append(
            _(
                "The model knows hardly any value of {columns} here: say which is which with --map-level, or do not rely "
                "on these risks.",
                columns=unreadable,
            )
        )
    return Result(found, (*lines, *mended_lines(mends)))


def explain(
    bundle: Path,
    data: Path,
    *,
    row: int,
    background: Path | None = None,
    class_name: str | None = None,
    horizon: str | None = None,
    mapping: Sequence[str] = (),
    levels: Sequence[str] = (),
    asked: Asked | None = None,
) -> Result:
    """Say why the model gives one patient that risk."""
    from medcore.explanation import explain_row
    from medcore.models.bundle.bundle import flag_message, load_bundle
    from medcore.models.deployed.external import SHIFTED

    model = at_horizon(load_bundle(bundle), horizon)
    cohort, mapped = read_mapped(data, model, mapping, levels=levels, asked=asked)
    frame = cohort.frame
    if not 0 <= row < len(frame):
        raise NotFoundError(
            N_("There is no row {row}: the table has the rows 0 to {last}."), row=row, last=len(frame) - 1
        )
    others = _background(background, mapping, model)
    explanation = explain_row(model, frame, row, background=others, class_name=class_name)
    flags, naming = model.flags(frame.iloc[[row]])[0], model.schema.shown
    shifted = row in cohort.source.shifted
    mends = mended_of(replace(cohort, frame=frame.iloc[[row]]), model.schema)
    lines = [
        _heading(model, explanation),
        *horizon_lines(model),
        *_contribution_lines(explanation, naming),
        *map(str, map(flag_message, flags)),
        *(
            [_("This row has more cells than there are columns: its values may stand in wrong ones.")]
            if shifted
            else []
        ),
        *mended_lines(mends),
        _(explanation.caption),
    ]
    return Result(
        {
            **explanation.to_dict(),
            **horizons_told(model),
            "contributions": [_worded(c, naming(c.column)) for c in explanation.contributions],
            "file_row": int(cohort.source.rows_in_file([row])[0]),
            "flags": [*flags, *[SHIFTED] * shifted],
            "mended": [m.to_dict() for m in mends],
            "mapping": mapped,
        },
        tuple(lines),
    )


def _contribution_lines(explanation: Explanation, naming: Naming) -> list[str]:
    """Write a line for each column's contribution, and below it one for each part of its value."""
    return [
        line
        for c in explanation.contributions
        for line in (
            f"  {naming(c.column)} = {naming(c.column).value(c.value)}: {_measured(c)}",
            *(f"    {' '.join(part.part.split())}: {_measured(part)}" for part in c.parts),
        )
    ]


def _measured(found: Contribution | PartContribution) -> str:
    """Write a contribution with its standard error."""
    return f"{number(found.contribution, '+.4f')} ± {number(found.standard_error, '.4f')}"


def _heading(model: Bundle, explanation: Explanation) -> str:
    """Say what was predicted for the patient, beside what it is on average."""
    if model.schema.number is not None:
        assert model.intervals is not None
        low, high = (float(end[0]) for end in model.intervals.around(np.array([explanation.prediction])))
        return _(
            "Predicted {name}: {value}, between {low} and {high} for nine of ten such patients; average of the comparison patients: {base}.",
            name=model.schema.shown(explanation.class_name),
            value=f"{number(explanation.prediction)} {explanation.unit}".strip(),
            low=number(low),
            high=number(high),
            base=number(explanation.base_value),
        )
    return _(
        "Risk of {name}: {risk}; average of the comparison patients: {base}.",
        name=class_names(model.classes, model.schema.outcome)[model.classes.index(explanation.class_name)],
        risk=number(explanation.prediction),
        base=number(explanation.base_value),
    )


def _worded(contribution: Contribution, column: Shown) -> dict[str, object]:
    """Write a contribution with what its column and its value are in words."""
    return asdict(contribution) | {"label": column.label, "value_label": column.value(contribution.value)}


def explain_all(
    bundle: Path,
    data: Path,
    *,
    out: Path | None,
    background: Path | None = None,
    class_name: str | None = None,
    horizon: str | None = None,
    mapping: Sequence[str] = (),
    levels: Sequence[str] = (),
    asked: Asked | None = None,
) -> Result:
    """Write every patient's contributions with their standard errors, one line a row of the table."""
    from medcore.explanation.model.batch import as_table
    from medcore.explanation.model.tables import explain_rows
    from medcore.explanation.shapley.results import caption_of
    from medcore.models.bundle.bundle import load_bundle

    if out is None:
        raise SettingsError(N_("Say with --out where the explanations of all patients are to be written."))
    check_out(out, bundle, data, background)
    model = at_horizon(load_bundle(bundle), horizon)
    cohort, mapped = read_mapped(data, model, mapping, levels=levels, asked=asked)
    others = _background(background, mapping, model)
    found = explain_rows(model, cohort.frame, class_name=class_name, background=others, progress=_say_share)
    write_out(out, to_csv(as_table(found)))
    written = {
        "bundle": str(bundle),
        "out": str(out),
        "mapping": mapped,
        "n_rows": len(found.rows),
        "class_name": found.class_name,
    }
    return Result(
        written, (_("{n} explanations written to {out}.", n=len(found.rows), out=out), _(caption_of(found.scale)))
    )


def _background(file: Path | None, mapping: Sequence[str], model: Bundle) -> pd.DataFrame | None:
    return read_mapped_if_there(file, mapping, model).frame if file else None


def _say_share(done: float) -> None:
    """Say on standard error, in place, how much is done."""
    sys.stderr.write(f"\r{done:4.0%}{'' if done < 1 else chr(10)}")
