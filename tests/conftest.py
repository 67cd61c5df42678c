"""The order in which two processes share the tests out, file by file, and the end of what they started."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

from tests.keeper import begin_to_keep

WAITING = ("browser", "jobs", "pages")
"""Rooms whose tests wait for a browser, a worker or a page, and are long."""
BESIDE = 2
"""Files that compute, after each file that waits."""


def pytest_configure() -> None:
    """See to it that nothing outlives this process, were it killed."""
    begin_to_keep()


@pytest.fixture(scope="session", autouse=True)
def _a_run_of_a_page_costs_what_it_does_in_a_server() -> Iterator[None]:
    """Do once what a web server does once, or never, and what Streamlit's test does at every run of a page.

    It looks through all installed packages for components, and where Keras is imported (here the worker's work is
    done in the same process) it clears it and collects all garbage: a third of these tests' time.
    """
    if "streamlit" not in sys.modules:
        yield
        return
    from streamlit.components.v2 import manifest_scanner
    from streamlit.runtime.scriptrunner import script_runner

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        patch.setattr(script_runner, "_clean_problem_modules", lambda: None)
        yield


@pytest.fixture(scope="session")
def ward_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a made-up ward, new patients, and a bundle that the command line has trained."""
    from tests.commanded import trained_ward  # nothing that most tests need

    return trained_ward(tmp_path_factory.mktemp("cli"))


class ByServer(LoadFileScheduling):  # type: ignore[misc]
    """Gives a process file after file, but all of the browser's at once: they share a server, its worker and studies."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return "tests/browser" if file.startswith("tests/browser/") else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByServer:
    """Say how tests are shared out among processes."""
    return ByServer(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin the files that wait early, each beside some that compute, so that no process is left with a long one."""
    files = list(dict.fromkeys(item.path for item in items))
    waiting = [path for path in files if set(WAITING) & set(path.parts)]
    computing = iter([path for path in files if path not in waiting])
    mixed = [found for path in waiting for found in (path, *islice(computing, BESIDE))]
    order = {path: place for place, path in enumerate([*mixed, *computing])}
    items.sort(key=lambda item: order[item.path])
