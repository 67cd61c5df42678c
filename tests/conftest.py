"""The order in which two processes share the tests out, file by file, and the end of what they started."""

from __future__ import annotations

from itertools import islice

import pytest

from tests.keeper import begin_to_keep

WAITING = ("browser", "jobs", "pages")
"""Rooms whose tests wait for a browser, a worker or a page, and are long."""
BESIDE = 2
"""Files that compute, after each file that waits."""


def pytest_configure() -> None:
    """See to it that nothing outlives this process, were it killed."""
    begin_to_keep()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin the files that wait early, each beside some that compute, so that no process is left with a long one."""
    files = list(dict.fromkeys(item.path for item in items))
    waiting = [path for path in files if set(WAITING) & set(path.parts)]
    computing = iter([path for path in files if path not in waiting])
    mixed = [found for path in waiting for found in (path, *islice(computing, BESIDE))]
    order = {path: place for place, path in enumerate([*mixed, *computing])}
    items.sort(key=lambda item: order[item.path])
