"""Signing in with OpenID Connect: what the installation sets, and what a person's claims say."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from medcore.errors import RefusedError, SettingsError
from medcore.i18n import N_
from medcore.safe_files import secret_key
from medcore.settings import Settings
from medcore.studies.kept.identity import digest
from medcore.studies.owners import LOCAL_OWNER
from medcore.studies.people.roles import ROLES, Role

SIGN_IN_HOURS = 12
"""A sign-in is over after a working day, so that a role taken away at the provider is gone by the next morning."""
LONGEST_NAME = 200
METADATA = "/.well-known/openid-configuration"  # OpenID Connect Discovery 1.0, 4
EVERYBODY = "*"


@dataclass(frozen=True, slots=True)
class Claimed:
    """Who somebody is, as the provider says. ``id`` tells this sign-in from every other one."""

    id: str
    name: str
    role: Role
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class SignIn:
    """How people sign in. ``repr`` hides the secrets."""

    address: str
    """Where people reach medcore, for example ``https://medcore.hospital.org``."""
    provider: str
    client: str
    client_secret: str = field(repr=False)
    cookie_secret: str = field(repr=False)
    person_claim: str = "email"
    role_claim: str = "roles"
    roles: tuple[tuple[Role, tuple[str, ...]], ...] = ()
    """Who has which role: names, or values of the role's claim; from the most to the least."""

    @classmethod
    def from_env(cls, settings: Settings) -> SignIn | None:
        """Read the settings; ``None`` where nobody signs in.

        Raises:
            SettingsError: one that is needed is missing, or what cannot be; the message names the variable.

        """
        env = os.environ.get
        address = (env("MEDCORE_ADDRESS") or "").strip().rstrip("/")
        provider = (env("MEDCORE_OIDC_URL") or "").strip()
        client, secret = (env("MEDCORE_OIDC_CLIENT") or "").strip(), _client_secret()
        given = {"ADDRESS": address, "OIDC_URL": provider, "OIDC_CLIENT": client, "OIDC_SECRET": secret}
        if not any(given.values()):
            return None
        for name, value in given.items():
            if not value:
                raise SettingsError(
                    N_(
                        "{name} is not set. Signing in needs MEDCORE_ADDRESS, MEDCORE_OIDC_URL, MEDCORE_OIDC_CLIENT and MEDCORE_OIDC_SECRET."
                    ),
                    name=f"MEDCORE_{name}",
                )
        _check_address("MEDCORE_ADDRESS", address, path=False)
        _check_address("MEDCORE_OIDC_URL", provider, path=True)
        return cls(
            address=address,
            provider=provider if provider.endswith(METADATA) else provider.rstrip("/") + METADATA,
            client=client,
            client_secret=secret,
            cookie_secret=hashlib.sha256(secret_key(settings.data_dir / "secret.key") + b"medcore.sign_in").hexdigest(),
            person_claim=(env("MEDCORE_OIDC_PERSON") or "email").strip(),
            role_claim=(env("MEDCORE_OIDC_ROLES") or "roles").strip(),
            roles=_roles(env("MEDCORE_ROLES") or ""),
        )

    @property
    def host(self) -> str:
        """The name people reach medcore by, without the port, in lower case."""
        return (urlsplit(self.address).netloc.rsplit(":", 1)[0]).lower()

    @property
    def secrets(self) -> dict[str, Any]:
        """What Streamlit's own sign-in reads; it is handed over in memory and is in no file."""
        return {
            "auth": {
                "redirect_uri": f"{self.address}/oauth2callback",
                "cookie_secret": self.cookie_secret,
                "client_id": self.client,
                "client_secret": self.client_secret,
                "server_metadata_url": self.provider,
            }
        }

    def claimed(self, claims: Mapping[str, Any]) -> Claimed:
        """Say who somebody is and what their role is.

        Raises:
            RefusedError: the claims name nobody, or somebody who has no role here.

        """
        name = str(claims.get(self.person_claim) or "").strip()
        unverified = self.person_claim == "email" and not _verified(claims.get("email_verified", True))
        if not name or unverified or len(name) > LONGEST_NAME or name == LOCAL_OWNER:
            raise RefusedError(
                N_("Your account says nothing that medcore can know you by ({claim}). Ask who runs medcore here."),
                claim=self.person_claim,
            )
        role = self._role_of(name, _values(claims, self.role_claim))
        if role is None:
            raise RefusedError(
                N_("You are signed in as {name}, and have no role in medcore here. Ask who runs it to give you one."),
                who=name,
                name=name,
            )
        issued_at = datetime.fromtimestamp(float(claims.get("iat") or 0), UTC)
        return Claimed(digest({k: str(v) for k, v in claims.items()}), name, role, issued_at)

    def _role_of(self, name: str, values: frozenset[str]) -> Role | None:
        if not self.roles:
            return next((role for role in reversed(ROLES) if role in values), None)
        known = values | {name, EVERYBODY}
        return next((role for role, who in self.roles if known & set(who)), None)


def _verified(claim: object) -> bool:
    """Say whether a provider vouches for an address: some write the claim as text; one that says nothing does not deny it."""
    return claim is True or (isinstance(claim, str) and claim.strip().casefold() == "true")


@cache
def sign_in_of(settings: Settings) -> SignIn | None:
    """Return how people sign in to this installation; read once a process."""
    return SignIn.from_env(settings)


def _values(claims: Mapping[str, Any], path: str) -> frozenset[str]:
    """Return what a claim says, as words; ``realm_access.roles`` is a claim within another."""
    found: Any = claims.get(path)
    if found is None:
        found = claims
        for part in path.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        return frozenset(found.replace(",", " ").split())
    return frozenset(map(str, found)) if isinstance(found, (list, tuple)) else frozenset()


def _roles(text: str) -> tuple[tuple[Role, tuple[str, ...]], ...]:
    """Read ``administrator=it; modeller=clinicians,ann@hospital.org; reader=*``."""
    given: dict[str, tuple[str, ...]] = {}
    for part in filter(None, map(str.strip, text.split(";"))):
        role, equals, who = part.partition("=")
        if role.strip() not in ROLES or not equals:
            raise SettingsError(
                N_("{name} is “{text}”; write it as {default}."),
                name="MEDCORE_ROLES",
                text=part,
                default="administrator=it; modeller=clinicians,ann@hospital.org; reader=*",
            )
        given[role.strip()] = tuple(filter(None, map(str.strip, who.split(","))))
    return tuple((role, given[role]) for role in reversed(ROLES) if role in given)


def _client_secret() -> str:
    path = os.environ.get("MEDCORE_OIDC_SECRET_FILE")
    if not path:
        return (os.environ.get("MEDCORE_OIDC_SECRET") or "").strip()
    try:
        if stat.S_IMODE(Path(path).stat().st_mode) & 0o077:
            raise SettingsError(
                N_("The file {file} holds a secret and can be read by others. Close it: chmod 600 {file}"), file=path
            )
        return Path(path).read_text().strip()
    except OSError:
        raise SettingsError(
            N_("{name} is “{text}”; it must be a file that medcore may read."),
            name="MEDCORE_OIDC_SECRET_FILE",
            text=path,
        ) from None


def _check_address(name: str, text: str, *, path: bool) -> None:
    """Refuse what is no web address, and one without encryption that leaves this machine."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    local = parts.hostname is not None and _loopback(parts.hostname)
    whole = parts.hostname and (path or not parts.path) and not (parts.query or parts.fragment or parts.username)
    if not whole or port == 0 or parts.scheme not in ("https", "http") or (parts.scheme == "http" and not local):
        raise SettingsError(
            N_("{name} is “{text}”; it must be an https:// address, for example {default}."),
            name=name,
            text=text,
            default="https://medcore.hospital.org" if not path else "https://id.hospital.org/realms/clinic",
        )


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
