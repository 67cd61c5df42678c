"""The key for pseudonyms: made once for an installation, kept apart from every table."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

KEY_BYTES = 32


def installation_key(data_dir: Path) -> bytes:
    """Return this installation's key, made on first use and readable by its owner only.

    One key for all tables, so that a patient has the same pseudonym in each.
    Whoever deletes the file can no longer link new tables with old ones.
    """
    path = data_dir / "keys" / "pseudonym.key"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(KEY_BYTES))
    return path.read_bytes()
