"""Attachments: files that lie beside a cohort's table (notes, pictures, a second table), known by their content."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from medcore.errors import NotFoundError
from medcore.i18n import N_


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file: its name within what was uploaded, the SHA-256 of its bytes, and their number."""

    name: str = field(repr=False)
    sha256: str
    n_bytes: int


@dataclass(frozen=True, slots=True)
class Attachments:
    """The files beside a table, by name; ``contents`` returns the bytes that have a SHA-256.

    Equal ones hold the same files. ``repr`` shows no name, for a name may be a patient's.
    """

    files: tuple[Attachment, ...] = ()
    contents: Callable[[str], bytes] = field(default=dict[str, bytes]().__getitem__, repr=False, compare=False)

    @classmethod
    def of(cls, files: Sequence[tuple[str, bytes]]) -> Attachments:
        """Take names, all different, with their bytes; the same content is kept once."""
        known: dict[str, bytes] = {}
        found = []
        for name, data in sorted(files, key=lambda file: file[0]):
            digest = hashlib.sha256(data).hexdigest()
            known[digest] = data
            found.append(Attachment(name, digest, len(data)))
        return cls(tuple(found), known.__getitem__)

    def __len__(self) -> int:
        return len(self.files)

    @property
    def n_bytes(self) -> int:
        """Bytes of all files together."""
        return sum(file.n_bytes for file in self.files)

    def read(self, name: str) -> bytes:
        """Return the bytes of a file.

        Raises:
            NotFoundError: there is none of that name.

        """
        for file in self.files:
            if file.name == name:
                return self.contents(file.sha256)
        raise NotFoundError(N_("There is no attached file of that name. This cohort has {n}."), n=len(self.files))

    def identity(self, table_sha256: str) -> str:
        """Return what identifies a table with these files; without any, it is the table's own SHA-256."""
        if not self.files:
            return table_sha256
        lines = [table_sha256, *(f"{file.sha256} {file.name}" for file in self.files)]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def to_list(self) -> list[dict[str, Any]]:
        """Return a JSON-ready list of the files, without their contents."""
        return [{"name": f.name, "sha256": f.sha256, "n_bytes": f.n_bytes} for f in self.files]

    @classmethod
    def from_list(cls, files: Sequence[Mapping[str, Any]], contents: Callable[[str], bytes]) -> Attachments:
        """Read what :meth:`to_list` wrote; ``contents`` says where the bytes are."""
        return cls(tuple(Attachment(f["name"], f["sha256"], int(f["n_bytes"])) for f in files), contents)
