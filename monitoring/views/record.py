"""Everything that a patient's page rests on, read once, as it is known now or was known at a moment gone by."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from django.db.models import Q, QuerySet

from monitoring.models import (
    Alert,
    AlertNote,
    BenProposal,
    BenStatus,
    DoseChange,
    Draw,
    Merge,
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
    doses: list[DoseChange]
    draws: list[Draw]
    alerts: list[Alert]
    notes: list[AlertNote]
    bens: list[BenStatus]
    proposals: list[BenProposal]
    take_over: TakeOver | None
    transfers: list[Transfer]
    merges: list[Merge]
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
    results = until(treatment.every_result(known_at).select_related("staff", "integration"), "received_at")
    for row in results:
        # A merged record's row is told on this page, in this clinic's calendar; nobody asks for its own treatment.
        row._state.fields_cache["treatment"] = treatment
    patient, merged = treatment.patient, Q(kept=treatment) | Q(merged=treatment)
    alerts, notes = _alerts_of(treatment)
    statuses = treatment.ben_statuses.select_related("documented_by", "confirmed_by").order_by("confirmed_at")
    bens = until(statuses, "confirmed_at")
    treatment.ben = bens[-1] if bens else None
    proposals = treatment.ben_proposals.select_related("documented_by", "answered_by").order_by("documented_at")
    take_over = TakeOver.objects.filter(treatment=treatment).select_related("recorded_by")
    transfers = treatment.transfers.select_related("from_clinic", "to_clinic", "requested_by", "answered_by")
    merges = Merge.objects.filter(merged).select_related("kept__patient", "merged__patient", "by", "undone_by")
    contacts = patient.contact_points.select_related("recorded_by", "ended_by").order_by("recorded_at", "pk")
    return Record(
        treatment=treatment,
        known_at=known_at,
        results=results,
        events=until(treatment.events_read, "recorded_at"),
        doses=until(treatment.every_dose().select_related("recorded_by"), "recorded_at"),
        draws=until(treatment.draws.select_related("recorded_by", "ended_by").order_by("drawn_at"), "recorded_at"),
        alerts=until(alerts, "raised_at"),
        notes=until(notes, "at"),
        bens=bens,
        proposals=until(proposals, "documented_at"),
        take_over=next(iter(until(take_over, "recorded_at")), None),
        transfers=until(transfers.order_by("requested_at"), "requested_at"),
        merges=until(merges.order_by("at"), "at"),
        contacts=until(contacts, "recorded_at"),
        checks=until(
            SelfCheck.objects.filter(treatment__in=treatment.records).select_related("carer").order_by("at"), "at"
        ),
        trail=until(_trail_of(patient), "at"),
    )


def _alerts_of(treatment: Treatment) -> "tuple[QuerySet[Alert], QuerySet[AlertNote]]":
    """Alerts and their stories, those of merged records too."""
    alerts = Alert.objects.filter(treatment_id__in=treatment.records)
    notes = AlertNote.objects.filter(alert__treatment__in=treatment.records)
    return (
        alerts.select_related("owner", "acknowledged_by", "resolved_by").order_by("raised_at", "pk"),
        notes.select_related("staff", "alert").order_by("at", "pk"),
    )


def _trail_of(patient: Patient) -> "QuerySet[AuditEvent]":
    """What no row of its own tells."""
    trail = AuditEvent.objects.filter(patient=patient).exclude(verb__in=LEFT_OUT)
    for prefix in TOLD_BY_ROWS:
        trail = trail.exclude(verb__startswith=prefix)
    return trail.select_related("staff", "integration").order_by("at", "pk")
