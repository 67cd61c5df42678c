"""What a check finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from medcore.i18n import N_, Message
from medcore.settings import Settings

State = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Found:
    """What one check saw; ``remedy`` says what to do where it is not right."""

    state: State
    seen: Message
    remedy: Message | None = None


@dataclass(frozen=True, slots=True)
class Examination:
    """One thing that is looked at."""

    code: str
    title: str
    look: Callable[[Settings], Found]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What one check found, with which check that was."""

    check: Examination
    found: Found

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form in the current language."""
        remedy = None if self.found.remedy is None else str(self.found.remedy)
        return {"check": self.check.code, "state": self.found.state, "seen": str(self.found.seen), "remedy": remedy}


def well(template: str, /, **values: Any) -> Found:
    """Build what a check found right."""
    return Found("ok", Message(template, values))


def doubtful(seen: Message, remedy: Message) -> Found:
    """Build what works and should be changed."""
    return Found("warning", seen, remedy)


def wrong(seen: Message, remedy: Message) -> Found:
    """Build what keeps medcore from its work, or patients' data from being safe."""
    return Found("error", seen, remedy)


UNEXPECTED = N_("This could not be looked at ({kind}).")
"""What is said where the check itself failed."""
