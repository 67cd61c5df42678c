"""Watch a model in use: is it still what it was when it was released, and what is to be done."""

from __future__ import annotations

from medcore.i18n import N_, _
from medcore.ui.kit import guards
from medcore.ui.kit.shown import components
from medcore.ui.watch import months, pictures, report, version

VIEWS = {
    "changes": N_("What changed"),
    "values": N_("Values that come in"),
    "groups": N_("Sites and groups"),
    "report": N_("Report of the month"),
}


def page() -> None:
    person = guards.require_owner()
    components.header(
        _("Watch"), _("Is a model in use still what it was when it was released, and what is to be done?")
    )
    with components.errors_shown():
        chosen = version.choose(person)
        found = version.found(chosen) if chosen else None
        if chosen is None or found is None:
            return
        month = months.choose(found)
        months.facts(found, month)
        version.look_again(chosen)
        view = components.choice(_("Look at"), list(VIEWS), key="watch.view", show=lambda v: _(VIEWS[v]), link="view")
        if view == "changes":
            months.changes(found, month, chosen)
            pictures.main(found, chosen)
        elif view == "values":
            pictures.values(found, chosen, month)
        elif view == "groups":
            pictures.groups(found, chosen)
        else:
            report.report(found, chosen, month)


page()
