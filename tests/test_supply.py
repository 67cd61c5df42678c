"""What is installed is what was listed, locked with hashes, and named in SBOM and NOTICE."""

import json
import re

import pytest
from packaging.utils import canonicalize_name

from medcore.settings import ROOT

PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)
LOCKS = sorted((ROOT / "requirements").glob("py*.txt"))


def pins(*names: str) -> dict[str, str]:
    return {canonicalize_name(n): v for name in names for n, v in PIN.findall((ROOT / name).read_text())}


def test_there_is_a_lock_for_every_python_and_purpose() -> None:
    assert {lock.name for lock in LOCKS} == {f"py{v}{kind}.txt" for v in (311, 312, 313) for kind in ("", "-dev")}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_the_lock_agrees_with_the_list_and_holds_a_hash_for_everything(lock) -> None:
    listed = pins("requirements.txt", *(["requirements-dev.txt"] if lock.stem.endswith("-dev") else []))
    locked = pins(f"requirements/{lock.name}")
    differing = {name: (version, locked.get(name)) for name, version in listed.items() if locked.get(name) != version}
    assert differing == {}, "run: make lock"
    entries = re.split(r"\n(?=\S)", lock.read_text().split("\n", 2)[2].strip())
    assert len(entries) == len(locked)
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("python", [311, 312, 313])
def test_the_tests_run_with_what_the_dashboard_has(python: int) -> None:
    app, dev = pins(f"requirements/py{python}.txt"), pins(f"requirements/py{python}-dev.txt")
    assert {name: dev.get(name) for name in app} == app


def test_the_bill_of_materials_and_the_notice_name_exactly_what_is_locked() -> None:
    locked = pins("requirements/py311.txt")
    bill = json.loads((ROOT / "requirements" / "sbom.json").read_text())
    assert bill["bomFormat"] == "CycloneDX"
    assert {canonicalize_name(c["name"]): c["version"] for c in bill["components"]} == locked, "run: make lock"
    named = dict(re.findall(r"^(\S+) (\S+): .+$", (ROOT / "NOTICE").read_text(), re.MULTILINE))
    assert named == locked, "run: make lock"
