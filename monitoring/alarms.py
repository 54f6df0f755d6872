"""What stands on every page until somebody acts: alerts after their last step, patients whose alerts nobody owns."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Min, Q
from django.urls import reverse

from monitoring.feed_health import feeds_of, since
from monitoring.models import Alert, Feed, Severity, Treatment
from patients.access import MAY, staff_who_may
from patients.models import Clinic, Deputy, Staff
from patients.rota import absent

MANY = 1000
"""Nobody reads a larger number, and counting further would cost more than the page."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One sentence, what to do about it, and where."""

    text: str
    link: str = ""
    link_text: str = ""


@dataclass(frozen=True, slots=True)
class Alarms:
    """All that stand for one person. An open page asks whether `token` is still theirs and changes only when not."""

    rows: list[Alarm]

    @property
    def token(self) -> str:
        """What they say, in one word."""
        return hashlib.sha256(repr(self.rows).encode()).hexdigest()[:16]


def alarms(staff: Staff, verbs: set[str], *, now: datetime) -> Alarms:
    """Those of this person's clinics, the clinic's alerts first."""
    found = [_sounding(row, verbs) for row in _unanswered(staff)]
    if "set_up_clinic" in verbs:
        clinics = Clinic.objects.filter(_works_as(staff, "set_up_clinic")).distinct().order_by("name", "pk")
        found += [alarm for clinic in clinics for alarm in _without_owner(clinic, now)]
        found += [_unheard(feed) for feed in feeds_of(clinics) if feed.silent_at(now)]
    return Alarms(found)


def _works_as(staff: Staff, verb: str = "") -> Q:
    """Clinics at which this person works, in a role that may do this where one is asked for."""
    found = Q(memberships__staff=staff, memberships__active=True)
    return found & Q(memberships__role__in=MAY[verb]) if verb else found


def _unanswered(staff: Staff) -> list[Any]:
    """Alerts after their last step, by clinic; everybody who works there is told, whatever their role."""
    clinics = Clinic.objects.filter(_works_as(staff))
    rows = Alert.objects.sounding().filter(clinic__in=clinics).values("clinic__name", "clinic__time_zone")
    severe = Count("pk", filter=Q(severity=Severity.SEVERE))
    return list(rows.annotate(number=Count("pk"), severe=severe, since=Min("worsened_at")).order_by("clinic__name"))


def _sounding(row: dict[str, Any], verbs: set[str]) -> Alarm:
    number, severe = row["number"], row["severe"]
    said = "1 alert" if number == 1 else f"{number} alerts"
    among = ", severe" if number == severe == 1 else f", {severe} severe," if severe else ""
    since = row["since"].astimezone(ZoneInfo(row["clinic__time_zone"]))
    text = (
        f"Nobody has answered {said}{among} at {row['clinic__name']}: waiting since {since.day} {since:%b, %H:%M}."
        " Owner, deputy and on-call were told."
    )
    if "see_patients" in verbs:
        return Alarm(text, f"{reverse('alerts')}?show=all", "Answer now")
    return Alarm(text + " Find somebody who can answer.")


def _unheard(feed: Feed) -> Alarm:
    text = f"No data from {feed} at {feed.clinic} since {since(feed)}. Ask the laboratory, and whoever keeps the line."
    return Alarm(text, reverse("feed", args=[feed.clinic.slug, feed.pk]), "What is expected of it")


def _without_owner(clinic: Clinic, now: datetime) -> list[Alarm]:
    """H08: patients whose alerts nobody owns and nobody stands in for. It stays until that is mended."""
    usual = Deputy.objects.filter(clinic=clinic, staff=None).values("deputy")
    reachable = staff_who_may("see_patients", clinic.pk)
    if reachable.filter(pk__in=usual).exclude(pk__in=absent(clinic, now)).exists():
        return []
    # Whoever was ever a clinician here has a membership: it is these few that are looked for, not all patients.
    lost = Staff.objects.filter(memberships__clinic=clinic).exclude(pk__in=reachable.values("pk"))
    patients = Treatment.objects.filter(Q(clinician=None) | Q(clinician__in=lost), clinic=clinic, merged_into=None)
    number = patients[:MANY].count()
    if not number:
        return []
    said = "1 patient" if number == 1 else f"{MANY} or more patients" if number == MANY else f"{number} patients"
    return [
        Alarm(
            f"{said} at {clinic} {'has' if number == 1 else 'have'} no clinician who can be reached, and the clinic has"
            f" no deputy: their alerts go to {clinic.on_call_email} alone.",
            reverse("rota", args=[clinic.slug]),
            "Name a deputy",
        )
    ]
