"""Booking the next blood test, and ending the alert about tablets that run out once something answers it."""

from datetime import date, datetime, timedelta

from django.db import transaction

from monitoring.actions.judging import locked
from monitoring.models import Alert, AlertNote, Booking, Cause, Outcome, Treatment
from monitoring.rules.errors import InputError
from monitoring.running_out import NEXT_DAY, running_out
from patients import audit
from patients.models import Actor, Staff, actor_columns

FURTHEST = timedelta(days=400)
"""Yearly tests are booked so far ahead; more is a slip of the year."""


@transaction.atomic
def book_test(*, treatment: Treatment, day: date, by: Actor, now: datetime, ip: str | None = None) -> Booking:
    """The day on which blood is to be drawn; an earlier booking is moved. The same told again is the one there is.

    Raises InputError for a day that is past or too far ahead.
    """
    treatment = locked(treatment.pk)
    today = now.astimezone(treatment.clinic.zone).date()
    if day < today:
        raise InputError("day", f"{day} is past; give the day on which blood is to be drawn")
    if day > today + FURTHEST:
        raise InputError("day", f"{day} is more than {FURTHEST.days} days ahead; look at the year")
    standing = treatment.bookings.filter(ended_at=None).first()
    if standing is not None and standing.day == day:
        standing.just_stored = False
        return standing
    if standing is not None:
        _end(standing, f"Moved to {day}.", by=by, now=now)
    booking = Booking.objects.create(
        treatment=treatment, clinic_id=treatment.clinic_id, day=day, booked_at=now, **actor_columns(by)
    )
    answer_supply_alert(treatment, f"A blood test is booked for {day}.", now=now)
    _audit("booking_made", booking, by, now, ip)
    return booking


@transaction.atomic
def cancel_booking(*, booking: Booking, reason: str, by: Actor, now: datetime, ip: str | None = None) -> Booking:
    """No blood will be drawn on that day. Raises InputError without a reason."""
    if not reason.strip():
        raise InputError("reason", "say why, so that the next person knows whether to book another day")
    locked(booking.treatment_id)
    current = Booking.objects.select_for_update().select_related("treatment").get(pk=booking.pk)
    if current.ended_at is not None:
        current.just_stored = False
        return current
    _end(current, reason.strip(), by=by, now=now)
    _audit("booking_cancelled", current, by, now, ip)
    return current


def keep_booking(treatment: Treatment, drawn_at: datetime, *, now: datetime) -> None:
    """Blood was drawn: what was booked for that day or before is done. The treatment is locked by the caller."""
    day = drawn_at.astimezone(treatment.clinic.zone).date()
    treatment.bookings.filter(ended_at=None, day__lte=day).update(ended_at=now, end_reason=f"Blood was drawn on {day}.")


def answer_supply_alert(treatment: Treatment, text: str, *, now: datetime) -> None:
    """End the alert about tablets that run out, without a person, where the gap that it warned of no longer looms."""
    standing = Alert.objects.filter(treatment_id__in=treatment.records, cause=Cause.SUPPLY_ENDS, resolved_at=None)
    if not (ended := list(standing)):
        return
    zone, until = treatment.clinic.zone, treatment.tablets_until
    same = any(row.deadline and until == row.deadline.astimezone(zone).date() - NEXT_DAY for row in ended)
    looms = running_out(now.astimezone(zone).date(), treatment.clinic)
    if same and Treatment.objects.filter(looms, pk=treatment.pk).exists():
        return
    standing.update(resolved_at=now, outcome=Outcome.ACTED)
    AlertNote.objects.bulk_create([AlertNote(alert=alert, at=now, verb="resolved", text=text) for alert in ended])


def _end(booking: Booking, reason: str, *, by: Actor, now: datetime) -> None:
    booking.ended_at, booking.end_reason = now, reason
    booking.ended_by = by if isinstance(by, Staff) else None
    booking.save(update_fields=["ended_at", "ended_by", "end_reason"])


def _audit(verb: str, booking: Booking, by: Actor, now: datetime, ip: str | None) -> None:
    audit.record(
        verb, by=by, now=now, clinic_id=booking.clinic_id, patient_id=booking.treatment.patient_id,
        subject=f"booking:{booking.pk}", ip=ip, day=booking.day.isoformat(),
    )  # fmt: skip
