"""What is wrong with a table, mended with one click; the last change taken back with another."""

from __future__ import annotations

from medcore.data.findings import Finding
from medcore.data.preparation.fixes import apply_fix
from medcore.data.quality import inspect
from medcore.data.shown import named
from medcore.i18n import _
from medcore.studies.records import StudyRecord
from medcore.ui.kit import cache
from medcore.ui.kit.shown import components
from medcore.ui.kit.state import speak
from medcore.ui.studies import create


def findings_view(study: StudyRecord) -> None:
    """List what the checks found, and what was repaired while reading."""
    for mend in cache.mends(study):
        components.note(str(named(mend.message, study.schema.shown, mend.columns)))
    found = cache.once(lambda: inspect(cache.cohort(study), recipe=study.recipe), "inspect", study.identity)
    on_fix = None if study.access == "read" else lambda finding: _fix(study, finding)
    if found:
        components.findings(found, key="data.findings", naming=study.schema.shown, on_fix=on_fix)
    else:
        components.note(_("No check found anything. That is no proof that nothing is wrong."), look="success")


def _fix(study: StudyRecord, finding: Finding) -> None:
    speak()
    if finding.fix is None:
        return
    if finding.fix.action == "read_again":
        with components.errors_shown():
            create.read_again(study, finding.fix.values)
        return
    schema, recipe = apply_fix(finding.fix, study.schema, study.recipe)
    if schema != study.schema:
        cache.store().save_schema(study.owner, study.id, schema)
    if recipe != study.recipe:
        cache.store().save_recipe(study.owner, study.id, recipe)
