"""The store of an installation: studies, cohorts, runs, results, audit trail."""

from __future__ import annotations

from medcore.studies.stores.fairness import FairShares
from medcore.studies.stores.people_store import PeopleStore
from medcore.studies.stores.register_store import RegisterStore
from medcore.studies.stores.release_store import ReleaseStore
from medcore.studies.stores.run_store import RunStore
from medcore.studies.stores.study_store import StudyStore
from medcore.studies.stores.task_store import TaskStore
from medcore.studies.stores.token_store import TokenStore
from medcore.studies.stores.trail_store import TrailStore
from medcore.studies.stores.watch_store import WatchStore
from medcore.studies.stores.whole.archive import StudyArchive
from medcore.studies.stores.whole.deletion import Deletion
from medcore.studies.stores.whole.resealing import Resealing


class Store(
    StudyStore,
    RunStore,
    ReleaseStore,
    RegisterStore,
    TaskStore,
    TokenStore,
    WatchStore,
    Deletion,
    StudyArchive,
    TrailStore,
    PeopleStore,
    FairShares,
    Resealing,
):
    """Keeps what people work on; every call takes the owner and shows only what is theirs.

    It is safe to share between threads, and any number of processes may open the
    same installation: ``Store(Settings.from_env())``.
    """
