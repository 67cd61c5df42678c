"""Patients: those whom a released model is used for: who is at what risk now, what changed, and what is to be done."""

from __future__ import annotations

from medcore.i18n import N_, _
from medcore.ui.kit import guards
from medcore.ui.kit.shown import components
from medcore.ui.patients import bring, course, in_use, outcomes, worklist

VIEWS = {
    "list": N_("Worklist"),
    "bring": N_("Bring patients in"),
    "outcomes": N_("Outcomes by table"),
}


def page() -> None:
    person = guards.require_owner()
    with components.errors_shown():
        worklist.take_click()
        if course.opened(person):
            return
        components.header(
            _("Patient list"),
            _("Whom a released model is used for: who is at what risk, what changed, what is to be done."),
        )
        model = in_use.choose(person)
        if model is None:
            return
        in_use.about(model)
        view = components.choice(
            _("Look at"), list(VIEWS), key="patients.view", show=lambda v: _(VIEWS[v]), link="view"
        )
        with components.errors_shown():
            if view == "bring":
                bring.show(model)
            elif view == "outcomes":
                outcomes.show_table(model)
            else:
                worklist.show(model)


page()
