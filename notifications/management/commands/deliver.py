"""manage.py deliver: the delivery loop that needs PostgreSQL and a mail server, and nothing else.

It wakes on the outbox's own notice and looks every second in any case, so neither a dead Valkey nor a dead Celery
worker delays a message. Running it beside the Celery worker is safe: rows are leased.
"""

import signal
import time
from types import FrameType
from typing import Any

import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, close_old_connections, connection
from django.utils import timezone

from clozatrack.starting import refuse_wrong_database
from notifications.actions import beat
from notifications.loop import deliver_due

LOOK_EVERY = 1.0
NOTE_EVERY = 30.0


class Command(BaseCommand):
    """The loop; `--once` looks a single time."""

    help = "Send the messages that are due; looks every second and whenever one is written."
    stopping = False
    noted_at = float("-inf")

    def add_arguments(self, parser: CommandParser) -> None:
        """`--once` for a single look."""
        parser.add_argument("--once", action="store_true", help="look once and end")

    def handle(self, *args: Any, **options: Any) -> None:
        """Look, wait, look again, until told to stop. Raises CommandError for a database that is not in UTC."""
        try:
            self._once() if options["once"] else self._for_ever()
        except ImproperlyConfigured as reason:
            raise CommandError(str(reason)) from reason

    def _once(self) -> None:
        refuse_wrong_database()
        self.stdout.write(f"{deliver_due(timezone.now)} handed over")

    def _for_ever(self) -> None:
        for how in (signal.SIGTERM, signal.SIGINT):
            signal.signal(how, self._stop)
        looked = False
        while not self.stopping:
            try:
                # A database that is down is waited for; the one that answers then need not be the same.
                if not looked:
                    refuse_wrong_database()
                    looked = True
                deliver_due(timezone.now)
                self._wait()
                self._note()
            except (OperationalError, psycopg.OperationalError) as error:
                self.stderr.write(f"the database does not answer, trying again: {error}")
                looked = False
                signal.sigtimedwait([], LOOK_EVERY)
                close_old_connections()

    def _note(self) -> None:
        """A heartbeat of the loop's own, twice a minute: the other one may be a Celery worker's."""
        if time.monotonic() - self.noted_at >= NOTE_EVERY:
            beat("deliver loop", now=timezone.now())
            self.noted_at = time.monotonic()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True

    def _wait(self) -> None:
        """Until the outbox says that something was written, a second at the most."""
        connection.ensure_connection()
        wire = connection.connection
        with connection.cursor() as cursor:
            cursor.execute("LISTEN deliveries")
        for _ in wire.notifies(timeout=LOOK_EVERY, stop_after=1):
            return
