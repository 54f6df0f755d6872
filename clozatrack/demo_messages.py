"""Messages for the demo's page of them, in every state, and two people who chose SMS for severe alerts."""

from datetime import datetime, timedelta
from typing import Any

from monitoring.models import Way, Wish
from notifications.models import Delivery, DeliveryEvent
from patients.models import Clinic

HOUR = timedelta(hours=1)
TOLD = ("delivered", "bounced", "unknown", "dead", "delivered", "delivered")
WHY = "the provider answered 429, code 20429"


def load(clinic: Clinic, *, now: datetime) -> None:
    """Ways of the nurse and the prescriber, and a few SMS of the last day."""
    for number, member in enumerate(
        clinic.memberships.filter(role__in=["nurse", "prescriber"]).select_related("staff")
    ):
        Way.objects.create(
            staff=member.staff, channel="sms", address=f"+1500555010{number}", label="phone", added_at=now,
            confirmed_at=now,
        )  # fmt: skip
        Wish.objects.create(staff=member.staff, severity=1, channels=["email", "sms"], changed_at=now)
    for number, state in enumerate(TOLD):
        _message(clinic, number, state, now - (number + 2) * HOUR)


def _message(clinic: Clinic, number: int, state: str, at: datetime) -> None:
    to_staff = state == "dead" or number == 0
    row = Delivery.objects.create(
        once=f"demo:{clinic.pk}:{number}", channel="sms", address=f"+1500555020{number}", created_at=at, due_at=at,
        subject="Clozatrack: new task, please sign in" if to_staff else "A reminder", clinic_id=clinic.pk,
        body="Clozatrack: new task. Sign in to see it." if to_staff else "A reminder.", about="demo",
        priority=4 if to_staff else 7, repeatable=to_staff, path="/alerts/",
    )  # fmt: skip
    story = {
        "delivered": [("sent", ""), ("on_its_way", "sent"), ("delivered", "delivered")],
        "bounced": [("sent", ""), ("on_its_way", "sent"), ("bounced", "undelivered 30005")],
        "unknown": [("handing", ""), ("unsure", "ReadTimeout: the provider did not answer within 10 seconds")],
        "dead": [("failed", WHY), ("failed", WHY), ("dead", "")],
    }[state]
    if not to_staff and state != "unknown":
        story = [("handing", ""), *story]
    ends: dict[str, dict[str, Any]] = {
        "delivered": {"sent_at": at, "delivered_at": at},
        "bounced": {"sent_at": at, "bounced_at": at},
        "unknown": {"last_error": "ReadTimeout: the provider did not answer within 10 seconds"},
        "dead": {"dead_at": at, "last_error": WHY, "attempts": 9},
    }
    marked = {} if to_staff else {"handing_at": at}
    Delivery.objects.filter(pk=row.pk).update(**marked, **ends[state])
    DeliveryEvent.objects.bulk_create(
        DeliveryEvent(delivery=row, at=at + timedelta(seconds=3 * turn), kind=kind, detail=detail)
        for turn, (kind, detail) in enumerate(story)
    )
