import hashlib
import hmac
import json

import numpy as np
import pandas as pd
import pytest

from medcore.data.cohort import Cohort
from medcore.data.privacy import Decision, installation_key, protect, pseudonymise, screen
from medcore.data.privacy.numbers import is_chinese_id
from medcore.data.schema.inference import infer_schema
from medcore.errors import MissingColumnsError, SettingsError

N = 60
KEY = b"sixteen bytes or more"
ENDINGS = ("er", "ova", "ski", "en", "ez", "son", "mann", "ini", "ard", "ich", "u", "i")
RNG = np.random.default_rng(0)


def chinese_id(i):
    body = f"110105{1940 + i % 60}{1 + i % 12:02d}{1 + i % 28:02d}{i % 1000:03d}"
    return next(body + c for c in "0123456789X" if is_chinese_id(body + c))


COLUMNS = {
    "national_id": ("编号甲", [chinese_id(i) for i in range(N)]),
    "phone": ("备用", [f"13{i:09d}" for i in range(N)]),
    "email": ("contact_a", [f"p{i}@ward.example.org" for i in range(N)]),
    "social_security_number": ("nr", [f"{100 + i}-{10 + i % 80}-{1000 + i}" for i in range(N)]),
    "name": ("patient_name", [f"Ann{i}" for i in range(N)]),
    "medical_record_number": ("住院号", [str(900000 + i) for i in range(N)]),
    "health_plan_number": ("医保号", [f"YB{i}" for i in range(N)]),
    "address": ("place", [f"浙江省杭州市西湖区文三路{i}号" for i in range(N)]),
    "ip_address": ("source", [f"10.0.{i}.{i + 1}" for i in range(N)]),
    "url": ("link", [f"https://x.example.org/{i}" for i in range(N)]),
    "vehicle": ("code17", ["1M8GDM9AXKP042788"] * N),
    "plate": ("plate", [f"京A{10000 + i}" for i in range(N)]),
    "device": ("pump", [f"00:1A:2B:3C:4D:{i:02X}" for i in range(N)]),
    "account_number": ("bank card number", ["4111111111111111"] * N),
    "birth_date": ("date_of_birth", pd.date_range("1950-01-01", periods=N).strftime("%Y-%m-%d").tolist()),
    "photo": ("picture", [f"face{i}.jpg" for i in range(N)]),
}


def table(**columns):
    frame = pd.DataFrame({"age": RNG.integers(20, 80, N).astype(str), **columns}, dtype="str")
    return frame, infer_schema(frame)


@pytest.mark.parametrize("code", COLUMNS)
def test_direct_identifiers_are_errors(code):
    name, values = COLUMNS[code]
    found = [f for f in screen(*table(**{name: values})) if f.severity == "error"]
    assert [(f.code, f.columns) for f in found] == [(f"privacy.{code}", (name,))]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("who", ["Mary Smith", "John Q. Public", "Ada Lovelace"] * (N // 3)),
        ("医生", ["王小明", "李雷", "张晓红"] * (N // 3)),
        ("name", [f"{a}{b}" for a in ("Mill", "Schmid", "Kowal", "O'Bri", "Zhelyaz") for b in ENDINGS]),
        ("Name", [f"{a}{b}".upper() for a in ("Mill", "Schmid", "Kowal", "Zhelyaz", "Ander") for b in ENDINGS]),
        ("patient", [f"van der {a}{b}" for a in ("Mill", "Schmid", "Kowal", "Berg", "Zhelyaz") for b in ENDINGS]),
        ("患者", [f"{a}{b}" for a in "王李张刘陈杨" for b in "伟芳娜敏静丽强磊军洋"]),
        ("surname", ["Miller", "Smith"] * (N // 2)),
    ],
)
def test_names_of_people_are_found_under_vague_headings(name, values):
    assert "privacy.name" in [f.code for f in screen(*table(**{name: values}))]


@pytest.mark.parametrize(
    ("note", "code"),
    [
        ("seen today, call 13812345678 for the result", "privacy.phone"),
        ("letter to john.doe@example.org was sent out", "privacy.email"),
        (f"病人自述头痛，身份证 {chinese_id(7)} 已核对", "privacy.national_id"),
        ("Mrs. Robinson was seen in the clinic again", "privacy.name"),
    ],
)
def test_identifiers_inside_free_text_are_found(note, code):
    notes = [f"unremarkable course on day {i}, discharged well" for i in range(N - 1)] + [note]
    found = screen(*table(remarks=notes))
    assert (code, 1) in [(f.code, f.n_rows) for f in found]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("platelets", [str(v) for v in RNG.integers(100, 400, N)]),
        ("diagnosis_name", ["Heart failure", "Atrial fibrillation", "Sepsis"] * (N // 3)),
        ("specialty", ["Internal Medicine", "Family Practice", "Surgery"] * (N // 3)),
        ("sample_18_digits", [f"99010519{i:010d}" for i in range(N)]),
        ("version", [f"1.{i}.3" for i in range(N)]),
        ("bnp", [f"{v:.4f}" for v in RNG.gamma(2, 200, N)]),
        ("性别", ["男", "女"] * (N // 2)),
        ("name", ["Metformin", "Aspirin", "Insulin Glargine"] * (N // 3)),
        ("patient", ["Inpatient", "Outpatient"] * (N // 2)),
        ("case", [f"C{i}" for i in range(N)]),
    ],
)
def test_clinical_values_are_no_identifiers(name, values):
    assert [f for f in screen(*table(**{name: values})) if f.severity == "error"] == []


def test_ages_over_89_are_noticed_and_can_be_made_90():
    frame, schema = table(年龄=["91", "95", *["50"] * (N - 2)])
    found = next(f for f in screen(frame, schema) if f.code == "privacy.old_age")
    assert found.n_rows == 2
    cohort = Cohort(frame=frame, schema=schema, sha256="0" * 64, name="x.csv")
    capped = protect(cohort, [Decision(column="年龄", action="age_90")])
    assert capped.frame["年龄"].tolist()[:3] == ["90", "90", "50"]


def test_no_finding_shows_a_value():
    frame, schema = table(**dict(COLUMNS.values()))
    text = json.dumps([f.to_dict() for f in screen(frame, schema)], ensure_ascii=False)
    for _name, values in COLUMNS.values():
        assert values[0] not in text


def test_a_pseudonym_is_the_start_of_a_keyed_hash_and_keeps_equals_equal():
    values = pd.Series(["P1", " P1", "P2", None], dtype="str")
    new = pseudonymise(values, KEY)
    assert new[0] == hmac.new(KEY, b"P1", hashlib.sha256).hexdigest()[:16]
    assert new[0] == new[1] != new[2]
    assert pd.isna(new[3])
    assert new[0] != pseudonymise(values, KEY[::-1])[0]
    with pytest.raises(SettingsError, match="too short"):
        pseudonymise(values, b"short")


def test_decisions_are_carried_out_under_a_new_identity():
    frame, _ = table(patient_name=[f"Ann{i}" for i in range(N)], mrn=[str(90000 + i // 2) for i in range(N)])
    frame["admission_date"] = pd.date_range("2019-11-01", periods=N, freq="9D").strftime("%Y-%m-%d")
    schema = infer_schema(frame).change("mrn", role="group")
    cohort = Cohort(frame=frame, schema=schema, sha256="0" * 64, name="x.csv")
    done = protect(
        cohort,
        [
            Decision(column="patient_name", action="drop"),
            Decision(column="mrn", action="pseudonymise"),
            Decision(column="admission_date", action="years"),
        ],
        key=KEY,
    )
    assert list(done.frame.columns) == ["age", "mrn", "admission_date"] == list(done.schema.names)
    assert done.frame["mrn"].nunique() == N // 2
    assert done.schema["mrn"].role == "group"
    assert set(done.frame["admission_date"]) == {"2019", "2020", "2021"}
    assert done.sha256 != cohort.sha256
    assert "Ann0" in cohort.frame["patient_name"].tolist()


def test_keeping_an_identifier_needs_a_reason():
    with pytest.raises(SettingsError, match="needs a reason"):
        Decision(column="mrn", action="keep")
    frame, schema = table()
    cohort = Cohort(frame=frame, schema=schema, sha256="0" * 64, name="x.csv")
    assert protect(cohort, [Decision(column="age", action="keep", reason="consent given")]) is cohort


def test_a_decision_about_no_column_or_without_a_key_is_refused():
    frame, schema = table()
    cohort = Cohort(frame=frame, schema=schema, sha256="0" * 64, name="x.csv")
    with pytest.raises(MissingColumnsError):
        protect(cohort, [Decision(column="mrn", action="drop")])
    with pytest.raises(SettingsError, match="needs a key"):
        protect(cohort, [Decision(column="age", action="pseudonymise")])


def test_telephone_numbers_that_a_spreadsheet_made_numbers_are_found():
    frame = pd.DataFrame({"k": [13800000000.0 + i for i in range(N)], "age": np.arange(N) + 20.0})
    assert [f.code for f in screen(frame, infer_schema(frame)) if f.severity == "error"] == ["privacy.phone"]


def test_the_installations_key_is_made_once_and_is_private(tmp_path):
    key = installation_key(tmp_path)
    assert len(key) == 32
    assert installation_key(tmp_path) == key
    (path,) = (tmp_path / "keys").iterdir()
    assert path.stat().st_mode & 0o077 == 0
