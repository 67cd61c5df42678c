"""Start the dashboard: ``python -m medcore app`` and ``make app`` come here."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

from medcore.errors import SettingsError
from medcore.i18n import N_
from medcore.jobs.web.entrance import refuse_unguarded
from medcore.settings import ROOT, Settings
from medcore.studies.people.sign_in import sign_in_of

OLDEST_PYTHON = (3, 11)
PORTS_TRIED = 50


def serve(host: str = "127.0.0.1", port: int = 8501) -> None:
    """Serve the dashboard until it is stopped; this process becomes the web server.

    Raises:
        SettingsError: an address that others can reach, a port that is taken, or a
            Python that is too old; the message says what to do.

    """
    check_python()
    refuse_unguarded(host, signing_in=sign_in_of(Settings.from_env()) is not None)
    host = host.strip("[]").casefold()  # an address is bound to without the brackets it has in a URL
    check_port(host, port)
    settings = Settings.from_env()
    give_a_home(settings.data_dir)
    arguments = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py")]
    arguments += [f"--server.address={host}", f"--server.port={port}"]
    arguments += [f"--server.maxUploadSize={settings.max_upload_mb}"]
    sys.stdout.flush()
    os.chdir(ROOT)
    os.execv(sys.executable, arguments)  # noqa: S606 - our own interpreter


def give_a_home(folder: Path) -> None:
    """Name a home where there is none, as for a container's user without a name: Streamlit looks for its options there."""
    try:
        Path.home()
    except RuntimeError:
        os.environ["HOME"] = str(folder)


def check_python(version: tuple[int, ...] | None = None) -> None:
    """Refuse a Python that is too old, and name the one that was found."""
    version = version or (*sys.version_info[:3],)
    if tuple(version[:2]) < OLDEST_PYTHON:
        raise SettingsError(
            N_("medcore needs Python {oldest} or newer; this is Python {found}."),
            oldest=".".join(map(str, OLDEST_PYTHON)),
            found=".".join(map(str, version[:3])),
        )


def check_port(host: str, port: int) -> None:
    """Refuse a port that is taken, and name the next free one."""
    if not 1 <= port <= 65535:
        raise SettingsError(N_("There is no port {port}; choose one from 1024 to 65535."), port=port)
    if is_free(host, port):
        return
    free = next((p for p in range(port + 1, min(port + PORTS_TRIED, 65536)) if is_free(host, p)), None)
    raise SettingsError(
        N_(
            "Port {port} is taken, perhaps by a medcore that runs already: look at http://localhost:{port}. Or choose another port: python -m medcore app --port {free} (make app PORT={free})."
        ),
        port=port,
        free=free or 0,
    )


def is_free(host: str, port: int) -> bool:
    """Whether one may listen on a port."""
    address = host.strip("[]")
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True
