"""How a clinic is set up: where its alerts go, its unit, its calendar, its numbers, its laboratories, its tokens."""

from collections.abc import Collection, Mapping
from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from monitoring.feed_health import expect_anew
from monitoring.models import Feed, Laboratory, Treatment
from monitoring.models.treatment import EVERY_DAY
from monitoring.rules.errors import InputError
from monitoring.rules.units import UNITS_ACCEPTED
from notifications.actions import owe
from notifications.letters import letter
from patients import audit
from patients.actions import issue_token
from patients.models import Clinic, Integration, Staff, known_time_zone
from patients.policies import POLICIES


@transaction.atomic
def set_up_clinic(
    *, clinic: Clinic, on_call_email: str, count_unit: str, time_zone: str, by: Staff, now: datetime,
    ip: str | None = None,
) -> dict[str, tuple[str, str]]:  # fmt: skip
    """Change what differs; what it was and is. Old and new on-call address are told. Raises InputError by field."""
    current = Clinic.objects.select_for_update().get(pk=clinic.pk)
    wanted = {"on_call_email": on_call_email, "count_unit": count_unit, "time_zone": time_zone}
    changes = {name: (getattr(current, name), new) for name, new in wanted.items() if getattr(current, name) != new}
    if "count_unit" in changes and count_unit not in UNITS_ACCEPTED:
        raise InputError("count_unit", f"{count_unit!r} is no unit here; known: {', '.join(UNITS_ACCEPTED)}")
    if "time_zone" in changes:
        _check_zone(current, time_zone)
    for name, (_, new) in changes.items():
        setattr(current, name, new)
        setattr(clinic, name, new)
    current.save(update_fields=[*changes])
    if "on_call_email" in changes:
        _tell_on_call(current, changes["on_call_email"], now)
    for name, (old, new) in changes.items():
        audit.record(f"{name}_changed", by=by, now=now, clinic_id=clinic.pk, ip=ip, before=old, after=new)
    return changes


@transaction.atomic
def set_policies(
    *, clinic: Clinic, values: Mapping[str, int], by: Staff, now: datetime, ip: str | None = None
) -> dict[str, tuple[int, int]]:
    """The clinic's numbers; what each changed one was and is. Raises InputError for one out of bounds."""
    current = Clinic.objects.select_for_update().get(pk=clinic.pk)
    for policy in POLICIES:
        if policy.name in values and (refusal := policy.refusal(values[policy.name])):
            raise InputError(policy.name, refusal)
    changes = {name: (current.policy(name), new) for name, new in values.items() if current.policy(name) != new}
    current.policies = current.policies | {name: new for name, (_, new) in changes.items()}
    current.save(update_fields=["policies"])
    clinic.policies = current.policies
    for name, (old, new) in changes.items():
        audit.record("policy_changed", by=by, now=now, clinic_id=clinic.pk, subject=name, ip=ip, before=old, after=new)
    return changes


@transaction.atomic
def change_laboratory(
    *, laboratory: Laboratory, name: str, unit: str, columns: Mapping[str, str], by: Staff, now: datetime,
    ip: str | None = None,
) -> Laboratory:  # fmt: skip
    """How a laboratory is called, its unit where its files say none, and how its columns are named.

    Raises InputError when its files would be read otherwise while rows of it are being taken.
    """
    if unit and unit not in UNITS_ACCEPTED:
        raise InputError("unit", f"{unit!r} is no unit here; known: {', '.join(UNITS_ACCEPTED)}")
    current = Laboratory.objects.select_for_update().get(pk=laboratory.pk)
    # Keys that begin with = are no columns: dates, letters. They are set on the import page and stay as they are.
    kept = {ours: theirs for ours, theirs in current.columns.items() if ours.startswith("=")}
    named = {ours: theirs.strip() for ours, theirs in columns.items() if theirs.strip() and not ours.startswith("=")}
    twice = {theirs for theirs in named.values() if list(named.values()).count(theirs) > 1}
    if twice:
        raise InputError("columns", f"{', '.join(sorted(twice))} stands for two things; name each column once")
    before = {"name": current.name, "unit": current.unit, "columns": current.columns}
    read_otherwise = (unit, named | kept) != (current.unit, current.columns)
    if read_otherwise and current.is_under_way:
        raise InputError(
            "file", "an import of this laboratory is under way; how its files are read can be changed after it"
        )
    current.name, current.unit, current.columns = name, unit, named | kept
    current.save(update_fields=["name", "unit", "columns"])
    audit.record(
        "laboratory_changed", by=by, now=now, clinic_id=current.clinic_id, subject=f"laboratory:{current.pk}", ip=ip,
        before=before, after={"name": name, "unit": unit, "columns": named},
    )  # fmt: skip
    return current


@transaction.atomic
def expect_of_feed(*, feed: Feed, hours: int | None, by: Staff, now: datetime, ip: str | None = None) -> Feed:
    """After so many hours without a message the source is silent; None: as learnt. Holds at once."""
    current = Feed.objects.select_for_update().get(pk=feed.pk)
    before, current.expected_hours = current.expected_hours, hours
    current.save(update_fields=["expected_hours"])
    expect_anew(now=now)
    audit.record(
        "feed_expectation_changed", by=by, now=now, clinic_id=current.clinic_id, subject=f"feed:{current.pk}", ip=ip,
        before=before, after=hours,
    )  # fmt: skip
    return current


@transaction.atomic
def issue_and_tell(*, clinic: Clinic, name: str, verbs: list[str], by: Staff, now: datetime) -> tuple[Integration, str]:
    """A token, shown once. The on-call address hears of it: a token may read what the admin may not.

    Raises InputError while a program of this name has one: a second press would leave a live token that nobody saw.
    """
    Clinic.objects.select_for_update().only("pk").get(pk=clinic.pk)
    if clinic.integrations.filter(name__iexact=name, revoked_at=None).exists():
        raise InputError(
            "name",
            f"{name} has an open token already, below; if nobody copied it, take it back and give another one,"
            " or choose another name",
        )
    integration, token = issue_token(clinic=clinic, name=name, verbs=verbs, by=by, now=now)
    words = f"a program was given a token at {clinic}"
    about = f"integration:{integration.pk}"
    owe([letter(clinic.on_call_email, words, "/audit/", about=about, clinic_id=clinic.pk, now=now)])
    return integration, token


def draws_moved_by(clinic: Clinic, days: Collection[date]) -> int:
    """How many tests that are due on these days now would be drawn earlier."""
    return Treatment.objects.filter(clinic=clinic, due_on__in=days).exclude(frequency__in=EVERY_DAY).count()


def may_change_zone(clinic: Clinic) -> bool:
    """Only while nobody is treated there: every due date is a day of this calendar."""
    return not Treatment.objects.filter(clinic=clinic).exists()


def _check_zone(clinic: Clinic, time_zone: str) -> None:
    if not may_change_zone(clinic):
        raise InputError(
            "time_zone",
            f"the due dates of the patients of {clinic} are days in {clinic.time_zone}, so it stays"
            " while there are any; set up a clinic in the other zone and transfer the patients",
        )
    try:
        known_time_zone(time_zone)
    except ValidationError as error:
        raise InputError("time_zone", str(error.message)) from error


def _tell_on_call(clinic: Clinic, addresses: tuple[str, str], now: datetime) -> None:
    old, new = addresses
    about = f"clinic:{clinic.pk}"
    words = {
        old: f"this is no longer the on-call address of {clinic}",
        new: f"this is the on-call address of {clinic} from now on",
    }
    owe(letter(address, text, "/", about=about, clinic_id=clinic.pk, now=now) for address, text in words.items())
