"""Taking over a treatment that began elsewhere. What is unknown stays unknown and is treated as the riskier case."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.db import transaction

from monitoring.actions.judging import locked
from monitoring.actions.record_result import Report, as_row, check, record_result
from monitoring.actions.treating import reassess, record_dose
from monitoring.models import TakeOver, Treatment, TreatmentEvent
from monitoring.rules.assess import assess
from monitoring.rules.errors import InputError
from monitoring.rules.history import Count, Event, History
from monitoring.rules.judgement import Judgement
from patients import audit
from patients.models import Actor, Staff

SOURCE = "take-over"
A_WEEK = timedelta(days=7)
UNKNOWN_START = "The first dose is unknown: phases are counted from the take-over."


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What somebody tells of a running treatment. None is unknown; a pause without an end is not over."""

    told_by: str
    first_dose_on: date | None = None
    lowest_anc: Decimal | None = None
    lowest_on: date | None = None
    counts: Sequence[Report] = ()
    daily_mg: Decimal | None = None
    dose_since: date | None = None
    pauses: Sequence[tuple[date, date | None]] = ()


def count_told(
    *, treatment: Treatment, drawn_on: date, anc: str, unit: str, told_by: str, confirmed: bool = False
) -> Report:
    """A count from a letter: the time of day is unknown, so it begins the day and nothing is owed later for it."""
    return Report(
        source=SOURCE,
        accession=f"{SOURCE}-{treatment.pk}-{drawn_on}",
        drawn_at=_midnight(drawn_on, treatment),
        count={"anc": anc, "unit": unit},
        confirmed=confirmed,
        reason=f"At the take-over, told by {told_by}; the time of the draw is unknown.",
    )


def foresee_take_over(*, treatment: Treatment, told: Told, now: datetime) -> Judgement:
    """What monitoring will be. Writes nothing. Raises InputError naming the field."""
    _check(treatment, told, now)
    return _judged(treatment, told, _events(treatment, told, now), now)


@transaction.atomic
def take_over(*, treatment: Treatment, told: Told, by: Actor, now: datetime, ip: str | None = None) -> TakeOver:
    """Record what is known of a treatment that began elsewhere. Raises InputError naming the field."""
    treatment = locked(treatment.pk)
    _check(treatment, told, now)
    staff = by if isinstance(by, Staff) else None
    reason = f"At the take-over, told by {told.told_by}."
    TreatmentEvent.objects.bulk_create(
        TreatmentEvent(
            treatment=treatment, kind=event.kind, at=_midnight(event.at, treatment), date_only=True, reason=why,
            recorded_at=now, recorded_by=staff,
        )
        for event in _events(treatment, told, now)
        for why in [UNKNOWN_START if event.kind == "first_dose" and told.first_dose_on is None else reason]
    )  # fmt: skip
    taken = TakeOver.objects.create(
        treatment=treatment, first_dose_on=told.first_dose_on, lowest_anc=told.lowest_anc, lowest_on=told.lowest_on,
        told_by=told.told_by, recorded_at=now, recorded_by=staff,
    )  # fmt: skip
    # The latest first: an old low count that has recovered since is history and raises no alert.
    for report in sorted(told.counts, key=lambda count: count.drawn_at, reverse=True):
        record_result(treatment=treatment, report=report, by=by, now=now, ip=ip)
    if not told.counts:
        reassess(treatment, now=now)
    if told.daily_mg is not None:
        since = _midnight(told.dose_since, treatment) if told.dose_since else now
        record_dose(treatment=treatment, daily_mg=told.daily_mg, at=since, by=by, now=now, reason=reason)
    audit.record(
        "treatment_taken_over", by=by, now=now, clinic_id=treatment.clinic_id, patient_id=treatment.patient_id,
        subject=f"take_over:{taken.pk}", ip=ip,
    )  # fmt: skip
    return taken


def _check(treatment: Treatment, told: Told, now: datetime) -> None:
    today = now.astimezone(treatment.clinic.zone).date()
    if TakeOver.objects.filter(treatment=treatment).exists():
        raise InputError("told_by", "this treatment was taken over already; record what is new on the patient's page")
    if any(event.kind == "first_dose" and event.stands() for event in treatment.events.all()):
        raise InputError("first_dose_on", "this treatment's first dose is recorded; it is no take-over")
    if not told.told_by.strip():
        raise InputError("told_by", "say who told this: a letter, a clinic, the patient")
    days = [told.first_dose_on, told.lowest_on, told.dose_since, *(day for pause in told.pauses for day in pause)]
    if any(day and day > today for day in days):
        raise InputError("first_dose_on", "a date is in the future; tell what has happened")
    for report in told.counts:
        check(report, treatment=treatment, now=now)
    _check_pauses(told)
    if len({report.drawn_at for report in told.counts}) < len(told.counts):
        raise InputError("counts", "two counts are of one day; give the lower of them")


def _check_pauses(told: Told) -> None:
    """One pause after the other, each after the first dose; only the last may still be open."""
    ordered = sorted(told.pauses, key=lambda pause: pause[0])
    for place, (last_dose, restart) in enumerate(ordered):
        if told.first_dose_on and last_dose < told.first_dose_on:
            raise InputError("pauses", f"the pause from {last_dose} begins before the first dose")
        if restart and restart < last_dose:
            raise InputError("pauses", f"the restart on {restart} is before the last dose on {last_dose}")
        following = ordered[place + 1][0] if place + 1 < len(ordered) else None
        if following and (restart is None or restart > following):
            raise InputError("pauses", f"the pause from {last_dose} is not over when the next one begins")


def _events(treatment: Treatment, told: Told, now: datetime) -> list[Event]:
    events: list[Event] = [Event("first_dose", told.first_dose_on or _counted_from(treatment, told, now))]
    for last_dose, restart in told.pauses:
        events.append(Event("last_dose", last_dose))
        if restart:
            events.append(Event("restart", restart))
    return events


def _counted_from(treatment: Treatment, told: Told, now: datetime) -> date:
    """Where phases begin when the first dose is unknown: at the take-over, and never so that a known fact is lost.

    At most a week earlier, so that the weekly test is due a week after the latest count, or today. Earlier only for
    a low count whose path is not done, or a pause that is not over: before a first dose the rules would not see them.
    """
    zone = treatment.clinic.zone
    today = now.astimezone(zone).date()
    drawn = [report.drawn_at for report in told.counts] + [row.drawn_at for row in treatment.results.current()]
    days = [instant.astimezone(zone).date() for instant in drawn]
    starts = [max([today - A_WEEK, *days])]
    starts += [last_dose for last_dose, restart in told.pauses if restart is None]
    if days:
        since_first = _judged(treatment, told, [Event("first_dose", min(days))], now)
        if since_first.episode is not None:
            starts.append(since_first.episode.opened_at.astimezone(zone).date())
    return min(starts)


def _judged(treatment: Treatment, told: Told, events: Sequence[Event], now: datetime) -> Judgement:
    known = treatment.history()
    counts: list[Count | Event] = [
        as_row(treatment, report, check(report, treatment=treatment, now=now), now=now).count()
        for report in told.counts
    ]
    history = History(
        time_zone=known.time_zone,
        population=known.population,
        baseline_anc=known.baseline_anc,
        events=[*known.events, *counts, *events],
    )
    return assess(history, treatment.protocol, now)


def _midnight(day: date, treatment: Treatment) -> datetime:
    return datetime.combine(day, time(), treatment.clinic.zone)
