"""What an installation may set, each by one environment variable."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import SplitResult, quote, urlsplit

from medcore.errors import SettingsError
from medcore.i18n import N_

ROOT = Path(__file__).resolve().parent.parent
ASSETS = ROOT / "assets"
TOKEN_LENGTH = 16
ON = ("on", "1", "yes", "true")
"""How a switch is set on; any other word, a mistyped one included, is off."""


VARIABLES = tuple(
    f"MEDCORE_{name}"
    for name in (
        *("DATA", "DATABASE_URL", "STORAGE", "SCHEDULER", "TLS_CA", "TLS_CERT", "TLS_KEY", "WORKERS", "WORKER_MEMORY"),
        *("KEY", "KEY_FILE"),  # read where data are sealed, and nowhere kept
        *("IDLE_SECONDS", "MAX_UPLOAD_MB", "RETENTION_DAYS", "MLFLOW_URL", "SIMILAR_PATIENTS"),
        *("ADDRESS", "OIDC_URL", "OIDC_CLIENT", "OIDC_SECRET", "OIDC_SECRET_FILE", "OIDC_PERSON", "OIDC_ROLES"),
        *("ROLES", "SIGN_OUT_MINUTES", "MAX_STUDIES", "MAX_RUNS", "MAX_STORED_GB"),
        *("METRICS_TOKEN", "LOG"),
        *("DEBUG", "JOBS"),  # what a person may set for made-up data, and what the scheduler is told
        *("CHROMIUM", "TEST_MLFLOW"),  # of the tests
    )
)
"""Every variable of an installation."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where data lives, what does the work, and the limits.

    ``repr`` hides the database's and the store's addresses, which may carry passwords.
    """

    data_dir: Path
    database_url: str = field(repr=False)
    storage_url: str = field(repr=False)
    scheduler: str | None = None
    tls_ca: str | None = None
    tls_cert: str | None = None
    tls_key: str | None = None
    workers: int = 1
    worker_memory: str = "8GiB"
    """The limit of each worker."""
    idle_seconds: float = 120.0
    """How long the local cluster stays when nobody uses it."""
    max_upload_mb: int = 300
    mlflow_url: str | None = field(default=None, repr=False)
    similar_patients: bool = True
    """Whether a study may show real training patients beside another; off holds for every study."""
    retention_days: int = 30
    """How long a deleted study can be brought back before it is removed for good."""
    sign_out_minutes: int = 30
    """After how long without anything done somebody who signed in is signed out."""
    max_studies: int = 500
    """How many studies one person may have."""
    max_runs: int = 20
    """How many training runs of one person may wait or work at a time."""
    max_stored_gb: int = 50
    """How much one person's tables and original files may take."""
    metrics_token: str | None = field(default=None, repr=False)
    """What Prometheus brings to be told the figures at ``/metrics``."""
    log: str = "text"
    """How logs are written: ``text`` (warnings) or ``json`` (a JSON object a line, with what happened)."""

    @classmethod
    def from_env(cls) -> Settings:
        """Read the ``MEDCORE_*`` variables; every one has a default that needs no set-up.

        Raises:
            SettingsError: a name that is none of medcore's, a number, a size or an address that is
                none, or a cluster that is not encrypted; the message names the variable.

        """
        check_names(os.environ)
        env = os.environ.get
        data_dir = Path(env("MEDCORE_DATA") or _default_data_dir()).expanduser().resolve()
        settings = cls(
            data_dir=data_dir,
            database_url=env("MEDCORE_DATABASE_URL") or _sqlite_url(data_dir / "medcore.db"),
            storage_url=env("MEDCORE_STORAGE") or (data_dir / "files").as_uri(),
            scheduler=(env("MEDCORE_SCHEDULER") or "").strip() or None,
            tls_ca=env("MEDCORE_TLS_CA") or None,
            tls_cert=env("MEDCORE_TLS_CERT") or None,
            tls_key=env("MEDCORE_TLS_KEY") or None,
            workers=_whole_number("MEDCORE_WORKERS", 1),
            worker_memory=_memory("MEDCORE_WORKER_MEMORY", "8GiB"),
            idle_seconds=_seconds("MEDCORE_IDLE_SECONDS", 120.0),
            max_upload_mb=_whole_number("MEDCORE_MAX_UPLOAD_MB", 300),
            mlflow_url=(env("MEDCORE_MLFLOW_URL") or "").strip() or None,
            retention_days=_whole_number("MEDCORE_RETENTION_DAYS", 30),
            sign_out_minutes=_whole_number("MEDCORE_SIGN_OUT_MINUTES", 30),
            max_studies=_whole_number("MEDCORE_MAX_STUDIES", 500),
            max_runs=_whole_number("MEDCORE_MAX_RUNS", 20),
            max_stored_gb=_whole_number("MEDCORE_MAX_STORED_GB", 50),
            metrics_token=_token("MEDCORE_METRICS_TOKEN"),
            log=_choice("MEDCORE_LOG", ("text", "json")),
            similar_patients=(env("MEDCORE_SIMILAR_PATIENTS") or "on").strip().casefold() in ON,
        )
        check_scheduler(settings)
        _check_tls_files(settings)
        if settings.mlflow_url is not None:
            check_mlflow_url(settings.mlflow_url)
        return settings


def _sqlite_url(path: Path) -> str:
    """Return the address of a database file; signs that an address takes for its own are written as their numbers.

    >>> _sqlite_url(Path("/data/a b?c/medcore.db"))
    'sqlite:////data/a%20b%3Fc/medcore.db'
    """
    return f"sqlite:///{path}" if not set(str(path)) & set("?#%") else f"sqlite:///{quote(str(path))}"


def check_names(environment: Iterable[str]) -> None:
    """Refuse a variable that looks like a setting and is none: misspelt, it would be ignored without a word.

    Raises:
        SettingsError: the message names the variable and the nearest that there is.

    """
    for name in sorted(environment):
        if name.startswith("MEDCORE_") and name not in VARIABLES:
            near = get_close_matches(name, VARIABLES, n=1, cutoff=0.0)[0]
            raise SettingsError(
                N_("There is no setting {name}; the nearest is {near}. Correct the name, or take the variable away."),
                name=name,
                near=near,
            )


def check_scheduler(settings: Settings) -> None:
    """Let patients' data go to a named cluster only over TLS.

    Raises:
        SettingsError: not the address of a scheduler, or one without encryption or its files.

    """
    if settings.scheduler is None:
        return
    address = _address(settings.scheduler)
    if address is None or address.scheme not in ("tls", "tcp"):
        raise SettingsError(
            N_("{name} is “{text}”; it must be the address of a Dask scheduler, for example {default}."),
            name="MEDCORE_SCHEDULER",
            text=settings.scheduler,
            default="tls://10.0.0.7:8786",
        )
    if address.scheme != "tls" or not (settings.tls_ca and settings.tls_cert):
        raise SettingsError(
            N_(
                "MEDCORE_SCHEDULER must be a tls:// address, with MEDCORE_TLS_CA, MEDCORE_TLS_CERT and MEDCORE_TLS_KEY set to its files: patients' data does not travel unencrypted."
            )
        )


def _check_tls_files(settings: Settings) -> None:
    if settings.scheduler is None:
        return
    for name, path in (("CA", settings.tls_ca), ("CERT", settings.tls_cert), ("KEY", settings.tls_key)):
        if path is not None and not os.access(path, os.R_OK):
            raise SettingsError(
                N_("{name} is “{text}”; it must be a file that medcore may read."),
                name=f"MEDCORE_TLS_{name}",
                text=path,
            )


def check_mlflow_url(url: str) -> None:
    """Refuse what is no web address, without repeating it: it may carry a password.

    Raises:
        SettingsError: not an http or https address.

    """
    address = _address(url, port_needed=False)
    if address is None or address.scheme not in ("http", "https"):
        raise SettingsError(
            N_("MEDCORE_MLFLOW_URL is not the address of a server; write it as https://HOST or http://HOST:PORT.")
        )


def _address(text: str, *, port_needed: bool = True) -> SplitResult | None:
    """Take an address with a host, and a port where one is needed, to pieces; ``None`` if it is none."""
    try:
        address = urlsplit(text)
        complete = bool(address.hostname) and (address.port is not None or not port_needed)
    except ValueError:
        return None
    return address if complete else None


def _whole_number(name: str, default: int) -> int:
    text = (os.environ.get(name) or str(default)).strip()
    if not (text.isascii() and text.isdecimal() and int(text) >= 1):
        raise SettingsError(
            N_("{name} is “{text}”; it must be a whole number of at least 1, for example {default}."),
            name=name,
            text=text,
            default=default,
        )
    return int(text)


def _seconds(name: str, default: float) -> float:
    text = (os.environ.get(name) or f"{default:g}").strip()
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        raise SettingsError(
            N_("{name} is “{text}”; it must be a number of seconds, for example {default}."),
            name=name,
            text=text,
            default=f"{default:g}",
        )
    return float(text)


def _memory(name: str, default: str) -> str:
    text = (os.environ.get(name) or default).strip()
    size = re.fullmatch(r"([0-9]+(\.[0-9]+)?) ?([kmgtp]i?b?)", text, re.IGNORECASE)
    if size is None or float(size[1]) <= 0:
        raise SettingsError(
            N_("{name} is “{text}”; it must be a size with its unit, for example {default}."),
            name=name,
            text=text,
            default=default,
        )
    return text


def _choice(name: str, choices: tuple[str, ...]) -> str:
    """Read one of some words; the first is the default."""
    text = (os.environ.get(name) or choices[0]).strip().casefold()
    if text not in choices:
        raise SettingsError(
            N_("{name} is “{text}”; it must be one of {choices}."), name=name, text=text, choices=list(choices)
        )
    return text


def _token(name: str) -> str | None:
    """Read a secret word, without repeating it."""
    text = (os.environ.get(name) or "").strip()
    if text and (len(text) < TOKEN_LENGTH or not text.isascii()):
        raise SettingsError(
            N_(
                "{name} is too short to be a secret; make one of at least {n} letters and digits, for example with: openssl rand -hex 24"
            ),
            name=name,
            n=TOKEN_LENGTH,
        )
    return text or None


def _default_data_dir() -> Path:
    """Follow the XDG base directory specification: data of a program, per user."""
    try:
        return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "medcore"
    except RuntimeError:  # no HOME, and no entry among the machine's users
        raise SettingsError(
            N_(
                "The user who runs medcore has no home folder. Set MEDCORE_DATA to a folder that this user may write to."
            )
        ) from None
