"""The settings of signing in, and the roles that claims give."""

from pathlib import Path
from typing import Any

import pytest

from medcore.errors import RefusedError, SettingsError
from medcore.settings import Settings
from medcore.studies.people.sign_in import SignIn

GIVEN = {
    "ADDRESS": "https://medcore.hospital.example/",
    "OIDC_URL": "https://id.hospital.example/realms/clinic",
    "OIDC_CLIENT": "medcore",
    "OIDC_SECRET": "the secret",
}


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Any:
    def set_all(**changed: str) -> None:
        for name, value in (GIVEN | changed).items():
            monkeypatch.setenv(f"MEDCORE_{name}", value)

    return set_all


def test_nothing_set_means_that_nobody_signs_in(studies_settings: Settings) -> None:
    assert SignIn.from_env(studies_settings) is None


def test_streamlit_is_given_what_it_needs(studies_settings: Settings, given: Any) -> None:
    given()
    found = SignIn.from_env(studies_settings)
    assert found is not None and found.host == "medcore.hospital.example"
    auth = found.secrets["auth"]
    assert auth["redirect_uri"] == "https://medcore.hospital.example/oauth2callback"
    assert auth["server_metadata_url"] == "https://id.hospital.example/realms/clinic/.well-known/openid-configuration"
    assert len(auth["cookie_secret"]) == 64


@pytest.mark.parametrize("lacking", GIVEN)
def test_a_part_that_is_lacking_is_named(studies_settings: Settings, given: Any, lacking: str) -> None:
    given(**{lacking: ""})
    with pytest.raises(SettingsError, match=f"MEDCORE_{lacking} is not set"):
        SignIn.from_env(studies_settings)


WRONG = [
    ("ADDRESS", "http://medcore.hospital.example"),
    ("ADDRESS", "medcore.hospital.example"),
    ("ADDRESS", "https://medcore.hospital.example/medcore"),
    ("ADDRESS", "https://me@medcore.hospital.example"),
    ("OIDC_URL", "http://id.hospital.example"),
    ("OIDC_URL", "ldap://id"),
    ("ROLES", "chief=ann"),
    ("ROLES", "reader"),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_what_cannot_be_is_refused_by_name(studies_settings: Settings, given: Any, name: str, value: str) -> None:
    given(**{name: value})
    with pytest.raises(SettingsError, match=f"MEDCORE_{name} is “"):
        SignIn.from_env(studies_settings)


def test_a_secret_in_a_file_that_others_can_read_is_refused(
    studies_settings: Settings, given: Any, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    file.write_text("the secret\n")
    file.chmod(0o644)
    given(OIDC_SECRET="", OIDC_SECRET_FILE=str(file))
    with pytest.raises(SettingsError, match="chmod 600"):
        SignIn.from_env(studies_settings)
    file.chmod(0o600)
    found = SignIn.from_env(studies_settings)
    assert found is not None and found.client_secret == "the secret" and "the secret" not in repr(found)


ROLES = [
    ("", {"roles": ["reader", "modeller"]}, "modeller"),
    ("", {"roles": "administrator"}, "administrator"),
    ("", {"roles": ["doctor"]}, None),
    ("", {}, None),
    ("administrator=it; modeller=clinicians,ann@x; reader=*", {"roles": ["it"]}, "administrator"),
    ("administrator=it; modeller=clinicians,ann@x; reader=*", {}, "modeller"),
    ("administrator=it; reader=*", {}, "reader"),
    ("administrator=it", {"roles": ["administrator"]}, None),
    ("reader=*; administrator=ann@x", {}, "administrator"),
]


@pytest.mark.parametrize(("mapping", "claims", "role"), ROLES)
def test_the_highest_role_that_claims_or_names_give_holds(
    studies_settings: Settings, given: Any, mapping: str, claims: dict[str, Any], role: str | None
) -> None:
    given(ROLES=mapping)
    found = SignIn.from_env(studies_settings)
    assert found is not None
    said = {"email": "ann@x", "iat": 1.0} | claims
    if role is None:
        with pytest.raises(RefusedError, match="ann@x, and have no role"):
            found.claimed(said)
    else:
        assert found.claimed(said).role == role


def test_a_role_may_stand_within_another_claim_and_a_person_be_known_by_another(
    studies_settings: Settings, given: Any
) -> None:
    given(OIDC_PERSON="employee", OIDC_ROLES="realm_access.roles")
    found = SignIn.from_env(studies_settings)
    assert found is not None
    person = found.claimed({"employee": "4711", "realm_access": {"roles": ["reader"]}})
    assert (person.name, person.role) == ("4711", "reader")
    with pytest.raises(RefusedError, match="employee"):
        found.claimed({"email": "ann@x", "realm_access": {"roles": ["reader"]}})
