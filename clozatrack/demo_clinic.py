"""A believable clinic: forty people in every state of the rules, two years of history, made by the real actions."""

import random
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.contrib.auth.hashers import make_password
from django.db import transaction

from clozatrack import demo_messages, demo_programmes
from clozatrack.demo_people import DAY, FAMILY, GIVEN, PEOPLE, Person, Story
from clozatrack.demo_reaching import agree_to_reminders
from clozatrack.demo_rota import listen_to, plan
from clozatrack.demo_supply import supply_everybody
from monitoring.actions.carrying_on import go_on
from monitoring.actions.foreseeing import begin_change
from monitoring.actions.record_result import Report, record_result
from monitoring.actions.treating import begin_monitoring, document_ben, record_dose, record_event
from notifications.models import Delivery
from patients.actions import register_patient
from patients.closed_days import close_days
from patients.models import Clinic, Membership, Role, Staff
from patients.public_holidays import public_holidays

PASSWORD = "clozatrack-demo"  # printed by the demo; it opens nothing but the demo


@transaction.atomic
def load(*, now: datetime) -> None:
    """Write the demo clinic and a second, small one. Does nothing where clinics are already."""
    if Clinic.objects.exists():
        return
    chance = random.Random(1975)  # believable, not secret
    north = _clinic("North Clinic", "north", "America/New_York", prefix="")
    south = _clinic("South Clinic", "south", "Europe/Lisbon", prefix="south-")
    _holidays(north, "US", now)
    _holidays(south, "PT", now)
    names = list(zip(chance.sample(FAMILY, len(FAMILY)), chance.sample(GIVEN, len(GIVEN)), strict=True))
    for person in PEOPLE:
        _tell(_story(north, names.pop(), person, now, chance), person)
    _not_started(_story(north, names.pop(), None, now, chance), low=False)
    _not_started(_story(north, names.pop(), None, now, chance), low=True)
    _ben(_story(north, names.pop(), None, now, chance))
    _for_the_sample_export(north, now)
    for person in (Person(40), Person(300, skip_last_days=18), Person(14)):
        _tell(_story(south, names.pop(), person, now, chance), person)
    demo_programmes.tell(north, now)
    supply_everybody(north, now=now)
    _change_of_protocol(south, now)
    plan(north, now=now)
    listen_to(north, hours_ago=1, now=now)
    listen_to(south, hours_ago=80, now=now)
    agree_to_reminders(north, now)
    # The messages of two years were sent in their time; only last night's are still to go.
    Delivery.objects.waiting().filter(created_at__lt=now - DAY, repeatable=True).update(sent_at=now - DAY)
    demo_messages.load(north, now=now)


def _holidays(clinic: Clinic, country: str, now: datetime) -> None:
    """The public holidays of this year and the next, as the clinic admin fills them in."""
    admin = clinic.memberships.get(role=Role.CLINIC_ADMIN).staff
    for year in (now.year, now.year + 1):
        close_days(clinic=clinic, days=public_holidays(country, "", year), by=admin, now=now)


def _change_of_protocol(clinic: Clinic, now: datetime) -> None:
    """A preview that waits for its prescriber."""
    nurse = clinic.memberships.get(role=Role.NURSE).staff
    reason = "The European letter of September 2025 is about Lisbon too"
    change = begin_change(clinic=clinic, protocol_key="eu-2025-09", reason=reason, by=nurse, now=now)
    go_on(change.pk, clock=lambda: now)


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
    story.answer_the_past(older_than=3 * DAY)


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
