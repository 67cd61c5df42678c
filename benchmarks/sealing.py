"""What sealing costs: a table of 250 MB sealed and opened, and kept and read through the file store.

    nice -n 19 python benchmarks/sealing.py

Processor seconds, the least of five; bytes that nothing can make smaller.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from medcore.sealing import Keys, opened, sealed
from medcore.settings import Settings
from medcore.studies.kept.files import FileStore

N_BYTES = 250_000_000
REPEATS = 5


def least(work: Callable[[], object]) -> float:
    """Return the fewest processor seconds that some work takes."""
    seconds = []
    for _ in range(REPEATS):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return min(seconds)


def main() -> None:
    """Print each step with its seconds and its speed."""
    data, keys = os.urandom(N_BYTES), Keys((os.urandom(32),))
    kept = sealed(data, keys, "table")
    with TemporaryDirectory() as name:
        folder = Path(name)
        files = FileStore(Settings(folder, f"sqlite:///{folder / 'x.db'}", (folder / "files").as_uri()))
        files.write("table", data)
        steps = {
            "sealed": lambda: sealed(data, keys, "table"),
            "opened": lambda: opened(kept, keys, "table"),
            "kept": lambda: files.write("table", data),
            "read": lambda: files.read("table"),
        }
        for step, work in steps.items():
            seconds = least(work)
            print(f"{step:8} {seconds:.2f} s  {N_BYTES / seconds / 1e9:.1f} GB/s")


if __name__ == "__main__":
    main()
