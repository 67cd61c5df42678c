"""The workers of the cluster at the service of one run: they make the trials of its search at the same time.

The run is itself a task on a worker. While it waits for trials it steps out of
its worker's pool of threads, so that trials can be made there as well; the
resource that keeps a second run off the worker stays taken.
"""

from __future__ import annotations

import contextlib
import logging
import time
import uuid
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Generic
from urllib.parse import urlsplit

from medcore.errors import MedcoreError, WorkerError
from medcore.i18n import N_
from medcore.jobs.cluster.answer import answer
from medcore.jobs.cluster.connection import CONNECT_SECONDS, connect, places, workers_of
from medcore.jobs.cluster.packed import Packed, do
from medcore.jobs.cluster.processes import TRIAL
from medcore.jobs.runs.follower import LISTEN_EVERY_SECONDS
from medcore.models.contract.progress import stop_if_cancelled
from medcore.models.contract.task import sharing_the_machine
from medcore.models.contract.workers import Result, Shared, Step, StepFunction, StopSignal, ThisProcess, Workers
from medcore.settings import Settings

if TYPE_CHECKING:
    from distributed import Client, Future

logger = logging.getLogger("medcore.jobs")

MOST_TIMES_SENT = 5
"""How often a round's data is sent again after the workers that held it were lost."""


@contextmanager
def workers_of_this_cluster() -> Iterator[Workers]:
    """Yield the cluster's workers for a run, to be called in a worker's task; nothing is done before the first round."""
    with closing(ClusterWorkers(_client_of_this_worker)) as workers:
        yield workers


@contextmanager
def workers_of_named_cluster(settings: Settings) -> Iterator[Workers]:
    """Yield the workers of the cluster that is named, to be called from outside it; this process alone if none is.

    Raises:
        WorkerError: the named cluster cannot be reached.

    """
    if settings.scheduler is None:
        yield ThisProcess()
        return
    client = connect(settings)
    with closing(ClusterWorkers(lambda: client)) as workers:
        yield workers


class ClusterWorkers:
    """All workers of a cluster.

    A worker makes as many trials at a time as it offers of the resource ``TRIAL`` (a
    local one offers one), or as it has threads where none offers any. Where only one
    trial can be made at a time, or the cluster cannot be reached, this process makes
    them all. A trial whose worker is lost is made again.
    """

    def __init__(self, connect: Callable[[], Client]) -> None:
        self._connect = connect
        self._takes: dict[str, float] | None = None
        self._client: Client | None = None
        self._sent: tuple[object, Future[Any]] | None = None
        self._aside = False
        self._n_lost = 0
        self._out_of_reach = False

    def round(
        self, work: StepFunction[Shared, Step, Result], shared: Shared, steps: Sequence[Step], sign: StopSignal, /
    ) -> Generator[Result, None, None]:
        """Yield ``work(shared, step, sign)`` of every step, as they are finished.

        Raises:
            CancelledError: the person asked to stop.
            WorkerError: workers could not make a trial.

        """
        places = self._places() if len(steps) > 1 else {}
        if self._client is None or sum(places.values()) < 2:
            yield from ThisProcess().round(work, shared, steps, sign)
            return
        if not self._aside:
            _step_aside()
            self._aside = True
        beside = _trials_on_each_machine(places)
        finished: SimpleQueue[Future[Any]] = SimpleQueue()
        waiting: dict[str, _Given[Step]] = {}

        def give(step: Step) -> None:
            given = self._submit(work, shared, step, beside)
            waiting[str(given.future.key)] = given
            given.future.add_done_callback(finished.put)

        try:
            for step in steps:
                give(step)
            while waiting:
                stop_if_cancelled(sign)
                key = _key_of_next(finished)
                if key is None:
                    continue
                given = waiting.pop(key)
                if given.future.status == "cancelled":
                    self._note_loss(given.data)
                    give(given.step)
                else:
                    yield _result_of(given.future)
        finally:
            with contextlib.suppress(Exception):
                self._client.cancel([given.future for given in waiting.values()])

    def close(self) -> None:
        """Let the workers forget the data."""
        client, self._client, self._sent = self._client, None, None
        if client is not None:
            with contextlib.suppress(Exception):  # the run is over; a broken connection is no matter
                client.close()

    def _places(self) -> Mapping[str, int]:
        """Tell how many trials each worker makes at once; none when the cluster cannot be asked."""
        if self._out_of_reach:
            return {}
        try:
            if self._client is None:
                self._client = self._connect()
            workers = workers_of(self._client)
        except Exception as error:
            logger.warning("The cluster's workers cannot be asked: %s", type(error).__name__)
            self._out_of_reach = True  # not tried again: each try would wait, and the budget is time
            return {}
        offered = places(workers, TRIAL)
        self._takes = None if offered is None else {TRIAL: 1}
        if offered is not None:
            return offered
        return {address: int(worker["nthreads"]) for address, worker in workers.items()}

    def _submit(self, work: Any, shared: object, step: Step, beside: Mapping[str, int]) -> _Given[Step]:
        assert self._client is not None
        if self._sent is None or self._sent[0] is not shared:
            self._sent = (shared, self._send(shared))
        data, key = self._sent[1], f"trial-{uuid.uuid4().hex}"
        future = self._client.submit(
            do,
            Packed.of(_make, work, step, key_of_this=key, beside=beside),
            data,
            key=key,
            pure=False,
            resources=self._takes,
        )
        return _Given(step, future, data)

    def _send(self, shared: object) -> Future[Any]:
        """Send the data to every worker there is; one that is lost on the way is left out the next time."""
        assert self._client is not None
        for attempt in range(MOST_TIMES_SENT):
            try:
                sent = self._client.scatter([shared], broadcast=True, hash=False)
            except Exception as error:
                logger.warning("The data of a search could not be sent: %s", type(error).__name__)
                time.sleep(attempt)
            else:
                future: Future[Any] = sent[0]
                return future
        raise _no_workers("scatter")

    def _note_loss(self, data: Future[Any]) -> None:
        """Send the data again before the next step, when the workers that held it are gone."""
        if self._sent is not None and self._sent[1] is data:
            self._sent = None
            self._n_lost += 1
            if self._n_lost > MOST_TIMES_SENT:
                raise _no_workers("lost")


@dataclass(frozen=True, slots=True)
class _Given(Generic[Step]):
    """A step that was given to a worker, with the data it was given."""

    step: Step
    future: Future[Any]
    data: Future[Any]


def _key_of_next(finished: SimpleQueue[Future[Any]]) -> str | None:
    try:
        return str(finished.get(timeout=LISTEN_EVERY_SECONDS).key)
    except Empty:
        return None


def _result_of(future: Future[Any]) -> Any:
    if future.status != "finished":
        error = future.exception() if future.status == "error" else None
        raise _no_workers(str(future.status) if error is None else type(error).__name__)
    outcome: tuple[Any, MedcoreError | None] = future.result()
    result, failure = outcome
    if failure is not None:
        raise failure
    return result


def _no_workers(kind: str) -> WorkerError:
    return WorkerError(
        N_(
            "The cluster's workers could not make a trial of the search ({kind}), most likely for lack of memory. Set MEDCORE_WORKER_MEMORY higher, or train a smaller model."
        ),
        kind=kind,
    )


def _make(
    shared: Shared, work: StepFunction[Shared, Step, Result], step: Step, *, key_of_this: str, beside: Mapping[str, int]
) -> tuple[Any, Any]:
    """Make one trial on a worker, on its share of the machine's cores; return ``(result, None)`` or ``(None, error)``."""
    from distributed import get_worker

    worker = get_worker()
    # A worker that was started after the round began is as crowded as the others.
    n_beside = beside.get(worker.address, max(beside.values(), default=1))
    with sharing_the_machine(n_beside):
        return answer(work, (shared, step, _Wanted(worker, key_of_this)), {}, urgent=False)


class _Wanted:
    """Tells a trial to stop when nobody waits for it any more: the run was cancelled, or was lost with its worker."""

    def __init__(self, worker: Any, key: str) -> None:
        self._worker, self._key = worker, key

    def cancelled(self) -> bool:
        """Ask this worker's own list of tasks, which costs nothing."""
        task = self._worker.state.tasks.get(self._key)
        return task is None or task.state == "cancelled"


def _trials_on_each_machine(places: Mapping[str, int]) -> dict[str, int]:
    """Tell for each worker's address how many trials are made at once on its machine, its neighbours' included."""
    machine = {address: urlsplit(address).hostname for address in places}
    together: Counter[str | None] = Counter()
    for address, n in places.items():
        together[machine[address]] += n
    return {address: together[machine[address]] for address in places}


def _client_of_this_worker() -> Client:
    """Connect to the scheduler as this worker is connected to it."""
    from distributed import Security, get_worker

    from medcore.jobs.cluster.client import let_in

    worker = get_worker()
    own: Any = worker.security
    # A worker's certificate serves it as a client: dask worker is given no other.
    security = Security(
        require_encryption=True,
        tls_ca_file=own.tls_ca_file,
        tls_client_cert=own.tls_client_cert or own.tls_worker_cert,
        tls_client_key=own.tls_client_key or own.tls_worker_key,
    )
    return let_in(worker.scheduler.address, security, timeout=CONNECT_SECONDS, direct_to_workers=True)


def _step_aside() -> None:
    """Give this task's thread to others while it waits; outside a worker there is none to give."""
    from distributed import secede

    with contextlib.suppress(ValueError):
        secede()
