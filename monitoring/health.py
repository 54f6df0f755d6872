"""Whether the service still looks: the one question that a dead part cannot answer for itself."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from notifications.models import Delivery, Heartbeat

LONGEST_SILENCE = timedelta(minutes=5)
EXPECTED = ("sweep", "deliver")
"""What has to be done, whoever does it."""
PARTS = ("beat", "deliver loop")
"""What writes a heartbeat of its own, for the health check of that part alone."""


def ailments(*, now: datetime) -> list[str]:
    """What has not run for five minutes, and messages that wait longer than that. Empty when all is well."""
    found = silent(EXPECTED, now=now)
    # Reminders wait for their hour and for the provider's rate: what staff are owed waits for neither.
    owed = Delivery.objects.waiting().filter(repeatable=True, attempts=0, created_at__lt=now - LONGEST_SILENCE)
    late = owed.filter(due_at__lt=now - LONGEST_SILENCE).count()
    if late:
        found.append(f"{late} messages wait unsent for more than five minutes")
    return found


def silent(names: Iterable[str], *, now: datetime) -> list[str]:
    """Those of them that have not run for five minutes."""
    beats = dict(Heartbeat.objects.values_list("name", "at"))
    found = []
    for name in names:
        at = beats.get(name)
        if at is None:
            found.append(f"{name} has never run")
        elif now - at > LONGEST_SILENCE:
            found.append(f"{name} has not run since {at.isoformat(timespec='seconds')}")
    return found
