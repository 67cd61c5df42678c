"""All threads of the web server take memory from the same few places."""

import subprocess
import sys

import pytest

COUNT = """
import ctypes, threading
from medcore.jobs.web.memory import share_memory_between_threads

if {shared}:
    share_memory_between_threads()
libc, all_there = ctypes.CDLL(None), threading.Barrier(6)

def take():
    all_there.wait()
    libc.malloc(100_000)
    all_there.wait()

threads = [threading.Thread(target=take) for _ in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc.fopen.restype = ctypes.c_void_p
libc.malloc_info(0, ctypes.c_void_p(libc.fopen(b"/dev/stdout", b"w")))
libc.fflush(None)
"""


@pytest.mark.parametrize("shared", [True, False])
def test_threads_share_two_places_once_asked_to(shared: bool) -> None:
    told = subprocess.run(
        [sys.executable, "-c", COUNT.format(shared=shared)], capture_output=True, text=True, check=True
    )
    assert (told.stdout.count("<heap nr=") <= 2) == shared
