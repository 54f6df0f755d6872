"""What a patient is told of their tests: in words, without a number, a band or a scare."""

from dataclasses import dataclass
from datetime import date, datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from monitoring.alerts import HOLDS
from monitoring.models import Dispense, Draw, Result, Treatment
from monitoring.models.treatment import EVERY_DAY
from monitoring.reminding.planning import asked_on
from patients.models import AuditEvent, Role

SHOWN = 8
EMERGENCY_PLACE = gettext_noop("the nearest emergency department")
"""As FrontDesk has it from the start; here so that it is translated."""
WHY: dict[str, Promise] = {
    "close": _("We are looking closely for a while. That is why the tests are near each other."),
    "weekly": _("In the first months there is a test every week. It keeps you safe."),
    "every_2_weeks": _("The first months went by. Now there is a test every two weeks."),
    "monthly": _("You have done this for a long time. Now there is a test every month."),
    "other": _("Regular tests keep you safe."),
}
GOOD = _("It was as we hoped.")
LOWER = _("It was lower than usual. We know, and we look at it with you.")
WIDTH, HEIGHT, EDGE = 280, 60, 12


@dataclass(frozen=True, slots=True)
class Told:
    """One test in words."""

    day: date
    good: bool
    text: Promise
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class OwnPage:
    """What the page says. Dates are of the clinic's calendar."""

    next_on: date | None
    last_day: date | None
    why: Promise
    drawn: Draw | None
    results: list[Told]
    pharmacy_saw: bool
    tablets_left: int | None
    tablets_until: date | None
    call_first: bool
    """The advice is to stop or to wait: they are asked to call before they take more."""


def next_test(treatment: Treatment, *, now: datetime) -> date | None:
    """The day that is booked, while it is ahead and in time; else the open day on which the test is asked for."""
    if treatment.due_on is None:
        return None
    ahead = (now.astimezone(treatment.clinic.zone).date(), treatment.overdue_after or treatment.due_on)
    booked = treatment.bookings.filter(ended_at=None, day__range=ahead).first()
    if booked is not None:
        return booked.day
    return asked_on(treatment.clinic, treatment.due_on, treatment.frequency)


def own_page_of(treatment: Treatment, *, now: datetime) -> OwnPage:
    """Read from the rows as they stand."""
    results = [row for row in treatment.every_result().current() if row.status != "preliminary" and row.anc is not None]
    latest = max((row.received_at for row in results), default=None)
    left, until = _tablets(treatment, now)
    return OwnPage(
        next_on=next_test(treatment, now=now),
        last_day=treatment.overdue_after,
        why=_why(treatment.frequency),
        drawn=treatment.draws.filter(ended_at=None).first(),
        results=_told(results[-SHOWN:], treatment),
        pharmacy_saw=latest is not None and _pharmacy_saw(treatment, latest),
        tablets_left=left,
        tablets_until=until,
        call_first=treatment.advice in HOLDS,
    )


def _why(frequency: str) -> Promise:
    return WHY["close"] if frequency in EVERY_DAY else WHY.get(frequency, WHY["other"])


def _told(results: list[Result], treatment: Treatment) -> list[Told]:
    """Their places on a small drawing without numbers: higher is higher, and nothing more."""
    table, found = treatment.table, []
    counts = [float(row.anc or 0) for row in results]
    low, high = min(counts, default=0), max(counts, default=1)
    for n, row in enumerate(results):
        count = row.count()
        good = count is not None and table.rank(count) == 0
        x = EDGE + (WIDTH - 2 * EDGE) * (n / max(len(results) - 1, 1))
        y = HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * ((counts[n] - low) / ((high - low) or 1))
        day = row.drawn_at.astimezone(treatment.clinic.zone).date()
        found.append(Told(day, good, GOOD if good else LOWER, round(x, 1), round(y, 1)))
    return found


def _pharmacy_saw(treatment: Treatment, since: datetime) -> bool:
    """Somebody at the pharmacy has given leave for a supply, or opened the record, after the result came."""
    if treatment.authorisations.filter(given_at__gte=since).exists():
        return True
    opened = AuditEvent.objects.filter(
        patient=treatment.patient_id, verb="patient_opened", at__gte=since,
        staff__memberships__role=Role.PHARMACIST, staff__memberships__clinic=treatment.clinic_id,
    )  # fmt: skip
    return opened.exists()


def _tablets(treatment: Treatment, now: datetime) -> tuple[int | None, date | None]:
    """About how many should be left this morning, from what was handed over last; nothing to who is to take none."""
    if treatment.advice != "continue" or treatment.paused_since is not None:
        return None, None
    until = treatment.tablets_until
    given = Dispense.objects.filter(treatment=treatment, voided_at=None).order_by("-handed_over_at").first()
    today = now.astimezone(treatment.clinic.zone).date()
    if until is None or given is None or until < today:
        return None, until
    days = min((until - today).days + 1, given.days)
    return round(given.quantity / given.days * days), until
