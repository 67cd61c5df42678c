"""The same work from a shell: ``python -m medcore COMMAND``.

Results go to standard output (with ``--json`` exactly one JSON object), progress
and logs to standard error. The exit code is 0 when done, 2 when the input is at
fault, 1 when medcore is.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence

from medcore.commands.parsers import installation, trained, training, using, watching
from medcore.commands.parsers.common import CommandParser
from medcore.errors import InputError, MedcoreError
from medcore.i18n import _, best_language, use_language
from medcore.settings import check_names

logger = logging.getLogger("medcore")
COMMANDS = (
    training.profile,
    training.train,
    trained.evaluate,
    trained.predict,
    trained.explain,
    watching.watch,
    watching.card,
    trained.model,
    trained.reproduce,
    installation.studies,
    using.releases,
    using.tokens,
    using.serve,
    installation.app,
    installation.audit,
    installation.upkeep,
)
"""What adds each command to the parser, in the order in which help lists them."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    use_language(best_language(os.environ.get("LC_ALL") or os.environ.get("LANG")))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    options = parser().parse_args(arguments)
    try:
        check_names(os.environ)
        result = options.run(options)
        if result is not None:
            told = result.as_json() if options.json else result.as_text()
            sys.stdout.write(f"{told}\n" if told else "")
            return int(result.code)
    except InputError as error:
        return _fail(str(error), 2)
    except MedcoreError as error:
        return _fail(str(error), 1)
    except KeyboardInterrupt:
        return _fail(_("Stopped."), 1)
    except BrokenPipeError:
        return 1
    except Exception as error:
        logger.debug("Unexpected error", exc_info=True)
        return _fail(
            _(
                "medcore failed ({kind}). Set MEDCORE_DEBUG=1 for details.",
                kind=type(error).__name__,
            ),
            1,
        )
    return 0


def parser() -> argparse.ArgumentParser:
    """Build the parser of all commands."""
    top = argparse.ArgumentParser(prog="medcore", description=_("Clinical risk models that say how far to trust them."))
    commands_ = top.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=CommandParser)
    for add in COMMANDS:
        add(commands_)
    return top


def _fail(message: str, code: int) -> int:
    if os.environ.get("MEDCORE_DEBUG"):
        logger.exception(message)
    else:
        sys.stderr.write(f"medcore: {message}\n")
    return code
