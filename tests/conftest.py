"""The order in which a few processes share the tests out, file by file, and the end of what they started."""

from __future__ import annotations

import gc
import os
import platform
import shutil
import sys
from collections.abc import Generator, Iterator
from functools import cache
from hashlib import sha256
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from _pytest.doctest import DoctestModule
from xdist.scheduler import LoadFileScheduling

from tests.keeper import begin_to_keep

import_module("medcore")  # before a room's conftest imports NumPy: it says when OpenBLAS's threads sleep

WAITING = ("browser", "jobs", "pages")
"""Rooms whose tests wait for a browser, a worker or a page, and are long."""
COMPUTING = ("explanation", "features", "models", "reporting")
"""Rooms whose tests compute for long: they go first among those beside the files that wait, and the short ones last."""
BESIDE = 2
"""Files that compute, after each file that waits."""
FEWER_COLLECTIONS = (10_000, 20, 100)
"""Objects made, and collections of a younger generation, before the next is collected: a tenth of these tests' time was spent so."""
MOST_COMPILED = 2**30
"""Bytes of compiled programs that are kept from one run of the tests to the next."""
PROGRAM = sys.modules["__main__"]
OF_ITS_OWN = "tests/browser/test_sign_in.py"
"""It starts servers of its own, and shares none with the rest of the browser's, which are the longest row of all."""


def pytest_configure(config: pytest.Config) -> None:
    """See to it that nothing outlives this process, were it killed, and that no program is compiled twice."""
    begin_to_keep()
    keep_compiled_programs(config)
    gc.disable()  # what is collected and imported stays: nothing to look for meanwhile


def pytest_collection_finish() -> None:
    """Leave five thousand tests and all modules out of every later collection of garbage, as a worker does (warmth.py)."""
    gc.enable()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*FEWER_COLLECTIONS)


def pytest_runtest_teardown() -> None:
    """Put back the program that runs: Streamlit's test leaves its page in its place, and a process that is spawned later would run that."""
    sys.modules["__main__"] = PROGRAM


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """Look for examples in the docstrings of medcore alone: tests have none, and would each be taken apart twice."""
    found = yield
    return [one for one in found if not (isinstance(one, DoctestModule) and "tests" in file_path.parts)]


def keep_compiled_programs(config: pytest.Config) -> None:
    """Let every process of these tests, and of later ones here, load what another has compiled: the same machine code, by the same HLO.

    All processes of the tests, and the hundred that they start, train networks of the same shapes; without this
    each compiles each of its programs anew, one to four processor seconds a network and twenty a tower. What is kept
    lies in the environment, and so goes with its TensorFlow; a new processor and too much of it begin anew.
    """
    if hasattr(config, "workerinput"):
        return  # one of several processes, which has it from the first
    folder = Path(sys.prefix, f".compiled-{processor()}")
    for other in folder.parent.glob(".compiled-*"):
        if other != folder or sum(file.stat().st_size for file in other.iterdir() if file.exists()) > MOST_COMPILED:
            shutil.rmtree(other, ignore_errors=True)
    folder.mkdir(exist_ok=True)
    kept = f"--tf_xla_persistent_cache_directory={folder} --tf_xla_persistent_cache_device_types=CPU,XLA_CPU_JIT"
    os.environ["TF_XLA_FLAGS"] = f"{os.environ.get('TF_XLA_FLAGS', '')} {kept}".strip()


def processor() -> str:
    """Name what machine code is made for: the kind of processor, and where it says them, what it can do."""
    told = Path("/proc/cpuinfo")
    flags = [line for line in told.read_text().splitlines() if line.startswith("flags")][:1] if told.exists() else []
    return sha256("".join([platform.machine(), *flags]).encode()).hexdigest()[:12]


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
    """Gives a process file after file, but nearly all of the browser's at once: they share a server, its worker and studies."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return "tests/browser" if file.startswith("tests/browser/") and file != OF_ITS_OWN else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByServer:
    """Say how tests are shared out among processes."""
    return ByServer(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin the files that wait early, each beside some that compute, so that no process is left with a long one."""
    files = list(dict.fromkeys(item.path for item in items))
    waiting = [path for path in files if set(WAITING) & set(path.parts)]
    others = [path for path in files if path not in waiting]
    computing = iter(sorted(others, key=lambda path: not ("tests" in path.parts and set(COMPUTING) & set(path.parts))))
    mixed = [found for path in waiting for found in (path, *islice(computing, BESIDE))]
    order = {path: place for place, path in enumerate([*mixed, *computing])}
    items.sort(key=lambda item: order[item.path])
