"""Data: what is in this table, what is wrong with it, and how it is prepared."""

from __future__ import annotations

from medcore.i18n import N_, _
from medcore.studies.records import StudyRecord
from medcore.ui.data.columns import columns_form
from medcore.ui.data.findings import findings_view
from medcore.ui.data.outcome import outcome_form
from medcore.ui.data.profile import profile_view
from medcore.ui.data.recipe import recipe_form
from medcore.ui.data.rows import rows_table
from medcore.ui.data.split import split_form
from medcore.ui.kit import cache, guards
from medcore.ui.kit.shown import components
from medcore.ui.kit.state import state
from medcore.ui.studies.privacy import privacy_form

PARTS = {
    "findings": N_("Findings"),
    "columns": N_("Columns"),
    "profile": N_("Profile"),
    "recipe": N_("Preparation"),
    "split": N_("Split"),
    "rows": N_("The table itself"),
}


def page() -> None:
    pending = state().pending
    if pending is not None:
        privacy_form(pending)
        return
    study = guards.require_study()
    components.header(_("Data"), _("What is in this table, what is wrong with it, and how it is prepared for a model."))
    table_facts(study)
    components.last_change(study)
    components.section(_("What is to be predicted?"))
    outcome_form(study)
    if study.schema.outcome is not None:
        components.link("train", _("Go on to training"), icon=":material/arrow_forward:")
    part = components.choice(_("Look at"), list(PARTS), key="data.part", show=lambda p: _(PARTS[p]), link="view")
    with components.errors_shown():
        show(part, study)


def table_facts(study: StudyRecord) -> None:
    source = cache.cohort(study).source
    outcome = study.schema.outcome
    components.facts(
        [
            (_("Rows"), f"{study.n_rows:,}"),
            (_("Columns"), str(study.n_columns)),
            (_("Predictors"), str(len(study.schema.predictors))),
            (_("Outcome"), str(study.schema.shown(outcome.name)) if outcome else "–"),
            (_("Read as"), ", ".join(filter(None, (source.format, source.encoding)))),
        ]
    )


def show(part: str, study: StudyRecord) -> None:
    if part == "findings":
        findings_view(study)
    elif part == "columns":
        columns_form(study)
    elif part == "profile":
        profile_view(study)
    elif part == "rows":
        rows_table(study)
    elif study.schema.outcome is None:
        components.note(_("Choose the outcome first."))
    elif part == "recipe":
        recipe_form(study)
    else:
        split_form(study)


page()
