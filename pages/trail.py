"""Audit trail: who did what and when, and whether anybody changed what is written here."""

from __future__ import annotations

from medcore.i18n import _
from medcore.ui.kit import guards
from medcore.ui.kit.shown import components
from medcore.ui.trail import entries, people


def page() -> None:
    person = guards.require_administrator()
    components.header(_("Audit trail"), _("Who did what and when, and whether anybody changed what is written here."))
    with components.errors_shown():
        entries.verification(person)
    with components.errors_shown():
        entries.table(person)
    with components.errors_shown():
        people.table(person)


page()
