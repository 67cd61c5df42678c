"""Commands about a trained model."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from medcore import commands
from medcore.commands.options import asked
from medcore.commands.parsers.common import command_in, model_and_table
from medcore.i18n import _


def evaluate(group: Any) -> None:
    """Judge a frozen model."""
    command_in(
        group,
        "evaluate",
        lambda o: commands.evaluate(
            o.bundle,
            o.data,
            target=o.target,
            threshold=o.threshold,
            report=o.report,
            recalibrate=commands.Recalibrate.of(o.recalibrate, o.out),
            mapping=o.map,
            weight=o.weight,
            levels=o.map_level,
            new_levels=[name for part in o.new_levels for name in _names(part)],
            asked=asked(o),
        ),
        _("Judge a frozen model on new patients."),
        options=_evaluate_options,
    )


def _evaluate_options(command: argparse.ArgumentParser) -> None:
    from medcore.models.contract.settings import STRENGTHS

    model_and_table(command)
    command.add_argument("--target", metavar="COL", help=_("the outcome's column, if it has another name here"))
    command.add_argument(
        "--threshold", type=float, metavar="P", help=_("the risk from which a patient counts as positive")
    )
    command.add_argument(
        "--weight", metavar="COL", help=_("the column that says for how many patients each row stands")
    )
    command.add_argument(
        "--new-levels",
        action="append",
        default=[],
        metavar="COL",
        help=_("categories whose values are truly new, unknown to the model"),
    )
    command.add_argument("--report", type=Path, metavar="FILE", help=_("write a report: .html, .pdf or .docx"))
    command.add_argument(
        "--recalibrate", choices=STRENGTHS, help=_("recalibrate to these patients and keep a new version under --out")
    )
    command.add_argument("--out", type=Path, metavar="DIR", help=_("the folder for the recalibrated version"))


def predict(group: Any) -> None:
    """Write risks."""
    command_in(
        group,
        "predict",
        lambda o: commands.predict(
            o.bundle, o.data, out=o.out, mapping=o.map, levels=o.map_level, calls=o.calls, asked=asked(o)
        ),
        _("Write the risk of every patient to a CSV file."),
        options=_predict_options,
    )


def _predict_options(command: argparse.ArgumentParser) -> None:
    from medcore.evaluation.curves.calls import CALL_RULES

    model_and_table(command)
    command.add_argument(
        "--calls",
        choices=CALL_RULES,
        help=_(
            "of more than two classes, by which rule each patient is called one: the likeliest, or that whose risk most exceeds its share"
        ),
    )
    command.add_argument("--out", required=True, type=Path, metavar="CSV")


def explain(group: Any) -> None:
    """Say why."""
    command = command_in(
        group,
        "explain",
        _run_explain,
        _("Say why the model gives one patient that risk."),
    )
    model_and_table(command)
    who = command.add_mutually_exclusive_group(required=True)
    who.add_argument("--row", type=int, metavar="N", help=_("the patient's row, counted from 0"))
    who.add_argument("--all", action="store_true", help=_("every patient of the table, into the file named by --out"))
    command.add_argument("--out", type=Path, metavar="CSV", help=_("where --all writes a line a patient"))
    command.add_argument("--background", type=Path, metavar="CSV", help=_("the patients to compare with"))
    command.add_argument("--class", dest="class_name", metavar="NAME", help=_("the class whose risk is explained"))
    command.add_argument(
        "--horizon",
        metavar="TIME",
        help=_("the time by which the risk is explained, such as 5y, where the model says by when"),
    )


def _run_explain(options: argparse.Namespace) -> commands.Result:
    common = {
        "background": options.background,
        "class_name": options.class_name,
        "horizon": options.horizon,
        "mapping": options.map,
        "levels": options.map_level,
        "asked": asked(options),
    }
    if options.all:
        return commands.explain_all(options.bundle, options.data, out=options.out, **common)
    return commands.explain(options.bundle, options.data, row=options.row, **common)


def model(group: Any) -> None:
    """Write the model down."""
    command = command_in(
        group,
        "model",
        lambda o: commands.model(o.bundle, out=o.out),
        _("Write the regression itself as a file that others can compute with."),
    )
    command.add_argument("bundle", type=Path, metavar="BUNDLE")
    command.add_argument(
        "--out",
        required=True,
        type=Path,
        metavar="FILE",
        help=_("a calculator (.html), PMML (.pmml) or a table (.csv)"),
    )


def reproduce(group: Any) -> None:
    """Write the script that trains it again."""
    command = command_in(
        group,
        "reproduce",
        lambda o: commands.reproduce(o.bundle, out=o.out),
        _("Write a script that trains a bundle's model again and compares every figure."),
    )
    command.add_argument("bundle", type=Path, metavar="BUNDLE")
    command.add_argument("--out", required=True, type=Path, metavar="SCRIPT")


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
