"""What docker-compose.yml and the Dockerfile promise."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
LASTING = [name for name in COMPOSE["services"] if name != "migrate"]


@pytest.mark.parametrize("name", LASTING)
def test_every_lasting_service_has_a_health_check_and_starts_again(name):
    service = COMPOSE["services"][name]
    assert service["healthcheck"]["test"]
    assert service["restart"] == "unless-stopped"


def test_the_parts_are_those_of_the_design():
    assert {"web", "worker", "beat", "deliver", "postgres", "valkey", "migrate"} == set(COMPOSE["services"])
    assert COMPOSE["services"]["postgres"]["image"] == "postgres:18"
    assert COMPOSE["services"]["valkey"]["image"] == "valkey/valkey:9"


def test_the_second_copy_is_watched_comes_back_and_takes_its_password_from_the_environment():
    copy = yaml.safe_load((ROOT / "docker-compose.second-copy.yml").read_text())["services"]["second-copy"]
    assert copy["healthcheck"]["test"]
    assert (copy["restart"], copy["image"]) == ("unless-stopped", COMPOSE["services"]["postgres"]["image"])
    assert secrets_with_a_default(copy["environment"]) == {}
    assert (ROOT / copy["command"][0].lstrip("/")).stat().st_mode & 0o111


def test_postgres_is_not_there_before_it_listens_on_the_network():
    """While the image makes a new database, a server answers on the socket that no other part can reach."""
    asked = COMPOSE["services"]["postgres"]["healthcheck"]["test"]
    assert asked[asked.index("-h") + 1] == "127.0.0.1"


def test_a_new_database_can_be_made_before_any_copy_of_it_can_connect():
    second = yaml.safe_load((ROOT / "docker-compose.second-copy.yml").read_text())["services"]
    assert "synchronous_standby_names=second_copy" in second["postgres"]["command"]
    assert second["postgres"]["environment"] == {"PGOPTIONS": "-c synchronous_commit=local"}


@pytest.mark.parametrize(("state", "healthy"), [("sync", True), ("async", False), ("potential", False), ("", False)])
def test_the_second_copy_is_healthy_only_while_commits_wait_for_it(state, healthy):
    copy = yaml.safe_load((ROOT / "docker-compose.second-copy.yml").read_text())["services"]["second-copy"]
    judged = copy["healthcheck"]["test"][1].rpartition("|")[2]
    assert (subprocess.run(["sh", "-c", judged], input=state, text=True, check=False).returncode == 0) == healthy


SECRET = re.compile(r"SECRET|PASSWORD|TOKEN|PASSPHRASE|CREDENTIAL|_KEY\b")
ASKED_FOR = re.compile(r"\$\{\w+:\?[^}]+\}")
"""Stops compose with these words when it is unset or empty."""


def secrets_with_a_default(settings):
    """Names and values of secrets that compose would take from anywhere but the environment, or empty."""
    return {name: value for name, value in settings.items() if SECRET.search(name) and not ASKED_FOR.fullmatch(value)}


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_every_secret_comes_from_the_environment_and_nothing_starts_without_it(name):
    service = COMPOSE["services"][name]
    settings = {key: str(value) for key, value in service.get("environment", {}).items()}
    assert secrets_with_a_default(settings) == {}
    assert not service.get("env_file")
    spoken = " ".join(
        [*map(str, service.get("command", [])), *map(str, service.get("healthcheck", {}).get("test", []))]
    )
    assert not SECRET.search(spoken)


def test_what_could_pass_for_a_secret_from_the_environment_is_caught():
    for wrong in ("", "changeme", "${A:-}", "${A:-x}", "${A-x}", "${A}", "$A", "${A?unset}", "x${A:?set it}"):
        assert secrets_with_a_default({"CLOZATRACK_SMTP_PASSWORD": wrong}), wrong
    assert not secrets_with_a_default({"CLOZATRACK_SMTP_PASSWORD": "${A:?set it}", "CLOZATRACK_SMTP_PORT": "25"})


def test_a_secret_is_the_same_wherever_it_stands_and_the_image_holds_none():
    assert set(re.findall(r"\$\{(\w*(?:SECRET|PASSWORD)\w*)", (ROOT / "docker-compose.yml").read_text())) == {
        "CLOZATRACK_SECRET_KEY",
        "CLOZATRACK_DB_PASSWORD",
        "CLOZATRACK_SMTP_PASSWORD",
    }
    for line in (ROOT / "Dockerfile").read_text().splitlines():
        assert not (line.startswith(("ENV", "ARG")) and SECRET.search(line)), line


def test_each_part_is_asked_about_itself_alone():
    checks = {name: " ".join(COMPOSE["services"][name]["healthcheck"]["test"]) for name in LASTING}
    assert len(set(checks.values())) == len(checks)
    for name, asked in (
        ("web", "clozatrack.probe"),
        ("worker", "inspect ping"),
        ("beat", "--part beat"),
        ("deliver", "--part deliver loop"),
    ):
        assert asked in checks[name]


def test_nothing_of_ours_runs_as_root_and_nothing_but_the_proxy_side_is_published():
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert dockerfile.rindex("USER clozatrack") > dockerfile.rindex("RUN ")
    published = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]
    assert published == ["127.0.0.1:8000:8000"]
