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
    "rows.viewed": N_("Rows {first} to {last} of the table were looked at."),
    "patients.listed": N_("Run {number}: a list of {n} patients with their risks was looked at."),
    "patient.viewed": N_("Run {number}: the patient of row {row} was looked at."),
    "newcomer.viewed": N_("Run {number}: a patient who is not of the study’s table was looked at."),
    "similar.viewed": N_("Run {number}: training patients similar to another were looked at."),
    "data.exported": N_("Results were exported: {what}."),
    "study.shared_reader": N_("The study was shared with {person}, to read."),
    "study.shared_modeller": N_("The study was shared with {person}, to change and train."),
    "study.unshared": N_("The study is no longer shared with {person}."),
    "session.began_reader": N_("Signed in as a reader."),
    "session.began_modeller": N_("Signed in as a modeller."),
    "session.began_administrator": N_("Signed in as an administrator."),
    "session.ended": N_("Signed out."),
    "session.timed_out": N_("Signed out after nothing was done for a while, or at the end of the day."),
    "entry.refused": N_("Entry was refused to somebody who has no role here."),
    "request.refused": N_("Requests from another page, another address or without a sign-in were turned away."),
    "access.refused": N_("Access was refused to a study or run that is there but not open to this person."),
    "backup.made": N_("A backup of everything was made."),
    "backup.restored": N_("Everything was restored from a backup."),
    "trail.exported": N_("The audit trail was exported."),
}
