"""The compose file says what the code understands; Docker itself is not here to try it."""

import re
import shlex
from pathlib import Path

import pytest
import yaml
from distributed.cli.dask_scheduler import main as scheduler_command
from distributed.cli.dask_worker import main as worker_command

from medcore.cli import parser
from medcore.settings import ROOT, VARIABLES

COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]


def test_all_parts_are_there_and_what_they_wait_for_exists() -> None:
    assert {"web", "scheduler", "worker", "database", "store"} <= set(SERVICES)
    for service in SERVICES.values():
        assert set(service.get("depends_on", ())) <= set(SERVICES)
        assert {v.split(":")[0] for v in service.get("volumes", ()) if not v.startswith("/")} <= set(COMPOSE["volumes"])


@pytest.mark.parametrize("name", ["web", "scheduler", "worker"])
def test_every_setting_of_medcore_is_one(name: str) -> None:
    ours = {key for key in SERVICES[name]["environment"] if key.startswith("MEDCORE_")}
    assert ours <= set(VARIABLES)


@pytest.mark.parametrize(("name", "command"), [("scheduler", scheduler_command), ("worker", worker_command)])
def test_dask_takes_the_commands(name: str, command, tmp_path: Path) -> None:
    for file in ("cluster.crt", "cluster.key"):
        (tmp_path / file).touch()
    words = shlex.split(SERVICES[name]["command"].replace("/run/secrets", str(tmp_path)))
    assert words[:2] == ["dask", name]
    context = command.make_context(name, words[2:], resilient_parsing=False)
    assert context.params["tls_ca_file"] == str(tmp_path / "cluster.crt")


def test_medcore_takes_its_command() -> None:
    assert SERVICES["web"]["command"][:3] == ["python", "-m", "medcore"]
    assert parser().parse_args(SERVICES["web"]["command"][3:]).port == 8501


def test_only_the_pages_are_published_and_only_on_this_machine() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert published == ["127.0.0.1:8501:8500"]


def test_no_secret_is_in_the_file_and_every_image_has_a_version() -> None:
    said = [(k, v) for s in SERVICES.values() for k, v in s.get("environment", {}).items()]
    secret = [v for k, v in said if re.search(r"PASSWORD|TOKEN|SECRET|^MEDCORE_KEY$", k)]
    assert len(secret) >= 8
    assert [v for v in secret if not v.startswith("${")] == []
    assert all(":" in s["image"] for s in SERVICES.values() if "build" not in s)
    docker = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^FROM python:3\.12-\S+$", docker, re.MULTILINE)
    assert (ROOT / "requirements" / "py312.txt").exists() and "--require-hashes -r requirements/py312.txt" in docker
