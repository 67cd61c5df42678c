import stat
from dataclasses import replace
from pathlib import Path

from medcore.settings import Settings
from medcore.studies import COOKIE, LOCAL_OWNER, owner_cookie, owner_of


def test_a_signed_cookie_proves_its_owner(studies_settings: Settings) -> None:
    assert owner_of(studies_settings, {COOKIE: owner_cookie(studies_settings)}) == LOCAL_OWNER


def test_a_forged_or_missing_cookie_proves_nobody(studies_settings: Settings, tmp_path: Path) -> None:
    good = owner_cookie(studies_settings)
    elsewhere = owner_cookie(replace(studies_settings, data_dir=tmp_path / "elsewhere"))
    for value in ("", "local", good[:-1], good.replace("local", "other"), elsewhere, "local.é"):
        assert owner_of(studies_settings, {COOKIE: value}) is None
    assert owner_of(studies_settings, {}) is None


def test_the_secret_is_readable_by_this_user_only(studies_settings: Settings) -> None:
    owner_cookie(studies_settings)
    mode = (studies_settings.data_dir / "secret.key").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
