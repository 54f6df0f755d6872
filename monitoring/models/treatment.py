"""A treatment, what happened in it, and its history as the rules read it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.functional import cached_property

from monitoring.rules.history import EVENT_KINDS, Count, Event, History
from monitoring.rules.protocol import Protocol, Table
from monitoring.rules.protocols import PROTOCOLS
from patients.models import APPEND_ONLY, NO_DELETE, Clinic, Patient, Staff

if TYPE_CHECKING:
    from monitoring.models.ben import BenStatus
    from monitoring.models.limits import AgreedLimits
    from monitoring.models.result import ResultQuerySet, Version

EVERY_DAY = ("daily", "twice_weekly", "three_times_weekly")
"""Tests so close together that a weekend moves none of them."""


class TreatmentQuerySet(models.QuerySet["Treatment"]):
    """Treatments by where they stand. Overdue is computed when it is read: no dead scheduler can hide it."""

    def overdue(self, now: datetime) -> "TreatmentQuerySet":
        """The last day in time has passed at the clinic, the longest ago first."""
        return self._on_each_day(now, lambda day: Q(overdue_after__lt=day)).order_by("overdue_after", "pk")

    def due_by(self, now: datetime, days: int) -> "TreatmentQuerySet":
        """A test is due within so many days, and not overdue."""
        ahead = timedelta(days=days)
        return self._on_each_day(now, lambda day: Q(due_on__lte=day + ahead, overdue_after__gte=day)).order_by(
            "due_on", "pk"
        )

    def changed_by_time(self, now: datetime) -> "TreatmentQuerySet":
        """Their last judgement holds no longer, though nothing new is known."""
        return self._on_each_day(now, lambda day: Q(changes_on__lte=day)).order_by("pk")

    def _on_each_day(self, now: datetime, on: Callable[[date], Q]) -> "TreatmentQuerySet":
        """At one instant the world has two or three calendar days; clinics that share one are asked together."""
        days: dict[date, list[int]] = defaultdict(list)
        for clinic in Clinic.objects.only("time_zone"):
            days[now.astimezone(clinic.zone).date()].append(clinic.pk)
        wanted = Q(pk__in=[])
        for day, clinics in days.items():
            wanted |= Q(clinic_id__in=clinics) & on(day)
        return self.filter(wanted)


class Treatment(models.Model):
    """One course of clozapine for one patient, from registration on. The derived columns are the last judgement's."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="treatments")
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="treatments")
    protocol_key = models.CharField(max_length=32)
    clinician = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="treatments")
    created_at = models.DateTimeField()
    version = models.IntegerField(default=0)
    band = models.CharField(max_length=16, blank=True)
    advice = models.CharField(max_length=16, blank=True)
    frequency = models.CharField(max_length=24, blank=True)
    due_on = models.DateField(null=True)
    overdue_after = models.DateField(null=True)
    repeat_by = models.DateTimeField(null=True)
    paused_since = models.DateField(null=True)
    """The day of the last dose, while off treatment and not stopped for good."""
    changes_on = models.DateField(null=True)
    """The day on which time alone changes the last judgement."""
    latest_draw_at = models.DateTimeField(null=True)
    assessed_at = models.DateTimeField(null=True)
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, related_name="merged_here")
    """The record that reads this one's rows too; kept by `merge`, so that one lock tells."""
    tablets_until = models.DateField(null=True)
    """The last day that the tablets handed over reach; null: none was recorded here."""
    has_limits = models.BooleanField(default=False, db_default=False)
    """Limits were agreed for this patient at some time: only then are they asked for."""
    unreached_since = models.DateTimeField(null=True)
    """Since when messages to the patient or a carer come back; kept by `mark_unreached`."""

    unreviewed_since = models.DateTimeField(null=True)
    """Since when a laboratory's result waits for somebody to look at it; null also where the clinic asks for none."""

    objects = TreatmentQuerySet.as_manager()

    class Meta:
        triggers: ClassVar = NO_DELETE
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["patient"], name="one_treatment_per_patient"),
            models.CheckConstraint(condition=Q(protocol_key__in=list(PROTOCOLS)), name="treatment_protocol_known"),
        ]
        indexes: ClassVar = [
            models.Index("clinic", "overdue_after", "id", name="treatments_by_overdue"),
            models.Index("clinic", "due_on", "id", name="treatments_by_due"),
            models.Index(
                "clinic", "tablets_until", "id", name="treatments_by_tablets", condition=Q(tablets_until__isnull=False)
            ),
            models.Index("changes_on", name="treatments_that_change", condition=Q(changes_on__isnull=False)),
            models.Index(
                "clinic", "paused_since", "id", name="treatments_paused", condition=Q(paused_since__isnull=False)
            ),
            models.Index(
                "clinic",
                "unreached_since",
                "id",
                name="treatments_unreached",
                condition=Q(unreached_since__isnull=False),
            ),
            models.Index(
                "clinic",
                "unreviewed_since",
                "id",
                name="treatments_unreviewed",
                condition=Q(unreviewed_since__isnull=False),
            ),
            # Few are not on plain treatment with a normal count: these indexes find them and cost the others nothing.
            models.Index("clinic", "advice", name="treatments_by_advice", condition=~Q(advice="continue")),
            models.Index("clinic", "band", name="treatments_by_band", condition=~Q(band="normal")),
            models.Index(
                "clinic", "due_on", "id", name="treatments_of_every_day", condition=Q(frequency__in=EVERY_DAY)
            ),
        ]

    def __str__(self) -> str:
        return f"treatment {self.pk}"

    @property
    def advice_in_words(self) -> str:
        """The advice as a page says it."""
        return self.advice.replace("_", " ").capitalize()

    def days_late(self, now: datetime) -> int:
        """Days since the last day in time, on the clinic's calendar; 0 while in time or with nothing owed."""
        if self.overdue_after is None:
            return 0
        return max((now.astimezone(self.clinic.zone).date() - self.overdue_after).days, 0)

    @property
    def protocol(self) -> Protocol:
        """The rules by which this treatment is judged."""
        return PROTOCOLS[self.protocol_key]

    @property
    def table(self) -> Table:
        """What counts mean for this patient: with documented BEN, the other table."""
        tables = self.protocol.tables
        return tables["ben"] if self.ben and "ben" in tables else tables["general"]

    @cached_property
    def ben(self) -> "BenStatus | None":
        """The documented BEN status in force, read once for this copy of the row."""
        return self.ben_statuses.order_by("confirmed_at").last()

    @cached_property
    def records(self) -> list[int]:
        """This record and those merged into it, whose rows it reads too; read once for this copy of the row."""
        return [self.pk, *self.merged_here.order_by("pk").values_list("pk", flat=True)]

    def records_at(self, known_at: datetime | None) -> list[int]:
        """The records that were read as one at that moment (now when not given)."""
        if known_at is None:
            return self.records
        stood = self.merges.filter(Q(undone_at=None) | Q(undone_at__gt=known_at), at__lte=known_at)
        return [self.pk, *stood.order_by("merged").values_list("merged_id", flat=True)]

    def every_result(self, known_at: datetime | None = None) -> "ResultQuerySet":
        """All versions of all results, in draw order; of merged records too. As known then, where that is given."""
        found = self.results.model.objects.filter(treatment_id__in=self.records_at(known_at))
        return (found.filter(received_at__lte=known_at) if known_at else found).order_by("drawn_at", "pk")

    def every_event(self, known_at: datetime | None = None) -> "models.QuerySet[TreatmentEvent]":
        """All events, voided ones too; of merged records too."""
        return TreatmentEvent.objects.filter(treatment_id__in=self.records_at(known_at)).order_by("at", "pk")

    def every_dose(self) -> "models.QuerySet[DoseChange]":
        """All doses that nobody marked as entered in error; of merged records too."""
        return self.doses_told().filter(void=None)

    def doses_told(self) -> "models.QuerySet[DoseChange]":
        """All doses, those entered in error too; of merged records too."""
        return DoseChange.objects.filter(treatment_id__in=self.records).order_by("at", "pk")

    agreements_read: "list[AgreedLimits] | None" = None
    events_read: "list[TreatmentEvent] | None" = None
    """Set by whoever has read them already for this copy of the row."""

    def _events(
        self, given: "Iterable[TreatmentEvent] | None", known_at: datetime | None
    ) -> "Iterable[TreatmentEvent]":
        if given is not None:
            return given
        return self.every_event(known_at) if self.events_read is None else self.events_read

    def history(self, *, preliminary: bool = False, known_at: datetime | None = None) -> History:
        """The history as it was known then (now when not given), each result in its latest version."""
        known = self.every_result(known_at).current()
        return self.history_of(known, preliminary=preliminary, known_at=known_at)

    def history_of(
        self,
        results: "Sequence[Version]",
        *,
        preliminary: bool = False,
        known_at: datetime | None = None,
        events: "Iterable[TreatmentEvent] | None" = None,
    ) -> History:
        """The history from results (and events, where given) already read. Preliminary ones count where asked for."""
        counts: list[Count | Event] = [
            result.count() for result in results if preliminary or result.status != "preliminary"
        ]
        happened = [event for event in self._events(events, known_at) if event.stands(known_at)]
        latest = self.ben
        if known_at is not None:
            latest = self.ben_statuses.filter(confirmed_at__lte=known_at).order_by("confirmed_at").last()
        return History(
            time_zone=self.clinic.time_zone,
            population="ben" if latest else "general",
            baseline_anc=latest.baseline_anc if latest else None,
            events=[*counts, *(event.as_event(self.clinic) for event in happened)],
        )


class TreatmentEvent(models.Model):
    """Something that happened in a treatment. Never edited: a wrong one is voided, with who, when and why."""

    treatment = models.ForeignKey(Treatment, models.PROTECT, related_name="events")
    kind = models.CharField(max_length=24, choices=[(kind, kind.replace("_", " ")) for kind in EVENT_KINDS])
    at = models.DateTimeField()
    date_only = models.BooleanField(default=False)
    stop = models.BooleanField(default=False)
    celsius = models.DecimalField(max_digits=4, decimal_places=1, null=True)
    reason = models.TextField(blank=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    voided_at = models.DateTimeField(null=True)
    voided_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    void_reason = models.TextField(blank=True)

    just_stored = True
    """False on a row that was there already when the same was told again."""

    class Meta:
        triggers: ClassVar = NO_DELETE
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(kind__in=EVENT_KINDS), name="event_kind_known"),
            models.CheckConstraint(
                condition=Q(kind="fever", celsius__isnull=False) | (~Q(kind="fever") & Q(celsius=None)),
                name="event_fever_has_temperature",
            ),
            models.CheckConstraint(
                condition=Q(voided_at=None, voided_by=None)
                | (Q(voided_at__isnull=False, voided_by__isnull=False) & ~Q(void_reason="")),
                name="event_void_has_who_and_why",
            ),
        ]

    def stands(self, known_at: datetime | None = None) -> bool:
        """Not voided, and already recorded at the moment asked about."""
        if known_at is None:
            return self.voided_at is None
        return self.recorded_at <= known_at and (self.voided_at is None or self.voided_at > known_at)

    def as_event(self, clinic: Clinic) -> Event:
        """The event as the rules read it: a date where the time of day is unknown."""
        at: datetime | date = self.at.astimezone(clinic.zone).date() if self.date_only else self.at
        celsius = Decimal(self.celsius) if self.celsius is not None else None
        return Event(kind=self.kind, at=at, stop=self.stop, celsius=celsius)  # type: ignore[arg-type]  # a check constraint holds the kinds


class DoseChange(models.Model):
    """The daily dose from a moment on, in milligrams."""

    treatment = models.ForeignKey(Treatment, models.PROTECT, related_name="doses")
    at = models.DateTimeField()
    daily_mg = models.DecimalField(max_digits=5, decimal_places=1)
    reason = models.TextField(blank=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")

    just_stored = True

    class Meta:
        triggers: ClassVar = APPEND_ONLY
        constraints: ClassVar = [
            # The label's maximum is 900 mg: more is warned of, never refused. This only stops a slip of the keys.
            models.CheckConstraint(condition=Q(daily_mg__gte=0, daily_mg__lte=2000), name="dose_possible")
        ]


class DoseVoid(models.Model):
    """A dose that was entered in error: it counts no more and stays readable, with who, when and why."""

    dose = models.OneToOneField(DoseChange, models.PROTECT, related_name="void")
    reason = models.TextField()
    voided_at = models.DateTimeField()
    voided_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")

    just_stored = True

    class Meta:
        triggers: ClassVar = APPEND_ONLY
        constraints: ClassVar = [models.CheckConstraint(condition=~Q(reason=""), name="dose_void_has_reason")]


def standing_doses(rows: "Iterable[DoseChange]") -> "list[DoseChange]":
    """Of several doses told for one moment the one told last."""
    latest = {row.at: row for row in sorted(rows, key=lambda row: (row.at, row.pk))}
    return list(latest.values())


class TakeOver(models.Model):
    """What is known of a treatment that began elsewhere. Null is unknown and is treated as the riskier case."""

    treatment = models.OneToOneField(Treatment, models.PROTECT, related_name="take_over")
    first_dose_on = models.DateField(null=True)
    lowest_anc = models.DecimalField(max_digits=12, decimal_places=4, null=True)
    lowest_on = models.DateField(null=True)
    told_by = models.TextField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")

    class Meta:
        triggers: ClassVar = APPEND_ONLY
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(told_by=""), name="take_over_has_a_source"),
        ]
