"""Whether the service still looks: the one question that a dead part cannot answer for itself."""

from datetime import datetime, timedelta

from notifications.models import Delivery, Heartbeat

LONGEST_SILENCE = timedelta(minutes=5)
EXPECTED = ("sweep", "deliver")


def ailments(*, now: datetime) -> list[str]:
    """What has not run for five minutes, and messages that wait longer than that. Empty when all is well."""
    beats = dict(Heartbeat.objects.values_list("name", "at"))
    found = []
    for name in EXPECTED:
        at = beats.get(name)
        if at is None:
            found.append(f"{name} has never run")
        elif now - at > LONGEST_SILENCE:
            found.append(f"{name} has not run since {at.isoformat(timespec='seconds')}")
    late = Delivery.objects.waiting().filter(created_at__lt=now - LONGEST_SILENCE, attempts=0).count()
    if late:
        found.append(f"{late} messages wait unsent for more than five minutes")
    return found
