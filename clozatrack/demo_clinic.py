"""A believable clinic: forty people in every state of the rules, two years of history, made by the real actions."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.contrib.auth.hashers import make_password
from django.db import transaction

from monitoring.actions.answering import acknowledge, resolve
from monitoring.actions.record_result import Report, record_result
from monitoring.actions.treating import begin_monitoring, document_ben, record_dose, record_event
from monitoring.models import Alert, Outcome, Treatment
from notifications.models import Delivery
from patients.actions import register_patient
from patients.models import Clinic, Membership, Role, Staff

PASSWORD = "clozatrack-demo"  # printed by the demo; it opens nothing but the demo
DAY = timedelta(days=1)
FAMILY = (
    "Abara Bergström Castellanos Dlamini Eriksen Fofanah Gallagher Haddad Ivanova Jensen Kowalska"
    " Lindqvist Mbeki Nakamura Okafor Petrov Quispe Rossi Sato Tremblay Ueda Vargas Whitcombe Xiong Yilmaz"
    " Zanetti Armitage Boateng Choudhury Delacroix Eastwood Fischer Grünwald Hargreaves Iqbal Jovanović"
    " Kelly Lopes Moreau Novak Oyelaran Pereira Raman Sokolov"
).split()
GIVEN = (
    "Ada Ben Chloe Daniel Elena Femi Grace Hugo Ines Jonas Kira Leo Mara Nils Olga Paul Rosa Samir Tess"
    " Viktor Wanda Yusuf Zoe Amir Britt Carlos Dina Emil Farah Georg Hana Ivo June Karim Lucia Marek Nora"
    " Otto Priya Rafael Sanna Tariq Uma Vera"
).split()


@dataclass
class Person:
    """One patient of the demo: when treatment began, how the counts run, and how the story ends."""

    days: int
    mean: int = 3600
    end: Callable[["Story"], None] | None = None
    skip_last_days: int = 0
    draws_at: int = 9


@dataclass
class Story:
    """A treatment while its history is told, through the same actions that a clinic uses."""

    treatment: Treatment
    nurse: Staff
    prescriber: Staff
    now: datetime
    chance: random.Random
    number: int = 0

    def at(self, day: date, hour: int = 9, minute: int = 0) -> datetime:
        """A time of that day at the clinic."""
        return datetime.combine(day, time(hour, minute), self.treatment.clinic.zone)

    @property
    def today(self) -> date:
        """Today at the clinic."""
        return self.now.astimezone(self.treatment.clinic.zone).date()

    def count(self, value: int, drawn_at: datetime, **fields: str) -> None:
        """A result from the laboratory, known an hour and a half after the draw."""
        self.number += 1
        drawn_at = min(drawn_at, self.now - timedelta(hours=2))
        per_litre = Decimal(value) / 1000
        report = Report(
            source="lab",
            accession=f"L{self.treatment.pk:04}-{self.number:03}",
            drawn_at=drawn_at,
            count={"anc": f"{per_litre}", "unit": "10*9/L"} | fields,
        )
        received = min(drawn_at + timedelta(minutes=90), self.now)
        record_result(treatment=self.treatment, report=report, by=None, now=received)
        self.treatment.refresh_from_db()

    def event(self, kind: str, at: datetime | date, **fields: object) -> None:
        """Something that happened, recorded within the hour."""
        instant = at if isinstance(at, datetime) else self.at(at, 8)
        now = min(instant + timedelta(minutes=40), self.now)
        record_event(treatment=self.treatment, kind=kind, at=at, by=self.prescriber, now=now, **fields)  # type: ignore[arg-type]  # told by the table below
        self.treatment.refresh_from_db()

    def usual(self, mean: int) -> int:
        """A believable normal count, in steps of ten."""
        return max(1580, int(self.chance.gauss(mean, mean * 0.16)) // 10 * 10)

    def live(self, until: date, mean: int) -> None:
        """Tests on the day that they are due, now and then a day late, until that day."""
        while self.treatment.due_on and self.treatment.due_on <= until:
            late = 1 if self.chance.random() < 0.08 and self.treatment.frequency != "weekly" else 0
            day = min(self.treatment.due_on + late * DAY, until)
            self.count(self.usual(mean), self.at(day, 9, self.chance.randrange(0, 50)))

    def answer_the_past(self) -> None:
        """Old alerts were answered in their time."""
        for alert in Alert.objects.filter(treatment=self.treatment).standing():
            soon = min(alert.raised_at + timedelta(minutes=25), self.now)
            acknowledge(alert=alert, by=self.nurse, now=soon, note="Called the patient and the prescriber.")
            # An alert is resolved after the last count that it covers, never before.
            last = max(alert.raised_at, self.treatment.assessed_at or alert.raised_at)
            later = min(last + timedelta(hours=5), self.now)
            resolve(alert=alert, by=self.prescriber, now=later, outcome=Outcome.ACTED, note="Followed the protocol.")


def _blip(value: int, *, days_ago: int, then: tuple[int, ...] = ()) -> Callable[[Story], None]:
    """A low count some days ago, and what was drawn on the days after it."""

    def tell(story: Story) -> None:
        day = story.today - days_ago * DAY
        story.count(value, story.at(day, 9, 5))
        for later, next_value in enumerate(then, start=1):
            if day + later * DAY <= story.today:
                story.count(next_value, min(story.at(day + later * DAY, 8, 40), story.now - timedelta(hours=2)))

    return tell


def _severe_last_night(story: Story) -> None:
    story.answer_the_past()
    drawn_at = min(story.at(story.today - DAY, 22, 10), story.now - timedelta(hours=2))
    story.count(380, drawn_at)


def _severe_in_spring(story: Story) -> None:
    day = story.today - 60 * DAY
    story.count(410, story.at(day))
    story.event("last_dose", story.at(day, 7), reason="Severe neutropenia")
    for later, value in ((1, 460), (2, 620), (3, 900), (4, 1180), (6, 1450), (8, 1900)):
        story.count(value, story.at(day + later * DAY))
    story.answer_the_past()


def _rechallenged(story: Story) -> None:
    _severe_in_spring(story)
    story.event(
        "rechallenge_approved", story.at(story.today - 20 * DAY), reason="Benefit outweighs risk, family agrees"
    )
    story.count(2600, story.at(story.today - 16 * DAY))
    story.event("restart", story.at(story.today - 15 * DAY, 20))
    story.live(story.today - DAY, 3000)


def _paused(days: int, reason: str, *, stop: bool = False) -> Callable[[Story], None]:
    def tell(story: Story) -> None:
        story.event("last_dose", story.at(story.today - days * DAY, 20), stop=stop, reason=reason)

    return tell


def _fever(story: Story) -> None:
    story.event("fever", story.now - timedelta(hours=3), celsius=Decimal("38.9"))


def _hospice(story: Story) -> None:
    story.event("hospice_agreed", story.at(story.today - 30 * DAY), reason="Discussed with patient and daughter")


def _corrected(story: Story) -> None:
    story.count(640, story.now - timedelta(hours=30))
    report = Report(
        source="lab",
        accession=f"L{story.treatment.pk:04}-{story.number:03}",
        drawn_at=story.now - timedelta(hours=30),
        count={"anc": "6.4", "unit": "10*9/L"},
        status="corrected",
    )
    record_result(treatment=story.treatment, report=report, by=None, now=story.now - timedelta(hours=20))


PEOPLE = (
    *(Person(days) for days in (21, 63, 98, 133, 168, 203, 231, 266, 301, 336, 371, 455, 546, 637, 728)),
    *(Person(days, mean=2400) for days in (49, 112, 259, 413, 690)),
    Person(119, skip_last_days=9),
    Person(287, skip_last_days=20),
    Person(520, skip_last_days=36),
    Person(77, skip_last_days=8),
    Person(160, end=_blip(1420, days_ago=0)),
    Person(400, end=_blip(1340, days_ago=2, then=(1290,)), skip_last_days=3),
    Person(240, end=_blip(870, days_ago=1), skip_last_days=2),
    Person(330, end=_blip(910, days_ago=12, then=(940, 1080, 1240, 1530)), skip_last_days=13),
    Person(610, end=_severe_last_night),
    Person(450, end=_severe_in_spring, skip_last_days=61),
    Person(700, end=_rechallenged, skip_last_days=61),
    Person(380, end=_paused(12, "Surgery, then did not want to go on")),
    Person(505, end=_paused(41, "Lost contact after moving house"), skip_last_days=41),
    Person(290, end=_paused(70, "Changed to another medicine", stop=True), skip_last_days=70),
    Person(145, end=_fever),
    Person(720, end=_hospice),
    Person(210, end=_corrected),
)


@transaction.atomic
def load(*, now: datetime) -> None:
    """Write the demo clinic and a second, small one. Does nothing where clinics are already."""
    if Clinic.objects.exists():
        return
    chance = random.Random(1975)  # believable, not secret
    north = _clinic("North Clinic", "north", "America/New_York", prefix="")
    south = _clinic("South Clinic", "south", "Europe/Lisbon", prefix="south-")
    names = list(zip(chance.sample(FAMILY, len(FAMILY)), chance.sample(GIVEN, len(GIVEN)), strict=True))
    for person in PEOPLE:
        _tell(_story(north, names.pop(), person, now, chance), person)
    _not_started(_story(north, names.pop(), None, now, chance), low=False)
    _not_started(_story(north, names.pop(), None, now, chance), low=True)
    _ben(_story(north, names.pop(), None, now, chance))
    _for_the_sample_export(north, now)
    for person in (Person(40), Person(300, skip_last_days=18), Person(14)):
        _tell(_story(south, names.pop(), person, now, chance), person)
    # The messages of two years were sent in their time; only last night's are still to go.
    Delivery.objects.waiting().filter(created_at__lt=now - DAY).update(sent_at=now - DAY)


def _for_the_sample_export(clinic: Clinic, now: datetime) -> None:
    """Three people whom samples/lab-export.csv knows; their treatment began on fixed days."""
    nurse = clinic.memberships.get(role=Role.NURSE).staff
    for mrn, given, family, born in (
        ("DEMO-1", "Sam", "Sampleton", date(1979, 3, 2)),
        ("DEMO-2", "Dana", "Demarco", date(1991, 8, 19)),
        ("DEMO-3", "Ellis", "Exner", date(1964, 12, 30)),
    ):
        patient = register_patient(
            clinic=clinic, mrn=mrn, given_name=given, family_name=family, date_of_birth=born, by=nurse, now=now
        )
        begun = datetime(2026, 9, 29, 14, tzinfo=clinic.zone)
        treatment = begin_monitoring(patient=patient, by=nurse, now=begun)
        baseline = Report(source="lab", accession=f"{mrn}-0", drawn_at=begun, count={"anc": "3.1", "unit": "10*9/L"})
        record_result(treatment=treatment, report=baseline, by=None, now=begun)
        first_dose = begun + 2 * DAY
        record_event(treatment=treatment, kind="first_dose", at=first_dose, by=nurse, now=first_dose)


def _clinic(name: str, slug: str, zone: str, *, prefix: str) -> Clinic:
    clinic = Clinic.objects.create(
        name=name, slug=slug, time_zone=zone, on_call_email=f"oncall@{slug}.example", count_unit="10*9/L"
    )
    password = make_password(PASSWORD)
    for role, first, last in (
        (Role.NURSE, "Nora", "Nurse"),
        (Role.PRESCRIBER, "Pia", "Prescriber"),
        (Role.PHARMACIST, "Phil", "Pharmacist"),
        (Role.CLINIC_ADMIN, "Adi", "Admin"),
        (Role.AUDITOR, "Audrey", "Auditor"),
    ):
        staff = Staff.objects.create(
            username=f"{prefix}{role.replace('_', '-')}",
            first_name=first,
            last_name=last,
            email=f"{prefix}{role}@{slug}.example",
            password=password,
        )
        Membership.objects.create(staff=staff, clinic=clinic, role=role)
    return clinic


def _story(clinic: Clinic, name: tuple[str, str], person: Person | None, now: datetime, chance: random.Random) -> Story:
    roles = {row.role: row.staff for row in clinic.memberships.select_related("staff")}
    began = now - timedelta(days=(person.days if person else 10) + 4)
    born = date(1950, 1, 1) + timedelta(days=chance.randrange(0, 365 * 52))
    patient = register_patient(
        clinic=clinic,
        mrn=f"{clinic.slug[0].upper()}{chance.randrange(10_000, 99_999)}",
        given_name=name[1],
        family_name=name[0],
        date_of_birth=born,
        by=roles[Role.NURSE],
        now=began,
    )
    treatment = begin_monitoring(patient=patient, by=roles[Role.NURSE], now=began, clinician=roles[Role.PRESCRIBER])
    return Story(treatment, roles[Role.NURSE], roles[Role.PRESCRIBER], now, chance)


def _tell(story: Story, person: Person) -> None:
    began = story.today - person.days * DAY
    story.count(story.usual(person.mean), story.at(began - 2 * DAY))
    story.event("first_dose", story.at(began, 20))
    for week, daily_mg in ((0, "12.5"), (2, "300"), (8, "350")):
        at = story.at(began + week * 7 * DAY, 20)
        if at < story.now:
            record_dose(treatment=story.treatment, daily_mg=Decimal(daily_mg), at=at, by=story.prescriber, now=at)
    last = story.today - max(person.skip_last_days, 1) * DAY
    story.live(last, person.mean)
    if person.end:
        person.end(story)


def _not_started(story: Story, *, low: bool) -> None:
    story.count(1390 if low else 2900, story.at(story.today - 2 * DAY))


def _ben(story: Story) -> None:
    """One person with BEN, documented by two people from two baselines, and then treated."""
    began = story.today - 80 * DAY
    story.count(1180, story.at(began - 9 * DAY))
    story.count(1260, story.at(began - 3 * DAY))
    document_ben(
        treatment=story.treatment,
        baseline_anc=Decimal(1180),
        evidence="Duffy-null phenotype, two baselines",
        by=story.prescriber,
        confirmed_by=story.nurse,
        now=story.at(began - 2 * DAY, 12),
    )
    story.answer_the_past()
    story.event("first_dose", story.at(began, 20))
    while story.treatment.due_on and story.treatment.due_on < story.today:
        story.count(story.chance.randrange(1050, 1420, 10), story.at(story.treatment.due_on))
