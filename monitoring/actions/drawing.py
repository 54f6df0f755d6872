"""Blood that was drawn: noted at once, so that nobody draws it twice, and waited for until its result is here."""

from datetime import date, datetime, timedelta

from django.db import transaction

from monitoring.actions.booking import answer_supply_alert, keep_booking
from monitoring.actions.judging import locked
from monitoring.models import Draw, Result, Treatment
from monitoring.models.result import Status, standing
from patients import audit
from patients.models import Actor, Staff

CLOCK_SKEW = timedelta(minutes=10)
OLDEST = timedelta(days=14)
"""A sample older than this has no result to wait for."""


class DrawError(ValueError):
    """This draw cannot be noted or ended, and why."""


@transaction.atomic
def record_draw(*, treatment: Treatment, drawn_at: datetime, by: Actor, now: datetime, ip: str | None = None) -> Draw:
    """Note that blood was drawn and its result is awaited. What is due or overdue stays so until the result is here.

    Raises DrawError for a time that cannot be, for a draw whose result is here, and while another one waits.
    """
    treatment = locked(treatment.pk)
    _check(treatment, drawn_at, now)
    draw = Draw.objects.create(
        treatment=treatment,
        clinic_id=treatment.clinic_id,
        drawn_at=drawn_at,
        recorded_at=now,
        recorded_by=by if isinstance(by, Staff) else None,
    )
    keep_booking(treatment, drawn_at, now=now)
    answer_supply_alert(treatment, "Blood was drawn.", now=now)
    _audit("draw_recorded", draw, by, now, ip)
    return draw


def _check(treatment: Treatment, drawn_at: datetime, now: datetime) -> None:
    zone = treatment.clinic.zone
    if drawn_at > now + CLOCK_SKEW:
        raise DrawError("this is in the future; give the time at which the blood was drawn")
    if drawn_at < now - OLDEST:
        raise DrawError(f"this is more than {OLDEST.days} days ago; log the result, or draw again")
    waiting = Draw.objects.filter(treatment=treatment, ended_at=None).first()
    if waiting is not None:
        at = waiting.drawn_at.astimezone(zone)
        raise DrawError(f"the blood drawn on {at:%Y-%m-%d} at {at:%H:%M} waits for its result; end that draw first")
    day = drawn_at.astimezone(zone).date()
    results = standing(list(treatment.results.filter(drawn_at__gte=drawn_at - OLDEST).order_by("drawn_at", "pk")))
    if any(_awaited(row, day, treatment) for row in results):
        raise DrawError(f"a result drawn on {day} or later is here already; there is nothing to wait for")


def _awaited(result: Result, day: date, treatment: Treatment) -> bool:
    """A result that ends the waiting for blood drawn on that day of the clinic's calendar."""
    drawn_on = result.drawn_at.astimezone(treatment.clinic.zone).date()
    return result.status not in (Status.PRELIMINARY, Status.ENTERED_IN_ERROR) and drawn_on >= day


@transaction.atomic
def end_draw(*, draw: Draw, reason: str, by: Staff, now: datetime, ip: str | None = None) -> Draw:
    """No result will come of it: lost, clotted, or noted by mistake. Raises DrawError without a reason."""
    if not reason.strip():
        raise DrawError("say why no result will come, such as: the tube was lost")
    locked(draw.treatment_id)
    current = Draw.objects.select_for_update().select_related("treatment").get(pk=draw.pk)
    if current.ended_at is not None:
        raise DrawError("this draw has ended already")
    current.ended_at, current.ended_by, current.end_reason = now, by, reason.strip()
    current.save(update_fields=["ended_at", "ended_by", "end_reason"])
    _audit("draw_ended", current, by, now, ip)
    return current


def close_draw(treatment: Treatment, result: Result, *, now: datetime) -> None:
    """A result has come: blood drawn on its day or before waits no longer. The treatment is locked by the caller."""
    waiting = Draw.objects.filter(treatment=treatment, ended_at=None).first()
    if waiting is None:
        return
    if _awaited(result, waiting.drawn_at.astimezone(treatment.clinic.zone).date(), treatment):
        Draw.objects.filter(pk=waiting.pk).update(ended_at=now, result=result)


def _audit(verb: str, draw: Draw, by: Actor, now: datetime, ip: str | None) -> None:
    audit.record(
        verb,
        by=by,
        now=now,
        clinic_id=draw.clinic_id,
        patient_id=draw.treatment.patient_id,
        subject=f"draw:{draw.pk}",
        ip=ip,
    )
