"""Keras models as the bytes of ``.keras`` files: many of one architecture take little longer than one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any
from zipfile import ZipFile

_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
"""Inside a ``.keras`` file: the architecture, and the arrays."""


def to_keras_file(model: Any) -> bytes:
    """Write a model as a ``.keras`` file that anyone can load."""
    from keras.src.saving.saving_lib import save_model  # the public one writes to a path only

    file = BytesIO()
    save_model(model, file)
    return file.getvalue()


def from_keras_files(files: Iterable[bytes]) -> Iterator[Any]:
    """Yield the model of each file, which is to be read before the next; a file with code in it is refused.

    A file of the same architecture as the one before, by its checksum, is the same
    model with other weights: to build one takes much longer than to read arrays.
    """
    from keras.src.saving.saving_lib import load_model, load_weights_only

    model, before = None, None
    for file in files:
        with ZipFile(BytesIO(file)) as parts:
            held = {part.filename: part for part in parts.infolist()}
            # An archive that unpacks to more than the last one is left to Keras, which refuses those that are meant to fill a disk.
            same = (sorted(held), held[_CONFIG].CRC, held[_CONFIG].file_size, held[_WEIGHTS].file_size)
            if same == before:
                load_weights_only(model, _Weights(parts.read(_WEIGHTS)))
            else:
                model, before = load_model(BytesIO(file), compile=False, safe_mode=True), same
        yield model


class _Weights(BytesIO):
    """Arrays in memory; Keras tells by its name what a file holds."""

    def __str__(self) -> str:
        return f"memory.{_WEIGHTS}"
