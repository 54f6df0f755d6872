"""Draining a queue of reminders at the provider's rate, with severe alerts written meanwhile.

python -m benchmarks.drain [--reminders N] [--rate N] [--seconds N] [--loops N]
"""

import argparse
import os
import subprocess
import sys
import time

from django.db import connection
from django.utils import timezone

from benchmarks.machine import database, say, table
from notifications.actions import owe
from notifications.models import URGENT, Delivery
from tests.wires.http import Gateway

FILL = """
INSERT INTO notifications_delivery (once, channel, address, subject, body, about, clinic_id, priority, repeatable,
    created_at, due_at, attempts, last_error)
SELECT 'r' || n, 'sms', '+1500' || (5550000 + n), '', 'A reminder.', 'message', 1, 7, false, now(), now(), 0, ''
FROM generate_series(1, %s) n
"""


def measure(count, rate, seconds, loops):
    with database():
        with Gateway() as gateway:
            reach = {f"CLOZATRACK_SMS_{name.upper()}": value for name, value in gateway.settings.items()}
            environment = os.environ | reach | {"CLOZATRACK_SMS_PER_SECOND": str(rate)}
            with connection.cursor() as cursor:
                begun = time.perf_counter()
                cursor.execute(FILL, [count])
                filled = time.perf_counter() - begun
            command = [sys.executable, "manage.py", "deliver"]
            running = [subprocess.Popen(command, env=environment) for _ in range(loops)]
            while not gateway.messages:
                time.sleep(0.05)
            time.sleep(3)  # the bucket that was full at the start is spent
            begun, before, written = time.perf_counter(), len(gateway.messages), {}
            for number in range(seconds):
                now = timezone.now()
                body = f"severe {number}"
                owe([Delivery(once=body, channel="sms", address="+15005550001", subject="s", body=body, priority=URGENT,
                              created_at=now, due_at=now)])  # fmt: skip
                written[body] = time.monotonic()
                time.sleep(1)
            lasted, sent = time.perf_counter() - begun, len(gateway.messages) - before
            for one in running:
                one.terminate()
            for one in running:
                one.wait()
            arrived = {asked.form["Body"]: asked.at for asked in gateway.taken}
            waits = sorted(arrived[body] - at for body, at in written.items() if body in arrived)
            twice = len(gateway.messages) - len({message["To"] + message["Body"] for message in gateway.messages})
        return (
            count,
            rate,
            loops,
            f"{filled:.2f}",
            f"{sent / lasted:.1f}",
            f"{waits[len(waits) // 2]:.3f}",
            f"{waits[-1]:.3f}",
            twice,
        )


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--reminders", type=int, default=100_000)
    options.add_argument("--rate", type=float, default=50)
    options.add_argument("--seconds", type=int, default=20)
    options.add_argument("--loops", type=int, default=2)
    asked = options.parse_args()
    say()
    head = ["reminders", "rate /s", "loops", "written in s", "sent /s", "severe p50 s", "severe worst s", "sent twice"]
    table(head, [measure(asked.reminders, asked.rate, asked.seconds, asked.loops)])


if __name__ == "__main__":
    main()
