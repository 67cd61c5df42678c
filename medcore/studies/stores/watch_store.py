"""What is watched of a version in use: its predictions in time, without who they were made for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from medcore.studies.stores.release_store import release_row
from medcore.studies.stores.session import StoreBase
from medcore.studies.use_tables import PredictionRow


@dataclass(frozen=True, slots=True, kw_only=True)
class InTime:
    """A version's predictions, the oldest first: when the patient was so, the risk, the values as given, and what came of it."""

    at: tuple[datetime, ...]
    risk: tuple[float, ...] = field(repr=False)
    values: tuple[Mapping[str, Any], ...] = field(repr=False)
    outcome: tuple[float | None, ...] = field(repr=False)
    outcome_at: tuple[datetime | None, ...] = field(repr=False)

    def __len__(self) -> int:
        return len(self.at)


@dataclass(frozen=True, slots=True)
class UseState:
    """How many predictions a version has, how many outcomes of them, the newest of both: another state is another watch."""

    n: int
    n_outcomes: int
    last_id: int
    last_outcome: datetime | None


class WatchStore(StoreBase):
    """The part of the store that gives out what is watched."""

    def use_state(self, person: str, release_id: str) -> UseState:
        """Return how much a version was used so far, counted by the database."""
        with self._reading() as session:
            release_row(session, person, release_id)
            columns = (
                func.count(PredictionRow.id),
                func.count(PredictionRow.outcome),
                func.coalesce(func.max(PredictionRow.id), 0),
                func.max(PredictionRow.outcome_at),
            )
            return UseState(*session.execute(select(*columns).where(PredictionRow.release_id == release_id)).one())

    def in_time(self, person: str, release_id: str, *, most: int) -> InTime:
        """Return a version's predictions in order of time, the latest ``most`` of them."""
        columns = (
            PredictionRow.at,
            PredictionRow.risk,
            PredictionRow.asked,
            PredictionRow.outcome,
            PredictionRow.outcome_at,
        )
        query = select(*columns).where(PredictionRow.release_id == release_id)
        query = query.order_by(PredictionRow.at.desc(), PredictionRow.id.desc()).limit(most)
        with self._reading() as session:
            release_row(session, person, release_id)
            rows = session.execute(query).all()[::-1]
        return InTime(
            at=tuple(row.at for row in rows),
            risk=tuple(row.risk for row in rows),
            values=tuple(row.asked["values"] for row in rows),
            outcome=tuple(row.outcome for row in rows),
            outcome_at=tuple(row.outcome_at for row in rows),
        )
