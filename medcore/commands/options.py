"""The options of the command line that say how a table is to be read."""

from __future__ import annotations

import argparse
from pathlib import Path

from medcore.commands.asked import Asked, parts, reading_of
from medcore.errors import SettingsError
from medcore.i18n import N_, _


def reading_options(command: argparse.ArgumentParser, *, columns: bool) -> None:
    """Take the options about the file, and with ``columns`` those about its columns, which a model knows itself."""
    group = command.add_argument_group(_("how the table is read"))
    group.add_argument("--sheet", metavar="NAME", help=_("the sheet of a workbook, or the file in an archive"))
    group.add_argument("--decimal", metavar="MARK", help=_("the decimal mark: . or ,"))
    group.add_argument("--encoding", metavar="NAME", help=_("the encoding of the text, for example gb18030"))
    group.add_argument(
        "--every-row", action="store_true", help=_("read rows of units, totals and notes as patients too")
    )
    group.add_argument(
        "--fill-down",
        action="append",
        default=[],
        metavar="COL",
        help=_("empty cells of this column take the value above, as under merged cells; may be given again"),
    )
    group.add_argument(
        "--pivot",
        metavar="PARTS",
        help=_(
            "make rows of results rows of patients: patient=COL,analyte=COL,value=COL,unit=COL,when=COL,index=COL,forms=first|maximum,days=-7..0"
        ),
    )
    if not columns:
        return
    group.add_argument("--dictionary", type=Path, metavar="FILE", help=_("a data dictionary; REDCap's too"))
    group.add_argument(
        "--dates",
        action="append",
        default=[],
        metavar="ORDER",
        help=_("the order of day and month in dates: dmy, mdy or ymd; or COL=ORDER for one column"),
    )
    group.add_argument(
        "--missing",
        action="append",
        default=[],
        metavar="COL=A,B",
        help=_("the values of a column that mean missing; may be given again"),
    )
    group.add_argument("--kind", action="append", default=[], metavar="COL=KIND", help=_("what kind of column it is"))
    group.add_argument(
        "--class-name",
        action="append",
        default=[],
        metavar="CLASS=NAME",
        help=_("what a class of the outcome is called, for example 1=heart disease; may be given again"),
    )
    group.add_argument(
        "--none-of-these", metavar="CLASS", help=_("of more than two classes, the one that means none of these")
    )
    group.add_argument("--role", action="append", default=[], metavar="COL=ROLE", help=_("what a column does"))


def outcome_options(command: argparse.ArgumentParser) -> None:
    """Take the options about the classes of the outcome."""
    command.add_argument("--positive", metavar="VALUE", help=_("the class whose risk is meant, when there are two"))
    command.add_argument(
        "--ordinal",
        metavar="LEVEL,LEVEL,…",
        help=_(
            "the classes of an outcome in their order, lowest first, such as mild,moderate,severe; none if they have no order"
        ),
    )


def order_of(options: argparse.Namespace) -> list[str] | None:
    """Return the order that was asked for; None where nobody asked."""
    if options.ordinal is None:
        return None
    if options.positive is not None:
        raise SettingsError(
            N_(
                "--positive asks for the risk of one class, --ordinal for all classes in their order. Give one of the two."
            )
        )
    return parts(options.ordinal)


def asked(options: argparse.Namespace) -> Asked:
    """Put the options together."""
    reading = reading_of(
        sheet=options.sheet,
        decimal=options.decimal,
        encoding=options.encoding,
        every_row=options.every_row,
        fill_down=options.fill_down,
        pivot=options.pivot,
    )
    if not hasattr(options, "dictionary"):
        return Asked(reading=reading)
    return Asked(
        reading=reading,
        dictionary=options.dictionary,
        missing=options.missing,
        kinds=options.kind,
        roles=options.role,
        dates=options.dates,
        class_names=options.class_name,
        absence=options.none_of_these,
    )
