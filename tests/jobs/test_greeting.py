"""A scheduler that speaks to everybody in the moment in which a client comes."""

from __future__ import annotations

import asyncio

import pytest
from distributed import LocalCluster, Scheduler, Security
from distributed.diagnostics.plugin import SchedulerPlugin

from medcore.jobs.cluster.client import EndingClient, let_in


class Chatty(SchedulerPlugin):
    """Tells all clients something within two milliseconds of the first word to one of them."""

    def __init__(self, times: int) -> None:
        self.times = times

    def add_client(self, scheduler: Scheduler, client: str) -> None:
        if self.times:
            self.times -= 1
            asyncio.get_running_loop().call_soon(scheduler.report, {"op": "lost-data", "key": "of nobody"})


@pytest.fixture
def scheduler():
    """A scheduler of its own in this process, without workers."""
    with LocalCluster(n_workers=0, processes=False, dashboard_address=None) as cluster:
        yield cluster.scheduler


@pytest.mark.parametrize("times", [0, 1])
def test_a_client_is_let_in_though_the_scheduler_speaks_to_all_just_then(scheduler, times):
    scheduler.add_plugin(Chatty(times))
    client = let_in(scheduler.address, Security(), timeout=10, direct_to_workers=False)
    try:
        assert client.status == "running"
    finally:
        client.close()


def test_dasks_own_client_is_not(scheduler):
    scheduler.add_plugin(Chatty(1))
    with pytest.raises(AssertionError):
        EndingClient(scheduler.address, timeout=10, set_as_default=False)
