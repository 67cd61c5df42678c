"""A sealed file: AES-256-GCM in pieces, so that none can be changed, cut, reordered or put in another's place.

The form is the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár: Online authenticated
encryption and its nonce-reuse misuse-resistance, CRYPTO 2015): each piece is sealed under a key
of this file alone (HKDF, RFC 5869, from the installation's key and 16 random bytes), its nonce
counts the pieces and marks the last one, and what is authenticated besides is the head and the
place where the file belongs.
"""

from __future__ import annotations

import base64
import os
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING

from medcore.errors import NotFoundError
from medcore.i18n import N_
from medcore.sealing.keys import ID_BYTES, Keys

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC = b"\x93MEDCORE"
"""The first byte is none of a text's, and none of the formats that are kept here begins so."""
SALT_BYTES = 16
HEAD_BYTES = len(MAGIC) + ID_BYTES + SALT_BYTES
PIECE_BYTES = 1 << 20
TAG_BYTES = 16
NONCE_BYTES = 12
"""Random where a value is sealed: 2^32 values under one key are safe (NIST SP 800-38D, 8.3)."""


def is_sealed(data: bytes | memoryview) -> bool:
    """Whether a file is a sealed one; those of earlier versions were not."""
    return bytes(data[: len(MAGIC)]) == MAGIC


def sealed(data: bytes, keys: Keys, place: str) -> bytes:
    """Seal a file for the place where it belongs, such as ``runs/1/manifest.json``."""
    head = MAGIC + keys.newest_id + os.urandom(SALT_BYTES)
    cipher, view = _cipher(keys.newest, head), memoryview(data)
    whole = BytesIO(head)
    whole.seek(HEAD_BYTES)
    starts = range(0, max(1, len(view)), PIECE_BYTES)
    for number, start in enumerate(starts):
        nonce = _nonce(number, last=number == len(starts) - 1)
        whole.write(cipher.encrypt(nonce, view[start : start + PIECE_BYTES], head + place.encode()))
    return whole.getvalue()


def opened(data: bytes, keys: Keys, place: str) -> bytes:
    """Open a sealed file; one of an earlier version, which was not sealed, is returned as it is.

    Raises:
        NotFoundError: it was changed, cut or taken from another place, or its key is not here.

    """
    from cryptography.exceptions import InvalidTag

    if not is_sealed(data):
        return data
    view = memoryview(data)
    head = bytes(view[:HEAD_BYTES])
    cipher = _cipher(keys.of(head[len(MAGIC) : len(MAGIC) + ID_BYTES]), head)
    plain = BytesIO()
    starts = range(HEAD_BYTES, max(HEAD_BYTES + 1, len(view)), PIECE_BYTES + TAG_BYTES)
    try:
        for number, start in enumerate(starts):
            nonce = _nonce(number, last=number == len(starts) - 1)
            plain.write(cipher.decrypt(nonce, view[start : start + PIECE_BYTES + TAG_BYTES], head + place.encode()))
    except InvalidTag:
        raise NotFoundError(
            N_(
                "A file of this study was changed or damaged in the file store after it was kept, so it is not used. Restore it from a backup, or upload or train again."
            )
        ) from None
    return plain.getvalue()


def sealed_value(data: bytes, keys: Keys) -> str:
    """Seal something small, such as a name in a database, as text; the same value never looks the same twice."""
    nonce = os.urandom(NONCE_BYTES)
    return base64.b64encode(keys.newest_id + nonce + _value_cipher(keys.newest).encrypt(nonce, data, None)).decode()


def opened_value(text: str, keys: Keys) -> bytes:
    """Open what :func:`sealed_value` sealed.

    Raises:
        NotFoundError: it was changed, or its key is not here.

    """
    from cryptography.exceptions import InvalidTag

    try:
        data = base64.b64decode(text, validate=True)
        nonce, secret = data[ID_BYTES : ID_BYTES + NONCE_BYTES], data[ID_BYTES + NONCE_BYTES :]
        return _value_cipher(keys.of(data[:ID_BYTES])).decrypt(nonce, secret, None)
    except (InvalidTag, ValueError):
        raise NotFoundError(
            N_("An entry of the database was changed after it was kept, so it is not used. Restore it from a backup.")
        ) from None


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11) + bytes([last])


@lru_cache(maxsize=256)
def _cipher(key: bytes, head: bytes) -> AESGCM:
    return _derived(key, head[-SALT_BYTES:], b"medcore file")


@lru_cache(maxsize=8)
def _value_cipher(key: bytes) -> AESGCM:
    return _derived(key, b"", b"medcore value")


def _derived(key: bytes, salt: bytes, purpose: bytes) -> AESGCM:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return AESGCM(HKDF(hashes.SHA256(), 32, salt=salt, info=purpose).derive(key))
