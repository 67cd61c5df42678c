"""What a training run is called, and whether it still belongs to its study."""

from __future__ import annotations

from medcore.i18n import _
from medcore.studies.records import RunRecord
from medcore.ui.kit.layout import note
from medcore.ui.kit.words import model_name


def run_title(run: RunRecord) -> str:
    """Return a run's number and model, and of which run it is a recalibrated version."""
    model = model_name(run.settings.model)
    if run.version_of is None:
        return _("Run {number}: {model}", number=run.number, model=model)
    return _("Run {number}: {model}, run {of} recalibrated", number=run.number, model=model, of=run.version_of)


def say_out_of_date(run: RunRecord) -> None:
    """Warn when the study was changed after the run."""
    if run.out_of_date:
        note(_("Out of date: the columns, the preparation or the split were changed after this run."), look="warning")
