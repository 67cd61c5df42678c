"""The key for pseudonyms: made once for an installation, kept apart from every table."""

from __future__ import annotations

from pathlib import Path

from medcore.safe_files import secret_key


def installation_key(data_dir: Path) -> bytes:
    """Return this installation's key, made on first use and readable by its owner only.

    One key for all tables, so that a patient has the same pseudonym in each.
    Whoever deletes the file can no longer link new tables with old ones.

    Raises:
        SettingsError: the key is damaged or cannot be written.

    """
    return secret_key(data_dir / "keys" / "pseudonym.key")
