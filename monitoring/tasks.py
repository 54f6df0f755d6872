"""Celery says "look now"; what is true is in the rows."""

from celery import shared_task
from django.utils import timezone

from monitoring.actions.nudge import nudge
from monitoring.actions.treating import reassess_changed_by_time
from monitoring.sweep import sweep as sweep_now


@shared_task(name="monitoring.tasks.sweep")
def sweep() -> None:
    """Ask what time has made true, and have the messages sent."""
    reassess_changed_by_time(now=timezone.now())
    found = sweep_now(now=timezone.now())
    if found and any(found.values()):
        nudge()
