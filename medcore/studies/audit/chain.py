"""The arithmetic of the trail's chain: each entry carries a digest of itself and of the link before it.

What a person may have written (names of columns, reasons, what an undo puts back)
enters the chain only through a salted digest. Deletion for good empties it and its
salt: nothing can be guessed from the digest that stays, and the chain still holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from medcore.i18n import N_, Message
from medcore.studies.kept.identity import digest

FIRST = "0" * 64
"""What the first entry is chained to."""
PURGED = "study.purged"
"""The entry that alone explains why details of its study's earlier entries are empty."""


class Row(Protocol):
    """What is chained of an entry; the database's row is one."""

    id: int
    owner: str
    study_id: str | None
    run_id: str | None
    action: str
    created_at: datetime
    undoes: int | None
    details: dict[str, Any]
    before: dict[str, Any] | None
    salt: str | None
    details_digest: str
    link: str


@dataclass(frozen=True, slots=True)
class Head:
    """Where the trail ends: the number of its last entry, and that entry's link."""

    entry: int
    link: str

    def __str__(self) -> str:
        """Write it so that it can be kept elsewhere and compared later."""
        return f"{self.entry}:{self.link}"


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found when the trail was followed from its first entry to its last."""

    n_entries: int
    n_emptied: int
    """Entries whose details went when their study was removed for good."""
    head: Head | None
    faults: tuple[Message, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing was edited, removed or reordered."""
        return not self.faults

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form, with the faults in the current language."""
        return {
            "whole": self.whole,
            "n_entries": self.n_entries,
            "n_emptied": self.n_emptied,
            "head": str(self.head) if self.head else None,
            "faults": [str(fault) for fault in self.faults],
        }


def details_digest(salt: str, details: Mapping[str, Any], before: Mapping[str, Any] | None) -> str:
    """Return the SHA-256 that stands for an entry's details in the chain."""
    return digest([salt, dict(details), None if before is None else dict(before)])


def link_of(row: Row, previous: str) -> str:
    """Return the SHA-256 of an entry and of the link before it."""
    at = row.created_at.astimezone(UTC).isoformat(timespec="microseconds")
    said = [row.id, at, row.owner, row.study_id, row.run_id, row.action, row.undoes, row.details_digest]
    return digest([previous, said])


def verify(rows: Iterable[Row], heads: Iterable[Head]) -> Verification:
    """Follow the chain; ``heads`` are links that were kept elsewhere, which it must pass through.

    The chain alone shows an edit; whoever writes it anew from there on, or cuts its
    end, is shown by the heads.
    """
    wanted = {head.entry: head.link for head in heads}
    faults: list[Message] = []
    emptied: dict[str | None, int] = {}
    previous, n, n_emptied, last = FIRST, 0, 0, None
    for row in rows:
        n += 1
        if link_of(row, previous) != row.link:
            faults.append(
                Message(N_("Entry {n} was changed, or the one before it was changed, removed or moved."), {"n": row.id})
            )
        if row.salt is None:
            n_emptied += 1
            emptied[row.study_id] = row.id
        if not _details_hold(row):
            faults.append(Message(N_("The details of entry {n} were changed."), {"n": row.id}))
        if row.action == PURGED:
            emptied.pop(row.study_id, None)
        if wanted.pop(row.id, row.link) != row.link:
            faults.append(
                Message(
                    N_("Up to entry {n} the trail is not the one whose head was kept: it was written anew."),
                    {"n": row.id},
                )
            )
        previous, last = row.link, Head(row.id, row.link)
    faults += (
        Message(N_("The details of entry {n} were emptied though its study was not removed for good."), {"n": entry})
        for entry in emptied.values()
    )
    faults += (
        Message(N_("Entry {n} is gone, with what followed it: the head that was kept names it."), {"n": entry})
        for entry in wanted
    )
    return Verification(n, n_emptied, last, tuple(faults))


def _details_hold(row: Row) -> bool:
    if row.salt is None:
        return not row.details and row.before is None
    return details_digest(row.salt, row.details, row.before) == row.details_digest
