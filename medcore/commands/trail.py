"""The commands about the audit trail: follow it to its end, show it, take it out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from medcore.commands.result import Result
from medcore.errors import InputError
from medcore.i18n import N_, _
from medcore.safe_files import write_whole
from medcore.settings import Settings
from medcore.studies import LOCAL_OWNER, AuditEntry, Head, Store, Verification


def verify_trail(*, heads: Sequence[str] = ()) -> Result:
    """Follow the trail from its first entry to its last; the exit code is 1 when anything was changed."""
    found = Store(Settings.from_env()).verify_trail([_head(text) for text in heads])
    return Result(found.to_dict(), _told(found), code=0 if found.whole else 1)


def show_trail(*, study: str | None, who: str | None, action: str | None, since: str | None, last: int) -> Result:
    """Show the newest entries that fit, oldest first."""
    found = Store(Settings.from_env()).trail(
        LOCAL_OWNER, study_id=study, who=who, action=action, since=_day(since) if since else None, newest=last
    )
    return Result({"entries": [entry.to_dict() for entry in found]}, tuple(map(_line, found)))


def export_trail(*, out: Path | None) -> Result:
    """Take the whole trail out, with what was found when it was followed; that it was taken is an entry of its own."""
    store = Store(Settings.from_env())
    store.note_of_installation(LOCAL_OWNER, "trail.exported")
    verified, found = store.verify_trail(), store.trail(LOCAL_OWNER)
    data = {"verification": verified.to_dict(), "entries": [entry.to_dict() for entry in found]}
    if out is None:
        return Result(data, tuple(map(_line, found)))
    write_whole(out.absolute(), json.dumps(data, ensure_ascii=False, indent=1).encode())
    said = _("{n} entries are written to {out}.", n=len(found), out=out)
    return Result({"out": str(out), "n_entries": len(found)} | verified.to_dict(), (said, *_told(verified)))


def _told(found: Verification) -> tuple[str, ...]:
    lines = [
        _(
            "{n} entries; of {emptied} the details went with a study that was removed.",
            n=found.n_entries,
            emptied=found.n_emptied,
        )
    ]
    if found.head is not None:
        lines.append(_("The head, to be kept elsewhere: {head}", head=found.head))
    if found.whole:
        return (*lines, _("Nothing was changed, removed or reordered."))
    return (*lines, *map(str, found.faults))


def _line(entry: AuditEntry) -> str:
    """Write an entry on one line: number, moment, person, study, sentence."""
    at = f"{entry.created_at:%Y-%m-%d %H:%M:%S}Z"
    return f"{entry.seq}  {at}  {entry.who}  {entry.study_id or '–'}  {entry.sentence}"


def _head(text: str) -> Head:
    number, _colon, link = text.partition(":")
    if not (number.isascii() and number.isdecimal() and len(link) == 64):
        raise InputError(N_("“{text}” is not the head of a trail; give it as “audit verify” printed it."), text=text)
    return Head(int(number), link)


def _day(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(N_("“{text}” is not a date; write it as 2026-11-28."), text=text) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
