"""Records that say who they are by a signed token of their own (CDS Hooks 2.0, "Trusting CDS Clients").

Whoever runs the service names them in a file, each with its issuer, its public keys and the person in whose
name it asks: ``[{"iss": "https://ehr.hospital.org", "jwks": {"keys": […]}, "person": "local"}]``. No key is fetched.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from medcore.errors import SettingsError
from medcore.i18n import N_

ALGORITHMS = ("ES384", "RS384")
"""The two that the standard recommends; never ``none``, never a shared secret."""
LONGEST_SECONDS, LEEWAY_SECONDS = 300, 30


@dataclass(slots=True)
class TrustedClient:
    """A record that may ask, and the tokens of its that were used while they hold: each is good for one call."""

    issuer: str
    keys: KeySet = field(repr=False)
    person: str
    _used: dict[str, float] = field(default_factory=dict, repr=False)

    def lets_in(self, token: str, address: str) -> bool:
        """Whether a token is this record's, for this very address, holds now, and was not used before."""
        try:
            claims = jwt.decode(token, self.keys, algorithms=list(ALGORITHMS)).claims
        except (JoseError, ValueError):
            return False
        moment, until, made = time.time(), claims.get("exp"), claims.get("iat")
        if not isinstance(until, int | float) or not isinstance(made, int | float):
            return False
        audience = claims.get("aud")
        audiences = [audience] if isinstance(audience, str) else audience if isinstance(audience, list) else []
        number = claims.get("jti")
        holds = (
            claims.get("iss") == self.issuer
            and address in audiences
            and made - LEEWAY_SECONDS <= moment < until + LEEWAY_SECONDS
            and until - made <= LONGEST_SECONDS
            and isinstance(number, str)
            and 0 < len(number) <= 200
            and number not in self._used
        )
        if holds:
            self._used = {n: t for n, t in self._used.items() if t + LEEWAY_SECONDS > moment} | {str(number): until}
        return holds


def read_clients(file: Path) -> tuple[TrustedClient, ...]:
    """Read the file that names them.

    Raises:
        SettingsError: it is not of the form, or holds a private key.

    """
    try:
        given: Any = json.loads(file.read_text(encoding="utf-8"))
        return tuple(_client(entry) for entry in given)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, JoseError) as error:
        raise SettingsError(
            N_(
                "{file} does not name the records that may ask in the form that is expected: a list of entries with iss, jwks (public keys alone) and person ({kind})."
            ),
            file=str(file),
            kind=type(error).__name__,
        ) from None


def person_of(clients: Sequence[TrustedClient], token: str, address: str) -> str | None:
    """Return in whose name a record asks by a token, or None where it is none of theirs."""
    return next((client.person for client in clients if client.lets_in(token, address)), None)


def _client(entry: Mapping[str, Any]) -> TrustedClient:
    keys = entry["jwks"]["keys"]
    if not keys or any("d" in key or key.get("kty") not in {"EC", "RSA"} for key in keys):
        raise ValueError("public keys of EC or RSA alone")
    issuer, person = entry["iss"], entry["person"]
    if not isinstance(issuer, str) or not isinstance(person, str) or not issuer or not person:
        raise ValueError("iss and person are names")
    return TrustedClient(issuer, KeySet.import_key_set({"keys": keys}), person)
