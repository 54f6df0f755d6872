"""The morning's mail: how many stand in each part of the worklist, to everybody who works off it. Counts, no names."""

from datetime import date, datetime, time

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q

from monitoring.models import Alert, Draw, Morning, Severity, Treatment
from monitoring.worklist import SECTIONS, not_merged
from notifications.actions import owe
from notifications.models import Delivery
from patients.access import staff_who_may
from patients.models import Clinic

AT = time(7, 30)
LATEST = time(10)
"""A scheduler that comes back later than this sends none: the morning is over."""
BODY = """{clinic}, {day}

{lines}

Open the list here (sign-in needed): {base_url}/

You choose whether this comes: {base_url}/own/messages/
This message names no patient on purpose. Decision support: the prescriber decides.
"""


def send_mornings(*, now: datetime) -> int:
    """Owe each clinic's mail once a day, between half past seven and ten of its own time; how many mails that makes."""
    owed = 0
    for clinic in Clinic.objects.order_by("pk"):
        here = now.astimezone(clinic.zone)
        if AT <= here.time().replace(tzinfo=None) < LATEST:
            owed += _send(clinic, here.date(), now)
    return owed


@transaction.atomic
def _send(clinic: Clinic, day: date, now: datetime) -> int:
    about = f"morning:{clinic.pk}:{day}"
    if Delivery.objects.filter(about=about).exists():
        return 0
    unwanted = Morning.objects.filter(wanted=False).values("staff")
    people = list(staff_who_may("see_patients", clinic.pk).exclude(pk__in=unwanted))
    if not people:
        return 0
    counts = morning_counts(clinic, day)
    lines = "\n".join(f"{number:>6}  {words}" for words, number in counts)
    body = BODY.format(clinic=clinic.name, day=day, lines=lines, base_url=settings.BASE_URL)
    owe(
        Delivery(
            once=f"{about}:{person.pk}",
            address=person.email,
            subject=f"Clozatrack: today at {clinic.name}"[:200],
            body=body,
            path="/",
            about=about,
            clinic_id=clinic.pk,
            created_at=now,
            due_at=now,
        )
        for person in people
    )
    return len(people)


def morning_counts(clinic: Clinic, day: date) -> list[tuple[str, int]]:
    """What the worklist's sections hold on this day, counted in full."""
    alerts = Alert.objects.filter(clinic=clinic, resolved_at=None).aggregate(
        severe=Count("pk", filter=Q(severity=Severity.SEVERE)), every=Count("pk")
    )
    found = [("severe alerts wait", alerts["severe"]), ("other alerts wait", alerts["every"] - alerts["severe"])]
    mine = Treatment.objects.filter(not_merged(), clinic=clinic)
    for section in SECTIONS:
        wanted = section.wanted(day)
        found.append((section.title.lower(), sum(mine.filter(part).count() for part in wanted)))
    drawn = Draw.objects.filter(not_merged("treatment"), clinic=clinic, ended_at=None).count()
    return [*found, ("drawn, no result yet", drawn)]
