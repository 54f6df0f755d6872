"""Authorising and handing over tablets. Each decision is taken under the treatment's lock, on what is committed."""

import uuid
from dataclasses import asdict, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from monitoring.actions.booking import answer_supply_alert
from monitoring.actions.judging import facts_of, judge_now, locked
from monitoring.actions.programmes import is_enrolled
from monitoring.models import Authorisation, Dispense, Override, Treatment
from monitoring.rules.eligibility import Verdict, eligibility, last_covered_day, standing
from monitoring.rules.judgement import Judgement
from monitoring.rules.overrides import Level, lifts
from monitoring.rules.planning import LONGEST_AHEAD, Planned, at_discharge, for_days_away, weighed
from monitoring.rules.protocol import Frequency
from monitoring.rules.supplying import SupplyPolicy, basis_of
from patients import audit
from patients.closed_days import closed_days_of
from patients.models import Actor, Clinic, Staff, actor_columns

_NEWS = "What is known since then stands against it; the prescriber must look again."
_TOO_HIGH = "It does not reach that far: what stands against a supply is more than it was confirmed for."


class NotAuthorisedError(ValueError):
    """The rules do not allow this supply; `verdict` says why and what would."""

    def __init__(self, verdict: Verdict, message: str = "") -> None:
        deciding = next((one.text for one in verdict.why if one.answer == verdict.answer), "")
        super().__init__(message or deciding)
        self.verdict = verdict


class StaleError(NotAuthorisedError):
    """The page was made from an older state of the treatment than the one that stands now."""


def policy_of(clinic: Clinic) -> SupplyPolicy:
    """What the clinic has set about supplies."""
    days: dict[Frequency, int] = {}
    if "supply_monthly_days" in clinic.policies:
        days["monthly"] = clinic.policy("supply_monthly_days")
    return SupplyPolicy(
        days=days,
        margin_days=clinic.policy("supply_margin_days"),
        discharge_days=clinic.policy("supply_discharge_days"),
        needs_enrolment=clinic.policy("registry_enrolments") == 1,
    )


def verdict_of(treatment: Treatment, *, now: datetime) -> Verdict:
    """The verdict for this moment, from the stored results and events; writes nothing."""
    judgement = _judged(treatment, now)
    zone, drawn = treatment.clinic.zone, judgement.drawn_at
    policy = policy_of(treatment.clinic)
    return eligibility(
        judgement,
        treatment.protocol,
        day=now.astimezone(zone).date(),
        drawn_on=drawn.astimezone(zone).date() if drawn else None,
        policy=policy,
        enrolled=is_enrolled(treatment) if policy.needs_enrolment else None,
        since_draw=now - drawn if drawn else None,
        tablets_until=treatment.tablets_until,
    )


def plan_of(treatment: Treatment, *, collect_on: date, back_on: date | None, now: datetime) -> Planned:
    """A supply at discharge, or for days away up to the day back; writes nothing. Raises ValueError for a wrong day."""
    judgement = _judged(treatment, now)
    today = now.astimezone(treatment.clinic.zone).date()
    if collect_on < today:
        raise ValueError(f"{collect_on} is past; give today or a day ahead")
    if (collect_on - today).days > LONGEST_AHEAD:
        raise ValueError(f"{collect_on} is more than {LONGEST_AHEAD} days ahead; look at the year")
    protocol, drawn = treatment.protocol, judgement.drawn_at
    basis = basis_of(judgement, protocol, drawn.astimezone(treatment.clinic.zone).date() if drawn else None)
    closed = closed_days_of([treatment.clinic], since=today, until=today + 2 * timedelta(days=LONGEST_AHEAD))
    policy = replace(policy_of(treatment.clinic), closed=closed[treatment.clinic_id])
    if back_on is None:
        planned = at_discharge(basis, protocol, policy, today=today, day=collect_on)
    else:
        planned = for_days_away(basis, protocol, policy, today=today, leaves_on=collect_on, back_on=back_on)
    return weighed(planned, standing(judgement, protocol))


def _judged(treatment: Treatment, now: datetime) -> Judgement:
    facts = facts_of(treatment)
    return judge_now(treatment, facts.versions, now=now, events=facts.events)


@transaction.atomic
def authorise(
    *,
    treatment: Treatment,
    entry: uuid.UUID,
    by: Actor,
    now: datetime,
    basis: int | None = None,
    override: Override | None = None,
    ip: str | None = None,
) -> Authorisation:
    """Leave to supply. The same entry again is the same authorisation.

    `basis`: the treatment's version that the asker saw. Raises StaleError when it is past, NotAuthorisedError when
    the rules do not allow a supply and no confirmed override covers it.
    """
    treatment = locked(treatment.pk)
    if known := Authorisation.objects.filter(treatment=treatment, entry=entry).first():
        return known
    verdict = verdict_of(treatment, now=now)
    refuse_stale(basis, treatment, verdict)
    days, until = _covered(verdict, override and _usable(override, treatment, verdict, now))
    given = Authorisation.objects.create(
        treatment=treatment,
        clinic_id=treatment.clinic_id,
        basis_version=treatment.version,
        entry=entry,
        day=verdict.day,
        days=days,
        until=until,
        verdict=as_json(verdict),
        override=override,
        given_at=now,
        expires_at=now + timedelta(hours=treatment.clinic.policy("authorisation_hours")),
        **actor_columns(by),
    )
    audit.record(
        "supply_authorised", by=by, now=now, clinic_id=treatment.clinic_id, patient_id=treatment.patient_id,
        subject=f"authorisation:{given.pk}", ip=ip, days=days,
    )  # fmt: skip
    return given


def refuse_stale(basis: int | None, treatment: Treatment, verdict: Verdict) -> None:
    """Raises StaleError when a page was made from another version than the locked treatment's."""
    if basis is not None and basis != treatment.version:
        raise StaleError(verdict, "Something new is known since this page was opened; look at the answer again.")


def _covered(verdict: Verdict, override: Override | None) -> tuple[int, date]:
    if override is not None:
        return override.days, last_covered_day(verdict.day, override.days)
    if verdict.answer != "may_supply" or verdict.until is None:
        raise NotAuthorisedError(verdict)
    return verdict.days, verdict.until


def _usable(override: Override, treatment: Treatment, verdict: Verdict, now: datetime) -> Override:
    current = Override.objects.select_for_update().get(pk=override.pk)
    if current.treatment_id != treatment.pk or current.confirmed_at is None:
        raise NotAuthorisedError(verdict, "The override is not confirmed by a second person.")
    if current.used_at is not None or current.expires_at < now:
        raise NotAuthorisedError(verdict, "The override is used or has expired; ask for a new one.")
    news = current.basis_version != treatment.version
    if not lifts(Level(current.reach or 0), verdict.why, news=news):
        raise NotAuthorisedError(verdict, _NEWS if news else _TOO_HIGH)
    current.used_at = now
    current.save(update_fields=["used_at"])
    return current


@transaction.atomic
def hand_over(
    *,
    authorisation: Authorisation,
    strength_mg: Decimal,
    quantity: int,
    days: int,
    by: Staff,
    now: datetime,
    lot: str = "",
    ip: str | None = None,
) -> Dispense:
    """Record the tablets that leave the counter, after checking again. The same authorisation hands over once.

    Raises NotAuthorisedError when the leave has expired, was revoked, or no longer follows from what is known; and when
    it was used for other tablets, or for some that were taken back.
    """
    treatment = locked(authorisation.treatment_id)
    leave = Authorisation.objects.select_for_update().get(pk=authorisation.pk)
    if done := Dispense.objects.filter(authorisation=leave).first():
        return _the_same(done, (strength_mg, quantity, days, lot), treatment, now)
    if days < 1 or quantity < 1:
        raise ValueError("give at least one tablet for at least one day")
    _check_again(leave, treatment, days, now)
    begins = max(now.astimezone(treatment.clinic.zone).date(), _next_uncovered(treatment, now))
    dispense = Dispense.objects.create(
        treatment=treatment,
        clinic_id=treatment.clinic_id,
        authorisation=leave,
        handed_over_at=now,
        handed_over_by=by,
        strength_mg=strength_mg,
        quantity=quantity,
        days=days,
        covers_from=begins,
        covers_until=last_covered_day(begins, days),
        lot=lot,
    )
    keep_tablets_until(treatment)
    answer_supply_alert(treatment, "Tablets were handed over.", now=now)
    audit.record(
        "tablets_handed_over", by=by, now=now, clinic_id=treatment.clinic_id, patient_id=treatment.patient_id,
        subject=f"dispense:{dispense.pk}", ip=ip, days=days,
    )  # fmt: skip
    return dispense


def _the_same(done: Dispense, asked: tuple[Decimal, int, int, str], treatment: Treatment, now: datetime) -> Dispense:
    """The dispense that was recorded, where the same tablets are asked for and it stands."""
    if done.voided_at is not None:
        raise NotAuthorisedError(
            verdict_of(treatment, now=now), "This supply was handed over and taken back; authorise anew."
        )
    if asked != (done.strength_mg, done.quantity, done.days, done.lot):
        tablets = f"{done.quantity} × {done.strength_mg.normalize():f} mg for {done.days} days"
        lot = f", lot {done.lot}" if done.lot else ""
        raise NotAuthorisedError(
            verdict_of(treatment, now=now),
            f"This supply was handed over already: {tablets}{lot}. What was typed now is not recorded."
            " If the first is wrong, take it back and authorise anew.",
        )
    return done


def _check_again(leave: Authorisation, treatment: Treatment, days: int, now: datetime) -> None:
    verdict = verdict_of(treatment, now=now)
    if leave.revoked_at is not None:
        raise NotAuthorisedError(verdict, f"The authorisation was revoked: {leave.revoked_because}")
    if leave.expires_at < now:
        raise NotAuthorisedError(verdict, "The authorisation has expired; ask again.")
    if days > leave.days:
        raise NotAuthorisedError(verdict, f"{days} days are more than the {leave.days} that were authorised.")
    if leave.override_id is None and (verdict.answer != "may_supply" or days > verdict.days):
        raise NotAuthorisedError(verdict)
    if leave.basis_version != treatment.version:
        leave.basis_version, leave.verdict = treatment.version, as_json(verdict)
        leave.save(update_fields=["basis_version", "verdict"])


def _next_uncovered(treatment: Treatment, now: datetime) -> date:
    """Tablets at home are taken first: a new supply covers from the day after them."""
    today = now.astimezone(treatment.clinic.zone).date()
    if treatment.tablets_until is None or treatment.tablets_until < today:
        return today
    return treatment.tablets_until + timedelta(days=1)


@transaction.atomic
def void_dispense(*, dispense: Dispense, by: Staff, now: datetime, reason: str, ip: str | None = None) -> Dispense:
    """Take back a dispense that did not happen. The row stays. Raises ValueError without a reason."""
    if not reason.strip():
        raise ValueError("say why the dispense is taken back")
    treatment = locked(dispense.treatment_id)
    Dispense.objects.filter(pk=dispense.pk, voided_at=None).update(voided_at=now, voided_by=by, void_reason=reason)
    keep_tablets_until(treatment)
    answer_supply_alert(treatment, "A supply was taken back.", now=now)
    audit.record(
        "dispense_voided", by=by, now=now, clinic_id=treatment.clinic_id, patient_id=treatment.patient_id,
        subject=f"dispense:{dispense.pk}", ip=ip,
    )  # fmt: skip
    dispense.refresh_from_db()
    return dispense


def keep_tablets_until(treatment: Treatment) -> None:
    """Bring the derived column up to the dispenses that stand."""
    last = treatment.dispenses.filter(voided_at=None).order_by("-covers_until").first()
    treatment.tablets_until = last.covers_until if last else None
    Treatment.objects.filter(pk=treatment.pk).update(tablets_until=treatment.tablets_until)


def as_json(verdict: Verdict | Planned) -> dict[str, Any]:
    """The verdict as it is stored and answered: dates as text."""
    return {name: _plain(value) for name, value in asdict(verdict).items()}


def _plain(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value
