"""A process that outlives the one that started it: known by number and birth, written down or ended."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

STOP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Process:
    """A process that we started; the moment of its birth tells it from a later one with its number.

    ``born`` counts seconds since the machine was started, which no setting of the clock moves.
    """

    pid: int
    born: float

    @classmethod
    def of(cls, pid: int) -> Process:
        """Describe a running process."""
        return cls(pid, _born(pid))

    def alive(self) -> bool:
        """Whether it still runs."""
        try:
            same = abs(_born(self.pid) - self.born) < 1.0
            return same and psutil.Process(self.pid).status() != psutil.STATUS_ZOMBIE
        except (psutil.Error, OSError):
            return False

    def family(self) -> list[psutil.Process]:
        """Return it and its children, as far as they still run."""
        found: list[psutil.Process] = []
        with contextlib.suppress(psutil.Error):  # one that ends meanwhile hides nobody who was found before
            if self.alive():
                found.append(psutil.Process(self.pid))
                found += found[0].children(recursive=True)
        return found


def _born(pid: int) -> float:
    """Return when a process was born, in seconds since the machine was started (proc(5), field 22)."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():  # no Linux: the clock's own time is all there is
        return float(psutil.Process(pid).create_time() - psutil.boot_time())
    return int(stat.read_text().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")


def since_start() -> float:
    """Return how many seconds ago the machine was started."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.clock_gettime(clock) if clock is not None else time.time() - float(psutil.boot_time())


def starved(pid: int) -> float:
    """Return how many seconds a process could have run and was given no processor (sched-stats); 0 where nobody counts."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


def end_all(processes: Iterable[Process]) -> None:
    """Ask processes to end with their children, and end those that do not."""
    everybody = [process for first in processes for process in first.family()]
    for process in everybody:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _gone, left = psutil.wait_procs(everybody, timeout=STOP_SECONDS)
    for process in left:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(left, timeout=STOP_SECONDS)


@contextlib.contextmanager
def all_or_none() -> Iterator[list[Process]]:
    """Give a list for what is being started; where a step fails, whatever is in it is ended.

    Nobody would find again what was not written down, and it would be started once more every few seconds.
    """
    started: list[Process] = []
    try:
        yield started
    except BaseException:
        end_all(started)
        raise


def start(
    command: Sequence[str], *, started: list[Process], log: Path, folder: Path, env: Mapping[str, str]
) -> Process:
    """Start a process that leads a session of its own, and add it to those being started.

    Raises:
        OSError: it could not be started, or not be looked at; nothing is left running.

    """
    with log.open("wb") as file:
        process = _Outliving(
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            cwd=folder,
            env=dict(env),
            start_new_session=True,
        )
    _children.append(process)
    try:
        started.append(Process.of(process.pid))
    except BaseException:
        process.kill()
        raise
    return started[-1]


class _Outliving(subprocess.Popen[bytes]):
    """A process that goes on when we end, which is no oversight that Python should warn of."""

    def __del__(self, *_: object) -> None:
        """Leave it be."""


_children: list[_Outliving] = []


def reap() -> None:
    """Let ended processes go, so that they do not stay as zombies while the web server lives."""
    _children[:] = [child for child in _children if child.poll() is None]
