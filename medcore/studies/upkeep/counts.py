"""How many studies, tables and runs there are, of all owners together; no name and no value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select

from medcore.settings import Settings
from medcore.studies.database import reading
from medcore.studies.records import RUN_STATES
from medcore.studies.tables import CohortRow, RunRow, StudyRow, now


@dataclass(frozen=True, slots=True)
class Counts:
    """What an installation holds, counted."""

    studies: int
    deleted_studies: int
    tables: int
    rows: int
    runs: Mapping[str, int]
    """Of every state, also those that no run is in."""
    waiting_seconds: float
    """How long the first of the queue has been waiting; 0 where none waits."""


def count_everything(settings: Settings) -> Counts:
    """Count what an installation holds.

    Raises:
        SettingsError: what is wrong with the database.

    """
    with reading(settings) as session:
        found = session.execute(select(RunRow.state, func.count()).group_by(RunRow.state))
        by_state = {row.state: row[1] for row in found}
        first = session.scalar(select(func.min(RunRow.created_at)).where(RunRow.state == "queued"))
        there = select(func.count()).select_from(StudyRow)
        return Counts(
            studies=session.scalar(there.where(StudyRow.deleted_at.is_(None))) or 0,
            deleted_studies=session.scalar(there.where(StudyRow.deleted_at.is_not(None))) or 0,
            tables=session.scalar(select(func.count()).select_from(CohortRow)) or 0,
            rows=session.scalar(select(func.sum(CohortRow.n_rows))) or 0,
            runs={state: by_state.get(state, 0) for state in RUN_STATES},
            waiting_seconds=max((now() - first).total_seconds(), 0.0) if first else 0.0,
        )
