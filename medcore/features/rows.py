"""Rows: what models, explanations and files pass about; one code a column, with contents beside them where needed.

A number or a category is its code. Contents that no number holds (a note, a picture,
a pair of numbers) lie beside the codes in a :class:`Payload`, once each, and the code
is their key: a number made from the SHA-256 of the content, so that the same content
has the same code in every table, and rows of two patients are mixed by their codes alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.sealing import Folder, get_array, get_arrays, put_array, put_arrays

Codes = NDArray[np.float64]
Contents = NDArray[Any]

UNSEEN = -1.0
"""The code of a category that is not in the code book."""
_KEY_BITS = 52
"""A float64 holds every whole number of so many bits exactly."""

_NO_OBJECTS = "a payload takes as many contents as keys, as an array of numbers or of text (dtype U or S)"


def content_key(content: bytes) -> float:
    """Return the code of a content: the first 52 bits of its SHA-256, a whole number that a float64 holds exactly."""
    return float(int.from_bytes(hashlib.sha256(content).digest()[:7], "big") >> (56 - _KEY_BITS))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Payload:
    """The distinct contents of one column: ``contents[i]``, of shape ``(k, …)``, belongs to the code ``keys[i]``.

    Keys ascend. Contents are numbers or text of a fixed width, never Python objects,
    so that they are kept without pickle.
    """

    keys: Codes
    contents: Contents

    def __post_init__(self) -> None:
        if self.contents.dtype.hasobject or len(self.keys) != len(self.contents):
            raise ValueError(
                "a payload takes as many contents as keys, as an array of numbers or of text (dtype U or S)"
            )

    @classmethod
    def of(cls, contents: Contents, known: NDArray[np.bool_] | None = None) -> tuple[Codes, Payload]:
        """Give every content of a column ``(n, …)`` its code ``(n,)``; where ``known`` is false the code is NaN."""
        known = np.ones(len(contents), dtype=bool) if known is None else known
        contents = np.ascontiguousarray(contents)
        if contents.dtype.hasobject:
            raise ValueError(_NO_OBJECTS)
        codes = np.full(len(contents), np.nan)
        codes[known] = [content_key(content.tobytes()) for content in contents[known]]
        return codes, cls._distinct(codes[known], contents[known])

    @classmethod
    def _distinct(cls, keys: Codes, contents: Contents) -> Payload:
        distinct, first, index = np.unique(keys, return_index=True, return_inverse=True)
        if not np.array_equal(contents[first][index], contents, equal_nan=contents.dtype.kind == "f"):
            raise ValueError("two different contents of one column have the same key")
        return cls(distinct, contents[first])

    def at(self, codes: Codes) -> Contents:
        """Return the contents ``(n, …)`` of codes ``(n,)`` that are all keys of this payload."""
        places = np.searchsorted(self.keys, codes)
        if len(codes) and (not len(self.keys) or (self.keys[np.minimum(places, len(self.keys) - 1)] != codes).any()):
            raise ValueError("a code has no content here: the rows were parted from their payload")
        return np.asarray(self.contents[places])

    def union(self, other: Payload) -> Payload:
        """Return the contents of both."""
        if other is self:
            return self
        keys, contents = (np.concatenate(pair) for pair in ((self.keys, other.keys), (self.contents, other.contents)))
        return self._distinct(keys, contents)

    def only(self, codes: Codes) -> Payload:
        """Return the contents that occur among some codes, and no others."""
        used = np.isin(self.keys, codes)
        return Payload(self.keys[used], self.contents[used])


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CodedColumn:
    """One column of some rows: codes ``(n,)``, NaN where missing, with the contents they stand for, if any."""

    codes: Codes
    payload: Payload | None = None

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: Any) -> CodedColumn:
        """Return the column of some rows (a mask, places or a slice)."""
        return CodedColumn(self.codes[rows], self.payload)

    def contents(self) -> Contents:
        """Return the contents ``(n, …)``; every code must have one."""
        if self.payload is None:
            raise ValueError("the codes of this column are its values: it has no contents")
        return self.payload.at(self.codes)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Rows:
    """Patients as models read them: ``codes`` of shape ``(n, P)``, and ``payloads`` of the columns that have any.

    With numbers and categories only there are no payloads, and this is the array of
    codes and nothing else. Whoever keeps codes as an array writes them back with
    :meth:`with_codes`.
    """

    codes: Codes
    payloads: Mapping[int, Payload] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Any) -> Rows:
        """Take rows as they are, and an array of codes ``(n, P)``, or ``(P,)`` of one patient, as rows without payloads."""
        if isinstance(rows, Rows):
            return rows
        codes = np.ascontiguousarray(rows, dtype=np.float64)
        return cls(codes[None] if codes.ndim == 1 else codes)

    @classmethod
    def from_columns(cls, columns: Sequence[CodedColumn], n: int) -> Rows:
        """Put columns of ``n`` rows side by side."""
        codes = np.empty((n, len(columns)), dtype=np.float64, order="F")
        for place, column in enumerate(columns):
            codes[:, place] = column.codes
        payloads = {place: c.payload for place, c in enumerate(columns) if c.payload is not None}
        return cls(np.ascontiguousarray(codes), payloads)

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of columns."""
        return self.codes.shape[0], self.codes.shape[1]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Codes:
        """Return the codes, for what needs no payload."""
        return np.array(self.codes, dtype=dtype, copy=copy)

    def column(self, place: int) -> CodedColumn:
        """Return one column with its contents."""
        return CodedColumn(self.codes[:, place], self.payloads.get(place))

    def columns(self, places: NDArray[np.intp]) -> Rows:
        """Return some columns (n, Q)."""
        payloads = {i: self.payloads[int(p)] for i, p in enumerate(places) if int(p) in self.payloads}
        whole = len(places) == self.codes.shape[1]
        return Rows(self.codes if whole else self.codes[:, places], payloads)

    def take(self, rows: Any) -> Rows:
        """Return some rows (a mask, places or a slice), always as a table ``(n, P)``; a number is one row."""
        chosen: Any = [rows] if isinstance(rows, (int, np.integer)) else rows
        return Rows(self.codes[chosen], self.payloads)

    def with_codes(self, codes: Codes) -> Rows:
        """Return other codes ``(n, P)``, made of these rows' own, with the same payloads."""
        return Rows(codes, self.payloads)

    def with_column(self, place: int, column: CodedColumn) -> Rows:
        """Return the rows with another column in one place; one value is given to every row."""
        codes = self.codes.copy()
        codes[:, place] = column.codes
        return Rows(codes, _union(self.payloads, {} if column.payload is None else {place: column.payload}))

    def without(self, places: NDArray[np.intp]) -> Rows:
        """Return the rows with nothing in some columns."""
        if not len(places):
            return self
        codes = self.codes.copy()
        codes[:, places] = np.nan
        return Rows(codes, {p: payload for p, payload in self.payloads.items() if p not in places})

    def knowing(self, *others: Rows) -> Rows:
        """Return these rows with the contents of others at hand, so that codes of all may be mixed."""
        return Rows(self.codes, reduce(_union, (other.payloads for other in others), self.payloads))

    def mix(self, present: NDArray[np.bool_], other: Rows) -> Rows:
        """Return rows that take the columns ``present`` (n, P) from these rows and all others from ``other``.

        Either side may be one row, which then goes with every row of the other.
        """
        return Rows(np.where(present, self.codes, other.codes), _union(self.payloads, other.payloads))

    def differs(self, other: Rows) -> NDArray[np.bool_]:
        """Say where rows differ (n, P); missing is the same as missing. Either side may be one row."""
        return different(self.codes, other.codes)

    def compact(self) -> Rows:
        """Return the rows with the contents that occur in them and no others: what may be kept in a file."""
        payloads = {place: payload.only(self.codes[:, place]) for place, payload in self.payloads.items()}
        return Rows(np.ascontiguousarray(self.codes), payloads)

    def payload_arrays(self) -> dict[str, Any]:
        """Return the contents as arrays by name, which :meth:`with_payload_arrays` reads; none where there are none."""
        keys = {f"keys_{place}": p.keys for place, p in self.payloads.items()}
        return keys | {f"contents_{place}": p.contents for place, p in self.payloads.items()}

    @classmethod
    def with_payload_arrays(cls, codes: Codes, arrays: Mapping[str, Any]) -> Rows:
        """Return codes ``(n, P)`` with the contents that :meth:`payload_arrays` returned; other arrays are left alone."""
        places = sorted(int(key.removeprefix("keys_")) for key in arrays if key.startswith("keys_"))
        return cls(codes, {p: Payload(arrays[f"keys_{p}"], arrays[f"contents_{p}"]) for p in places})

    def save(self, folder: Folder, name: str) -> None:
        """Write ``name.npy``, and ``name.payloads.npz`` where there are payloads; without pickle."""
        rows = self.compact()
        put_array(folder / f"{name}.npy", rows.codes)
        if rows.payloads:
            put_arrays(folder / f"{name}.payloads.npz", rows.payload_arrays())

    @classmethod
    def load(cls, folder: Folder, name: str) -> Rows:
        """Read what :meth:`save` wrote."""
        codes = get_array(folder / f"{name}.npy")
        path = folder / f"{name}.payloads.npz"
        return cls.with_payload_arrays(codes, get_arrays(path) if path.is_file() else {})


AnyRows = Rows | Codes
"""Rows, or the array of codes of rows that have no payloads: :meth:`Rows.of` takes either."""


def stack(rows: Sequence[Rows]) -> Rows:
    """Put rows of the same columns under one another."""
    return rows[0].knowing(*rows[1:]).with_codes(np.vstack([one.codes for one in rows]))


def different(a: Codes, b: Codes) -> NDArray[np.bool_]:
    """Say where codes differ; missing is the same as missing."""
    return np.asarray((a != b) & ~(np.isnan(a) & np.isnan(b)))


def _union(a: Mapping[int, Payload], b: Mapping[int, Payload]) -> Mapping[int, Payload]:
    if not a or not b:
        return a or b
    return {**a, **{place: payload.union(a[place]) if place in a else payload for place, payload in b.items()}}
