"""Authorisations, which rest on one state of the treatment, and the tablets that were handed over."""

from datetime import datetime
from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import F, Q

from monitoring.models.treatment import Treatment
from monitoring.rules.overrides import Scope
from patients.models import NO_DELETE, Clinic, Integration, Staff

FRESH = """
    IF NEW.basis_version <> (SELECT version FROM monitoring_treatment WHERE id = NEW.treatment_id) THEN
        RAISE EXCEPTION 'authorisation rests on version % of treatment %, which is past',
            NEW.basis_version, NEW.treatment_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
"""
COVERED = """
    IF NOT EXISTS (
        SELECT 1 FROM monitoring_authorisation a JOIN monitoring_treatment t ON t.id = a.treatment_id
        WHERE a.id = NEW.authorisation_id AND a.treatment_id = NEW.treatment_id AND a.revoked_at IS NULL
          AND a.days >= NEW.days AND a.expires_at >= NEW.handed_over_at AND a.basis_version = t.version
    ) THEN
        RAISE EXCEPTION 'dispense without an authorisation that still holds' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
"""


WAITS = Q(confirmed_at=None, declined_at=None, lapsed_at=None)
TO_REVIEW = Q(confirmed_at__isnull=False, reviewed_at=None)


class ReasonCode(models.TextChoices):
    """Why tablets are given although the rules would not, or not yet."""

    LABORATORY = "laboratory", "Laboratory or courier failed"
    PATIENT_AWAY = "patient_away", "Patient cannot come for blood in time"
    SYSTEM_DOWN = "system_down", "Result is known but could not be recorded"
    BENEFIT = "benefit", "Benefit outweighs the risk for this patient"
    OTHER = "other", "Other, see the words"


class Override(models.Model):
    """A supply that two people answer for. One asks, another confirms; it has a scope and an end."""

    treatment = models.ForeignKey(Treatment, models.PROTECT, related_name="overrides")
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="+")
    bridge = models.BooleanField(default=False)
    """A few days while blood is on its way, counted; not a decision against the advice."""
    administrative = models.BooleanField(default=False)
    """Lifts what the clinic's own policy asks for, and nothing clinical."""
    code = models.CharField(max_length=16, choices=ReasonCode.choices)
    words = models.TextField()
    days = models.SmallIntegerField()
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    declined_at = models.DateTimeField(null=True)
    declined_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    answer = models.TextField(blank=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    reviewed_at = models.DateTimeField(null=True)
    reviewed_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    review = models.TextField(blank=True)
    """What somebody who had no part in it found when they looked at it afterwards."""
    lapsed_at = models.DateTimeField(null=True)
    """Nobody had answered when it expired, and somebody asked anew."""
    basis_version = models.IntegerField(null=True)
    """The treatment's version that the second person confirmed it on."""
    reach = models.SmallIntegerField(null=True)
    """How much it lifts, a monitoring.rules.overrides.Level; null: not confirmed, nothing."""
    waits_since = models.DateTimeField(null=True)
    """Of a bridge: the latest draw when it was confirmed. Until there is a later one there is no second bridge."""

    class Meta:
        triggers: ClassVar = NO_DELETE
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(asked_by=F("confirmed_by")), name="override_needs_two_people"),
            models.CheckConstraint(
                condition=Q(confirmed_at=None, confirmed_by=None)
                | Q(confirmed_at__isnull=False, confirmed_by__isnull=False),
                name="override_confirmed_by_somebody",
            ),
            models.CheckConstraint(condition=Q(confirmed_at=None) | Q(declined_at=None), name="override_one_answer"),
            models.CheckConstraint(
                condition=Q(used_at=None) | Q(confirmed_at__isnull=False), name="override_used_once_confirmed"
            ),
            models.CheckConstraint(
                condition=Q(reviewed_at=None, reviewed_by=None)
                | (Q(reviewed_at__isnull=False, reviewed_by__isnull=False, confirmed_at__isnull=False) & ~Q(review="")),
                name="override_review_has_who_and_what",
            ),
            models.CheckConstraint(
                condition=~Q(reviewed_by=F("asked_by")) & ~Q(reviewed_by=F("confirmed_by")),
                name="override_reviewed_by_another",
            ),
            models.CheckConstraint(condition=~Q(words=""), name="override_has_words"),
            models.CheckConstraint(condition=Q(days__gte=1, days__lte=31), name="override_days_possible"),
            models.CheckConstraint(condition=Q(bridge=False) | Q(administrative=False), name="override_of_one_scope"),
            models.CheckConstraint(
                condition=Q(lapsed_at=None) | Q(confirmed_at=None, declined_at=None), name="override_lapsed_unanswered"
            ),
            models.UniqueConstraint(
                fields=["treatment"],
                condition=WAITS,
                name="one_open_override",
            ),
            models.UniqueConstraint(
                fields=["treatment", "waits_since"],
                condition=Q(bridge=True, confirmed_at__isnull=False),
                nulls_distinct=False,
                name="one_bridge_a_wait",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["treatment", "-asked_at"], name="overrides_by_time"),
            # Few wait: these find them and cost the others nothing.
            models.Index("clinic", "asked_at", name="overrides_to_answer", condition=WAITS),
            models.Index("clinic", "asked_at", name="overrides_to_review", condition=TO_REVIEW),
        ]

    def state_at(self, moment: datetime) -> str:
        """waiting, confirmed, declined, used or expired, as it stood at that moment."""
        if self.declined_at and self.declined_by_id and self.declined_at <= moment:
            return "declined"
        if self.used_at and self.used_at <= moment:
            return "used"
        if self.expires_at < moment:
            return "expired"
        return "confirmed" if self.confirmed_at and self.confirmed_at <= moment else "waiting"

    @property
    def scope(self) -> Scope:
        """What it may lift at most."""
        if self.bridge:
            return "bridge"
        return "administrative" if self.administrative else "clinical"


class Authorisation(models.Model):
    """Leave to supply, given on one version of the treatment. It ends by time, by use, or by a new fact."""

    treatment = models.ForeignKey(Treatment, models.PROTECT, related_name="authorisations")
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="+")
    basis_version = models.IntegerField()
    entry = models.UUIDField()
    """The request's own key: the same request again is the same authorisation."""
    day = models.DateField()
    days = models.SmallIntegerField()
    until = models.DateField()
    verdict = models.JSONField()
    override = models.ForeignKey(Override, models.PROTECT, null=True, related_name="authorisations")
    given_at = models.DateTimeField()
    staff = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    integration = models.ForeignKey(Integration, models.PROTECT, null=True, related_name="+")
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    revoked_because = models.TextField(blank=True)

    class Meta:
        triggers: ClassVar = [
            *NO_DELETE,
            pgtrigger.Trigger(name="basis_is_fresh", when=pgtrigger.After, operation=pgtrigger.Insert, func=FRESH),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["treatment", "entry"], name="authorisation_once"),
            models.CheckConstraint(condition=Q(days__gte=1), name="authorisation_has_days"),
            models.CheckConstraint(
                condition=Q(revoked_at=None, revoked_because="")
                | (Q(revoked_at__isnull=False) & ~Q(revoked_because="")),
                name="authorisation_revoked_with_reason",
            ),
        ]
        indexes: ClassVar = [
            models.Index("treatment", name="authorisations_open", condition=Q(revoked_at=None)),
        ]


class Dispense(models.Model):
    """Tablets handed over. Never edited: a wrong one is voided, with who, when and why."""

    treatment = models.ForeignKey(Treatment, models.PROTECT, related_name="dispenses")
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="+")
    authorisation = models.OneToOneField(Authorisation, models.PROTECT, related_name="dispense")
    handed_over_at = models.DateTimeField()
    handed_over_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    strength_mg = models.DecimalField(max_digits=5, decimal_places=1)
    quantity = models.IntegerField()
    days = models.SmallIntegerField()
    covers_from = models.DateField()
    covers_until = models.DateField()
    lot = models.CharField(max_length=40, blank=True)
    voided_at = models.DateTimeField(null=True)
    voided_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    void_reason = models.TextField(blank=True)

    class Meta:
        triggers: ClassVar = [
            *NO_DELETE,
            pgtrigger.Trigger(name="is_authorised", when=pgtrigger.After, operation=pgtrigger.Insert, func=COVERED),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(quantity__gte=1, days__gte=1), name="dispense_of_something"),
            models.CheckConstraint(condition=Q(covers_until__gte=F("covers_from")), name="dispense_covers_days"),
            models.CheckConstraint(
                condition=Q(voided_at=None, voided_by=None)
                | (Q(voided_at__isnull=False, voided_by__isnull=False) & ~Q(void_reason="")),
                name="dispense_void_has_who_and_why",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["treatment", "-handed_over_at"], name="dispenses_by_time")]
