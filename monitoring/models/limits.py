"""Limits agreed for one patient in place of the protocol's own, from a moment to the end of a day."""

from datetime import date, datetime, timedelta
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import BooleanField, F, Func, Q

from monitoring.models.treatment import Treatment
from monitoring.rules.history import Population
from monitoring.rules.limits import LONGEST_DAYS, with_limits
from monitoring.rules.protocol import Floor, Protocol, Source, Table
from monitoring.rules.protocols import PROTOCOLS
from patients.models import NO_DELETE, Staff


def _at_least(lowest: int, column: str) -> Func:
    """Every number of an array column is."""
    return Func(F(column), template=f"{lowest} <= ALL (%(expressions)s)", output_field=BooleanField())


POPULATIONS = ("general", "ben")


class AgreedLimits(models.Model):
    """One agreement. It ends by itself after its last day, and sooner when it is ended; it is never lengthened."""

    treatment = models.ForeignKey(Treatment, models.PROTECT, related_name="agreed_limits")
    protocol_key = models.CharField(max_length=32)
    population = models.CharField(max_length=8)
    anc = ArrayField(models.IntegerField())
    """/uL: where each band begins, the best first."""
    wbc = ArrayField(models.IntegerField(), default=list)
    """/uL; empty where the protocol does not judge by white cells."""
    reason = models.TextField()
    agreed_at = models.DateTimeField()
    agreed_on = models.DateField()
    agreed_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    until = models.DateField()
    """The last day, on the clinic's calendar."""
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    end_reason = models.TextField(blank=True)

    class Meta:
        triggers: ClassVar = NO_DELETE
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["treatment"], condition=Q(ended_at=None), name="one_open_agreement"),
            models.CheckConstraint(condition=~Q(reason=""), name="agreement_has_reason"),
            models.CheckConstraint(
                condition=Q(protocol_key__in=list(PROTOCOLS), population__in=POPULATIONS), name="agreement_table_known"
            ),
            models.CheckConstraint(
                condition=Q(_at_least(500, "anc"), _at_least(2000, "wbc")),
                name="agreement_leaves_severe_alone",
            ),
            models.CheckConstraint(
                condition=Q(until__gte=F("agreed_on"), until__lte=F("agreed_on") + timedelta(days=LONGEST_DAYS)),
                name="agreement_within_a_year",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, end_reason="") | (Q(ended_at__isnull=False) & ~Q(end_reason="")),
                name="agreement_ended_with_reason",
            ),
        ]

    def holds(self, as_of: datetime, day: date) -> bool:
        """Whether it is in force at that moment, which is on that day of the clinic's calendar."""
        return self.agreed_at <= as_of and day <= self.until and (self.ended_at is None or as_of < self.ended_at)

    def floors(self) -> list[Floor]:
        """Where each band begins, the best first."""
        own = [band.floor for band in PROTOCOLS[self.protocol_key].tables[self._population()].bands if band.floor]
        white: list[int | None] = [*self.wbc] or [None] * len(self.anc)
        return [Floor(anc, wbc, above=floor.above) for floor, anc, wbc in zip(own, self.anc, white, strict=True)]

    @property
    def in_words(self) -> str:
        """Where each band begins, per microlitre."""
        names = [band.name for band in PROTOCOLS[self.protocol_key].tables[self._population()].bands]
        return ", ".join(f"{name} from {floor.in_words}" for name, floor in zip(names, self.floors(), strict=False))

    def applied(self) -> Protocol:
        """The protocol with these limits."""
        signed = f"Agreed for this patient on {self.agreed_at:%Y-%m-%d} by {self.agreed_by}: {self.reason}"
        return with_limits(
            PROTOCOLS[self.protocol_key], self._population(), self.floors(), until=self.until, source=Source(signed)
        )

    def _population(self) -> Population:
        return "ben" if self.population == "ben" else "general"


def agreements_of(treatment: Treatment) -> list[AgreedLimits]:
    """Every agreement there was, read once for this copy of the row; nothing is asked where there never was one."""
    if treatment.agreements_read is None:
        rows = treatment.agreed_limits.select_related("agreed_by").order_by("agreed_at", "pk")
        treatment.agreements_read = list(rows) if treatment.has_limits else []
    return treatment.agreements_read


def agreement_at(treatment: Treatment, as_of: datetime, *, key: str = "") -> AgreedLimits | None:
    """The agreement in force at a moment under the protocol of that moment (its present one when not given).

    An agreement is about one protocol and one table: under another one it holds no longer.
    """
    agreements = agreements_of(treatment)
    if not agreements:
        return None
    key, day = key or treatment.protocol_key, as_of.astimezone(treatment.clinic.zone).date()
    found = [one for one in agreements if one.protocol_key == key and one.holds(as_of, day)]
    return found[-1] if found else None


def protocol_at(treatment: Treatment, as_of: datetime, *, key: str = "") -> Protocol:
    """The rules by which the treatment is judged at a moment, with the limits agreed for it."""
    agreed = agreement_at(treatment, as_of, key=key)
    return agreed.applied() if agreed else PROTOCOLS[key or treatment.protocol_key]


def table_at(treatment: Treatment, as_of: datetime) -> Table:
    """What counts mean for this patient at a moment."""
    tables = protocol_at(treatment, as_of).tables
    return tables["ben"] if treatment.ben and "ben" in tables else tables["general"]
