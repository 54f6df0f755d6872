"""Tablets for everybody on treatment, handed over after the last draw, and tests booked for nearly all of them."""

import uuid
from datetime import datetime, timedelta
from decimal import Decimal

from monitoring.actions.booking import book_test
from monitoring.actions.dispensing import NotAuthorisedError, authorise, hand_over
from monitoring.models import Treatment
from monitoring.running_out import running_out
from patients.models import Clinic, Role

SOON = timedelta(hours=4)
LEFT_OPEN = 3
"""So many people's next test is not booked, so that the list has something to show."""


def supply_everybody(clinic: Clinic, *, now: datetime) -> None:
    """At most what the rules allowed that day; one collects too little and is without tablets by now."""
    roles = {row.role: row.staff for row in clinic.memberships.select_related("staff")}
    short = None
    for treatment in Treatment.objects.filter(clinic=clinic, advice="continue").order_by("pk"):
        at = (treatment.latest_draw_at or now) + SOON
        if at > now:
            continue
        short = short or treatment.pk
        try:
            leave = authorise(treatment=treatment, entry=uuid.uuid4(), by=roles[Role.PHARMACIST], now=at)
        except NotAuthorisedError:
            continue
        days = min(leave.days, max((now - at).days - 1, 1)) if treatment.pk == short else leave.days
        hand_over(
            authorisation=leave,
            strength_mg=Decimal(100),
            quantity=3 * days,
            days=days,
            by=roles[Role.PHARMACIST],
            now=at,
        )
    day = now.astimezone(clinic.zone).date()
    for treatment in Treatment.objects.filter(running_out(day, clinic), clinic=clinic).order_by("pk")[LEFT_OPEN:]:
        if treatment.due_on is not None and treatment.due_on >= day:
            book_test(treatment=treatment, day=treatment.due_on, by=roles[Role.NURSE], now=now)
