"""The store of an installation: studies, cohorts, runs, results, audit trail."""

from __future__ import annotations

from medcore.studies.archive import StudyArchive
from medcore.studies.deletion import Deletion
from medcore.studies.fairness import Fairness
from medcore.studies.people_store import PeopleStore
from medcore.studies.resealing import Resealing
from medcore.studies.run_store import RunStore
from medcore.studies.study_store import StudyStore
from medcore.studies.trail_store import TrailStore


class Store(StudyStore, RunStore, Deletion, StudyArchive, TrailStore, PeopleStore, Fairness, Resealing):
    """Keeps what people work on; every call takes the owner and shows only what is theirs.

    It is safe to share between threads, and any number of processes may open the
    same installation: ``Store(Settings.from_env())``.
    """
