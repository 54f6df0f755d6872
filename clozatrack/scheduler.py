"""Celery beat that can be seen to live: its own heartbeat row, whoever works off what it asks for."""

import logging
import time
from typing import Any

from celery.beat import PersistentScheduler
from django.db import DatabaseError, InterfaceError, close_old_connections
from django.utils import timezone

from notifications.actions import beat

EVERY = 30.0
log = logging.getLogger(__name__)


class WatchedScheduler(PersistentScheduler):
    """Notes twice a minute that it ticks. A database that is down delays the note and nothing else."""

    noted_at = float("-inf")

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Called for ever; seconds to the next call."""
        wait: float = super().tick(*args, **kwargs)
        if time.monotonic() - self.noted_at >= EVERY:
            self.noted_at = time.monotonic()
            try:
                beat("beat", now=timezone.now())  # noqa: TID251  # beat is an edge of its own
            except (DatabaseError, InterfaceError) as error:
                log.warning("no heartbeat of beat, the database does not answer: %s", error)
                close_old_connections()
        return wait
