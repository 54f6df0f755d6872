"""Asking the audit trail: by time, person, verb and patient, newest first, in pages and as CSV.

An auditor reads which patient by the MRN at the auditor's clinic, never by name or date of birth: that is what it
takes to follow a record. Free text in an event's detail is not shown for the same reason.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Count, Max, Min, Q, QuerySet

from monitoring.models import Transfer
from patients.models import AuditEvent, Clinic, Integration, Patient, Staff

CHUNK = 2000
COLUMNS = ("time_utc", "clinic", "person_or_program", "verb", "mrn", "about", "address", "detail")
A_CODE = re.compile(r"[\w.:@+*/<>=,-]{1,80}")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
Mark = tuple[datetime, int]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for; an empty part asks for everything."""

    clinic: Clinic
    since: date | None = None
    until: date | None = None
    person: str = ""
    verb: str = ""
    mrn: str = ""

    def events(self) -> "QuerySet[AuditEvent]":
        """The events that answer it, the newest first."""
        found = AuditEvent.objects.filter(clinic=self.clinic)
        if self.since:
            found = found.filter(at__gte=datetime.combine(self.since, time(), self.clinic.zone))
        if self.until:
            found = found.filter(at__lt=datetime.combine(self.until + timedelta(days=1), time(), self.clinic.zone))
        if self.person:
            found = found.filter(_by(self.clinic, self.person))
        if self.verb:
            found = found.filter(verb=self.verb)
        if self.mrn:
            found = found.filter(patient__in=patients_by_mrn(self.clinic, self.mrn))
        return found.select_related("staff", "integration", "patient").order_by("-at", "-pk")


@dataclass(frozen=True, slots=True)
class Line:
    """One event as an auditor reads it."""

    event: AuditEvent
    who: str
    mrn: str
    detail: str

    @property
    def verb(self) -> str:
        """What was done, in words."""
        return self.event.verb.replace("_", " ").capitalize()


def page_after(events: "QuerySet[AuditEvent]", mark: Mark | None, size: int) -> list[AuditEvent]:
    """The next events after a mark, by key and not by number: the last page costs what the first does."""
    if mark is not None:
        at, pk = mark
        events = events.filter(at__lte=at).exclude(at=at, pk__gte=pk)
    return list(events[:size])


def lines(clinic: Clinic, events: Sequence[AuditEvent]) -> list[Line]:
    """Events with the MRN that each patient has or had at this clinic."""
    known = mrns_at(clinic, {event.patient for event in events if event.patient is not None})
    return [
        Line(event, who=_who(event), mrn=known.get(event.patient_id or 0, ""), detail=_detail(event))
        for event in events
    ]


def patients_by_mrn(clinic: Clinic, mrn: str) -> list[int]:
    """Who has, or had before a transfer, this number at this clinic."""
    here = Patient.objects.filter(clinic=clinic, mrn__iexact=mrn).values_list("pk", flat=True)
    moved = Transfer.objects.filter(Q(from_clinic=clinic) | Q(to_clinic=clinic), old_mrn__iexact=mrn)
    return [*here, *moved.values_list("treatment__patient", flat=True)]


def mrns_at(clinic: Clinic, patients: Iterable[Patient]) -> dict[int, str]:
    """The number of each patient as this clinic knows it: its own, or the one under which they left or were offered."""
    patients = list(patients)
    known = {patient.pk: patient.mrn for patient in patients if patient.clinic_id == clinic.pk}
    others = [patient.pk for patient in patients if patient.pk not in known]
    moves = Transfer.objects.filter(Q(from_clinic=clinic) | Q(to_clinic=clinic), treatment__patient__in=others)
    for patient_id, mrn, sender in moves.order_by("pk").values_list("treatment__patient", "old_mrn", "from_clinic"):
        if sender == clinic.pk or patient_id not in known:
            known[patient_id] = mrn
    return known


def who_saw(question: Question) -> list[dict[str, object]]:
    """Everybody who opened or touched the records asked for: how often, first and last."""
    rows = (
        question.events()
        .exclude(staff=None, integration=None)
        .order_by()
        .values("staff__first_name", "staff__last_name", "staff__username", "integration__name")
        .annotate(times=Count("pk"), opened=Count("pk", Q(verb__endswith="_opened")), first=Min("at"), last=Max("at"))
        .order_by("-last")
    )
    return [
        {
            "who": _name(row["staff__first_name"], row["staff__last_name"], row["staff__username"])
            or f"program {row['integration__name']}",
            "opened": row["opened"],
            "did": row["times"] - row["opened"],
            "first": row["first"],
            "last": row["last"],
        }
        for row in rows
    ]


def as_csv(question: Question, *, newest: Mark | None) -> Iterator[str]:
    """The whole answer, chunk by chunk in constant memory, up to the event that was the newest when it was asked."""
    yield _row(COLUMNS)
    events, mark = question.events(), newest
    while chunk := page_after(events, mark, CHUNK):
        yield "".join(_row(_cells(question.clinic, line)) for line in lines(question.clinic, chunk))
        mark = (chunk[-1].at, chunk[-1].pk)


def _cells(clinic: Clinic, line: Line) -> tuple[str, ...]:
    event = line.event
    return (
        event.at.isoformat(), clinic.name, line.who, event.verb, line.mrn, event.subject, event.ip or "", line.detail,
    )  # fmt: skip


def _row(cells: Iterable[str]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow([safe(cell) for cell in cells])
    return written.getvalue()


def safe(cell: str) -> str:
    """A spreadsheet would run a cell that begins like a formula; an apostrophe makes it a text."""
    return f"'{cell}" if cell.lstrip(" ").startswith(FORMULA) else cell


def _who(event: AuditEvent) -> str:
    if event.staff is not None:
        return _name(event.staff.first_name, event.staff.last_name, event.staff.username)
    return f"program {event.integration}" if event.integration is not None else "the service itself"


def _name(first: str | None, last: str | None, username: str | None) -> str:
    full = f"{first or ''} {last or ''}".strip()
    return f"{full} ({username})" if full else username or ""


def _by(clinic: Clinic, words: str) -> Q:
    """By their ids, looked up first: a name that nobody has would otherwise be sought in every event there is."""
    every_word = Q()
    for word in words.replace(",", " ").split()[:4]:
        every_word &= Q(first_name__istartswith=word) | Q(last_name__istartswith=word)
    people = Staff.objects.filter(Q(username__iexact=words) | every_word).values_list("pk", flat=True)
    programs = Integration.objects.filter(clinic=clinic, name__istartswith=words).values_list("pk", flat=True)
    found = Q(pk__in=[])
    for column, ids in (("staff", list(people)), ("integration", list(programs))):
        if ids:
            found |= Q(**{f"{column}__in": ids})
    return found


def _detail(event: AuditEvent) -> str:
    patient = event.patient
    names = {patient.given_name.lower(), patient.family_name.lower()} if patient is not None else set()
    return "; ".join(f"{name}: {_shown(value, names)}" for name, value in sorted(event.detail.items()))


def _shown(value: object, names: set[str]) -> str:
    """Numbers, codes and addresses as they are; whatever may be prose, or the patient's name, is left out."""
    if isinstance(value, list):
        return ", ".join(_shown(one, names) for one in value) or "none"
    text = str(value)
    plain = A_CODE.fullmatch(text) and text.lower() not in names
    return text if plain or not text else "(a text)"
