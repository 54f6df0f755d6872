"""Owing a message, handing it over, trying again.

A repeatable message is leased, sent, and only then marked: a worker that dies in between leaves a lease that runs out,
and the message is sent again under the same key. Losing one would be worse than repeating one. One that is not
repeatable is marked and committed first: repeating it would be worse than losing it. With a provider that does not
know our keys both cannot be had at once.
"""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import models, transaction

from notifications.channels import CHANNELS, ChannelError, RefusedError, UnsureError
from notifications.looking import may_go
from notifications.models import DELAYS, LEASE, URGENT, WITHDRAWN, Delivery, DeliveryEvent, Happened, Heartbeat

log = logging.getLogger(__name__)
BATCH = 5
STALE_AFTER = timedelta(days=1)


def owe(deliveries: Iterable[Delivery]) -> None:
    """Write messages into the outbox, in the caller's transaction; a key that is there already is not written twice."""
    Delivery.objects.bulk_create(deliveries, ignore_conflicts=True)


@transaction.atomic
def claim(*, now: datetime, limit: int = BATCH, channel: str = "", urgent: bool = False) -> list[Delivery]:
    """Lease the most urgent messages that are due, of one channel or all; other workers pass over them."""
    due = Delivery.objects.due(now)
    if channel:
        due = due.filter(channel=channel)
    if urgent:
        due = due.filter(priority__lte=URGENT)
    leased = list(due.select_for_update(skip_locked=True)[:limit])
    if not leased:
        return []
    holder = models.Func(function="pg_backend_pid", output_field=models.IntegerField())
    Delivery.objects.filter(pk__in=[row.pk for row in leased]).update(leased_until=now + LEASE, leased_by=holder)
    for row in leased:
        row.leased_until = now + LEASE
    return leased


def release(delivery: Delivery) -> None:
    """Give a lease back unused: there was no token for it."""
    _leased(delivery).update(leased_until=None)


def send(delivery: Delivery, *, now: datetime) -> bool:
    """Hand one leased message over and note how it went. True when it was handed over."""
    if not may_go(delivery, now=now):
        return False
    if not delivery.repeatable and not _marked(delivery, now):
        return False
    try:
        provider_id = CHANNELS[delivery.channel](delivery)
    except ChannelError as error:
        log.warning("delivery %s failed: %s", delivery.pk, error)
        _after_failure(delivery, error, now)
        return False
    _after_hand_over(delivery, provider_id, now)
    return True


def _leased(delivery: Delivery) -> "models.QuerySet[Delivery]":
    return Delivery.objects.filter(pk=delivery.pk, leased_until=delivery.leased_until).waiting()


def _marked(delivery: Delivery, now: datetime) -> bool:
    """Committed before the call, so that whatever happens then it is never sent again."""
    with transaction.atomic(durable=True):
        if not _leased(delivery).update(handing_at=now):
            return False
        _note(delivery, Happened.HANDING, now)
    return True


@transaction.atomic
def _after_hand_over(delivery: Delivery, provider_id: str, now: datetime) -> None:
    # Handed over is a fact even if the lease ran out meanwhile. A receipt may have come before this.
    row = Delivery.objects.filter(pk=delivery.pk)
    told = row.filter(sent_at=None, dead_at=None).update(
        sent_at=now, leased_until=None, attempts=delivery.attempts + 1, last_error="", provider_id=provider_id
    )
    if provider_id and not told:
        row.update(provider_id=provider_id)
    _note(delivery, Happened.SENT, now, provider_id)


@transaction.atomic
def _after_failure(delivery: Delivery, error: ChannelError, now: datetime) -> None:
    said = str(error)
    common: dict[str, object] = {"attempts": delivery.attempts + 1, "leased_until": None, "last_error": said[:2000]}
    mine = Delivery.objects.filter(pk=delivery.pk, sent_at=None, dead_at=None)
    if not delivery.repeatable:
        mine = mine.filter(handing_at=now)
        if isinstance(error, UnsureError):
            mine.update(**common)
            _note(delivery, Happened.UNSURE, now, said)
            return
        common["handing_at"] = None
    else:
        mine = mine.filter(leased_until=delivery.leased_until)
    _note(delivery, Happened.UNSURE if isinstance(error, UnsureError) else Happened.FAILED, now, said)
    if isinstance(error, RefusedError) or delivery.attempts >= len(DELAYS):
        if mine.update(**common, dead_at=now):
            _note(delivery, Happened.DEAD, now)
        return
    mine.update(**common, due_at=now + timedelta(seconds=DELAYS[delivery.attempts]))


def _note(delivery: Delivery, kind: Happened, now: datetime, detail: str = "") -> None:
    event = DeliveryEvent(delivery=delivery, at=now, kind=kind, detail=detail[:300])
    DeliveryEvent.objects.bulk_create([event])


def may_retry(delivery: Delivery, *, now: datetime) -> bool:
    """Whether it was given up and still says what is true: a reminder does not after a day, nor one withdrawn."""
    if delivery.dead_at is None or delivery.last_error == WITHDRAWN:
        return False
    return delivery.repeatable or now - delivery.due_at < STALE_AFTER


@transaction.atomic
def retry(*, delivery: Delivery, now: datetime) -> bool:
    """Give a dead letter another life, from the first try. False when it may not have one."""
    current = Delivery.objects.select_for_update().get(pk=delivery.pk)
    if not may_retry(current, now=now):
        return False
    Delivery.objects.filter(pk=delivery.pk).update(dead_at=None, attempts=0, due_at=now, last_error="")
    _note(delivery, Happened.RETRIED, now)
    return True


def beat(name: str, *, now: datetime) -> None:
    """Note that a recurring task has come to its end."""
    Heartbeat.objects.update_or_create(name=name, defaults={"at": now})
