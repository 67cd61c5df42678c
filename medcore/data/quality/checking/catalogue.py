"""The catalogue of checks: each has a code, a severity, a reason and a remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from medcore.data.cohort import Column
from medcore.data.findings import Finding, Fix, Severity
from medcore.data.quality.checking.view import View
from medcore.i18n import N_, Message

MOST_NAMED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """What one check saw: the evidence in a sentence, and the fix if there is one."""

    message: Message
    columns: tuple[str, ...] = ()
    n_rows: int = 0
    fix: Fix | None = None
    severity: Severity | None = None
    remedy: Message | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check: ``find`` looks, the rest says what a hit means and what to do."""

    code: str
    severity: Severity
    why: Message
    remedy: Message
    find: Callable[[View], Iterable[Hit]]

    def findings(self, view: View) -> list[Finding]:
        """Look at a cohort and return what was found."""
        return [
            Finding(
                code=self.code,
                severity=hit.severity or self.severity,
                message=hit.message,
                why=self.why,
                remedy=hit.remedy or self.remedy,
                columns=hit.columns,
                n_rows=hit.n_rows,
                fix=hit.fix,
            )
            for hit in self.find(view)
        ]


CHECKS: list[Check] = []


def check(
    code: str, severity: Severity, *, why: str, remedy: str
) -> Callable[[Callable[[View], Iterable[Hit]]], Check]:
    """Add a function to the catalogue; ``why`` and ``remedy`` are marked sentences."""

    def add(find: Callable[[View], Iterable[Hit]]) -> Check:
        entry = Check(code=code, severity=severity, why=Message(why), remedy=Message(remedy), find=find)
        CHECKS.append(entry)
        return entry

    return add


def named(columns: Iterable[str]) -> list[str]:
    """Name at most eight columns, and an ellipsis for the others."""
    names = list(columns)
    return names if len(names) <= MOST_NAMED else [*names[:MOST_NAMED], "…"]


def ignore(columns: Iterable[str]) -> Fix:
    """Offer to leave columns out of the model."""
    return Fix(
        label=Message(N_("Leave out of the model")),
        action="set_column",
        columns=tuple(columns),
        values={"role": "ignored"},
    )


def switch_on(step: str, label: str) -> Fix:
    """Offer to switch a step of the recipe on; ``label`` is a marked sentence."""
    return Fix(label=Message(label), action="step_on", values={"step": step})


def set_column(column: Column, label: str, **values: object) -> Fix:
    """Offer to change what is known of a column; ``label`` is a marked sentence."""
    return Fix(label=Message(label), action="set_column", columns=(column.name,), values=values)
