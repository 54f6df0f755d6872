"""What a reminder's row in the outbox says besides its words: at most once, and behind whatever staff are owed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Q

from notifications.models import Delivery

REMINDER = 7
"""The priority: reminders are sent when nothing that staff are owed is due."""
KNOWN = {field.name for field in Delivery._meta.concrete_fields}


def at_most_once() -> dict[str, Any]:
    """The columns that say: a reminder is rather lost than sent twice, since a provider does not know our keys."""
    return {"repeatable": False} if "repeatable" in KNOWN else {}


def columns() -> tuple[str, str]:
    """Names and values for a set-based INSERT."""
    said = at_most_once() | {"priority": REMINDER}
    return ", ".join(said), ", ".join(str(value).lower() for value in said.values())


def message(
    *, once: str, about: str, channel: str, address: str, subject: str, body: str, clinic_id: int, now: datetime
) -> Delivery:
    """One message to a patient or carer, ready for the outbox."""
    return Delivery(
        once=once[:160], about=about[:64], channel=channel, address=address,
        subject="" if channel == "sms" else subject, body=body, clinic_id=clinic_id, priority=2,
        created_at=now, due_at=now, **at_most_once(),
    )  # fmt: skip


_NOT_HANDED = " AND d.handing_at IS NULL" if "handing_at" in KNOWN else ""
WAITING: Mapping[str, str] = {
    "withdrawn": f"d.dead_at IS NOT NULL AND d.last_error = 'withdrawn' AND d.sent_at IS NULL{_NOT_HANDED}",
    "untouched": "d.sent_at IS NULL AND d.dead_at IS NULL AND d.attempts = 0"
    f" AND (d.leased_until IS NULL OR d.leased_until < %(now)s){_NOT_HANDED}",
}
"""Of a row `d` in SQL: taken back before it was handed over; and waiting, with nobody at it."""


def withdraw(*, channel: str, address: str, now: datetime) -> int:
    """What still waits for this address is not sent; how many there were. What is leased gets its last look."""
    waiting = Delivery.objects.waiting().filter(channel=channel, address=address)
    about_patients = waiting.filter(Q(about__startswith="reminder:") | Q(about__startswith="own:"))
    return about_patients.update(dead_at=now, last_error="withdrawn", leased_until=None)
