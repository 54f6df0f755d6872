"""What docker-compose.yml and the Dockerfile promise."""

import re
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


def test_no_secret_has_a_default():
    text = (ROOT / "docker-compose.yml").read_text()
    for name in re.findall(r"\$\{(\w*(?:SECRET|DB_PASSWORD)\w*)(.)", text):
        assert name[1] == ":", name
    for name in ("CLOZATRACK_SECRET_KEY", "CLOZATRACK_DB_PASSWORD"):
        assert f"${{{name}:?" in text
        assert f"${{{name}:-" not in text


def test_nothing_of_ours_runs_as_root_and_nothing_but_the_proxy_side_is_published():
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert dockerfile.rindex("USER clozatrack") > dockerfile.rindex("RUN ")
    published = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]
    assert published == ["127.0.0.1:8000:8000"]
