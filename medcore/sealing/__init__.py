"""Patients' data at rest: sealed with AES-GCM under a key of the installation's own.

``keys`` is where the key comes from, ``cipher`` what a sealed file is, ``folder`` a folder
of sealed files that the rooms above read and write like any other. Knows no table and no model.
"""

from medcore.sealing.cipher import is_sealed, opened, opened_value, sealed, sealed_value
from medcore.sealing.folder import (
    Folder,
    SealedFolder,
    as_folder,
    copy_folder,
    get_array,
    get_arrays,
    names_in,
    packed_arrays,
    put,
    put_array,
    put_arrays,
    unpacked_arrays,
)
from medcore.sealing.keys import Keys, keys_of

__all__ = [
    "Folder",
    "Keys",
    "SealedFolder",
    "as_folder",
    "copy_folder",
    "get_array",
    "get_arrays",
    "is_sealed",
    "keys_of",
    "names_in",
    "opened",
    "opened_value",
    "packed_arrays",
    "put",
    "put_array",
    "put_arrays",
    "sealed",
    "sealed_value",
    "unpacked_arrays",
]
