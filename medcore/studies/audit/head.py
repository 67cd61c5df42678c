"""The trail's head, kept outside the database and signed: who cuts or rewrites the end of the trail is found out.

Each machine that writes to the trail keeps the last head it wrote, in ``audit.head``
of its data folder, with a key of its own. No key has to be shared.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path

from medcore.errors import NotFoundError
from medcore.i18n import N_
from medcore.safe_files import file_lock, secret_key, write_whole
from medcore.studies.audit.chain import Head


def signs_heads(data_dir: Path) -> bool:
    """Whether this data folder ever kept a head."""
    return _file(data_dir).exists() or _key(data_dir).exists()


def keep_head(data_dir: Path, head: Head) -> None:
    """Keep the newest head; one that is older than what is kept changes nothing.

    Raises:
        SettingsError: it cannot be written.

    """
    with file_lock(data_dir / "audit.lock"):
        kept = _read(data_dir)
        if kept is None or kept[0].entry < head.entry:
            signed = {"entry": head.entry, "link": head.link, "signature": _signature(data_dir, head)}
            write_whole(_file(data_dir), json.dumps(signed).encode())


def kept_head(data_dir: Path) -> Head | None:
    """Return the head that was kept, or ``None`` when this machine never wrote to the trail.

    Raises:
        NotFoundError: it is missing though there was one, or was changed.

    """
    if not signs_heads(data_dir):
        return None
    kept = _read(data_dir)
    if kept is None or not hmac.compare_digest(kept[1], _signature(data_dir, kept[0])):
        raise NotFoundError(
            N_("The trail's head that was kept apart, {file}, is missing or was changed."), file=_file(data_dir).name
        )
    return kept[0]


def _read(data_dir: Path) -> tuple[Head, str] | None:
    """Return the head in the file and its signature, unchecked."""
    try:
        kept = json.loads(_file(data_dir).read_bytes())
        return Head(int(kept["entry"]), str(kept["link"])), str(kept["signature"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _signature(data_dir: Path, head: Head) -> str:
    return hmac.new(secret_key(_key(data_dir)), str(head).encode(), hashlib.sha256).hexdigest()


def _file(data_dir: Path) -> Path:
    return data_dir / "audit.head"


def _key(data_dir: Path) -> Path:
    return data_dir / "keys" / "audit.key"
