"""Who people are, which clinic they belong to, and what was done about whom."""

from collections.abc import Sequence
from datetime import date
from typing import Any, ClassVar
from zoneinfo import ZoneInfo, available_timezones

import pgtrigger
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Collate, Upper

APPEND_ONLY: list[Any] = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]
NO_DELETE: list[Any] = [pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete)]

DEFAULT_POLICIES: dict[str, int] = {
    "escalate_severe_minutes": 15,
    "escalate_moderate_minutes": 60,
    "escalate_other_minutes": 24 * 60,
    "escalate_overdue_minutes": 24 * 60,
    "on_call_severe_minutes": 30,
    "on_call_moderate_minutes": 2 * 60,
    "on_call_other_minutes": 2 * 24 * 60,
    "on_call_overdue_minutes": 2 * 24 * 60,
    "alarm_severe_minutes": 60,
    "alarm_moderate_minutes": 4 * 60,
    "alarm_other_minutes": 3 * 24 * 60,
    "alarm_overdue_minutes": 3 * 24 * 60,
    "return_severe_minutes": 2 * 60,
    "return_moderate_minutes": 8 * 60,
    "return_other_minutes": 3 * 24 * 60,
    "return_overdue_minutes": 3 * 24 * 60,
    "supply_margin_days": 3,
    "supply_monthly_days": 30,
    "supply_discharge_days": 42,
    "authorisation_hours": 24,
    "bridge_days": 4,
    "bridge_times": 1,
    "bridge_period_days": 28,
    "tablets_warning_days": 3,
    "registry_enrolments": 0,
    "review_results": 0,
    "transfer_answer_days": 3,
    "answer_quarantine_minutes": 24 * 60,
}


def known_time_zone(name: str) -> None:
    """Civil dates are taken in this zone, so a wrong name would move due dates."""
    if name not in available_timezones():
        raise ValidationError(f"{name} is not an IANA time zone such as Europe/Berlin")


def known_policies(policies: dict[str, int]) -> None:
    """Only policies that the product knows, in whole numbers above zero."""
    for name, value in policies.items():
        if name not in DEFAULT_POLICIES:
            raise ValidationError(f"{name} is not a policy; known: {', '.join(DEFAULT_POLICIES)}")
        if not isinstance(value, int) or value < min(DEFAULT_POLICIES[name], 1):
            raise ValidationError(f"{name} is a whole number above zero, not {value!r}")


class Clinic(models.Model):
    """One clinic: its calendar, where its alerts go when nobody answers, and the unit of its laboratory."""

    name = models.CharField(max_length=120)
    slug = models.SlugField(unique=True)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[known_time_zone])
    on_call_email = models.EmailField()
    count_unit = models.CharField(max_length=16, default="10*9/L")
    default_protocol = models.CharField(max_length=32, default="us-label-2025")
    policies = models.JSONField(default=dict, blank=True, validators=[known_policies])

    class Meta:
        triggers: ClassVar = NO_DELETE

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which this clinic's calendar days are."""
        return ZoneInfo(self.time_zone)

    def policy(self, name: str) -> int:
        """A policy's value, or the product's default."""
        return int(self.policies.get(name, DEFAULT_POLICIES[name]))


class ClosedDay(models.Model):
    """A day on which a clinic takes no blood. One that was wrong is ended, with who and when.

    Weekends are closed anyway and need no row. Read through `patients.closed_days`.
    """

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="closed_days")
    day = models.DateField()
    name = models.CharField(max_length=80)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey("Staff", models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey("Staff", models.PROTECT, null=True, related_name="+")

    class Meta:
        triggers: ClassVar = NO_DELETE
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["clinic", "day"], condition=Q(ended_at=None), name="closed_once_a_day"),
            models.CheckConstraint(condition=~Q(name=""), name="closed_day_has_name"),
            models.CheckConstraint(
                condition=Q(ended_by=None) | Q(ended_at__isnull=False), name="closed_day_ended_by_has_when"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.name}"


class Staff(AbstractUser):
    """A person who signs in."""

    class Meta(AbstractUser.Meta):
        triggers: ClassVar = NO_DELETE

    def __str__(self) -> str:
        return self.get_full_name() or self.username


class Role(models.TextChoices):
    """What a person is at a clinic."""

    NURSE = "nurse", "Nurse"
    PRESCRIBER = "prescriber", "Prescriber"
    PHARMACIST = "pharmacist", "Pharmacist"
    CLINIC_ADMIN = "clinic_admin", "Clinic admin"
    AUDITOR = "auditor", "Auditor"


class Membership(models.Model):
    """A person's role at one clinic."""

    staff = models.ForeignKey(Staff, models.PROTECT, related_name="memberships")
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices)
    active = models.BooleanField(default=True)
    daily_mail = models.BooleanField(null=True)
    """Whether the day's counts come by mail in the morning; null: as it is usual for the role."""

    class Meta:
        triggers: ClassVar = NO_DELETE
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["staff", "clinic", "role"], name="one_membership_per_role"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="membership_role_known"),
        ]


# Sorted byte by byte, so that an index answers "begins with" in any database, whatever its language.
FAMILY = Collate(Upper("family_name"), "C")
GIVEN = Collate(Upper("given_name"), "C")


class PatientQuerySet(models.QuerySet["Patient"]):
    """Patients by how a person would look for them."""

    def named(self, words: str) -> "PatientQuerySet":
        """By MRN, by date of birth (1980-05-17), or by the beginnings of their names."""
        found = Q(mrn__iexact=words)
        if (born := parse_date_or_none(words)) is not None:
            found |= Q(date_of_birth=born)
        every_word = Q()
        for word in words.replace(",", " ").split()[:4]:
            every_word &= Q(family_name__istartswith=word) | Q(given_name__istartswith=word)
        if every_word:
            found |= every_word
        return self.filter(found).order_by("family_name", "given_name", "pk")

    def look_for(self, words: str, *, clinics: "Sequence[Clinic]", most: int) -> "list[Patient]":
        """The same question at these clinics, answered from indexes alone however many patients there are."""
        names = [name for name in words.replace(",", " ").split() if name][:2]
        born = parse_date_or_none(words)
        found: dict[int, Patient] = {}
        for clinic in clinics:
            here = self.filter(clinic=clinic)
            asked: list[models.QuerySet[Patient]] = [here.filter(mrn__iexact=words)]
            if born is not None:
                asked.append(here.filter(date_of_birth=born).order_by("pk"))
            if names:
                first, *second = names
                asked += [here._beginning(FAMILY, first, GIVEN, second), here._beginning(GIVEN, first, FAMILY, second)]
            for question in asked:
                found |= {patient.pk: patient for patient in question[:most]}
        return list(found.values())[:most]

    def _beginning(self, name: Collate, start: str, other: Collate, more: list[str]) -> "PatientQuerySet":
        """Those whose one name begins so, and whose other name begins as the second word where there is one."""
        rows = self.annotate(one=name, two=other).filter(one__startswith=Upper(Value(start)))
        for word in more:
            rows = rows.filter(two__startswith=Upper(Value(word)))
        return rows.order_by("one", "two", "pk")


def parse_date_or_none(written: str) -> date | None:
    """A date as 1980-05-17, or None where it is something else."""
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None


class Patient(models.Model):
    """A person treated at a clinic. The MRN is unique there, whatever its case."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="patients")
    mrn = models.CharField(max_length=40)
    given_name = models.CharField(max_length=80)
    family_name = models.CharField(max_length=80)
    date_of_birth = models.DateField()
    created_at = models.DateTimeField()

    objects = PatientQuerySet.as_manager()

    class Meta:
        triggers: ClassVar = NO_DELETE
        constraints: ClassVar = [
            models.UniqueConstraint("clinic", Upper("mrn"), name="one_patient_per_mrn"),
            models.CheckConstraint(condition=~Q(mrn=""), name="patient_has_mrn"),
        ]
        indexes: ClassVar = [
            models.Index("clinic", "family_name", "given_name", name="patients_by_name"),
            models.Index("clinic", FAMILY, GIVEN, "id", name="patients_by_family"),
            models.Index("clinic", GIVEN, FAMILY, "id", name="patients_by_given"),
            models.Index("clinic", "date_of_birth", name="patients_by_birth"),
        ]

    def __str__(self) -> str:
        return f"{self.family_name}, {self.given_name}"


class ContactPoint(models.Model):
    """How a patient is reached. A change ends one row and begins another."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="contact_points")
    kind = models.CharField(max_length=8, choices=[("phone", "Phone"), ("email", "E-mail"), ("address", "Address")])
    value = models.CharField(max_length=300)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")

    class Meta:
        triggers: ClassVar = NO_DELETE
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["patient", "kind"], condition=Q(ended_at=None), name="one_contact_a_kind"),
            models.CheckConstraint(condition=~Q(value=""), name="contact_has_value"),
        ]


class Integration(models.Model):
    """A program that speaks for one clinic, with the verbs that it may use. Only the token's hash is kept."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="integrations")
    name = models.CharField(max_length=80)
    token_hash = models.CharField(max_length=64, unique=True)
    verbs = models.JSONField(default=list)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    is_authenticated = True

    class Meta:
        triggers: ClassVar = NO_DELETE

    def __str__(self) -> str:
        return self.name


Actor = Staff | Integration | None
"""Who does something: a person, a program, or (None) the service itself."""


class AuditEvent(models.Model):
    """Who did what, about whom, when, from where. Written once; the database refuses to change or delete it."""

    at = models.DateTimeField()
    staff = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    integration = models.ForeignKey(Integration, models.PROTECT, null=True, related_name="+")
    verb = models.CharField(max_length=48)
    clinic = models.ForeignKey(Clinic, models.PROTECT, null=True, related_name="+")
    patient = models.ForeignKey(Patient, models.PROTECT, null=True, related_name="+")
    subject = models.CharField(max_length=64, blank=True)
    detail = models.JSONField(default=dict)
    ip = models.GenericIPAddressField(null=True)

    class Meta:
        triggers: ClassVar = APPEND_ONLY
        indexes: ClassVar = [
            models.Index(fields=["patient", "-at"], name="audit_by_patient"),
            models.Index(fields=["clinic", "-at", "-id"], name="audit_by_clinic"),
            models.Index(fields=["staff", "-at", "-id"], name="audit_by_person"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(staff__isnull=True) | Q(integration__isnull=True), name="audit_has_one_actor"
            )
        ]


def actor_columns(by: Actor) -> dict[str, Any]:
    """Staff and integration columns for whoever acted."""
    return {
        "staff_id": by.pk if isinstance(by, Staff) else None,
        "integration_id": by.pk if isinstance(by, Integration) else None,
    }


# The rota's tables point at the models above.
from patients.rota import Absence, Deputy, Shift, ShiftOffer  # noqa: E402  # they need the models above

__all__ = [
    "Absence", "Actor", "AuditEvent", "Clinic", "ContactPoint", "Deputy", "Integration", "Membership", "Patient",
    "PatientQuerySet", "Role", "Shift", "ShiftOffer", "Staff",
]  # fmt: skip
# Models of their own file, which needs those above; Django finds models only by way of this module.
import patients.reaching  # noqa: E402, F401  # for its models, which need those above
