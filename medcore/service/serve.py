"""Start the service: ``python -m medcore serve`` comes here."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from threadpoolctl import threadpool_limits

from medcore.errors import SettingsError
from medcore.i18n import N_, _
from medcore.jobs.logs import keep_values_out_of_logs
from medcore.jobs.web.entrance import LOOPBACK_NAMES, is_loopback
from medcore.jobs.web.serve import check_port, check_python
from medcore.safe_files import IN_USE, holding, keep_new_files_private
from medcore.settings import Settings
from medcore.studies import Store

if TYPE_CHECKING:
    from medcore.service.records.clients import TrustedClient

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""A few patients are little work: threads of a library would wait for each other, and keep a core busy, longer than they work."""
SWITCH_SECONDS = 0.001
"""After how long a thread lets others have the interpreter: of Python's own 5 ms a call waits for several."""


@dataclass(frozen=True, slots=True)
class Serving:
    """Where the service listens, for whom, and by which certificate."""

    host: str = "127.0.0.1"
    port: int = 8502
    name: str | None = None
    """The name in its address, where that is not this machine's own."""
    certificate: Path | None = None
    key: Path | None = None
    origins: tuple[str, ...] = ()
    pages: str | None = None
    clients: Path | None = None
    """A file that names the records which show tokens of their own."""


def serve(asked: Serving) -> None:
    """Answer programs until it is stopped.

    Raises:
        SettingsError: others could listen to what is said, the port is taken, or a file is not there.

    """
    from medcore.service.records.clients import read_clients

    check_python()
    refuse_unencrypted(asked)
    check_port(asked.host, asked.port)
    os.environ.setdefault("OTEL_SDK_DISABLED", "true")
    for name in ONE_THREAD:
        os.environ.setdefault(name, "1")
    clients = read_clients(asked.clients) if asked.clients else ()
    keep_new_files_private()
    settings = Settings.from_env()
    with (
        holding(settings.data_dir / IN_USE, alone=False),  # nobody changes keys or restores meanwhile
        threadpool_limits(1),  # libraries that are loaded already; others read the environment
    ):
        _answer(asked, Store(settings), clients)


def _answer(asked: Serving, store: Store, clients: Sequence[TrustedClient]) -> None:
    import uvicorn

    from medcore.service.app import build
    from medcore.service.entering import Entering

    hosts = LOOPBACK_NAMES | ({asked.name.lower()} if asked.name else frozenset())
    app = build(store, origins=asked.origins, entering=Entering(store, hosts, clients), pages=asked.pages)
    scheme = "https" if asked.certificate else "http"
    sys.stderr.write(_("medcore answers programs at {address}", address=f"{scheme}://{asked.host}:{asked.port}") + "\n")
    keep_values_out_of_logs()
    sys.setswitchinterval(SWITCH_SECONDS)
    uvicorn.run(
        app,
        host=asked.host.strip("[]"),
        port=asked.port,
        access_log=False,
        log_level="warning",
        server_header=False,
        ssl_certfile=asked.certificate,
        ssl_keyfile=asked.key,
        timeout_graceful_shutdown=10,
    )


def refuse_unencrypted(asked: Serving) -> None:
    """Let the service be reached from elsewhere over an encrypted connection alone.

    Raises:
        SettingsError: it would not be encrypted, or a file of the certificate is not there.

    """
    for file in (asked.certificate, asked.key):
        if file is not None and not file.is_file():
            raise SettingsError(N_("There is no file {file}."), file=str(file))
    if (asked.certificate is None) != (asked.key is None):
        raise SettingsError(N_("Give a certificate and its key together."))
    if not is_loopback(asked.host) and asked.certificate is None:
        raise SettingsError(
            N_(
                "The service does not listen on {address} without encryption: tokens and patients’ values would travel in clear. Give --certificate and --key, or use 127.0.0.1 behind a proxy of this machine that encrypts."
            ),
            address=asked.host,
        )
