"""Commands about an installation: its studies, its dashboard, its trail, its upkeep."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from medcore import commands
from medcore.commands.parsers.common import command_in
from medcore.i18n import _


def studies(group: Any) -> None:
    """Take studies out, bring them in, share them."""
    command = command_in(
        group,
        "export-study",
        lambda o: commands.export_study(o.study, out=o.out),
        _("Write a study of this installation, with its table, runs and models, as one archive."),
    )
    command.add_argument("study", metavar="STUDY", help=_("the study's number or its name"))
    command.add_argument("--out", required=True, type=Path, metavar="ZIP")
    command = command_in(
        group,
        "import-study",
        lambda o: commands.import_study(o.archive, name=o.name),
        _("Bring a study in from an archive that export-study wrote."),
    )
    command.add_argument("archive", type=Path, metavar="ZIP")
    command.add_argument("--name", help=_("what the study is to be called here"))

    command_in(
        group,
        "share-study",
        lambda o: commands.share_study(o.study, person=o.person, role=None if o.role == "none" else o.role),
        _("Share a study of this installation with somebody who signs in, or say with whom it is shared."),
        options=_share_options,
    )


def _share_options(command: argparse.ArgumentParser) -> None:
    from medcore.studies.people.roles import SHARES

    command.add_argument("study", metavar="STUDY", help=_("the study's number or its name"))
    command.add_argument("--with", dest="person", metavar="NAME", help=_("by the name that person signs in with"))
    as_what = _("to read (reader), to change and train (modeller), or no more (none)")
    command.add_argument("--as", dest="role", choices=[*SHARES, "none"], default="reader", help=as_what)


def app(group: Any) -> None:
    """Start the dashboard."""
    command = command_in(group, "app", lambda o: commands.app(host=o.host, port=o.port), _("Start the dashboard."))
    command.add_argument("--port", type=int, default=8501)
    command.add_argument("--host", default="127.0.0.1")


def audit(group: Any) -> None:
    """Show, check and export the audit trail."""
    trail = group.add_parser("audit", help=_("Show the audit trail, or find out whether anybody changed it."))
    parts = trail.add_subparsers(dest="part", required=True, metavar="PART")
    command = command_in(
        parts,
        "verify",
        lambda o: commands.verify_trail(heads=o.head),
        _("Follow the trail from its first entry to its last; exit code 1 when anything was changed."),
    )
    command.add_argument(
        "--head",
        action="append",
        default=[],
        metavar="N:LINK",
        help=_("a head that was kept elsewhere, as “audit verify” printed it; may be given again"),
    )
    command = command_in(
        parts,
        "show",
        lambda o: commands.show_trail(study=o.study, who=o.who, action=o.action, since=o.since, last=o.last),
        _("Show who did what and when."),
    )
    command.add_argument("--study", metavar="ID", help=_("only of this study"))
    command.add_argument("--who", metavar="NAME", help=_("only of this person"))
    command.add_argument("--action", metavar="NAME", help=_("only this action, for example patient.viewed"))
    command.add_argument("--since", metavar="DATE", help=_("only since this day"))
    command.add_argument("--last", type=int, default=20, metavar="N", help=_("how many of the newest"))
    command = command_in(
        parts,
        "export",
        lambda o: commands.export_trail(out=o.out),
        _("Take the whole trail out, with its verification."),
    )
    command.add_argument("--out", type=Path, metavar="FILE", help=_("a JSON file; without it, standard output"))


def upkeep(group: Any) -> None:
    """Check, back up, restore and rekey an installation."""
    command_in(
        group,
        "doctor",
        lambda _o: commands.doctor(),
        _("Check this installation and say what to do; exit code 2 when something keeps it from its work."),
    )
    command = command_in(
        group,
        "backup",
        lambda o: commands.backup(out=o.out, keys=not o.without_keys),
        _("Write database, files and keys to one file, also while medcore is at work."),
    )
    command.add_argument("--out", required=True, type=Path, metavar="FILE", help=_("a new file, such as medcore.tar"))
    command.add_argument("--without-keys", action="store_true", help=_("leave the keys out, to be kept apart"))
    command = command_in(
        group,
        "restore",
        lambda o: commands.restore(o.archive),
        _("Check a backup and put it back into an empty installation."),
    )
    command.add_argument("archive", type=Path, metavar="FILE")
    command_in(
        group,
        "rekey",
        lambda _o: commands.rekey(),
        _("Seal all of this installation's data under a new key; medcore must be stopped."),
    )
