"""Finding: something wrong or risky in a cohort or a setting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from medcore.data.shown import Naming, named
from medcore.i18n import Message

Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """A change of one click that answers a finding.

    ``action`` is one of ``set_column`` (``values`` are fields of a Column),
    ``split_column`` (into the measurements of its cells, of which ``values["parts"]`` are the names), ``empty_is_no``
    (of columns that are ticked or empty, ``values["words"]`` says with which word), ``leave_class_out`` (classes of the outcome that are ``values["codes"]`` for missing, so that ``values["event"]`` is the event), ``step_on`` and ``step_off`` (``values["step"]`` names a recipe step).
    With ``each`` every column is a decision of its own: a page offers a click for each.
    """

    label: Message
    action: Literal["set_column", "split_column", "empty_is_no", "leave_class_out", "step_on", "step_off", "read_again"]
    columns: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    option: str = ""
    each: bool = False

    def clicks(self) -> tuple[Fix, ...]:
        """Return what a page offers: one click for all columns, or one for each."""
        return tuple(replace(self, columns=(name,)) for name in self.columns) if self.each else (self,)

    def options(self) -> str:
        """Return the options of a command line that do the same; empty where there are none."""
        if self.option or self.action != "set_column":
            return self.option
        flags = {"role": "--role", "kind": "--kind", "missing_codes": "--missing"}
        said = [
            f'{flags[name]} "{column}={",".join(value) if isinstance(value, (list, tuple)) else value}"'
            for column in self.columns
            for name, value in self.values.items()
            if name in flags
        ]
        return " ".join(said[:8])


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong or risky: what was seen, why it matters, what to do.

    No part of it shows a patient's value. ``code`` is stable and others script
    against it, for example ``leakage.single_column``.
    """

    code: str
    severity: Severity
    message: Message
    why: Message
    remedy: Message
    columns: tuple[str, ...] = ()
    n_rows: int = 0
    fix: Fix | None = None

    def shown(self, naming: Naming) -> Finding:
        """Return the same with its sentences calling columns as they are shown."""
        message, why, remedy = (named(text, naming, self.columns) for text in (self.message, self.why, self.remedy))
        return replace(self, message=message, why=why, remedy=remedy)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form with the sentences in the current language."""
        return {
            "code": self.code,
            "severity": self.severity,
            "columns": list(self.columns),
            "n_rows": self.n_rows,
            "message": str(self.message),
            "why": str(self.why),
            "remedy": str(self.remedy),
            "option": self.fix.options() if self.fix else "",
        }
