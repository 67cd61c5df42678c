"""Studies at rest: what people work on, in a database and a file store.

``Store(Settings.from_env())`` opens an installation.
"""

from medcore.studies.audit.chain import Head, Verification
from medcore.studies.owners import COOKIE, LOCAL_OWNER, owner_cookie, owner_of
from medcore.studies.records import (
    UNFINISHED,
    AuditEntry,
    Choice,
    ProgressPoint,
    RunPlan,
    RunRecord,
    RunState,
    StudyRecord,
)
from medcore.studies.store import Store
from medcore.studies.stores.run_store import RunInputs
from medcore.studies.stores.whole.deletion import Receipt

__all__ = [
    "COOKIE",
    "LOCAL_OWNER",
    "UNFINISHED",
    "AuditEntry",
    "Choice",
    "Head",
    "ProgressPoint",
    "Receipt",
    "RunInputs",
    "RunPlan",
    "RunRecord",
    "RunState",
    "Store",
    "StudyRecord",
    "Verification",
    "owner_cookie",
    "owner_of",
]
