"""A record's own signed token lets it in for one call to one address, and for nothing else."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from medcore.errors import SettingsError
from medcore.service.records.clients import person_of, read_clients

ADDRESS = "http://localhost:8502/cds-services/heart.patient-view"
KEY = ECKey.generate_key("P-384", {"kid": "a"})


@pytest.fixture
def clients(tmp_path: Path):
    file = tmp_path / "clients.json"
    entry = {"iss": "https://ehr", "jwks": {"keys": [KEY.as_dict(private=False)]}, "person": "ann"}
    file.write_text(json.dumps([entry]))
    return read_clients(file)


def token(key=KEY, algorithm: str = "ES384", **change) -> str:
    claims = {"iss": "https://ehr", "aud": ADDRESS, "iat": int(time.time()), "exp": int(time.time()) + 60, "jti": "1"}
    return jwt.encode({"alg": algorithm, "kid": "a"}, claims | change, key, algorithms=[algorithm])


def test_a_signed_token_is_good_for_one_call(clients) -> None:
    signed = token()
    assert person_of(clients, signed, ADDRESS) == "ann"
    assert person_of(clients, signed, ADDRESS) is None
    assert person_of(clients, token(jti="2", aud=["https://other", ADDRESS]), ADDRESS) == "ann"


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://evil"},
        {"aud": "http://localhost:8502/v1/models/heart/predict"},
        {"aud": None},
        {"exp": int(time.time()) - 120},
        {"iat": int(time.time()) + 600, "exp": int(time.time()) + 660},
        {"exp": int(time.time()) + 86400},
        {"jti": None},
    ],
)
def test_whatever_else_it_says_it_opens_nothing(clients, change: dict) -> None:
    assert person_of(clients, token(**change), ADDRESS) is None


def test_another_key_or_a_shared_secret_opens_nothing(clients) -> None:
    assert person_of(clients, token(ECKey.generate_key("P-384", {"kid": "a"})), ADDRESS) is None
    secret = OctKey.import_key(json.dumps(KEY.as_dict(private=False)), {"kid": "a"})
    assert person_of(clients, token(secret, "HS256"), ADDRESS) is None
    assert person_of(clients, "x.y.z", ADDRESS) is None


@pytest.mark.parametrize(
    "content", ["{", "[{}]", json.dumps([{"iss": "x", "person": "y", "jwks": {"keys": [KEY.as_dict(private=True)]}}])]
)
def test_a_file_of_another_form_or_with_a_private_key_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "clients.json").write_text(content)
    with pytest.raises(SettingsError, match="public keys alone"):
        read_clients(tmp_path / "clients.json")


def test_it_opens_hooks_and_no_other_address(ward, clients) -> None:
    entering = ward.app.state.service.entering
    entering._clients = clients
    try:
        base = str(ward.client.base_url).rstrip("/")
        asked = lambda path, jti: ward.client.get(  # noqa: E731
            path, headers={"Authorization": f"Bearer {token(aud=f'{base}{path}', jti=jti)}"}
        )
        assert asked("/cds-services", "5").status_code == 200
        assert asked("/v1/models", "6").status_code == 401
    finally:
        entering._clients = ()
