"""What is watched of a version in use: its predictions in time, without who they were made for; and what was found last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from medcore.studies.people.access import visible_to
from medcore.studies.stores.release_store import release_row
from medcore.studies.stores.session import StoreBase
from medcore.studies.tables import StudyRow, now
from medcore.studies.use_records import StandingAlarms
from medcore.studies.use_tables import PredictionRow, ReleaseRow, WatchRow

SPREAD, RANGE = 2_654_435_761, 2**32
"""A number by which consecutive numbers are spread evenly over the range (Knuth, TAOCP 3, § 6.4: multiplicative hashing)."""
AT_A_TIME = 1_000
"""Predictions asked for by their numbers in one query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InTime:
    """A version's predictions, the oldest first: when the patient was so, the risks of all classes, the values as given, and what came of it.

    ``patients`` are their numbers in the register, None where none was named. ``known_at`` is the day of the outcome itself where it is ``dated``, else when it was entered. ``n_of_month`` counts
    the predictions of each month (2026-05), of which these are all, or an even sample.
    """

    at: tuple[datetime, ...]
    patients: tuple[str | None, ...] = field(repr=False)
    risks: tuple[tuple[float, ...], ...] = field(repr=False)
    values: tuple[Mapping[str, Any], ...] = field(repr=False)
    outcome: tuple[float | None, ...] = field(repr=False)
    known_at: tuple[datetime | None, ...] = field(repr=False)
    dated: tuple[bool, ...] = field(repr=False)
    n_of_month: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.at)


@dataclass(frozen=True, slots=True)
class _UsedMonth:
    """The predictions of one version from ``start`` until before ``end``: how many there are."""

    start: datetime
    end: datetime
    n: int

    def share(self, most: int) -> float:
        """Return the share of the month that is about so many predictions: the sample of a month that has grown is within the one before."""
        return min(most / self.n, 1.0) if self.n else 1.0


class WatchStore(StoreBase):
    """The part of the store that gives out what is watched."""

    def was_used(self, person: str, release_id: str) -> bool:
        """Say whether a version predicted for anybody."""
        with self._reading() as session:
            release_row(session, person, release_id)
            first = select(PredictionRow.id).where(PredictionRow.release_id == release_id).limit(1)
            return session.scalar(first) is not None

    def in_time(self, person: str, release_id: str, *, most: int) -> InTime:
        """Return a version's predictions in order of time: all, or where there are more than ``most`` a sample of about as many of each month."""
        with self._reading() as session:
            release_row(session, person, release_id)
            months = list(_months(session, release_id))
            each = most if sum(month.n for month in months) <= most else most // len(months)
            rows = [row for month in months for row in _read(session, release_id, month, each)]
        return InTime(
            at=tuple(row.at for row in rows),
            patients=tuple(row.patient_id for row in rows),
            risks=tuple(tuple(row.asked["risks"]) for row in rows),
            values=tuple(row.asked["values"] for row in rows),
            outcome=tuple(row.outcome for row in rows),
            known_at=tuple(_known_at(row) for row in rows),
            dated=tuple(row.outcome_on is not None for row in rows),
            n_of_month={f"{month.start:%Y-%m}": month.n for month in months},
        )

    def keep_found(self, release_id: str, month: str, counts: Mapping[str, int]) -> None:
        """Keep how many changes watching found that stand, by ``stop``, ``recalibrate`` and ``look``."""
        with self._writing() as session:
            row = session.get(WatchRow, release_id) or WatchRow(release_id=release_id)
            row.watched_at, row.month = now(), month
            row.n_stop, row.n_recalibrate, row.n_look = (counts[name] for name in ("stop", "recalibrate", "look"))
            session.add(row)

    def standing(self, person: str | None) -> tuple[StandingAlarms, ...]:
        """Return what watching found last of every version that is not withdrawn; of those open to a person, or of all."""
        query = select(WatchRow, ReleaseRow).join(ReleaseRow, ReleaseRow.id == WatchRow.release_id)
        query = query.join(StudyRow, StudyRow.id == ReleaseRow.study_id)
        query = query.where(ReleaseRow.withdrawn_at.is_(None), StudyRow.deleted_at.is_(None))
        query = query if person is None else query.where(visible_to(person))
        with self._reading() as session:
            found: dict[str, StandingAlarms] = {}
            for row, release in session.execute(query.order_by(ReleaseRow.version)):
                found[release.model] = _standing(row, release)  # the last version stands for the model
            return tuple(found.values())


def _months(session: Session, release_id: str) -> Iterator[_UsedMonth]:
    """Count a version's predictions month by month in the index of versions and times."""
    at, of_release = PredictionRow.at, PredictionRow.release_id == release_id
    first = session.scalar(select(func.min(at)).where(of_release))
    last = session.scalar(select(func.max(at)).where(of_release))
    if first is None or last is None:
        return
    start = datetime(first.year, first.month, 1, tzinfo=UTC)
    while start <= last:
        end = datetime(start.year + start.month // 12, start.month % 12 + 1, 1, tzinfo=UTC)
        counted = select(func.count()).select_from(PredictionRow).where(and_(of_release, at >= start, at < end))
        yield _UsedMonth(start, end, session.scalar(counted) or 0)
        start = end


def _read(session: Session, release_id: str, month: _UsedMonth, most: int) -> list[Any]:
    """Read a month's predictions, or a share of them that does not depend on when they were made or by whom.

    Which ones a share holds is worked out in the index of versions and times, which is a hundredth of the
    table: asked in one query, a database that cannot know how few they are reads the whole table.
    """
    of_month = (PredictionRow.release_id == release_id, PredictionRow.at >= month.start, PredictionRow.at < month.end)
    share = month.share(most)
    if share == 1:
        return _ordered(session, *of_month)
    chosen = (PredictionRow.id * SPREAD) % RANGE < int(RANGE * share)
    numbers = session.scalars(
        select(PredictionRow.id).where(*of_month, chosen).order_by(PredictionRow.at, PredictionRow.id)
    ).all()
    return [
        row
        for first in range(0, len(numbers), AT_A_TIME)
        for row in _ordered(session, PredictionRow.id.in_(numbers[first : first + AT_A_TIME]))
    ]


def _ordered(session: Session, *which: ColumnElement[bool]) -> list[Any]:
    columns = (
        PredictionRow.at,
        PredictionRow.patient_id,
        PredictionRow.asked,
        PredictionRow.outcome,
        PredictionRow.outcome_at,
        PredictionRow.outcome_on,
    )
    return list(session.execute(select(*columns).where(*which).order_by(PredictionRow.at, PredictionRow.id)))


def _known_at(row: Any) -> datetime | None:
    on = row.outcome_on
    return row.outcome_at if on is None else datetime(on.year, on.month, on.day, tzinfo=UTC)


def _standing(row: WatchRow, release: ReleaseRow) -> StandingAlarms:
    return StandingAlarms(
        model=release.model,
        version=release.version,
        study_id=release.study_id,
        watched_at=row.watched_at,
        month=row.month,
        n_stop=row.n_stop,
        n_recalibrate=row.n_recalibrate,
        n_look=row.n_look,
    )
