"""The errors medcore raises.

::

    MedcoreError
    ├── InputError            the person's input is at fault (exit code 2)
    │   ├── UnreadableFileError
    │   ├── MissingColumnsError
    │   ├── TargetError
    │   ├── SettingsError
    │   ├── BundleError
    │   └── NotFoundError
    │       └── RefusedError  it is there, and not for this person
    ├── CancelledError        the person asked to stop
    └── WorkerError           a worker or the cluster failed (exit code 1)

A message says what was got, what was expected and how to mend it, names file,
column or row, and never shows a patient's value. It is translated when shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Self

from medcore.i18n import N_, Message


class MedcoreError(Exception):
    """Anything medcore raises on purpose."""

    def __init__(self, template: str, /, **values: Any) -> None:
        super().__init__(template, values)
        self.message = Message(template, values)

    def __str__(self) -> str:
        return str(self.message)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message.template, dict(self.message.values))

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form, read back by :func:`from_dict`."""
        return {"error": type(self).__name__, **self.message.to_dict()}


class InputError(MedcoreError):
    """The person's input is at fault; the message says how to mend it."""


class UnreadableFileError(InputError):
    """A file cannot be read as a table."""


class MissingColumnsError(InputError):
    """A table lacks columns that are needed."""

    @classmethod
    def between(cls, *, wanted: Iterable[str], got: Iterable[str], table: str | None = None) -> Self:
        """Build the error that names the lacking columns and the nearest ones there are."""
        named = Message(N_("The table")) if table is None else table
        present, needed = [str(c) for c in got], list(wanted)
        lacking = [c for c in needed if c not in present]
        spare = [c for c in present if c not in needed]
        near = list(dict.fromkeys(m for c in lacking for m in get_close_matches(c, spare, n=1, cutoff=0.5)))
        if near:
            return cls(
                N_(
                    "{table} lacks the column(s) {lacking}; it has {near}. Rename the column, or give its name as it is in the file."
                ),
                table=named,
                lacking=lacking,
                near=near,
            )
        return cls(
            N_(
                "{table} lacks the column(s) {lacking}. Its columns are: {present}. Add the column, or give its name as it is in the file."
            ),
            table=named,
            lacking=lacking,
            present=present[:12],
        )


class UnknownLevelsError(InputError):
    """Categories of new patients are not those the model knows."""


class TargetError(InputError):
    """The outcome column cannot be predicted as it is."""


class SettingsError(InputError):
    """A setting is outside what can work."""


class BundleError(InputError):
    """A bundle is damaged, was changed after it was saved, or is of another version."""


class NotFoundError(InputError):
    """A study, run, bundle or row that does not exist, or belongs to somebody else."""


class RefusedError(NotFoundError):
    """A study, run or page that is there and not open to this person.

    ``who`` asked for it; ``study_id`` and ``run_id`` say for which. They go into the audit trail and
    are not shown.
    """

    def __init__(
        self, template: str, /, *, who: str = "", study_id: str | None = None, run_id: str | None = None, **values: Any
    ) -> None:
        super().__init__(template, **values)
        self.who, self.study_id, self.run_id = who, study_id, run_id


class CancelledError(MedcoreError):
    """The person asked to stop."""


class WorkerError(MedcoreError):
    """A worker or the cluster failed."""


def from_dict(data: Mapping[str, Any]) -> MedcoreError:
    """Rebuild an error from :meth:`MedcoreError.to_dict`."""
    kinds = {c.__name__: c for c in _all_kinds(MedcoreError)}
    message = Message.from_dict(data)
    return _rebuild(kinds.get(data["error"], MedcoreError), message.template, dict(message.values))


def _all_kinds(kind: type[MedcoreError]) -> list[type[MedcoreError]]:
    return [kind, *(k for sub in kind.__subclasses__() for k in _all_kinds(sub))]


def _rebuild(kind: type[MedcoreError], template: str, values: dict[str, Any]) -> MedcoreError:
    return kind(template, **values)
