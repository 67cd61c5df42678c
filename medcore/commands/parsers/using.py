"""Commands about models in use: release, withdraw, tokens, the service."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from medcore import commands
from medcore.commands.parsers.common import command_in
from medcore.i18n import _


def releases(group: Any) -> None:
    """Release a model, take it back, list what is released."""
    command = command_in(
        group,
        "release",
        lambda o: commands.release(
            o.study,
            run=o.run_number,
            name=o.name,
            use=o.use,
            patients=o.patients,
            threshold=o.threshold,
            until=o.until,
            codes=o.codes,
        ),
        _("Release a finished training run as a version that programs and clinicians may ask."),
    )
    command.add_argument("study", metavar="STUDY", help=_("the study's number or its name"))
    command.add_argument(
        "--run", dest="run_number", type=int, metavar="N", help=_("the chosen or newest one without it")
    )
    command.add_argument("--name", required=True, help=_("the model's name in addresses, such as heart-disease"))
    command.add_argument("--use", required=True, metavar="TEXT", help=_("what it is released for"))
    command.add_argument("--for", dest="patients", required=True, metavar="TEXT", help=_("for which patients"))
    command.add_argument("--threshold", type=float, metavar="P", help=_("the study's own without it"))
    command.add_argument("--until", metavar="DATE", help=_("the last day on which it answers"))
    command.add_argument("--codes", type=Path, metavar="JSON", help=_("how its columns are found in FHIR"))
    command = command_in(
        group,
        "withdraw",
        lambda o: commands.withdraw(o.name, version=o.version, why=o.why),
        _("Take a released version back; the version before it answers again, if there is one."),
    )
    command.add_argument("name", metavar="NAME")
    command.add_argument("--version", type=int, metavar="N", help=_("the newest in use without it"))
    command.add_argument("--why", required=True, metavar="TEXT", help=_("said to whoever asks it"))
    command_in(group, "releases", lambda _o: commands.releases(), _("List the released models."))


def tokens(group: Any) -> None:
    """Make, list and end tokens."""
    token = group.add_parser("token", help=_("Make, list and end the tokens by which programs are let in."))
    parts = token.add_subparsers(dest="part", required=True, metavar="PART")
    command = command_in(
        parts,
        "make",
        lambda o: commands.make_token(o.label, days=o.days, model=o.model),
        _("Make a token; it is shown once."),
    )
    command.add_argument("label", metavar="LABEL", help=_("what it is for"))
    command.add_argument("--days", type=int, default=90, metavar="N", help=_("for how many days it holds"))
    command.add_argument("--model", metavar="NAME", help=_("the one model that it opens"))
    command_in(parts, "list", lambda _o: commands.list_tokens(), _("List the tokens."))
    command = command_in(parts, "end", lambda o: commands.end_token(o.number), _("End a token."))
    command.add_argument("number", metavar="NUMBER", help=_("the first eight characters of its number"))


def serve(group: Any) -> None:
    """Start the service."""
    command = command_in(
        group,
        "serve",
        lambda o: commands.serve(
            host=o.host,
            port=o.port,
            name=o.name,
            certificate=o.certificate,
            key=o.key,
            origins=tuple(o.allow_origin),
            pages=o.pages,
            clients=o.clients,
        ),
        _("Let released models answer other programs, over HTTP, as FHIR and by CDS Hooks."),
    )
    command.add_argument("--port", type=int, default=8502)
    command.add_argument("--host", default="127.0.0.1")
    command.add_argument(
        "--name", metavar="HOST", help=_("the name in its address, where it is not this machine's own")
    )
    command.add_argument("--certificate", type=Path, metavar="PEM")
    command.add_argument("--key", type=Path, metavar="PEM")
    origins = _("a page of another program that may ask it, such as https://ehr.example; may be given again")
    command.add_argument("--allow-origin", action="append", default=[], metavar="ORIGIN", help=origins)
    command.add_argument("--clients", type=Path, metavar="JSON", help=_("records that show tokens of their own"))
    command.add_argument("--pages", metavar="URL", help=_("where the dashboard is, for links in cards"))
