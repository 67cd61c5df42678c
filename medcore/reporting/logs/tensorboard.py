"""A run's progress as TensorBoard logs, written without TensorFlow or TensorBoard.

An event file is a TFRecord file: for each event its length, the masked CRC-32C of
the length, the event as a protocol buffer, and the masked CRC-32C of that.
Source: tensorflow/core/lib/io/record_writer.h and tensorflow/core/util/event.proto.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from medcore.models.contract.progress import Progress

MEASURES: Mapping[str, str] = {
    "loss": "loss/training",
    "val_loss": "loss/validation",
    "auroc": "auroc/training",
    "val_auroc": "auroc/validation",
}
_VERSION = b"brain.Event:2"
_POLYNOMIAL = 0x82F63B78  # Castagnoli's, reversed


def event_files(points: Sequence[Progress], started: datetime) -> dict[str, bytes]:
    """Return event files by their relative path: one folder for each model and stage that learned by epochs.

    TensorBoard shows a folder as one curve. A search is a folder of its own, a
    step a trial. Files hold no patient's value.
    """
    moment = started.timestamp()
    series: dict[str, list[tuple[float, int, str, float]]] = {}
    for point in points:
        for folder, step, tag, value in _scalars(point):
            series.setdefault(folder, []).append((moment + point.seconds, step, tag, value))
    return {
        f"{folder}/events.out.tfevents.{int(moment)}.medcore": _file(moment, rows) for folder, rows in series.items()
    }


def event_archive(points: Sequence[Progress], started: datetime) -> bytes:
    """Return the event files as one ZIP archive, to unpack and open with ``tensorboard --logdir``."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in sorted(event_files(points, started).items()):
            archive.writestr(zipfile.ZipInfo(path, started.timetuple()[:6]), data)
    return buffer.getvalue()


def write_events(points: Sequence[Progress], started: datetime, folder: Path) -> None:
    """Write the event files into a folder."""
    for path, data in event_files(points, started).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def _scalars(point: Progress) -> Iterator[tuple[str, int, str, float]]:
    if point.trial is not None and point.trial["loss"] is not None:
        yield "search", int(point.trial["number"]) + 1, f"log_loss/{point.trial['model']}", float(point.trial["loss"])
    if point.epoch > 0 and point.n_epochs > 0:
        for name, tag in MEASURES.items():
            value = getattr(point, name)
            if value is not None:
                yield f"{point.model}-{point.stage}", point.epoch, tag, float(value)


def _file(moment: float, rows: Sequence[tuple[float, int, str, float]]) -> bytes:
    header = _double(1, moment) + _bytes(3, _VERSION)
    events = [_event(*row) for row in rows]
    return b"".join(_record(event) for event in (header, *events))


def _event(moment: float, step: int, tag: str, value: float) -> bytes:
    scalar = _bytes(1, tag.encode()) + _key(2, 5) + struct.pack("<f", value)
    return _double(1, moment) + _key(2, 0) + _varint(step) + _bytes(5, _bytes(1, scalar))


def _record(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", _masked(length)) + data + struct.pack("<I", _masked(data))


def _double(field: int, value: float) -> bytes:
    return _key(field, 1) + struct.pack("<d", value)


def _bytes(field: int, value: bytes) -> bytes:
    return _key(field, 2) + _varint(len(value)) + value


def _key(field: int, wire_type: int) -> bytes:
    return _varint(field << 3 | wire_type)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _row(byte: int) -> int:
    for _bit in range(8):
        byte = byte >> 1 ^ (_POLYNOMIAL if byte & 1 else 0)
    return byte


_TABLE = tuple(_row(byte) for byte in range(256))


def crc32c(data: bytes) -> int:
    """Return the CRC-32C of bytes (RFC 3720, appendix B.4).

    >>> f"{crc32c(b'123456789'):x}"
    'e3069283'
    """
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def _masked(data: bytes) -> int:
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
