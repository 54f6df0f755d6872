"""Production does not start misconfigured, and says what would be right."""

import os
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from clozatrack.refusals import database_refusal, refusals
from clozatrack.starting import refuse_wrong_database

GOOD = {
    "CLOZATRACK_ENV": "production",
    "CLOZATRACK_SECRET_KEY": "x7" * 30,
    "CLOZATRACK_HOSTS": "clozatrack.example",
    "CLOZATRACK_BASE_URL": "https://clozatrack.example",
    "CLOZATRACK_DEBUG": "0",
}


def started(**changes):
    """What a start under these settings prints, and its status."""
    environment = os.environ | GOOD | changes
    run = subprocess.run(
        [sys.executable, "-c", "from django.conf import settings; settings.DEBUG"],
        env=environment | {"DJANGO_SETTINGS_MODULE": "clozatrack.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    return run.returncode, run.stderr


@pytest.mark.slow
def test_a_right_configuration_starts():
    assert started()[0] == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"CLOZATRACK_SECRET_KEY": "insecure-development-key"}, "CLOZATRACK_SECRET_KEY"),
        ({"CLOZATRACK_SECRET_KEY": "short"}, "CLOZATRACK_SECRET_KEY"),
        ({"CLOZATRACK_DEBUG": "1"}, "CLOZATRACK_DEBUG"),
        ({"CLOZATRACK_HOSTS": ""}, "CLOZATRACK_HOSTS"),
        ({"CLOZATRACK_HOSTS": "*"}, "CLOZATRACK_HOSTS"),
        ({"CLOZATRACK_BASE_URL": "http://clozatrack.example"}, "CLOZATRACK_BASE_URL"),
    ],
)
def test_a_wrong_one_is_refused_by_name(changes, named):
    status, said = started(**changes)
    assert status != 0
    assert f"does not start in production: {named}" in said


def test_all_that_is_wrong_is_said_at_once():
    assert len(refusals(secret="", debug=True, hosts=[], base_url="")) == 4


@pytest.mark.django_db
def test_h21_a_database_in_another_zone_is_refused(settings, monkeypatch):
    settings.PRODUCTION = True
    refuse_wrong_database()
    monkeypatch.setattr("clozatrack.starting.server_time_zone", lambda: "Europe/Berlin")
    with pytest.raises(ImproperlyConfigured, match="Europe/Berlin; set it to UTC"):
        refuse_wrong_database()
    assert database_refusal("Etc/UTC") is None
