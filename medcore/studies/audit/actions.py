"""What the trail may say, as sentences; none holds a patient's value."""

from __future__ import annotations

from collections.abc import Mapping

from medcore.i18n import N_

ACTIONS: Mapping[str, str] = {
    "study.created": N_("The study was created."),
    "study.imported": N_("The study was brought in from an archive, with {n} training run(s)."),
    "attachments.kept": N_("Attached files were kept though they may tell who a patient is, for this reason: {reason}"),
    "study.renamed": N_("The study was renamed."),
    "study.deleted": N_("The study was deleted."),
    "study.restored": N_("The study was brought back."),
    "study.purged": N_("The study was removed for good, with its files."),
    "schema.changed": N_("The columns were changed: {columns}."),
    "recipe.changed": N_("The preparation was changed."),
    "split.changed": N_("The split was changed."),
    "choice.changed": N_("A model and threshold were chosen."),
    "answers.changed": N_("The answers for the report were changed."),
    "similar.hidden": N_("Showing real patients similar to another was switched off."),
    "similar.shown": N_("Showing real patients similar to another was switched on."),
    "change.undone": N_("The last change was undone."),
    "run.created": N_("Training run {number} was started."),
    "run.cancel_requested": N_("Training run {number} was asked to stop."),
    "run.recalibrated": N_("Run {of} was recalibrated to {n} other patients; that version is run {number}."),
    "run.done": N_("Training run {number} finished."),
    "run.failed": N_("Training run {number} failed."),
    "run.cancelled": N_("Training run {number} was stopped."),
    "test.looked": N_("Somebody looked at the locked test set: look {number}."),
    "privacy.overridden": N_("A privacy warning was overridden. The reason given: {reason}"),
    "privacy.protected": N_("Columns that may tell who the patients are were dropped or replaced: {columns}."),
    "rows.viewed": N_("Rows of the table were looked at."),
    "patients.listed": N_("A list of patients with their risks was looked at: {source}."),
    "patient.viewed": N_("A patient was looked at: {patient}."),
    "data.exported": N_("Results were exported: {what}."),
    "access.refused": N_("Access was refused to a study or run that is there but not open to this person."),
    "trail.exported": N_("The audit trail was exported."),
}
