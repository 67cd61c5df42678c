"""Who a browser's request comes from: the one local owner, or somebody who signed in."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Protocol

from medcore.errors import SettingsError
from medcore.i18n import N_
from medcore.settings import Settings
from medcore.studies import COOKIE, owner_cookie, owner_of

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
COOKIE_SECONDS = 400 * 24 * 3600  # browsers keep none longer (RFC 6265bis)


class Entrance(Protocol):
    """What the guard asks about a request; its answers hold for pages, files and uploads alike."""

    hosts: frozenset[str]
    """The names under which medcore answers, in lower case and without the port."""
    encrypted: bool
    """Whether browsers reach it over https, so that a cookie may say that it goes nowhere else."""

    def person(self, cookies: Mapping[str, str], /) -> str | None:
        """Return whom the cookies prove, or ``None`` for nobody; it may ask the database."""
        ...

    def may_fetch(self, person: str, path: str, /) -> bool:
        """Whether a file that a page offered, or the place of an upload, is of this person's session."""
        ...

    def new_cookie(self, cookies: Mapping[str, str], /) -> str | None:
        """Return the cookie that a browser without one is given with a page, if any."""
        ...


class LocalEntrance:
    """Let in this machine only, and one owner whom every browser on it is given the cookie of."""

    hosts = LOOPBACK_NAMES
    encrypted = False

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def person(self, cookies: Mapping[str, str], /) -> str | None:
        """Return the owner, if the cookie is of this installation."""
        return owner_of(self._settings, cookies)

    def may_fetch(self, person: str, path: str, /) -> bool:  # noqa: ARG002
        """Whatever is there is the one owner's."""
        return True

    def new_cookie(self, cookies: Mapping[str, str], /) -> str | None:
        """Give the owner's cookie to a browser that has none."""
        if owner_of(self._settings, cookies) is not None:
            return None
        value = owner_cookie(self._settings)
        return f"{COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={COOKIE_SECONDS}"


def refuse_unguarded(address: str | None, *, signing_in: bool) -> None:
    """Let medcore listen where others reach it only if they have to sign in.

    Raises:
        SettingsError: the address can be reached from elsewhere, and nobody has to sign in.

    """
    if not signing_in and (address is None or not is_loopback(address)):
        raise SettingsError(
            N_(
                "medcore does not listen on {address} without a sign-in: whoever reaches it could open every study. Set MEDCORE_ADDRESS and MEDCORE_OIDC_URL (docs/it.md says how), or use 127.0.0.1 and an SSH tunnel."
            ),
            address=address or "0.0.0.0",  # noqa: S104 - what Streamlit takes when nothing is set
        )


def is_loopback(address: str) -> bool:
    """Whether an address can be reached from this machine only.

    >>> [is_loopback(a) for a in ("LOCALHOST", "127.0.0.1", "[::1]", "0.0.0.0", "10.0.0.7", "example.org")]
    [True, True, True, False, False, False]
    """
    if address.casefold() == "localhost":
        return True
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return False
