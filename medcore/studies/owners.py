"""Who owns what: a signed cookie says whose studies a browser may open.

There is one local owner until people can sign in; every stored thing carries
the owner from the first migration on, so that signing in changes nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from itsdangerous import BadSignature, Signer

from medcore.safe_files import secret_key
from medcore.settings import Settings

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
    return Signer(secret_key(data_dir / "secret.key"), salt="medcore.owner")
