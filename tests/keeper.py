"""Nothing that tests start outlives them, however they end: clusters, servers, PostgreSQL, browsers.

A fixture ends what it started when it may. Where the process of the tests is killed (a time limit, no memory left),
nobody is there to do so, and what stays takes the memory of the next run. So a small process of its own waits until
that of the tests is gone, and then ends every process that has inherited its mark.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
import uuid

import psutil

MARK = "TESTS_OF_MEDCORE"
LOOK_EVERY_SECONDS = 1.0
_keepers: list[subprocess.Popen[bytes]] = []  # Python warns of one that nobody holds


def begin_to_keep() -> None:
    """Mark this process's future children, and start the one that ends them after it."""
    os.environ[MARK] = f"{os.getpid()}-{uuid.uuid4().hex}"
    keeper = subprocess.Popen(
        [sys.executable, __file__, str(os.getpid()), os.environ[MARK]],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if name != MARK},
        start_new_session=True,
    )
    _keepers.append(keeper)


def keep(pid: int, mark: str) -> None:
    """Wait until a process is gone, and end what it has left; twice, for what was just being started."""
    while os.getppid() == pid:
        time.sleep(LOOK_EVERY_SECONDS)
    for _ in range(2):
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.environ().get(MARK) == mark:
                    process.kill()
        time.sleep(LOOK_EVERY_SECONDS)


if __name__ == "__main__":
    keep(int(sys.argv[1]), sys.argv[2])
