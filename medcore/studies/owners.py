"""Who owns what: a signed cookie says whose studies a browser may open.

There is one local owner until people can sign in; every stored thing carries
the owner from the first migration on, so that signing in changes nothing else.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from itsdangerous import BadSignature, Signer

from medcore.settings import Settings
from medcore.studies.folders import private_folder

LOCAL_OWNER = "local"
COOKIE = "medcore_owner"


def owner_cookie(settings: Settings, owner: str = LOCAL_OWNER) -> str:
    """Return the value of the cookie that proves an owner to this installation."""
    return _signer(settings.data_dir).sign(owner).decode()


def owner_of(settings: Settings, cookies: Mapping[str, str]) -> str | None:
    """Return the owner whom a browser's cookies prove, or ``None`` for nobody."""
    value = cookies.get(COOKIE)
    if not value:
        return None
    try:
        return _signer(settings.data_dir).unsign(value).decode()
    except (BadSignature, UnicodeDecodeError):
        return None


@cache
def _signer(data_dir: Path) -> Signer:
    return Signer(_secret(data_dir / "secret.key"), salt="medcore.owner")


def _secret(path: Path) -> bytes:
    """Read the installation's secret; the first process that needs one writes it."""
    private_folder(path.parent)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(descriptor, "wb") as file:
        secret = secrets.token_bytes(32)
        file.write(secret)
    return secret
