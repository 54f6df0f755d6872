"""Benign ethnic neutropenia: documented by one person, confirmed by another."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from monitoring.models.treatment import Treatment
from monitoring.rules.history import LOWEST_BEN_BASELINE
from patients.models import APPEND_ONLY, NO_DELETE, Staff


class BenStatus(models.Model):
    """Benign ethnic neutropenia, with its evidence. One person documents, another confirms; never inferred."""

    treatment = models.ForeignKey(Treatment, models.PROTECT, related_name="ben_statuses")
    baseline_anc = models.DecimalField(max_digits=12, decimal_places=4, null=True)
    evidence = models.TextField()
    documented_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    confirmed_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    confirmed_at = models.DateTimeField()

    class Meta:
        triggers: ClassVar = APPEND_ONLY
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(documented_by=F("confirmed_by")), name="ben_needs_two_people"),
            models.CheckConstraint(
                condition=Q(baseline_anc=None) | Q(baseline_anc__gte=LOWEST_BEN_BASELINE), name="ben_baseline_possible"
            ),
            models.CheckConstraint(condition=~Q(evidence=""), name="ben_has_evidence"),
        ]


class BenProposal(models.Model):
    """BEN as one person documents it. It changes nothing until a second person confirms it."""

    treatment = models.ForeignKey(Treatment, models.PROTECT, related_name="ben_proposals")
    baseline_anc = models.DecimalField(max_digits=12, decimal_places=4, null=True)
    evidence = models.TextField()
    documented_at = models.DateTimeField()
    documented_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    status = models.ForeignKey(BenStatus, models.PROTECT, null=True, related_name="+")
    answer = models.TextField(blank=True)

    just_stored = True

    class Meta:
        triggers: ClassVar = NO_DELETE
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["treatment"], condition=Q(answered_at=None), name="one_open_ben_proposal"),
            models.CheckConstraint(condition=~Q(evidence=""), name="ben_proposal_has_evidence"),
            models.CheckConstraint(
                condition=Q(status=None) | ~Q(documented_by=F("answered_by")), name="ben_proposal_needs_two_people"
            ),
        ]
