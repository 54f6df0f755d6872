"""Delivering what is due, until nothing is. The clock is passed in by the edge that runs it."""

from collections.abc import Callable
from datetime import datetime

from notifications.actions import beat, claim, send

Clock = Callable[[], datetime]


def deliver_due(clock: Clock) -> int:
    """Lease and send in batches until nothing is due; returns how many were handed over."""
    handed_over = 0
    while batch := claim(now=clock()):
        handed_over += sum(send(delivery, now=clock()) for delivery in batch)
    beat("deliver", now=clock())
    return handed_over
