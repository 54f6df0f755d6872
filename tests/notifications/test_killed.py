"""kill -9 of the delivery loop in the middle of a call that the provider accepts, and what becomes of the message."""

import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from notifications.loop import deliver_due
from notifications.models import Delivery, State
from tests.notifications.wired import a_message, story

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
ROOT = Path(__file__).parents[2]


def killed_while_the_gateway_thinks(gateway):
    """A real process is killed once the gateway has accepted its message and before it has answered."""
    environment = os.environ | {"CLOZATRACK_DB_NAME": connection.settings_dict["NAME"]}
    environment |= {f"CLOZATRACK_SMS_{name.upper()}": value for name, value in gateway.settings.items()}
    gateway.delay = 30
    loop = subprocess.Popen([sys.executable, "manage.py", "deliver", "--once"], cwd=ROOT, env=environment)
    end = time.monotonic() + 60
    while not gateway.messages:
        assert time.monotonic() < end
        assert loop.poll() is None
        time.sleep(0.02)
    loop.kill()
    loop.wait()
    gateway.delay = 0


@pytest.mark.parametrize(
    ("repeatable", "copies", "state", "told"),
    [(True, 2, State.SENT, ["sent"]), (False, 1, State.UNKNOWN, ["handing"])],
)
def test_h04_h09_a_loop_that_dies_in_the_call_repeats_to_staff_and_never_to_a_patient(
    gateway, repeatable, copies, state, told
):
    now = timezone.now()
    row = a_message(repeatable=repeatable, created_at=now, due_at=now)
    killed_while_the_gateway_thinks(gateway)
    for days in range(3):
        deliver_due(lambda late=days: now + timedelta(days=late, seconds=5))
    row.refresh_from_db()
    assert (len(gateway.messages), row.state, story(row)) == (copies, state, told)


def test_h09_a_receipt_settles_what_a_dead_loop_left_unknown(gateway, client):
    now = timezone.now()
    row = a_message(repeatable=False, created_at=now, due_at=now)
    killed_while_the_gateway_thinks(gateway)
    gateway.calls_back(client, gateway.messages[0], "delivered")
    assert Delivery.objects.get(pk=row.pk).state == State.DELIVERED
