"""Sealed files and folders, and the keys they are sealed under."""

import base64
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medcore.errors import NotFoundError, SettingsError
from medcore.sealing import (
    Keys,
    SealedFolder,
    copy_folder,
    get_arrays,
    is_sealed,
    keys_of,
    names_in,
    opened,
    opened_value,
    put,
    put_arrays,
    sealed,
    sealed_value,
)
from medcore.sealing.arrays import array_of
from medcore.sealing.cipher import HEAD_BYTES, PIECE_BYTES, TAG_BYTES
from medcore.sealing.keys import forget_keys

KEYS = Keys((bytes(range(32)),))
OTHER = Keys((bytes(range(1, 33)),))
PATIENT = b"Zhelyazkova,71,yes\n"


@pytest.mark.parametrize("n", [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES])
def test_what_is_sealed_is_opened_again_and_cannot_be_read_on_the_way(n: int) -> None:
    data = (PATIENT * (n // len(PATIENT) + 1))[:n]
    kept = sealed(data, KEYS, "a/b")
    assert is_sealed(kept) and PATIENT not in kept
    assert opened(kept, KEYS, "a/b") == data
    assert sealed(data, KEYS, "a/b") != kept


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, 200), bit=st.integers(0, 7))
def test_no_bit_of_a_sealed_file_can_be_changed(place: int, bit: int) -> None:
    kept = bytearray(sealed(PATIENT * 8, KEYS, "a"))
    kept[place % len(kept)] ^= 1 << bit
    if is_sealed(kept):
        with pytest.raises(NotFoundError):
            opened(bytes(kept), KEYS, "a")


def test_pieces_can_neither_be_cut_off_nor_swapped_nor_added() -> None:
    kept = sealed(PATIENT * (3 * PIECE_BYTES // len(PATIENT)), KEYS, "a")
    piece = PIECE_BYTES + TAG_BYTES
    head, first, second, rest = kept[:HEAD_BYTES], *(kept[HEAD_BYTES + i * piece :][:piece] for i in (0, 1, 2))
    for other in (head, head + first, head + first + second, head + second + first + rest, kept + rest, kept[:-1]):
        with pytest.raises(NotFoundError, match="changed or damaged"):
            opened(other, KEYS, "a")


def test_a_file_does_not_open_in_another_ones_place_nor_under_another_key() -> None:
    kept = sealed(PATIENT, KEYS, "ann/1")
    with pytest.raises(NotFoundError, match="changed or damaged"):
        opened(kept, KEYS, "bob/1")
    with pytest.raises(NotFoundError, match=f"number {KEYS.newest_id.hex()}"):
        opened(kept, OTHER, "ann/1")


def test_after_a_change_of_keys_the_newest_seals_and_the_older_still_opens() -> None:
    both = Keys((*OTHER.keys, *KEYS.keys))
    assert opened(sealed(PATIENT, KEYS, "a"), both, "a") == PATIENT
    assert opened(sealed(PATIENT, both, "a"), OTHER, "a") == PATIENT
    assert both.confirms(KEYS.seal_of("a", "0" * 64), "a", "0" * 64)


def test_a_keyed_seal_holds_for_its_place_and_its_key_alone() -> None:
    seal = KEYS.seal_of("a", "0" * 64)
    assert KEYS.confirms(seal, "a", "0" * 64)
    assert not any((KEYS.confirms(seal, "b", "0" * 64), KEYS.confirms(seal, "a", "1" * 64)))
    assert not any((OTHER.confirms(seal, "a", "0" * 64), KEYS.confirms(None, "a", "0" * 64)))


def test_a_value_of_the_database_is_sealed_and_never_looks_the_same_twice() -> None:
    kept = sealed_value(PATIENT, KEYS)
    assert opened_value(kept, KEYS) == PATIENT
    assert sealed_value(PATIENT, KEYS) != kept
    with pytest.raises(NotFoundError, match="changed after it was kept"):
        opened_value(kept[:-4] + "AAA=", KEYS)


def test_a_file_of_an_earlier_version_is_read_as_it_is() -> None:
    assert opened(PATIENT, KEYS, "a") == PATIENT


def test_a_sealed_folder_is_read_and_written_like_any_other(tmp_path: Path) -> None:
    plain, folder = tmp_path / "plain", SealedFolder(tmp_path / "sealed", "runs/1", KEYS)
    put(plain / "deep" / "a.txt", PATIENT)
    put_arrays(plain / "b.npz", {"x": np.arange(3.0)})
    copy_folder(plain, folder)
    assert names_in(folder) == names_in(plain) == ("b.npz", "deep/a.txt")
    assert (folder / "deep" / "a.txt").read_bytes() == PATIENT
    assert get_arrays(folder / "b.npz")["x"].tolist() == [0.0, 1.0, 2.0]
    assert all(is_sealed(path.read_bytes()) for path in folder.path.rglob("*") if path.is_file())
    (folder.path / "deep" / "a.txt").rename(folder.path / "c.txt")
    with pytest.raises(NotFoundError):
        (folder / "c.txt").read_bytes()


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("MEDCORE_KEY", "MEDCORE_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    forget_keys()
    return tmp_path / "data"


def text(key: bytes) -> str:
    return base64.b64encode(key).decode()


def test_a_key_is_made_once_and_closed_to_others(data: Path) -> None:
    made = keys_of(data)
    forget_keys()
    assert keys_of(data) == made
    path = data / "keys" / "sealing.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(base64.b64decode(path.read_text())) == 32
    assert repr(made) == "Keys()"


def test_a_key_of_the_environment_is_used_and_written_nowhere(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDCORE_KEY", text(KEYS.newest))
    assert keys_of(data) == KEYS
    kept = b"".join(p.read_bytes() for p in data.rglob("*") if p.is_file())
    assert KEYS.newest not in kept and text(KEYS.newest).encode() not in kept
    monkeypatch.setenv("MEDCORE_KEY", f"{text(OTHER.newest)}, {text(KEYS.newest)}")
    assert keys_of(data).keys == (*OTHER.keys, *KEYS.keys)


def test_a_key_file_must_be_closed_to_others(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "key"
    file.write_text(text(KEYS.newest) + "\n")
    monkeypatch.setenv("MEDCORE_KEY_FILE", str(file))
    file.chmod(0o640)
    with pytest.raises(SettingsError, match=r"mode 640.*chmod 600"):
        keys_of(data)
    file.chmod(0o600)
    assert keys_of(data) == KEYS
    file.unlink()
    forget_keys()
    with pytest.raises(SettingsError, match="MEDCORE_KEY_FILE"):
        keys_of(data)


@pytest.mark.parametrize("lost", ["gone", "empty", "another", "in the environment"])
def test_another_key_than_the_one_the_data_are_sealed_under_is_refused_and_none_is_made(
    data: Path, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    number = keys_of(data).newest_id.hex()
    path = data / "keys" / "sealing.key"
    kept = path.read_bytes()
    path.unlink()
    if lost == "another":
        path.write_text(text(OTHER.newest))
    elif lost == "empty":
        path.touch()
    elif lost == "in the environment":
        monkeypatch.setenv("MEDCORE_KEY", text(OTHER.newest))
    forget_keys()
    with pytest.raises(SettingsError, match=f"number {number}.*is not here"):
        keys_of(data)
    assert path.exists() == (lost in {"another", "empty"})
    monkeypatch.delenv("MEDCORE_KEY", raising=False)
    path.write_bytes(kept)
    assert keys_of(data).newest_id.hex() == number


@pytest.mark.parametrize(
    "words",
    ["short", text(bytes(range(31))), text(bytes(range(32)))[:-2], "¿?" * 22],
    ids=["short", "31", "cut", "odd"],
)
def test_what_is_no_key_is_refused_without_repeating_it(
    data: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    monkeypatch.setenv("MEDCORE_KEY", words)
    with pytest.raises(SettingsError, match="MEDCORE_KEY holds no key") as raised:
        keys_of(data)
    assert words not in str(raised.value)


ARRAYS = (
    np.zeros((3, 4)),
    np.asfortranarray(np.arange(12.0).reshape(3, 4)),
    np.array(5.0),
    np.zeros((0, 3)),
    np.array(["a", "慢性"]),
    np.array([True, False]),
    np.arange(5, dtype=">i4"),
    np.array(["2020-01-01"], dtype="datetime64[D]"),
    np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),  # a header of another form: left to NumPy
)


@pytest.mark.parametrize("array", ARRAYS, ids=[str(a.dtype) + str(a.shape) for a in ARRAYS])
def test_an_array_is_read_as_numpy_reads_it_and_a_cut_one_is_refused(array: np.ndarray) -> None:
    written = BytesIO()
    np.save(written, array)
    data = written.getvalue()
    read = array_of(data)
    assert read.dtype == array.dtype
    assert read.flags.f_contiguous == np.load(BytesIO(data)).flags.f_contiguous
    assert read.flags.writeable
    np.testing.assert_array_equal(read, array)
    for cut in (0, 5, 9, 20, len(data) - 1):
        with pytest.raises((ValueError, EOFError)):
            array_of(data[: cut if array.size else min(cut, 20)])


def test_a_pickled_object_is_never_read() -> None:
    written = BytesIO()
    np.save(written, np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle"):
        array_of(written.getvalue())


def test_arrays_are_read_without_pythons_parser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 3.11 counts its depth for all threads together: a library that starts beside us would end the reading."""
    put_arrays(tmp_path / "a.npz", {f"a{k}": np.zeros((3, k + 1)) for k in range(5)})
    monkeypatch.setattr("ast.parse", lambda *_args, **_named: pytest.fail("the parser was asked"))
    assert [a.shape for a in get_arrays(tmp_path / "a.npz").values()] == [(3, k + 1) for k in range(5)]
