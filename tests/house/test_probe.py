"""Each part's own sign of life."""

import subprocess
import sys
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from monitoring.health import PARTS
from notifications.actions import beat


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.django_db
def test_a_part_is_well_while_its_own_heartbeat_is_young_whatever_the_others_do(part):
    with pytest.raises(CommandError, match=f"{part} has never run"):
        call_command("watchdog", "--part", part)
    beat(part, now=timezone.now() - timedelta(minutes=4))
    call_command("watchdog", "--part", part)
    beat(part, now=timezone.now() - timedelta(minutes=6))
    with pytest.raises(CommandError, match=f"{part} has not run since"):
        call_command("watchdog", "--part", part)


@pytest.mark.slow
def test_the_probe_passes_a_web_server_that_says_the_sweep_is_silent(live_server):
    port = live_server.url.rpartition(":")[2]
    assert probed(port) == (0, "")


@pytest.mark.slow
def test_the_probe_fails_where_nothing_listens():
    status, said = probed("9")
    assert status == 1
    assert "the web server does not answer" in said


def probed(port):
    run = subprocess.run(
        [sys.executable, "-m", "clozatrack.probe", port], capture_output=True, text=True, check=False, timeout=60
    )
    return run.returncode, run.stderr
