"""Figures for Prometheus: runs, queue, models in use, workers, room on the disk and memory. Counts only, no name of a person and no value."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from medcore.jobs.cluster.connection import present_connection, workers_of
from medcore.jobs.runs.supervisor import mended
from medcore.settings import Settings
from medcore.studies import Store
from medcore.studies.upkeep.counts import count_everything

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def metrics(settings: Settings) -> bytes:
    """Return the figures of an installation as this web process sees it, in Prometheus' text format.

    Raises:
        SettingsError: the database does not answer.

    """
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_Figures(settings))
    return generate_latest(registry)


class _Figures(Collector):
    """What is counted at the moment it is asked for."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def describe(self) -> list[Metric]:
        """Nothing is asked when the collector is registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Count everything."""
        yield from self._stored()
        yield from self._watched()
        yield from self._workers()
        room = shutil.disk_usage(self._settings.data_dir)
        yield _gauge("medcore_disk_free_bytes", "Room left on the disk of the data folder", room.free)

    def _stored(self) -> Iterator[Metric]:
        counts = count_everything(self._settings)
        yield _gauge("medcore_studies", "Studies", counts.studies)
        yield _gauge("medcore_deleted_studies", "Studies in the bin", counts.deleted_studies)
        yield _gauge("medcore_tables", "Uploaded tables", counts.tables)
        yield _gauge("medcore_table_rows", "Rows of all uploaded tables", counts.rows)
        runs = GaugeMetricFamily("medcore_runs", "Training runs by state", labels=["state"])
        for state, n in counts.runs.items():
            runs.add_metric([state], n)
        yield runs
        yield _gauge("medcore_queue_wait_seconds", "How long the first run of the queue waits", counts.waiting_seconds)

    def _watched(self) -> Iterator[Metric]:
        changes = GaugeMetricFamily(
            "medcore_model_changes",
            "Changes of a model in use that stand, as it was last watched, by what they ask for",
            labels=["model", "version", "asks"],
        )
        watched = GaugeMetricFamily(
            "medcore_model_watched_seconds", "When a model in use was last watched", labels=["model", "version"]
        )
        for one in Store(self._settings).standing(None):
            labels = [one.model, str(one.version)]
            for name, n in (("stop", one.n_stop), ("recalibrate", one.n_recalibrate), ("look", one.n_look)):
                changes.add_metric([*labels, name], n)
            watched.add_metric(labels, one.watched_at.timestamp())
        yield from (changes, watched)

    def _workers(self) -> Iterator[Metric]:
        connection = present_connection(self._settings)
        workers = workers_of(connection.client) if connection is not None else {}
        yield _gauge("medcore_scheduler_up", "Whether the scheduler is connected", connection is not None)
        yield _gauge("medcore_workers", "Workers that can answer", len(workers))
        memory = GaugeMetricFamily("medcore_worker_memory_bytes", "Memory of each worker", labels=["worker"])
        limit = GaugeMetricFamily("medcore_worker_memory_limit_bytes", "What each worker may take", labels=["worker"])
        tasks = GaugeMetricFamily("medcore_worker_executing", "Tasks that each worker is at", labels=["worker"])
        for number, address in enumerate(sorted(workers)):
            worker = workers[address]
            memory.add_metric([str(number)], worker["metrics"].get("memory", 0))
            limit.add_metric([str(number)], worker["memory_limit"] or 0)
            tasks.add_metric([str(number)], worker["metrics"].get("executing", 0))
        yield from (memory, limit, tasks)
        workers_again, runs_again = mended(self._settings)
        yield CounterMetricFamily("medcore_workers_replaced", "Lost workers started again", value=workers_again)
        yield CounterMetricFamily("medcore_runs_handed_over_again", "Runs that lost their worker", value=runs_again)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=float(value))
