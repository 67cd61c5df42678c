"""A worker that has grown begins anew when nobody needs it."""

import time
from collections.abc import Callable

import pytest

from medcore import jobs
from medcore.jobs.cluster.growth import Growth, give_memory_back
from medcore.settings import Settings

MB = 2**20


def test_a_worker_begins_anew_only_when_it_has_grown_and_was_quiet_for_long() -> None:
    growth = Growth(900 * MB, most=1000 * MB, quiet=60.0, last_busy=0.0)
    assert not growth.too_much(1800 * MB, busy=False, moment=100.0)
    assert growth.too_much(1901 * MB, busy=False, moment=100.0)
    assert not growth.too_much(2500 * MB, busy=True, moment=200.0)
    assert not growth.too_much(2500 * MB, busy=False, moment=259.0)
    assert growth.too_much(2500 * MB, busy=False, moment=260.0)


def watch_closely(dask_worker: object) -> None:
    """Let this worker count as grown from its first byte on."""
    from medcore.jobs.cluster import growth

    growth.Growth.too_much = lambda *_args, busy, **_kwargs: not busy  # type: ignore[method-assign]


def test_a_grown_worker_is_replaced_and_what_is_asked_meanwhile_is_answered(
    job_settings: Settings, eventually: Callable[..., None]
) -> None:
    import os

    connection = jobs.ensure_cluster(job_settings)
    eventually(lambda: connection.n_workers() == 1)
    before = jobs.call(os.getpid)
    connection.client.run(watch_closely)
    eventually(lambda: jobs.call(os.getpid) != before)
    assert jobs.call(time.sleep, 0) is None


def test_memory_is_given_back_without_a_word(capfd: pytest.CaptureFixture[str]) -> None:
    give_memory_back()
    assert capfd.readouterr() == ("", "")
