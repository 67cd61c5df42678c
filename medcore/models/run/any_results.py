"""Everything a run found, whatever its model predicts."""

from __future__ import annotations

from medcore.models.run.number.results import NumberResults, has_number_results, read_number_results
from medcore.models.run.results import Results, read_results
from medcore.models.run.timed.results import TimedResults, has_timed_results, read_timed_results
from medcore.sealing import Folder

AnyResults = Results | TimedResults | NumberResults


def read_any_results(folder: Folder) -> AnyResults:
    """Read what :func:`~medcore.models.run.cohort.train_cohort` kept beside its bundle."""
    if has_number_results(folder):
        return read_number_results(folder)
    return read_timed_results(folder) if has_timed_results(folder) else read_results(folder)
