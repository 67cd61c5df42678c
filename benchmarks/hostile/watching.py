"""Watches what may never happen: a program started, an address asked for, a file written elsewhere."""

from __future__ import annotations

import inspect
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from names import CANARY


def hook(event: str, arguments: tuple[Any, ...]) -> None:
    """End a reader at what no table may cause: a connection, a program, a pickle that names one."""
    programs = {"posix", "nt", "os", "subprocess", "socket", "sys", "runpy", "webbrowser"}
    if event == "socket.connect":
        wrong = isinstance(arguments[1], tuple)  # an address; the reader's own pipe is a path
    elif event == "pickle.find_class":
        wrong = arguments[0] in programs
    else:
        wrong = event in {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn"}
    if wrong:
        with Path(os.environ["HOSTILE_REPORT"]).open("a") as report:
            report.write(f"{event} {str(arguments)[:200]}\n")
        os._exit(97)


def tell(event: str, arguments: tuple[Any, ...]) -> None:
    """Report a server that asks for an address outside this machine, or for one that hostile names tell of."""
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        place, port = str(arguments[1][0]), arguments[1][1]
        wrong = port == 9 or not (place.startswith("127.") or place in {"::1", "localhost"})
    elif event == "socket.getaddrinfo":
        wrong = str(arguments[0]) not in {"127.0.0.1", "localhost", "::1", "None"}
    else:
        wrong = event == "os.system"
    if wrong:
        with Path(os.environ["HOSTILE_REPORT"]).open("a") as report:
            report.write(f"server: {event} {str(arguments)[-200:]}\n")


def put_into_children(watcher: Any, folder: Path) -> None:
    """Put a hook into every Python that is started from now on: it runs ``sitecustomize`` at its start."""
    folder.mkdir(exist_ok=True)
    imports = "import os, sys\nfrom pathlib import Path\nfrom typing import Any\n"
    added = f"sys.addaudithook({watcher.__name__})\n"
    (folder / "sitecustomize.py").write_text(f"{imports}\n{inspect.getsource(watcher)}\n{added}")
    others = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part and part != str(folder)]
    os.environ["PYTHONPATH"] = os.pathsep.join([str(folder), *others])


def reported(report: Path) -> list[str]:
    return sorted(set(report.read_text().splitlines())) if report.exists() else []


def outside() -> Iterator[Path]:
    """Name what an archive or a name has put where it may not."""
    for folder in (Path(tempfile.gettempdir()), Path.cwd(), Path.home(), Path("/")):
        yield from (path for name in (f"{CANARY}*", "out.csv") for path in folder.glob(name))
    yield from (path for path in (Path("/etc/cron.d/x.csv"),) if path.exists())
