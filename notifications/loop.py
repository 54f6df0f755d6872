"""Delivering what is due, until nothing is. The clock is passed in by the edge that runs it."""

from collections.abc import Callable
from datetime import datetime

from notifications.actions import beat, claim, release, send
from notifications.channels import CHANNELS
from notifications.inbound import hear_waiting
from notifications.models import URGENT, Delivery
from notifications.rates import buckets

Clock = Callable[[], datetime]


def deliver_due(clock: Clock) -> int:
    """Lease and send one by one until nothing is due that may go now; returns how many were handed over.

    One by one, so that an urgent message that is written meanwhile is the next, and no lease waits behind a slow call.
    """
    handed_over, rates, full = 0, buckets(), set[str]()
    while leased := _next(clock(), full):
        for delivery in leased:
            if rates.take(delivery.channel, urgent=delivery.priority <= URGENT):
                handed_over += send(delivery, now=clock())
            else:
                release(delivery)
                full.add(delivery.channel)
    hear_waiting(clock())
    beat("deliver", now=clock())
    return handed_over


def _next(now: datetime, full: set[str]) -> list[Delivery]:
    """What to send now: the most urgent of all; once a provider takes no more, what is urgent or another channel's."""
    if not full:
        return claim(now=now, limit=1)
    leased = claim(now=now, limit=1, urgent=True)
    for channel in CHANNELS:
        if channel not in full:
            leased = leased or claim(now=now, limit=1, channel=channel)
    return leased
