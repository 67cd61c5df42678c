"""Delete a study for good, also from the memory of the workers."""

from __future__ import annotations

from medcore.explanation.patient import worker_queries
from medcore.jobs.cluster.connection import present_connection
from medcore.studies import Receipt, Store


def purge_study(store: Store, owner: str, study_id: str) -> Receipt:
    """Remove a study for good, and let every worker let go of the bundles and patients it kept.

    Raises:
        NotFoundError: there is no such study, or it is somebody else's.

    """
    receipt = store.purge_study(owner, study_id)
    connection = present_connection(store.settings)
    if connection is not None:
        connection.client.run(worker_queries.forget)
    return receipt
