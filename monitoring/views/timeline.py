"""The story of a treatment, from the rows themselves: what happened, who wrote it down, and when."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from monitoring.models import Result, Severity, TreatmentEvent
from monitoring.models.result import Status
from monitoring.rules.units import plain
from monitoring.views.record import Record

FOLDED = 20
EVENT_IN_WORDS = {
    "first_dose": "First dose",
    "last_dose": "Last dose, treatment interrupted",
    "restart": "Restarted",
    "rechallenge_approved": "Rechallenge approved",
    "hospice_agreed": "Hospice monitoring agreed",
    "fever": "Fever",
    "step_down_authorised": "Step down authorised",
}
IN_WORDS = {
    "fever": "fever", "celsius": "{} °C", "sore_throat": "sore throat", "weak": "very weak", "chest_pain": "chest pain",
    "fast_heart": "fast heart", "constipated": "no bowel movement for over 3 days", "belly": "severe belly pain",
    "smoking": "{} smoking", "missed_days": "{} days without a dose",
}  # fmt: skip
MARKS = {Severity.SEVERE: "stop", Severity.MODERATE: "warn"}


@dataclass(frozen=True, slots=True)
class Happening:
    """One line. `recorded_at` is given where it was written down on another day than it happened."""

    at: datetime
    kind: str
    what: str
    who: str
    detail: str = ""
    tone: str = ""
    link: str = ""
    voided: str = ""
    date_only: bool = False
    recorded_at: datetime | None = None


def timeline(record: Record) -> list[Happening]:
    """Everything that is known, newest first."""
    tellers = (
        _results,
        _events,
        _doses,
        _draws,
        _bookings,
        _alerts,
        _ben,
        _moves,
        _merges,
        _overrides,
        _contacts,
        _checks,
        _rest,
    )
    return sorted((line for tell in tellers for line in tell(record)), key=lambda line: line.at, reverse=True)


def name_of(*people: object) -> str:
    """The first who is known; where nobody is, the service itself."""
    return next((str(person) for person in people if person), "the service")


def event_in_words(event: TreatmentEvent) -> str:
    """What happened, for the timeline, the chart and the list of breaks."""
    if event.kind == "last_dose" and event.stop:
        return "Last dose, treatment stopped"
    celsius = f", {event.celsius} °C" if event.celsius is not None else ""
    return EVENT_IN_WORDS.get(event.kind, event.get_kind_display()) + celsius


def _results(record: Record) -> Iterator[Happening]:
    for row in record.results:
        yield Happening(
            at=row.received_at,
            kind="Result",
            what=f"{_count_of(row)}, {row.get_status_display().lower()}",
            who=name_of(row.staff, row.integration, f"feed {row.source}"),
            detail=row.reason,
            tone="warn" if row.status in (Status.CORRECTED, Status.ENTERED_IN_ERROR) else "",
            link=f"#result-{row.pk}",
        )


def _count_of(row: Result) -> str:
    drawn = row.drawn_at.astimezone(row.treatment.clinic.zone)
    said = f"ANC {plain(row.anc, row.anc_bound)} /uL" if row.anc is not None else "Count without an ANC"
    return (
        f"{said} drawn {drawn:%Y-%m-%d %H:%M}" if row.status != Status.ENTERED_IN_ERROR else f"Drawn {drawn:%Y-%m-%d}"
    )


def _events(record: Record) -> Iterator[Happening]:
    for event in record.events:
        who = name_of(event.recorded_by)
        late = (event.recorded_at - event.at).total_seconds() > 24 * 3600
        voided = ""
        if event.voided_at and record.known(event.voided_at):
            voided = f"Voided by {name_of(event.voided_by)}: {event.void_reason}"
            yield Happening(event.voided_at, "Void", f"{event_in_words(event)} was voided", name_of(event.voided_by),
                            event.void_reason, tone="warn")  # fmt: skip
        yield Happening(
            event.at, "Treatment", event_in_words(event), who, event.reason, voided=voided, date_only=event.date_only,
            recorded_at=event.recorded_at if late else None,
        )  # fmt: skip


def _doses(record: Record) -> Iterator[Happening]:
    for dose in record.doses_told:
        what = f"Dose from here on {dose.daily_mg.normalize():f} mg a day"
        voided = ""
        if void := record.voided(dose):
            who = name_of(void.voided_by)
            voided = f"Entered in error, says {who}: {void.reason}"
            told = f"Dose of {dose.daily_mg.normalize():f} mg a day was marked as entered in error"
            yield Happening(void.voided_at, "Void", told, who, void.reason, tone="warn")
        yield Happening(dose.at, "Dose", what, name_of(dose.recorded_by), dose.reason, voided=voided)


def _draws(record: Record) -> Iterator[Happening]:
    for draw in record.draws:
        yield Happening(draw.drawn_at, "Draw", "Blood drawn", name_of(draw.recorded_by))
        if draw.ended_at and draw.end_reason and record.known(draw.ended_at):
            yield Happening(draw.ended_at, "Draw", "No result will come", name_of(draw.ended_by), draw.end_reason)


def _bookings(record: Record) -> Iterator[Happening]:
    for row in record.bookings:
        who = name_of(row.staff, row.integration)
        yield Happening(row.booked_at, "Draw", f"Blood test booked for {row.day}", who)
        if row.ended_at and record.known(row.ended_at):
            what = f"Booking for {row.day} ended"
            yield Happening(row.ended_at, "Draw", what, name_of(row.ended_by), row.end_reason)


def _alerts(record: Record) -> Iterator[Happening]:
    for note in record.notes:
        yield Happening(
            note.at,
            "Alert",
            f"{note.alert.get_cause_display()}: {note.verb.replace('_', ' ')}",
            name_of(note.staff),
            note.text,
            tone=MARKS.get(Severity(note.alert.severity), "") if note.verb in ("raised", "worsened") else "",
            link=reverse("alert", args=[note.alert_id]),
        )


def _ben(record: Record) -> Iterator[Happening]:
    for status in record.bens:
        baseline = f", baseline {plain(status.baseline_anc)} /uL" if status.baseline_anc else ""
        who = f"{status.documented_by}, confirmed by {status.confirmed_by}"
        yield Happening(status.confirmed_at, "BEN", f"BEN documented{baseline}", who, status.evidence)
    for proposal in record.proposals:
        yield Happening(
            proposal.documented_at, "BEN", "BEN proposed", name_of(proposal.documented_by), proposal.evidence
        )
        if proposal.answered_at and proposal.status_id is None and record.known(proposal.answered_at):
            yield Happening(
                proposal.answered_at, "BEN", "BEN not confirmed", name_of(proposal.answered_by), proposal.answer
            )


def _moves(record: Record) -> Iterator[Happening]:
    if (taken := record.take_over) is not None:
        yield Happening(
            taken.recorded_at, "Taken over", "Running treatment taken over", name_of(taken.recorded_by), taken.told_by
        )
    for move in record.transfers:
        where = f"{move.from_clinic} to {move.to_clinic}"
        yield Happening(
            move.requested_at, "Transfer", f"Transfer asked for, {where}", name_of(move.requested_by), move.reason
        )
        answered = move.accepted_at or move.declined_at or move.withdrawn_at
        if answered and record.known(answered):
            yield Happening(
                answered, "Transfer", f"Transfer {move.state}, {where}", name_of(move.answered_by), move.answer
            )


def _merges(record: Record) -> Iterator[Happening]:
    for merge in record.merges:
        both = f"MRN {merge.merged.patient.mrn} into MRN {merge.kept.patient.mrn}"
        yield Happening(merge.at, "Merge", f"Records merged, {both}", name_of(merge.by), merge.reason)
        if merge.undone_at and record.known(merge.undone_at):
            yield Happening(
                merge.undone_at, "Merge", f"Merge undone, {both}", name_of(merge.undone_by), merge.undo_reason
            )


def _overrides(record: Record) -> Iterator[Happening]:
    for row in record.overrides:
        name = "Bridge supply" if row.bridge else "Override"
        scope = f"{row.days} day{'s' * (row.days != 1)}, {row.get_code_display().lower()}"
        told = (
            (row.asked_at, f"{name} asked for, {scope}", row.asked_by, row.words),
            (row.confirmed_at, f"{name} confirmed, {scope}", row.confirmed_by, ""),
            (row.declined_at, f"{name} declined, {scope}", row.declined_by, row.answer),
            (row.reviewed_at, f"{name} reviewed, {scope}", row.reviewed_by, row.review),
        )
        for at, what, who, detail in told:
            if at is not None and record.known(at):
                yield Happening(at, "Supply", what, name_of(who), detail, tone="warn" if at == row.confirmed_at else "")


def _contacts(record: Record) -> Iterator[Happening]:
    for point in record.contacts:
        kind = point.get_kind_display()
        yield Happening(point.recorded_at, "Contact", f"{kind}: {point.value}", name_of(point.recorded_by))
        if point.ended_at and record.known(point.ended_at):
            yield Happening(point.ended_at, "Contact", f"{kind} ended: {point.value}", name_of(point.ended_by))


def _checks(record: Record) -> Iterator[Happening]:
    for check in record.checks:
        said = ", ".join(
            IN_WORDS[name].format(value) for name, value in check.answers.items() if value and name in IN_WORDS
        )
        yield Happening(
            check.at, "Own word", f"Feeling unwell? {said or 'all well'}", str(check.carer or "the patient"),
            tone="warn" if check.found else "",
        )  # fmt: skip


def _rest(record: Record) -> Iterator[Happening]:
    """What has no row of its own: registration, the beginning of monitoring, and whatever comes later."""
    for line in record.trail:
        yield Happening(
            line.at, "Record", line.verb.replace("_", " ").capitalize(), name_of(line.staff, line.integration)
        )
