"""The key under which an installation's data are sealed: from the environment, or made on first use.

``MEDCORE_KEY`` holds it, or ``MEDCORE_KEY_FILE`` names a file with it; without either it is made
in ``keys/sealing.key`` of the data folder. It is 32 bytes in base64. Where there are several, the
first seals and all of them open: what a change of the key needs.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import stat
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from medcore.errors import NotFoundError, SettingsError
from medcore.i18n import N_
from medcore.safe_files import new_key, private_folder, secret_key, write_whole

KEY_BYTES, ID_BYTES = 32, 8
MARK = "sealed.json"
"""Names the key of an installation by its number, which is no secret: another one is refused before it is used."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of an installation; the first seals, every one opens."""

    keys: tuple[bytes, ...] = field(repr=False)

    @property
    def newest(self) -> bytes:
        """The key that seals."""
        return self.keys[0]

    @property
    def newest_id(self) -> bytes:
        """The number of the key that seals."""
        return _id(self.keys[0])

    def of(self, key_id: bytes) -> bytes:
        """Return the key of a number.

        Raises:
            NotFoundError: it is not here.

        """
        for key in self.keys:
            if _id(key) == key_id:
                return key
        raise NotFoundError(
            N_(
                "The data are sealed under another key (number {number}). Put that key back: in keys/sealing.key of the data folder, or where MEDCORE_KEY or MEDCORE_KEY_FILE says."
            ),
            number=key_id.hex(),
        )

    def seal_of(self, place: str, digest: str) -> str:
        """Return the keyed seal (HMAC-SHA256, RFC 2104) of a file's SHA-256 at its place: nobody without the key can make one."""
        return _seal(self.newest, place, digest)

    def confirms(self, seal: str | None, place: str, digest: str) -> bool:
        """Whether a seal is that of a file at its place."""
        return seal is not None and any(hmac.compare_digest(seal, _seal(key, place, digest)) for key in self.keys)


def keys_of(data_dir: Path) -> Keys:
    """Return the keys of an installation; where none is given, one is made.

    Raises:
        SettingsError: a key is damaged, or can be read by others, or is not the one the data are sealed under.

    """
    return _keys(data_dir, os.environ.get("MEDCORE_KEY") or "", os.environ.get("MEDCORE_KEY_FILE") or "")


def forget_keys() -> None:
    """Read the keys again when they are next asked for: they were changed, or a test has another installation."""
    _keys.cache_clear()


def key_file(data_dir: Path) -> Path | None:
    """Return the file that holds the keys, or None where the environment does."""
    if os.environ.get("MEDCORE_KEY"):
        return None
    return Path(os.environ.get("MEDCORE_KEY_FILE") or data_dir / "keys" / "sealing.key").expanduser()


def write_keys(data_dir: Path, keys: Keys) -> None:
    """Keep other keys in the place of those there are, and use them from now on."""
    path = key_file(data_dir)
    assert path is not None, "keys of the environment are changed there"
    write_whole(path, _written(keys.keys))
    mark(data_dir, keys)
    forget_keys()


def mark(data_dir: Path, keys: Keys) -> None:
    """Note by its number which key the data are sealed under from now on."""
    write_whole(data_dir / MARK, json.dumps({"key": keys.newest_id.hex()}).encode())


@lru_cache(maxsize=32)
def _keys(data_dir: Path, given: str, named: str) -> Keys:
    private_folder(data_dir)
    marked = _marked(data_dir)
    if given:
        keys = _read(given, "MEDCORE_KEY")
    elif named:
        path = Path(named).expanduser()
        _check_closed(path)
        keys = _read(path.read_text(encoding="ascii", errors="replace"), str(path))
    else:
        path = data_dir / "keys" / "sealing.key"
        if marked is not None and (not path.exists() or path.stat().st_size < KEY_BYTES):
            raise _missing(marked)  # a new one would open nothing
        keys = _read(secret_key(path, make=lambda: _written((new_key(),))).decode("ascii", "replace"), str(path))
    if marked is None:
        mark(data_dir, keys)
    elif marked not in [_id(key).hex() for key in keys.keys]:
        raise _missing(marked)
    return keys


def _missing(number: str) -> SettingsError:
    return SettingsError(
        N_(
            "The key that the data of this installation are sealed under (number {number}) is not here. Put it back: in keys/sealing.key of the data folder, or where MEDCORE_KEY or MEDCORE_KEY_FILE says. Without it nobody can read them, and nothing was changed."
        ),
        number=number,
    )


def _marked(data_dir: Path) -> str | None:
    try:
        return str(json.loads((data_dir / MARK).read_text())["key"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        raise SettingsError(
            N_("The file {file} is damaged. Restore it from your backup, or delete it if the key is the right one."),
            file=str(data_dir / MARK),
        ) from None


def _check_closed(path: Path) -> None:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        raise SettingsError(
            N_("{name} is “{text}”; it must be a file that medcore may read."), name="MEDCORE_KEY_FILE", text=str(path)
        ) from error
    if mode & 0o077:
        raise SettingsError(
            N_("The key file {file} can be read by others (mode {mode}). Close it to them: chmod 600 {file}"),
            file=str(path),
            mode=f"{mode:o}",
        )


def _read(text: str, source: str) -> Keys:
    keys = []
    for word in text.replace(",", " ").split():
        try:
            keys.append(base64.b64decode(word, validate=True))
        except (ValueError, binascii.Error):
            keys.append(b"")
    if not keys or any(len(key) != KEY_BYTES for key in keys):
        raise SettingsError(
            N_(
                "{source} holds no key: a key is 32 bytes in base64, 44 letters, as “openssl rand -base64 32” writes it. Restore it from your backup."
            ),
            source=source,
        )
    return Keys(tuple(dict.fromkeys(keys)))


def _written(keys: tuple[bytes, ...]) -> bytes:
    return b"".join(base64.b64encode(key) + b"\n" for key in keys)


@lru_cache(maxsize=64)
def _id(key: bytes) -> bytes:
    return hmac.digest(key, b"medcore key number", "sha256")[:ID_BYTES]


def _seal(key: bytes, place: str, digest: str) -> str:
    return hmac.new(key, f"medcore seal\n{place}\n{digest}".encode(), hashlib.sha256).hexdigest()
