import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medcore.data.attachments import Attachments
from medcore.data.privacy.attachments import check_attachments, screen_attachments
from medcore.data.reading import archive
from medcore.data.reading.files import open_cohort
from medcore.data.reading.table import read_table
from medcore.errors import InputError, NotFoundError, UnreadableFileError

PATIENTS = "patient;age;ill\n" + "".join(f"P{n:03};{40 + n};{n % 2}\n" for n in range(30))
VISITS = "patient;day;pressure\n" + "".join(f"P{n:03};{day};{120 + day}\n" for n in range(30) for day in (1, 2, 3))
TABLE, LONG = ("patients.csv", PATIENTS.encode()), ("visits.csv", VISITS.encode())
PICTURE = b"\x89PNG\r\n\x1a\n\0\0" + bytes(range(256))


def packed(files: dict[str, bytes], *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive_:
        for name, data in files.items():
            archive_.writestr(name, data)
    return out.getvalue()


NOTES = {f"notes/P{n:03}.txt": f"Patient {n} slept well and eats again.".encode() for n in range(30)}


def test_one_table_alone_keeps_its_identity():
    alone = open_cohort([TABLE])
    assert alone.sha256 == read_table(TABLE).sha256 == open_cohort(TABLE).sha256
    assert len(alone.attachments) == 0
    zipped = ("patients.zip", packed({"patients.csv": TABLE[1]}))
    assert open_cohort([zipped]).sha256 == read_table(zipped).sha256


def test_notes_in_an_archive_lie_beside_the_table():
    cohort = open_cohort([TABLE, ("notes.zip", packed(NOTES))])
    assert cohort.name == "patients.csv"
    assert cohort.n_rows == 30
    assert len(cohort.attachments) == 30
    assert cohort.attachments.read("notes/P003.txt") == NOTES["notes/P003.txt"]
    assert cohort.attachments.n_bytes == sum(map(len, NOTES.values()))
    with pytest.raises(NotFoundError):
        cohort.attachments.read("notes/P999.txt")


def test_table_and_notes_may_come_in_one_archive():
    whole = packed({"patients.csv": TABLE[1], **NOTES, "__MACOSX/._x": b"x", ".hidden": b"x"})
    cohort = open_cohort(("study.zip", whole))
    assert cohort.n_rows == 30
    assert len(cohort.attachments) == 30


@pytest.mark.parametrize("files", [[TABLE, LONG], [LONG, TABLE]])
def test_the_table_with_one_row_a_patient_is_the_patients(files):
    cohort = open_cohort(files)
    assert cohort.name == "patients.csv"
    assert [f.name for f in cohort.attachments.files] == ["visits.csv"]


def test_two_tables_of_patients_are_not_guessed_between():
    other = ("others.csv", PATIENTS.replace(";age;", ";years;").replace("P", "Q").encode())
    with pytest.raises(InputError, match="It is not clear which of the 2 tables"):
        open_cohort([TABLE, other])
    assert open_cohort([TABLE, other], table="others.csv").schema.names[1] == "years"
    with pytest.raises(InputError, match="None of the 2 files has the name"):
        open_cohort([TABLE, other], table="missing.csv")


def test_without_a_table_it_says_so():
    with pytest.raises(InputError, match="None of the 2 files is a table"):
        open_cohort([("a.png", PICTURE), ("b.png", PICTURE)])
    with pytest.raises(InputError, match="Two files have the same name"):
        open_cohort([TABLE, TABLE])


@given(st.permutations(["a.txt", "b.txt", "c.txt"]), st.binary(max_size=8))
def test_identity_depends_on_names_and_contents_and_not_on_the_order(names, data):
    files = {name: name.encode() for name in names}
    first = Attachments.of(list(files.items()))
    assert first.identity("0" * 64) == Attachments.of(sorted(files.items())).identity("0" * 64)
    changed = Attachments.of([*((n, d) for n, d in files.items() if n != "a.txt"), ("a.txt", b"other" + data)])
    assert changed.identity("0" * 64) != first.identity("0" * 64)
    renamed = Attachments.of([*((n, d) for n, d in files.items() if n != "a.txt"), ("d.txt", files["a.txt"])])
    assert renamed.identity("0" * 64) != first.identity("0" * 64)
    assert first.identity("1" * 64) != first.identity("0" * 64)
    assert Attachments().identity("0" * 64) == "0" * 64
    assert "a.txt" not in repr(first)


@pytest.mark.parametrize(
    "name", ["../P001.txt", "/etc/P001.txt", "C:\\notes\\P001.txt", "a/../../P001.txt", "..\\x.txt"]
)
def test_a_name_that_leads_out_is_refused_and_not_repeated(name):
    with pytest.raises(UnreadableFileError, match="leads out of it") as caught:
        open_cohort([TABLE, ("notes.zip", packed({name: b"text"}))])
    assert "P001" not in str(caught.value)


@pytest.mark.parametrize("inner", ["more.zip", "more.bin", "more.tar.gz"])
def test_an_archive_in_an_archive_is_refused(inner):
    with pytest.raises(UnreadableFileError, match="only one level"):
        open_cohort([TABLE, ("notes.zip", packed({inner: packed({"a.txt": b"a"})}))])


def test_a_bomb_is_refused_before_it_is_unpacked():
    bomb = packed({"zeros.txt": bytes(4 << 20)})
    assert len(bomb) < 10_000
    with pytest.raises(UnreadableFileError, match="more than 200 times its size"):
        open_cohort([TABLE, ("notes.zip", bomb)])


def test_a_size_that_is_not_as_stated_is_a_damaged_archive():
    data = bytearray(packed({"a.txt": b"x" * 1000}, compression=zipfile.ZIP_STORED))
    at = data.rindex(b"PK\x01\x02") + 24
    data[at : at + 4] = (10).to_bytes(4, "little")
    with pytest.raises(UnreadableFileError, match="damaged"):
        open_cohort([TABLE, ("notes.zip", bytes(data))])


@pytest.mark.parametrize(
    ("limit", "value", "message"),
    [
        ("MAX_FILES", 20, "holds 30 files; at most 20"),
        ("MAX_TOTAL", 100, "grows beyond"),
        ("MAX_FILE", 10, "holds a file of more than"),
    ],
)
def test_what_is_too_large_is_refused_by_the_limit(monkeypatch, limit, value, message):
    monkeypatch.setattr(archive, limit, value)
    with pytest.raises(UnreadableFileError, match=message):
        open_cohort([TABLE, ("notes.zip", packed(NOTES))])


def test_an_encrypted_archive_and_a_link_are_refused():
    data = bytearray(packed({"a.txt": b"text"}, compression=zipfile.ZIP_STORED))
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(UnreadableFileError, match="protected by a password"):
        open_cohort([TABLE, ("notes.zip", bytes(data))])
    link = zipfile.ZipInfo("a.txt")
    link.external_attr = 0o120777 << 16
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr(link, "/etc/passwd")
    with pytest.raises(UnreadableFileError, match="link in place of a file"):
        open_cohort([TABLE, ("notes.zip", out.getvalue())])


@pytest.mark.parametrize(
    ("file", "code"),
    [
        (("a.txt", b"Please write to jane.doe@example.org about the dose."), "privacy.attached_email"),
        (("a.txt", "联系电话 13812345678 复查".encode("gb18030")), "privacy.attached_phone"),
        (("a.txt", "身份证 11010519491231002X 入院".encode("utf-16")), "privacy.attached_national_id"),
        (("scan_13812345678.png", PICTURE), "privacy.attached_phone"),
        (
            ("more.csv", b"email;value\n" + b"".join(b"p%d@example.org;%d\n" % (n, n) for n in range(9))),
            "privacy.email",
        ),
        (("scan.png", PICTURE), "privacy.attached_unread"),
    ],
)
def test_identifiers_are_found_in_names_texts_and_tables_and_never_shown(file, code):
    found = screen_attachments(Attachments.of([file]))
    assert code in [finding.code for finding in found]
    said = " ".join(str(value) for finding in found for value in finding.to_dict().values())
    assert not any(secret in said for secret in ("jane", "138123", "1101051949", "p1@"))


def test_harmless_notes_are_kept_and_an_address_is_refused():
    check_attachments(Attachments.of(list(NOTES.items())))
    with pytest.raises(InputError, match="e-mail") as caught:
        check_attachments(Attachments.of([("a.txt", b"jane.doe@example.org")]))
    assert "jane" not in str(caught.value)
