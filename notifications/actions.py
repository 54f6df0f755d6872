"""Owing a message, handing it over, trying again.

A message is leased, sent, and only then marked: a worker that dies in between leaves a lease that runs out, and
the message is sent again under the same key. Losing one would be worse than repeating one.
"""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import models, transaction

from notifications.channels import CHANNELS, ChannelError
from notifications.looking import may_go
from notifications.models import DELAYS, LEASE, Delivery, Heartbeat

log = logging.getLogger(__name__)
BATCH = 5


def owe(deliveries: Iterable[Delivery]) -> None:
    """Write messages into the outbox, in the caller's transaction; a key that is there already is not written twice."""
    Delivery.objects.bulk_create(deliveries, ignore_conflicts=True)


@transaction.atomic
def claim(*, now: datetime, limit: int = BATCH) -> list[Delivery]:
    """Lease the most urgent messages that are due; other workers pass over them."""
    leased = list(Delivery.objects.due(now).select_for_update(skip_locked=True)[:limit])
    holder = models.Func(function="pg_backend_pid", output_field=models.IntegerField())
    Delivery.objects.filter(pk__in=[row.pk for row in leased]).update(leased_until=now + LEASE, leased_by=holder)
    for row in leased:
        row.leased_until = now + LEASE
    return leased


def send(delivery: Delivery, *, now: datetime) -> bool:
    """Hand one leased message over and note how it went. True when it was handed over."""
    if not may_go(delivery, now=now):
        return False
    mine = Delivery.objects.filter(pk=delivery.pk, leased_until=delivery.leased_until).waiting()
    try:
        CHANNELS[delivery.channel](delivery)
    except ChannelError as error:
        log.warning("delivery %s failed: %s", delivery.pk, error)
        mine.update(**_after_failure(delivery, str(error), now))
        return False
    # Handed over is a fact even if the lease ran out meanwhile.
    Delivery.objects.filter(pk=delivery.pk).waiting().update(
        sent_at=now, leased_until=None, attempts=delivery.attempts + 1, last_error=""
    )
    return True


def _after_failure(delivery: Delivery, error: str, now: datetime) -> dict[str, object]:
    attempts = delivery.attempts + 1
    common = {"attempts": attempts, "leased_until": None, "last_error": error[:2000]}
    if attempts > len(DELAYS):
        return common | {"dead_at": now}
    return common | {"due_at": now + timedelta(seconds=DELAYS[attempts - 1])}


def retry(*, delivery: Delivery, now: datetime) -> None:
    """Give a dead letter another life, from the first try."""
    Delivery.objects.filter(pk=delivery.pk).dead().update(dead_at=None, attempts=0, due_at=now, last_error="")


def beat(name: str, *, now: datetime) -> None:
    """Note that a recurring task has come to its end."""
    Heartbeat.objects.update_or_create(name=name, defaults={"at": now})
