"""Blood counts as the laboratory reported them. A correction is a new version; nothing is edited."""

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeVar

import pgtrigger
from django.db import models
from django.db.models import Q

from monitoring.models.treatment import Treatment
from monitoring.rules.history import Count
from patients.models import APPEND_ONLY, Clinic, Integration, Staff

if TYPE_CHECKING:
    from monitoring.models.assessment import Assessment

BOUNDS = ["", "<", ">"]


class Status(models.TextChoices):
    """What the laboratory says of a version."""

    PRELIMINARY = "preliminary", "Preliminary"
    FINAL = "final", "Final"
    CORRECTED = "corrected", "Corrected"
    ENTERED_IN_ERROR = "entered_in_error", "Entered in error"


class ResultQuerySet(models.QuerySet["Result"]):
    """Results by what is known of them."""

    def current(self) -> "list[Result]":
        """The highest version of each accession, in draw order, without those entered in error."""
        return standing(list(self.order_by("drawn_at", "pk")))


class Version(Protocol):
    """What the rules need of one version of a result, however it was read."""

    @property
    def source(self) -> str:
        """Whose number the accession is."""

    @property
    def accession(self) -> str:
        """The laboratory's number of the sample."""

    @property
    def version(self) -> int:
        """The higher one stands."""

    @property
    def status(self) -> str:
        """What the laboratory says of it."""

    @property
    def drawn_at(self) -> datetime:
        """When the blood was drawn."""

    def count(self) -> Count:
        """The count as the rules read it."""


One = TypeVar("One", bound=Version)


def standing(versions: "list[One]") -> "list[One]":
    """Of all versions those that stand now."""
    latest: dict[tuple[str, str], One] = {}
    for row in versions:
        key = (row.source, row.accession)
        if key not in latest or latest[key].version < row.version:
            latest[key] = row
    return [row for row in latest.values() if row.status != Status.ENTERED_IN_ERROR]


class Result(models.Model):
    """One version of one blood count. `anc` and `wbc` are per microlitre; `received` is what was sent."""

    treatment = models.ForeignKey(Treatment, models.PROTECT, related_name="results")
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="+")
    source = models.CharField(max_length=40)
    accession = models.CharField(max_length=80)
    version = models.IntegerField(default=1)
    """Its place: of several versions the one at the highest place stands."""
    sent_version = models.IntegerField(null=True)
    """Its number among the messages of its source; None for what a person wrote here."""
    by_hand = models.BooleanField(default=False)
    """A person here corrected what was sent, or took it back."""
    status = models.CharField(max_length=16, choices=Status.choices)
    drawn_at = models.DateTimeField()
    received_at = models.DateTimeField()
    received = models.JSONField()
    anc = models.DecimalField(max_digits=48, decimal_places=24, null=True)
    anc_bound = models.CharField(max_length=1, blank=True)
    wbc = models.DecimalField(max_digits=48, decimal_places=24, null=True)
    wbc_bound = models.CharField(max_length=1, blank=True)
    supported = models.BooleanField(default=False)
    flags = models.JSONField(default=list)
    reason = models.TextField(blank=True)
    """Why it came late, was corrected or was removed, or what proves it: in a person's words."""
    staff = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    integration = models.ForeignKey(Integration, models.PROTECT, null=True, related_name="+")

    objects = ResultQuerySet.as_manager()
    just_stored = False
    """True on the row that this very call has stored; False on one that was there already."""
    judgement_given: "Assessment | None" = None
    """The judgement that was stored with it by this very call."""

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["clinic", "source", "accession", "version"], name="result_version_once"),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="result_status_known"),
            models.CheckConstraint(
                condition=Q(status="entered_in_error") | Q(anc__isnull=False) | Q(wbc__isnull=False),
                name="result_has_a_count",
            ),
            models.CheckConstraint(condition=Q(anc_bound__in=BOUNDS, wbc_bound__in=BOUNDS), name="result_bounds_known"),
        ]
        indexes: ClassVar = [models.Index("treatment", "drawn_at", name="results_by_draw")]
        triggers: ClassVar = [
            *APPEND_ONLY,
            pgtrigger.Trigger(
                name="is_assessed",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                timing=pgtrigger.Deferred,
                func="""
                    IF NOT EXISTS (SELECT 1 FROM monitoring_assessment WHERE result_id = NEW.id) THEN
                        RAISE EXCEPTION 'result % has not been assessed', NEW.id USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]

    @property
    def number(self) -> int:
        """Its number among the messages of its source."""
        return self.version if self.sent_version is None else self.sent_version

    def count(self) -> Count:
        """The count as the rules read it."""
        return Count(
            at=self.drawn_at,
            anc=self.anc,
            anc_bound=self.anc_bound,  # type: ignore[arg-type]  # a check constraint holds the three signs
            wbc=self.wbc,
            wbc_bound=self.wbc_bound,  # type: ignore[arg-type]  # likewise
            supported=self.supported,
            id=self.accession,
            flags=tuple(self.flags),
        )
