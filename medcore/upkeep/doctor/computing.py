"""Scheduler, certificates, memory: what computes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
from dask.utils import parse_bytes

from medcore.i18n import N_, Message
from medcore.jobs.cluster.connection import reach, workers_of
from medcore.jobs.cluster.processes import LocalCluster, local_address
from medcore.settings import Settings
from medcore.upkeep.doctor.check import Found, doubtful, well, wrong

GIB = 1 << 30
WORKER_LEAST_BYTES = 2 * GIB
"""What a worker takes with TensorFlow loaded and a small model trained (docs/it.md)."""
SOON = timedelta(days=30)


def scheduler(settings: Settings) -> Found:
    """Ask the scheduler for its workers."""
    address = settings.scheduler or _local(settings)
    if address is None:
        return well(N_("The local scheduler does not run now; it starts with the web server."))
    client = reach(settings, address)
    try:
        n = len(workers_of(client))
    finally:
        client.close()
    if n == 0:
        return wrong(Message(N_("The scheduler answers, and has no worker."), {}), _WORKERS)
    return well(N_("The scheduler answers, with {n} workers."), n=n)


_WORKERS = Message(
    N_("Wait half a minute and look again; then see worker.log in the folder jobs, or start workers on your cluster."),
    {},
)


def _local(settings: Settings) -> str | None:
    cluster = LocalCluster.read(settings)
    return local_address(settings) if cluster is not None and cluster.scheduler.alive() else None


def certificates(settings: Settings) -> Found:
    """See whether the certificate for a named cluster holds for more than a month."""
    if settings.scheduler is None or settings.tls_cert is None:
        return well(N_("The local cluster makes its own certificate at every start."))
    from cryptography import x509

    ends = x509.load_pem_x509_certificates(Path(settings.tls_cert).read_bytes())[0].not_valid_after_utc
    seen = Message(N_("The certificate holds until {date}."), {"date": ends.date().isoformat()})
    remedy = Message(N_("Make a new one (docs/it.md, “A cluster of your own”), and copy it to every machine."), {})
    if ends <= datetime.now(UTC):
        return wrong(seen, remedy)
    return doubtful(seen, remedy) if ends <= datetime.now(UTC) + SOON else Found("ok", seen)


def memory(settings: Settings) -> Found:
    """See whether there is memory for the workers."""
    total, free = psutil.virtual_memory().total, psutil.virtual_memory().available
    wanted = parse_bytes(settings.worker_memory) * settings.workers
    values = {"total": f"{total / GIB:.1f}", "free": f"{free / GIB:.1f}", "wanted": f"{wanted / GIB:.1f}"}
    seen = Message(N_("{total} GB, {free} GB of it free; workers may take {wanted} GB."), values)
    if settings.scheduler is None and free < WORKER_LEAST_BYTES:
        return wrong(seen, Message(N_("A worker needs 2 GB: end other programs, or use a larger machine."), {}))
    if settings.scheduler is None and wanted > total:
        return doubtful(seen, Message(N_("Set MEDCORE_WORKER_MEMORY or MEDCORE_WORKERS lower."), {}))
    return Found("ok", seen)
