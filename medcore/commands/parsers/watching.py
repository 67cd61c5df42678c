"""The commands about a model in use."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from medcore import commands
from medcore.commands.options import asked
from medcore.commands.parsers.common import command_in, model_and_table
from medcore.commands.result import Result
from medcore.i18n import _


def watch(group: Any) -> None:
    """Watch a model over past patients, or every model in use of the installation."""

    def run(o: argparse.Namespace) -> Result:
        if o.alarms:
            return commands.alarms()
        if o.bundle is None or o.data is None or o.time is None:
            command.error(_("name BUNDLE, DATA and --time, or ask for --alarms of every model in use"))
        return commands.watch(
            o.bundle,
            o.data,
            watching=commands.Watching(
                time=o.time,
                target=o.target,
                known=o.known,
                site=o.site,
                groups=o.group,
                threshold=o.threshold,
                reference=o.reference,
                rate=o.rate,
            ),
            report=o.report,
            month=o.month,
            mapping=o.map,
            levels=o.map_level,
            asked=asked(o),
        )

    command = command_in(
        group,
        "watch",
        run,
        _("Watch a model over past patients, month by month: what changed, since when, where, and what to do."),
    )
    model_and_table(command, needed=False)
    command.add_argument(
        "--alarms",
        action="store_true",
        help=_(
            "of every model in use here, what has changed and still holds; prints nothing and exits with 0 where nothing has, else with 3"
        ),
    )
    command.add_argument("--time", metavar="COL", help=_("the date of the prediction"))
    command.add_argument(
        "--target", metavar="COL", help=_("the outcome's column, if it has another name here; it may be empty for some")
    )
    command.add_argument("--known", metavar="COL", help=_("the date on which the outcome was known"))
    command.add_argument("--site", metavar="COL", help=_("the hospital; each is watched by itself"))
    command.add_argument(
        "--group", action="append", default=[], metavar="COL", help=_("groups to watch apart; may be given again")
    )
    command.add_argument(
        "--threshold", type=float, metavar="P", help=_("the risk from which a patient counts as positive")
    )
    command.add_argument("--reference", type=int, metavar="N", help=_("how many of the first months are the reference"))
    command.add_argument(
        "--rate", type=float, metavar="P", help=_("the chance of a false alarm in a quiet month, all charts together")
    )
    command.add_argument("--report", type=Path, metavar="FILE", help=_("write a page on a month: .html, .pdf or .docx"))
    command.add_argument("--month", metavar="YYYY-MM", help=_("the month of the report; else the last"))


def card(group: Any) -> None:
    """Write the model card."""
    command = command_in(
        group,
        "card",
        lambda o: commands.card(o.bundle, out=o.out),
        _("Write the model card: what the model is, at a glance."),
    )
    command.add_argument("bundle", type=Path, metavar="BUNDLE")
    command.add_argument("--out", required=True, type=Path, metavar="FILE", help=_("the card: .html, .pdf or .docx"))
