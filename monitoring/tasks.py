"""Celery says "look now"; what is true is in the rows."""

import logging

from celery import shared_task
from django.utils import timezone

from monitoring.actions import carrying_on
from monitoring.actions.nudge import ask, nudge
from monitoring.actions.treating import reassess_changed_by_time
from monitoring.feeds.imports import TASK, go_on, unfinished_imports
from monitoring.reminding.agreeing import end_gone
from monitoring.reminding.planning import plan
from monitoring.rules.errors import InputError
from monitoring.sweep import sweep as sweep_now
from monitoring.unreached import mark_unreached

A_TURN = 15.0
"""Seconds: the sweep behind this import in the queue must not wait for 100,000 rows."""
log = logging.getLogger(__name__)


@shared_task(name="monitoring.tasks.sweep")
def sweep() -> None:
    """Ask what time has made true, and have the messages sent."""
    reassess_changed_by_time(now=timezone.now())
    found = sweep_now(now=timezone.now())
    if found and any(found.values()):
        nudge()
    for left in unfinished_imports():
        ask(TASK, left, expires=60)
    for left in carrying_on.unfinished_changes():
        ask(carrying_on.TASK, left, expires=60)


@shared_task(name="monitoring.tasks.remind", soft_time_limit=240, time_limit=280)
def remind() -> None:
    """Note which browsers are gone and who is reached no more, and plan the reminders of the day ahead."""
    end_gone(now=timezone.now())
    plan(now=timezone.now())
    mark_unreached(now=timezone.now())


@shared_task(name=TASK)
def take_import(import_id: int) -> None:
    """Take rows for a while, then queue again behind whatever else waits."""
    try:
        imported = go_on(import_id, clock=timezone.now, seconds=A_TURN, most=100_000)
    except InputError as error:
        log.warning("import %s waits for a person: %s", import_id, error.field)
        return
    if imported.finished_at is None and imported.cancelled_at is None:
        ask(TASK, import_id, expires=60)


@shared_task(name=carrying_on.TASK)
def take_protocol_change(change_id: int) -> None:
    """Foresee or switch for a while, then queue again behind whatever else waits."""
    change = carrying_on.go_on(change_id, clock=timezone.now, seconds=A_TURN)
    if carrying_on.works(change):
        carrying_on.ask_worker(change)
