"""Everything that a patient's page rests on, read once, as it is known now or was known at a moment gone by."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from django.db.models import Q, QuerySet

from monitoring.doors import alerts_on_record
from monitoring.models import (
    Alert,
    AlertNote,
    BenProposal,
    BenStatus,
    Booking,
    DoseChange,
    DoseVoid,
    Draw,
    Merge,
    NonRechallenge,
    Override,
    Result,
    SelfCheck,
    TakeOver,
    Transfer,
    Treatment,
    TreatmentEvent,
)
from monitoring.rules.history import EVENT_KINDS
from patients.models import AuditEvent, ContactPoint, Patient

Row = TypeVar("Row")
TOLD_BY_ROWS = (
    "result_",
    "alert_",
    "event_",
    "dose_",
    "ben_",
    "contact_",
    "transfer_",
    "merge",
    "draw_",
    "booking_",
    "override_",
    "take_over",
    "self_check_",
)
"""Audit verbs that begin so repeat what a row of its own tells, with its reason."""
SUMMED_UP = ("raised", "worsened", "updated")
LEFT_OUT = ("patient_opened", "reassessed_by_time", *EVENT_KINDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The rows, oldest first."""

    treatment: Treatment
    known_at: datetime | None
    results: list[Result]
    events: list[TreatmentEvent]
    doses_told: list[DoseChange]
    draws: list[Draw]
    bookings: list[Booking]
    alerts: list[Alert]
    notes: list[AlertNote]
    bens: list[BenStatus]
    proposals: list[BenProposal]
    take_over: TakeOver | None
    transfers: list[Transfer]
    merges: list[Merge]
    overrides: list[Override]
    register: list[NonRechallenge]
    contacts: list[ContactPoint]
    checks: list[SelfCheck]
    trail: list[AuditEvent]

    def known(self, at: datetime | None) -> bool:
        """Whether it had happened, as seen from the moment of this record."""
        return at is not None and (self.known_at is None or at <= self.known_at)

    def open(self, ended_at: datetime | None) -> bool:
        """Whether it had not ended yet."""
        return not self.known(ended_at)

    @property
    def standing_events(self) -> list[TreatmentEvent]:
        """Those that nobody had voided."""
        return [event for event in self.events if event.stands(self.known_at)]

    def overrides_at(self, moment: datetime) -> list[dict[str, object]]:
        """Each with its state and who had a part in it, as known then; the newest first."""
        people = ("confirmed", "declined", "reviewed")
        return [
            {"row": row, "state": row.state_at(moment)}
            | {name: getattr(row, f"{name}_by") for name in people if self.known(getattr(row, f"{name}_at"))}
            for row in reversed(self.overrides)
        ]

    @property
    def doses(self) -> list[DoseChange]:
        """Those that nobody had marked as entered in error."""
        return [dose for dose in self.doses_told if not self.voided(dose)]

    def voided(self, dose: DoseChange) -> DoseVoid | None:
        """By whom, when and why it was marked as entered in error, where that was known."""
        void: DoseVoid | None = getattr(dose, "void", None)
        return void if void and self.known(void.voided_at) else None

    @property
    def contacts_now(self) -> list[ContactPoint]:
        """How the patient is reached."""
        return [point for point in self.contacts if self.open(point.ended_at)]

    @property
    def alerts_now(self) -> list[tuple[Alert, str]]:
        """Not resolved then, with their words of then; the most severe and the oldest first."""
        said = {note.alert_id: note.text for note in self.notes if note.verb in SUMMED_UP}
        standing = [alert for alert in self.alerts if self.open(alert.resolved_at)]
        standing.sort(key=lambda alert: (alert.severity, alert.raised_at, alert.pk))
        return [(alert, said.get(alert.pk, alert.summary)) for alert in standing]


def record_of(treatment: Treatment, known_at: datetime | None = None) -> Record:
    """Read all of it: one question a table, however long the history."""

    def until(rows: Iterable[Row], when: str) -> list[Row]:
        return [row for row in rows if known_at is None or getattr(row, when) <= known_at]

    # The rules read the same events and BEN rows: they are kept on this copy, so that nobody asks for them again.
    treatment.events_read = list(treatment.every_event(known_at).select_related("recorded_by", "voided_by"))
    results = until(
        treatment.every_result(known_at).select_related("staff", "integration", "review__staff"), "received_at"
    )
    for row in results:
        # A merged record's row is told on this page, in this clinic's calendar; nobody asks for its own treatment.
        row._state.fields_cache["treatment"] = treatment
    patient, merged = treatment.patient, Q(kept=treatment) | Q(merged=treatment)
    alerts = alerts_on_record(treatment)
    statuses = treatment.ben_statuses.select_related("documented_by", "confirmed_by").order_by("confirmed_at")
    bens = until(statuses, "confirmed_at")
    treatment.ben = bens[-1] if bens else None
    proposals = treatment.ben_proposals.select_related("documented_by", "answered_by").order_by("documented_at")
    take_over = TakeOver.objects.filter(treatment=treatment).select_related("recorded_by")
    transfers = treatment.transfers.select_related("from_clinic", "to_clinic", "requested_by", "answered_by")
    merges = Merge.objects.filter(merged).select_related("kept__patient", "merged__patient", "by", "undone_by")
    bookings = treatment.bookings.select_related("staff", "integration", "ended_by")
    contacts = patient.contact_points.select_related("recorded_by", "ended_by").order_by("recorded_at", "pk")
    return Record(
        treatment=treatment,
        known_at=known_at,
        results=results,
        events=until(treatment.events_read, "recorded_at"),
        doses_told=until(treatment.doses_told().select_related("recorded_by", "void__voided_by"), "recorded_at"),
        draws=until(treatment.draws.select_related("recorded_by", "ended_by").order_by("drawn_at"), "recorded_at"),
        bookings=until(bookings.order_by("booked_at"), "booked_at"),
        alerts=until(alerts, "raised_at"),
        notes=until(_notes_of(treatment), "at"),
        bens=bens,
        proposals=until(proposals, "documented_at"),
        take_over=next(iter(until(take_over, "recorded_at")), None),
        transfers=until(transfers.order_by("requested_at"), "requested_at"),
        merges=until(merges.order_by("at"), "at"),
        overrides=until(_overrides_of(treatment), "asked_at"),
        register=until(treatment.non_rechallenges.select_related("entered_by").order_by("entered_at"), "entered_at"),
        contacts=until(contacts, "recorded_at"),
        checks=until(_checks_of(treatment), "at"),
        trail=until(_trail_of(patient), "at"),
    )


def _notes_of(treatment: Treatment) -> "QuerySet[AlertNote]":
    """The alerts' stories, those of merged records too."""
    notes = AlertNote.objects.filter(alert__treatment__in=treatment.records)
    return notes.select_related("staff", "alert").order_by("at", "pk")


def _checks_of(treatment: Treatment) -> "QuerySet[SelfCheck]":
    """What the patient or a carer told of feeling unwell."""
    return SelfCheck.objects.filter(treatment__in=treatment.records).select_related("carer").order_by("at")


def _overrides_of(treatment: Treatment) -> "QuerySet[Override]":
    """All of them, for ever; those of merged records too."""
    people = ("asked_by", "confirmed_by", "declined_by", "reviewed_by")
    rows = Override.objects.filter(treatment_id__in=treatment.records)
    return rows.select_related(*people).order_by("asked_at", "pk")


def _trail_of(patient: Patient) -> "QuerySet[AuditEvent]":
    """What no row of its own tells."""
    trail = AuditEvent.objects.filter(patient=patient).exclude(verb__in=LEFT_OUT)
    for prefix in TOLD_BY_ROWS:
        trail = trail.exclude(verb__startswith=prefix)
    return trail.select_related("staff", "integration").order_by("at", "pk")
