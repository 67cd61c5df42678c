"""The options of the command line that say how a table is to be read."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from medcore.commands.series import series_of, series_options
from medcore.errors import SettingsError
from medcore.i18n import N_, _
from medcore.targets.event_time import UNITS

if TYPE_CHECKING:
    from medcore.commands.asked import Asked, AsNumber, When

OWN_OPTIONS = {"model": "--model", "seed": "--seed", "epochs": "--epochs", "search_minutes": "--search"}
"""Settings of a training that have an option of their own, beside ``--set``."""


def reading_options(command: argparse.ArgumentParser, *, columns: bool) -> None:
    """Take the options about the file, and with ``columns`` those about its columns, which a model knows itself."""
    group = command.add_argument_group(_("how the table is read"))
    group.add_argument(
        "--sheet",
        metavar="NAME",
        help=_("the sheet of a workbook, or the file in an archive; * for all that have the same columns or patients"),
    )
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
    group.add_argument(
        "--patients-in",
        choices=("rows", "columns"),
        help=_("where the patients stand: a table that lies on its side is turned, which else is seen by itself"),
    )
    group.add_argument(
        "--note-files",
        type=Path,
        metavar="ZIP",
        help=_("an archive of text files, named after patients, that become the column “notes”"),
    )
    group.add_argument("--note-id", metavar="COL", help=_("the column that names the patient as the text files do"))
    series_options(command, columns=columns)
    if columns:
        _column_options(group)


def _column_options(group: argparse._ArgumentGroup) -> None:
    """Take the options about what columns are and how they are written."""
    group.add_argument("--dictionary", type=Path, metavar="FILE", help=_("a codebook or data dictionary; REDCap's too"))
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
    group.add_argument(
        "--empty-is-no",
        action="append",
        default=[],
        metavar="A,B",
        help=_("columns of boxes that were ticked or left empty, in which an empty cell says no"),
    )
    group.add_argument(
        "--notes",
        action="append",
        default=[],
        metavar="COL",
        help=_("a column of free text that the model reads by its words and phrases; may be given again"),
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


def time_options(command: argparse.ArgumentParser) -> None:
    """Take the options of an outcome that comes with its time."""
    group = command.add_argument_group(_("an outcome with its time: --target is then the status"))
    group.add_argument("--duration", metavar="COL", help=_("how long each patient was followed"))
    group.add_argument("--start", metavar="COL", help=_("the date on which follow-up began, instead of --duration"))
    group.add_argument("--end", metavar="COL", help=_("the date on which follow-up ended"))
    group.add_argument(
        "--study-end",
        metavar="DATE",
        help=_(
            "the day on which the study ended: --target is then the date of the event, empty where none came by that day"
        ),
    )
    group.add_argument("--event", metavar="VALUE", help=_("the value of the status that is the event"))
    group.add_argument(
        "--competing", action="append", default=[], metavar="A,B", help=_("values that are competing events")
    )
    group.add_argument(
        "--censored", action="append", default=[], metavar="A,B", help=_("values that mean that no event was seen")
    )
    group.add_argument(
        "--horizon",
        action="append",
        default=[],
        metavar="TIME",
        help=_(
            "by when risks are asked, such as 5y, 18mo or 30d; the first is the one in question; may be given again"
        ),
    )
    group.add_argument(
        "--time-unit", choices=UNITS, help=_("the unit of --duration, where it should not be guessed; of dates days")
    )


def number_options(command: argparse.ArgumentParser) -> None:
    """Take the options of an outcome that is a number."""
    group = command.add_argument_group(_("an outcome that is a number"))
    group.add_argument(
        "--outcome",
        choices=("classes", "number"),
        help=_(
            "what is predicted of --target: its class or its number; of a measurement the number, where nothing is said"
        ),
    )
    group.add_argument(
        "--scale",
        choices=("log", "plain"),
        help=_("whether models learn the number's logarithm; by its skewness, where nothing is said"),
    )
    group.add_argument("--lowest", type=float, metavar="N", help=_("the limit below which the number cannot be"))
    group.add_argument("--highest", type=float, metavar="N", help=_("the limit above which the number cannot be"))


def how_of(options: argparse.Namespace) -> When | AsNumber | None:
    """Put the options of an outcome that is not one of classes together; None where it is, or nothing is said."""
    from medcore.commands.asked import AsNumber  # and with it what reads a table: nothing that help needs

    own = {"--scale": options.scale, "--lowest": options.lowest, "--highest": options.highest}
    given = [name for name, value in own.items() if value is not None]
    when = when_of(options)
    if options.outcome != "number" and not given:
        return when
    if options.outcome == "classes":
        raise SettingsError(N_("{options} are for an outcome that is a number; --outcome says classes."), options=given)
    if when is not None or options.positive is not None or options.ordinal is not None:
        raise SettingsError(
            N_(
                "A number has no class, no order of classes and no time. Leave --positive, --ordinal and the options of time out, or --outcome number."
            )
        )
    log = None if options.scale is None else options.scale == "log"
    return AsNumber(log=log, low=options.lowest, high=options.highest)


def when_of(options: argparse.Namespace) -> When | None:
    """Put the options of an outcome with its time together; None where it has none."""
    from medcore.commands.asked import When, parts

    dated = bool(options.start or options.end or options.study_end)
    named = [options.event, *options.competing, *options.censored, *options.horizon, options.time_unit]
    if not options.duration and not dated:
        if any(named):
            raise SettingsError(
                N_("--event, --competing, --censored, --horizon and --time-unit need --duration, or --start and --end.")
            )
        return None
    if options.duration and dated:
        raise SettingsError(N_("Follow-up is given by --duration, or by dates with --start. Give one of the two."))
    if options.ordinal is not None:
        raise SettingsError(N_("An outcome with its time has no order of classes. Leave --ordinal out."))
    if dated and not (options.start and (options.end or options.study_end)):
        raise SettingsError(N_("Dates of follow-up need --start and either --end or --study-end."))
    return When(
        duration=options.duration,
        start=options.start,
        end=options.end,
        study_end=options.study_end,
        event=options.event or options.positive,
        competing=[name for text in options.competing for name in parts(text)],
        censored=[name for text in options.censored for name in parts(text)] or None,
        horizons=[name for text in options.horizon for name in parts(text)],
        unit=options.time_unit,
    )


def order_of(options: argparse.Namespace) -> list[str] | None:
    """Return the order that was asked for; None where nobody asked."""
    from medcore.commands.asked import parts

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
    from medcore.commands.asked import Asked, reading_of

    reading = reading_of(
        sheet=options.sheet,
        decimal=options.decimal,
        encoding=options.encoding,
        every_row=options.every_row,
        fill_down=options.fill_down,
        pivot=options.pivot,
        patients_in=options.patients_in,
    )
    files = {"note_files": options.note_files, "note_id": options.note_id}
    if not hasattr(options, "dictionary"):
        return Asked(reading=reading, series=series_of(options), **files)
    return Asked(
        **files,
        reading=reading,
        dictionary=options.dictionary,
        missing=options.missing,
        kinds=options.kind,
        notes=options.notes,
        roles=options.role,
        dates=options.dates,
        empty_is_no=options.empty_is_no,
        class_names=options.class_name,
        absence=options.none_of_these,
        series=series_of(options),
    )
