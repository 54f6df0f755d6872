"""Who answers when: shifts on call and their hand-over, people who are away and their cover, deputies."""

from datetime import date, datetime, time, timedelta

from django.db import IntegrityError, transaction

from monitoring.actions.alerting import reachable
from monitoring.rules.errors import InputError
from notifications.actions import owe
from notifications.letters import letter
from patients import audit
from patients.access import may
from patients.models import Absence, Clinic, Deputy, Shift, ShiftOffer, Staff
from patients.on_call import ClockError, instant

LONGEST_SHIFT = timedelta(days=7)
LONGEST_AWAY = timedelta(days=366)
WEEK = timedelta(days=7)
COVERS = "you cover for a colleague at {clinic} from {first} to {last}"
NO_COVER = "you no longer cover for a colleague at {clinic} from {first} to {last}"
ON_CALL = "you are on call at {clinic} from {start}{more}"
OFFERED = "a colleague asks you to take over a shift at {clinic}"
ANSWERED = "your colleague has {answer} the shift at {clinic}"


@transaction.atomic
def go_away(
    *, clinic: Clinic, staff: Staff, cover: Staff, first_day: date, last_day: date, by: Staff, now: datetime,
    ip: str | None = None,
) -> Absence:  # fmt: skip
    """From the first to the last day the cover answers; told at once. Raises InputError naming the field."""
    today = now.astimezone(clinic.zone).date()
    if first_day < today:
        raise InputError("first_day", f"{first_day} has passed; begin with {today} or later")
    if last_day < first_day:
        raise InputError("last_day", f"{last_day} is before {first_day}; give the last day away")
    if last_day - first_day > LONGEST_AWAY:
        raise InputError("last_day", "this is longer than a year; change the person's roles instead")
    _check_cover(clinic, staff, cover, first_day, last_day)
    try:
        with transaction.atomic():
            absence = Absence.objects.create(
                clinic=clinic, staff=staff, cover=cover, first_day=first_day, last_day=last_day, recorded_at=now,
                recorded_by=by,
            )  # fmt: skip
    except IntegrityError as error:
        if "away_once_at_a_time" not in str(error):
            raise
        raise InputError(
            "first_day", f"{staff} is away on some of these days already; end that absence first"
        ) from error
    _note("absence_recorded", clinic, f"absence:{absence.pk}", by, now, ip, staff=staff.pk, cover=cover.pk)
    _tell(cover, clinic, COVERS.format(clinic=clinic, first=first_day, last=last_day), f"absence:{absence.pk}", now)
    return absence


def _check_cover(clinic: Clinic, staff: Staff, cover: Staff, first_day: date, last_day: date) -> None:
    if cover.pk == staff.pk:
        raise InputError("cover", "nobody covers for themselves; choose a colleague")
    _check_reachable("cover", cover, clinic)
    at_once = Absence.objects.filter(
        clinic=clinic, staff=cover, cancelled_at=None, first_day__lte=last_day, last_day__gte=first_day
    ).first()
    if at_once is not None:
        raise InputError(
            "cover", f"{cover} is away from {at_once.first_day} to {at_once.last_day}; choose somebody who is there"
        )


@transaction.atomic
def come_back(*, absence: Absence, by: Staff, now: datetime, ip: str | None = None) -> Absence:
    """From now on the person answers again; what the cover owns stays theirs. Raises InputError when it is over."""
    current = Absence.objects.select_for_update(of=("self",)).select_related("clinic", "cover").get(pk=absence.pk)
    if current.cancelled_at is not None or current.last_day < now.astimezone(current.clinic.zone).date():
        raise InputError("first_day", "this absence has ended already")
    current.cancelled_at, current.cancelled_by = now, by
    current.save(update_fields=["cancelled_at", "cancelled_by"])
    clinic, about = current.clinic, f"absence:{current.pk}"
    _note("absence_ended", clinic, about, by, now, ip)
    words = NO_COVER.format(clinic=clinic, first=current.first_day, last=current.last_day)
    _tell(current.cover, clinic, words, about, now)
    return current


@transaction.atomic
def name_deputy(
    *, clinic: Clinic, staff: Staff | None, deputy: Staff | None, by: Staff, now: datetime, ip: str | None = None
) -> Deputy:
    """Who is told next when this person (everybody, without one) does not answer. Raises InputError."""
    if deputy is not None:
        if staff is not None and staff.pk == deputy.pk:
            raise InputError("deputy", f"{staff} cannot be their own deputy; choose a colleague")
        _check_reachable("deputy", deputy, clinic)
    row, _ = Deputy.objects.update_or_create(clinic=clinic, staff=staff, defaults={"deputy": deputy})
    _note(
        "deputy_named",
        clinic,
        f"deputy:{row.pk}",
        by,
        now,
        ip,
        staff=staff.pk if staff else None,
        deputy=deputy.pk if deputy else None,
    )
    return row


@transaction.atomic
def add_shifts(
    *, clinic: Clinic, staff: Staff, first_day: date, starts: time, last_day: date, ends: time, weeks: int, by: Staff,
    now: datetime, ip: str | None = None,
) -> list[Shift]:  # fmt: skip
    """A shift by the clinic's own clock, and the same in each of the weeks after it: all or none. Raises InputError."""
    _check_reachable("staff", staff, clinic)
    spans = [_span(clinic, first_day + n * WEEK, starts, last_day + n * WEEK, ends) for n in range(max(weeks, 1))]
    if spans[0][1] <= spans[0][0]:
        raise InputError("ends", "the shift ends before it begins; give a later end")
    if spans[0][1] - spans[0][0] > LONGEST_SHIFT:
        raise InputError("last_day", f"a shift is at most {LONGEST_SHIFT.days} days; use several")
    if spans[0][1] <= now:
        raise InputError("last_day", "this is over already; give a shift that is still to come")
    made = [_one_shift(clinic, staff, start, end, by, now) for start, end in spans]
    _note("shifts_added", clinic, f"shift:{made[0].pk}", by, now, ip, staff=staff.pk, number=len(made))
    more = f", and in the same hours of the next {len(made) - 1} weeks" if len(made) > 1 else ""
    start = f"{made[0].starts_at.astimezone(clinic.zone):%Y-%m-%d %H:%M}"
    _tell(staff, clinic, ON_CALL.format(clinic=clinic, start=start, more=more), f"shift:{made[0].pk}", now)
    return made


def _span(clinic: Clinic, first_day: date, starts: time, last_day: date, ends: time) -> tuple[datetime, datetime]:
    found = []
    for field, day, clock in (("starts", first_day, starts), ("ends", last_day, ends)):
        try:
            found.append(instant(day, clock, clinic.zone))
        except ClockError as error:
            raise InputError(field, str(error)) from error
    return found[0], found[1]


def _one_shift(clinic: Clinic, staff: Staff, start: datetime, end: datetime, by: Staff, now: datetime) -> Shift:
    try:
        with transaction.atomic():
            return Shift.objects.create(
                clinic=clinic, staff=staff, starts_at=start, ends_at=end, recorded_at=now, recorded_by=by
            )
    except IntegrityError as error:
        if "one_on_call_at_a_time" not in str(error):
            raise
        day = f"{start.astimezone(clinic.zone):%Y-%m-%d}"
        raise InputError(
            "first_day", f"somebody is on call already in a part of the shift of {day}; take that shift out first"
        ) from error


@transaction.atomic
def take_out(*, shift: Shift, by: Staff, now: datetime, ip: str | None = None) -> Shift:
    """The shift is nobody's any more; one that runs ends now. Raises InputError when it is over or another clinic's."""
    current = _shift_to_come(shift, now)
    if not may(by, "set_up_clinic", current.clinic_id):
        raise InputError("staff", f"only an admin of {current.clinic} takes a shift out of its rota")
    if current.starts_at < now:
        current.ends_at = now
    else:
        current.cancelled_at, current.cancelled_by = now, by
    current.save(update_fields=["ends_at", "cancelled_at", "cancelled_by"])
    ShiftOffer.objects.waiting().filter(shift=current).update(withdrawn_at=now)
    _note("shift_taken_out", current.clinic, f"shift:{current.pk}", by, now, ip, staff=current.staff_id)
    return current


@transaction.atomic
def offer_shift(*, shift: Shift, taker: Staff, by: Staff, now: datetime, ip: str | None = None) -> ShiftOffer:
    """Ask a colleague to take it. It stays with whoever has it until the colleague accepts. Raises InputError."""
    current = _shift_to_come(shift, now)
    if taker.pk == current.staff_id:
        raise InputError("taker", f"{taker} has this shift already; choose a colleague")
    _check_reachable("taker", taker, current.clinic)
    if ShiftOffer.objects.waiting().filter(shift=current).exists():
        raise InputError("taker", "somebody has been asked already and has not answered; withdraw that first")
    offer = ShiftOffer.objects.create(shift=current, giver=current.staff, taker=taker, asked_at=now)
    _note("shift_offered", current.clinic, f"shift:{current.pk}", by, now, ip, taker=taker.pk)
    _tell(taker, current.clinic, OFFERED.format(clinic=current.clinic), f"shift:{current.pk}", now)
    return offer


@transaction.atomic
def answer_offer(*, offer: ShiftOffer, accept: bool, by: Staff, now: datetime, ip: str | None = None) -> ShiftOffer:
    """The colleague who was asked takes the shift or does not. Raises InputError when it is no longer open."""
    shift = _shift_to_come(offer.shift, now)
    current = ShiftOffer.objects.select_related("giver", "taker").get(pk=offer.pk)
    if by.pk != current.taker_id:
        raise InputError("taker", f"{current.taker} was asked, and answers this alone")
    if current.accepted_at or current.declined_at or current.withdrawn_at:
        raise InputError("taker", "this was answered or withdrawn already")
    if accept:
        _check_reachable("taker", by, shift.clinic)
        shift.staff = by
        shift.save(update_fields=["staff"])
        current.accepted_at = now
    else:
        current.declined_at = now
    current.save(update_fields=["accepted_at", "declined_at"])
    verb = "shift_accepted" if accept else "shift_declined"
    _note(verb, shift.clinic, f"shift:{shift.pk}", by, now, ip, giver=current.giver_id)
    words = ANSWERED.format(answer="taken" if accept else "not taken", clinic=shift.clinic)
    _tell(current.giver, shift.clinic, words, f"shift:{shift.pk}", now)
    return current


@transaction.atomic
def withdraw_offer(*, offer: ShiftOffer, by: Staff, now: datetime, ip: str | None = None) -> None:
    """Whoever asked no longer asks. Raises InputError when it was answered meanwhile."""
    shift = _shift_to_come(offer.shift, now)
    if not ShiftOffer.objects.waiting().filter(pk=offer.pk, giver=by).update(withdrawn_at=now):
        raise InputError("taker", "this was answered or withdrawn already")
    _note("shift_offer_withdrawn", shift.clinic, f"shift:{shift.pk}", by, now, ip)


def _shift_to_come(shift: Shift, now: datetime) -> Shift:
    """The shift, locked. Raises InputError when it is over or was taken out."""
    current = Shift.objects.select_for_update(of=("self",)).select_related("clinic", "staff").get(pk=shift.pk)
    if current.cancelled_at is not None or current.ends_at <= now:
        raise InputError("taker", "this shift is over, or was taken out of the rota")
    return current


def _check_reachable(field: str, person: Staff, clinic: Clinic) -> None:
    if not reachable(person, clinic.pk):
        raise InputError(
            field,
            f"{person} cannot be written to, or may not see the patients of {clinic}; choose somebody else",
        )


def _tell(person: Staff, clinic: Clinic, words: str, about: str, now: datetime) -> None:
    if person.email:
        owe([letter(person.email, words, "/duty/", about=about, clinic_id=clinic.pk, now=now)])


def _note(
    verb: str, clinic: Clinic, subject: str, by: Staff, now: datetime, ip: str | None, **detail: int | None
) -> None:
    audit.record(verb, by=by, now=now, clinic_id=clinic.pk, subject=subject, ip=ip, **detail)


@transaction.atomic
def want_daily_mail(*, staff: Staff, clinic: Clinic, wanted: bool, by: Staff, now: datetime, ip: str | None) -> None:
    """Whether the morning's mail of this clinic comes to this person, whatever their role."""
    staff.memberships.filter(clinic=clinic).update(daily_mail=wanted)
    _note("daily_mail_on" if wanted else "daily_mail_off", clinic, f"staff:{staff.pk}", by, now, ip)
