"""What one person may take, and whose run is next: nobody's ten runs keep another's one waiting."""

from __future__ import annotations

import heapq
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from medcore.errors import SettingsError
from medcore.i18n import N_
from medcore.settings import Settings
from medcore.studies.records import UNFINISHED
from medcore.studies.stores.session import StoreBase, run_row
from medcore.studies.tables import CohortRow, RunRow, StudyRow, now

GB = 1 << 30
REMEMBERED = 20
"""How many finished runs tell how long the next one takes."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run waits: 1 is next. ``seconds`` until it begins, as far as earlier runs tell."""

    number: int
    seconds: float | None


class FairShares(StoreBase):
    """The part of the store that knows whose turn it is."""

    def turns(self) -> dict[str, int]:
        """Return the turn of every unfinished run; lower ones come first."""
        with self._reading() as session:
            query = select(RunRow.id, RunRow.turn).where(RunRow.state.in_(UNFINISHED))
            return {row.id: row.turn for row in session.execute(query)}

    def place_in_queue(self, owner: str, run_id: str) -> Place | None:
        """Say where a run waits and for how long about; ``None`` when it waits no more."""
        with self._reading() as session:
            if run_row(session, owner, run_id).state != "queued":
                return None
            runs = session.scalars(
                select(RunRow).where(RunRow.state.in_(UNFINISHED)).order_by(RunRow.turn, RunRow.created_at)
            ).all()
            usual = _usual_seconds(session)
        waiting = [run for run in runs if run.state == "queued"]
        ahead = waiting[: next((i for i, run in enumerate(waiting) if run.id == run_id), 0)]
        working = [run for run in runs if run.state == "running"]
        seconds = None if usual is None else _until_begun(working, ahead, usual, self.settings.workers, now())
        return Place(len(ahead) + 1, seconds)


def turn_for(session: Session, person: str) -> int:
    """Return the turn of a person's next run among those that wait or work."""
    query = select(RunRow.turn, RunRow.person).where(RunRow.state.in_(UNFINISHED))
    return next_turn([(row.turn, row.person or "") for row in session.execute(query)], person)


def next_turn(unfinished: Sequence[tuple[int, str]], person: str) -> int:
    """Return the turn that comes after a person's own last one, and not before the one that is served now.

    Start-time fair queueing (Goyal, Vin & Cheng 1997) with runs of one size: persons who
    wait take turns, and who comes later begins with the turn being served, so that
    nobody is kept waiting for ever by somebody who always has one run more.

    >>> next_turn([(3, "ann"), (4, "ann"), (5, "ann")], "bob"), next_turn([(3, "ann"), (4, "ann")], "ann")
    (3, 5)
    """
    served = min((turn for turn, _ in unfinished), default=0)
    return max([served, *(turn + 1 for turn, who in unfinished if who == person)])


def check_runs(session: Session, settings: Settings, person: str) -> None:
    """Refuse one more run to somebody who has as many waiting or at work as one person may.

    Raises:
        SettingsError: the limit is reached.

    """
    n = session.scalar(select(func.count()).where(RunRow.state.in_(UNFINISHED), RunRow.person == person)) or 0
    if n >= settings.max_runs:
        raise SettingsError(
            N_(
                "{n} of your training runs wait or work, as many as one person may have here. Wait until one is done, or stop one."
            ),
            n=n,
        )


def check_studies(session: Session, settings: Settings, person: str) -> None:
    """Refuse one more study to somebody who has as many as one person may.

    Raises:
        SettingsError: the limit is reached.

    """
    n = session.scalar(select(func.count()).where(StudyRow.owner == person, StudyRow.deleted_at.is_(None))) or 0
    if n >= settings.max_studies:
        raise SettingsError(
            N_("You have {n} studies, as many as one person may have here. Delete one that is no longer needed."), n=n
        )


def room_left(session: Session, settings: Settings, person: str) -> int:
    """Return how many bytes a person's tables and files may still take; what is in the bin counts."""
    taken = session.scalar(select(func.sum(CohortRow.n_bytes)).where(CohortRow.owner == person)) or 0
    return max(0, settings.max_stored_gb * GB - int(taken))


def _usual_seconds(session: Session) -> float | None:
    """Return how long runs take here: the median of the last finished ones."""
    query = select(RunRow.started_at, RunRow.finished_at).where(
        RunRow.state == "done", RunRow.started_at.is_not(None), RunRow.finished_at > RunRow.started_at
    )
    done = session.execute(query.order_by(RunRow.finished_at.desc()).limit(REMEMBERED)).all()
    times = [(end - begin).total_seconds() for begin, end in done if begin is not None and end is not None]
    return statistics.median(times) if times else None


def _until_begun(
    working: Sequence[RunRow], ahead: Sequence[RunRow], usual: float, n_workers: int, moment: datetime
) -> float:
    """Return the seconds until a worker is free, when all before it take as long as usual and search as long as asked."""
    free = [max(0.0, _expected(run, usual) - (moment - (run.started_at or moment)).total_seconds()) for run in working]
    free += [0.0] * (n_workers - len(free))
    heapq.heapify(free)
    for run in ahead:
        heapq.heappush(free, heapq.heappop(free) + _expected(run, usual))
    return free[0]


def _expected(run: RunRow, usual: float) -> float:
    return usual + 60.0 * float(run.settings.get("search_minutes") or 0.0)
