"""How a patient, and whoever helps them, may be reached: dated consent, confirmed addresses, wishes, links.

Nothing here is edited: the latest row is what holds, and what ends something is a row or has who and when.
"""

from datetime import datetime, time, timedelta
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from patients.models import APPEND_ONLY, NO_DELETE, Clinic, ContactPoint, Patient, Staff, known_time_zone

CONFIRMED_FOR = timedelta(days=182)
"""Six months: numbers are given to other people (H32)."""
CODE_LASTS = timedelta(minutes=10)
MOST_TRIES = 5


class Channel(models.TextChoices):
    """Ways to a patient."""

    SMS = "sms", "Text message"
    EMAIL = "email", "E-mail"
    WEBPUSH = "webpush", "Notice on their phone or computer"


class Language(models.TextChoices):
    """Languages in which patients are written to."""

    ENGLISH = "en", "English"
    SPANISH = "es", "Español"


class How(models.TextChoices):
    """How consent was given or taken back."""

    IN_PERSON = "in_person", "In person"
    ON_PAPER = "on_paper", "On paper"
    TELEPHONE = "telephone", "By telephone"
    OWN_PAGE = "own_page", "On their own page"
    REPLY = "reply", "By a reply to a text message"
    GONE = "gone", "Because their browser takes no more notices"
    """Nobody's word: it only ends."""


class Carer(models.Model):
    """Somebody who helps a patient and may know when the test is, but no result. A change begins another row."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="carers")
    name = models.CharField(max_length=120)
    relation = models.CharField(max_length=60)
    phone = models.CharField(max_length=20, blank=True)
    email = models.EmailField(blank=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")

    class Meta:
        triggers: ClassVar = NO_DELETE
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(name=""), name="carer_has_name"),
            models.CheckConstraint(condition=~Q(phone="") | ~Q(email=""), name="carer_can_be_reached"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.relation})"


class Consent(models.Model):
    """That one person agreed to messages on one channel to one address, or took it back. The latest row holds."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="consents")
    carer = models.ForeignKey(Carer, models.PROTECT, null=True, related_name="consents")
    contact = models.ForeignKey(ContactPoint, models.PROTECT, null=True, related_name="+")
    """The contact detail that the address is read from: when that ends, so does the consent."""
    channel = models.CharField(max_length=8, choices=Channel.choices)
    address = models.CharField(max_length=254)
    given = models.BooleanField()
    how = models.CharField(max_length=12, choices=How.choices)
    words = models.TextField(blank=True)
    at = models.DateTimeField()
    recorded_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")

    class Meta:
        triggers: ClassVar = APPEND_ONLY
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(channel__in=Channel.values), name="consent_channel_known"),
            models.CheckConstraint(condition=Q(how__in=How.values), name="consent_how_known"),
            models.CheckConstraint(condition=~Q(address=""), name="consent_has_address"),
            models.CheckConstraint(
                condition=Q(recorded_by__isnull=False) | Q(how__in=["own_page", "reply", "gone"]),
                name="consent_recorded_by",
            ),
            models.CheckConstraint(condition=~Q(how="gone") | Q(given=False), name="consent_gone_only_ends"),
            models.CheckConstraint(
                condition=Q(channel="webpush") | Q(carer__isnull=False) | Q(contact__isnull=False) | Q(given=False),
                name="consent_follows_a_contact",
            ),
        ]
        indexes: ClassVar = [
            models.Index("patient", Coalesce("carer_id", 0), "channel", F("id").desc(), name="consents_latest"),
            models.Index("address", name="consents_by_address"),
        ]


class Wishes(models.Model):
    """Language, print, hours and kinds of reminder that one person wants. The latest row holds."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="wishes")
    carer = models.ForeignKey(Carer, models.PROTECT, null=True, related_name="wishes")
    language = models.CharField(max_length=2, choices=Language.choices, default=Language.ENGLISH)
    large_print = models.BooleanField(default=False)
    awake_from = models.TimeField(default=time(8))
    awake_until = models.TimeField(default=time(21))
    time_zone = models.CharField(max_length=64, blank=True, validators=[known_time_zone])
    """Empty: the clinic's own."""
    days_before = models.SmallIntegerField(default=2)
    before_test = models.BooleanField(default=True)
    evening_before = models.BooleanField(default=True)
    on_the_day = models.BooleanField(default=True)
    when_missed = models.BooleanField(default=True)
    tablets = models.BooleanField(default=True)
    at = models.DateTimeField()
    recorded_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")

    class Meta:
        triggers: ClassVar = APPEND_ONLY
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(language__in=Language.values), name="wishes_language_known"),
            models.CheckConstraint(condition=Q(days_before__gte=2, days_before__lte=7), name="wishes_days_before"),
            # Both ends within one day, and some hours between: a time of day always has its place on its own day.
            models.CheckConstraint(
                condition=Q(awake_from__gte=time(5), awake_from__lte=time(12), awake_until__gte=time(16)),
                name="wishes_hours_possible",
            ),
        ]
        indexes: ClassVar = [
            models.Index("patient", Coalesce("carer_id", 0), F("id").desc(), name="wishes_latest"),
        ]


class AddressCode(models.Model):
    """A short code sent to an address, to know who reads there. Only its keyed hash is kept."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="address_codes")
    carer = models.ForeignKey(Carer, models.PROTECT, null=True, related_name="+")
    channel = models.CharField(max_length=8, choices=Channel.choices)
    address = models.CharField(max_length=254)
    purpose = models.CharField(max_length=8, choices=[("confirm", "Confirm the address"), ("open", "Open the page")])
    code_hash = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    tries = models.SmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True)

    class Meta:
        triggers: ClassVar = NO_DELETE
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(tries__gte=0, tries__lte=MOST_TRIES), name="code_tries_counted"),
        ]
        indexes: ClassVar = [
            models.Index("patient", "channel", "address", F("made_at").desc(), name="codes_latest"),
        ]


class OwnLink(models.Model):
    """One person's way to their own page or calendar: it expires and can be revoked. Only its hash is kept."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="own_links")
    carer = models.ForeignKey(Carer, models.PROTECT, null=True, related_name="own_links")
    purpose = models.CharField(max_length=8, choices=[("page", "Own page"), ("calendar", "Calendar feed")])
    channel = models.CharField(max_length=8, choices=Channel.choices)
    address = models.CharField(max_length=254)
    """Where the link went, and where its codes go; once that is no longer consented to, the link opens nothing."""
    token_hash = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        triggers: ClassVar = NO_DELETE
        indexes: ClassVar = [models.Index("patient", "expires_at", name="own_links_of_patient")]

    def open(self, now: datetime) -> bool:
        """Whether it still opens anything."""
        return self.revoked_at is None and now < self.expires_at


class FrontDesk(models.Model):
    """What a clinic's patients are told of it: where to go, whom to call, and the number for emergencies."""

    clinic = models.OneToOneField(Clinic, models.PROTECT, related_name="front_desk")
    phone = models.CharField(max_length=40)
    place = models.TextField()
    emergency_number = models.CharField(max_length=12, default="911")
    emergency_place = models.CharField(max_length=200, default="the nearest emergency department")

    class Meta:
        triggers: ClassVar = NO_DELETE
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(phone="") & ~Q(place=""), name="front_desk_can_be_found"),
            models.CheckConstraint(condition=~Q(emergency_number=""), name="front_desk_has_emergency_number"),
        ]


class Reachable(models.Model):
    """Whom a message may reach now, and how they want it: the view patients_reachable."""

    key = models.CharField(max_length=80, primary_key=True)
    patient = models.ForeignKey(Patient, models.DO_NOTHING, related_name="reachable")
    carer = models.ForeignKey(Carer, models.DO_NOTHING, null=True, related_name="+")
    channel = models.CharField(max_length=8)
    address = models.CharField(max_length=254)
    confirmed_at = models.DateTimeField()
    language = models.CharField(max_length=2)
    large_print = models.BooleanField()
    awake_from = models.TimeField()
    awake_until = models.TimeField()
    time_zone = models.CharField(max_length=64)
    days_before = models.SmallIntegerField()
    before_test = models.BooleanField()
    evening_before = models.BooleanField()
    on_the_day = models.BooleanField()
    when_missed = models.BooleanField()
    tablets = models.BooleanField()

    class Meta:
        managed = False
        db_table = "patients_reachable"
