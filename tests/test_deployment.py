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
    assert {"web", "service", "scheduler", "worker", "database", "store"} <= set(SERVICES)
    for service in SERVICES.values():
        assert set(service.get("depends_on", ())) <= set(SERVICES)
        assert {v.split(":")[0] for v in service.get("volumes", ()) if not v.startswith("/")} <= set(COMPOSE["volumes"])


@pytest.mark.parametrize("name", ["web", "service", "scheduler", "worker"])
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


@pytest.mark.parametrize(("name", "port"), [("web", 8501), ("service", 8502)])
def test_medcore_takes_its_command(name: str, port: int) -> None:
    assert SERVICES[name]["command"][:3] == ["python", "-m", "medcore"]
    asked = parser().parse_args(SERVICES[name]["command"][3:])
    assert (asked.port, asked.host) == (port, "127.0.0.1")
    assert f"localhost:{port}/healthz" in SERVICES[name]["healthcheck"]["test"][-1]


@pytest.mark.parametrize(("name", "door", "port"), [("web", "door", 8501), ("service", "gate", 8502)])
def test_a_door_leads_to_each_loopback_address_and_only_from_this_machine(name: str, door: str, port: int) -> None:
    assert SERVICES[name]["network_mode"] == f"service:{door}" and "ports" not in SERVICES[name]
    assert SERVICES[door]["ports"] == [f"127.0.0.1:{port}:8500"]
    assert SERVICES[door]["command"] == ["TCP-LISTEN:8500,fork,reuseaddr", f"TCP:127.0.0.1:{port}"]
    assert [door for door, part in SERVICES.items() if "ports" in part] == ["door", "gate"]


def test_the_service_answers_from_the_data_of_the_pages() -> None:
    web, service = SERVICES["web"], SERVICES["service"]
    assert service["volumes"] == web["volumes"] and service["image"] == web["image"]
    shared = ("MEDCORE_DATA", "MEDCORE_DATABASE_URL", "MEDCORE_STORAGE", "MEDCORE_KEY")
    assert [service["environment"][name] for name in shared] == [web["environment"][name] for name in shared]
    assert "http://localhost:8501" in service["command"]  # where a card's link leads


def test_no_secret_is_in_the_file_and_every_image_has_a_version() -> None:
    said = [(k, v) for s in SERVICES.values() for k, v in s.get("environment", {}).items()]
    secret = [v for k, v in said if re.search(r"PASSWORD|TOKEN|SECRET|^MEDCORE_KEY$", k)]
    assert len(secret) >= 8
    assert [v for v in secret if not v.startswith("${")] == []
    assert all(":" in s["image"] for s in SERVICES.values() if "build" not in s)
    docker = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^FROM python:3\.12-\S+$", docker, re.MULTILINE)
    assert (ROOT / "requirements" / "py312.txt").exists() and "--require-hashes -r requirements/py312.txt" in docker
