"""What commands ask alike."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from medcore.commands.options import reading_options
from medcore.i18n import _

Options = Callable[[argparse.ArgumentParser], None]


class CommandParser(argparse.ArgumentParser):
    """The parser of a command; what only its own options need is imported when it is the one that was asked for."""

    options: Options | None = None

    def parse_known_args(self, *given: Any, **named: Any) -> Any:
        """Add the options, once, and parse."""
        options, self.options = self.options, None
        if options is not None:
            options(self)
        return super().parse_known_args(*given, **named)


def command_in(
    group: Any, name: str, run: Callable[..., Any], text: str, *, options: Options | None = None
) -> CommandParser:
    """Add a command that runs a function of its options; every one of them can print JSON.

    ``options`` adds those that take imports to be known, when the command is asked for.
    """
    command: CommandParser = group.add_parser(name, help=text, description=text, allow_abbrev=False)
    command.add_argument("--json", action="store_true", help=_("print one JSON object"))
    command.set_defaults(run=run)
    command.options = options
    return command


def model_and_table(command: argparse.ArgumentParser, *, needed: bool = True) -> None:
    """Take a bundle and a table of new patients, whose columns may have other names."""
    command.add_argument("bundle", type=Path, metavar="BUNDLE", nargs=None if needed else "?")
    command.add_argument("data", type=Path, metavar="DATA", nargs=None if needed else "?")
    command.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="THEIRS=OURS",
        help=_("a column's name in the table, and the name the model knows it by; may be given again"),
    )
    command.add_argument(
        "--map-level",
        action="append",
        default=[],
        metavar="COL:THEIRS=OURS",
        help=_("a category's value in the table, and the value the model knows, for example sex:1=Male"),
    )
    reading_options(command, columns=False)
