"""Eligibility statements: issued on one state of the treatment, taken back, and asked whether they still hold.

A statement that has once stopped being valid never becomes valid again: who needs paper then issues a new one.
"""

import secrets
import sys
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import transaction

from monitoring.actions.dispensing import NotAuthorisedError, StaleError, as_json, policy_of, verdict_of
from monitoring.actions.judging import judge_now, locked
from monitoring.models import Assessment, Merge, Statement, StatementRevoked, Treatment
from monitoring.models.result import standing
from monitoring.rules.eligibility import Verdict, eligibility
from monitoring.rules.judgement import RESTRICTION, Judgement, Reason
from monitoring.rules.protocol import Protocol
from monitoring.rules.protocols import PROTOCOLS
from patients import audit
from patients.models import Actor, actor_columns

ALPHABET = "0123456789ABCDEFGHJKLMNPQRSTUVWX"
"""No I, O, Y or Z: nobody reads them wrongly, and a scanner set to another keyboard does not swap Y and Z."""
LENGTH = 26
"""130 bits: nobody guesses a code."""
NOW = sys.maxsize
"""Later than every version."""


@transaction.atomic
def issue_statement(
    *,
    treatment: Treatment,
    entry: uuid.UUID,
    by: Actor,
    now: datetime,
    addressee: str = "",
    basis: int | None = None,
    ip: str | None = None,
) -> Statement:
    """Put the card's answer on paper. The same entry again is the same statement.

    `basis`: the treatment's version that the issuer saw. Raises StaleError when it is past, NotAuthorisedError when
    the answer is not that tablets may be supplied.
    """
    asked, treatment = treatment.pk, locked(treatment.pk)
    verdict = verdict_of(treatment, now=now)
    if treatment.pk != asked:
        raise NotAuthorisedError(verdict, "This record is merged into another one. Use the record that is kept.")
    if known := Statement.objects.filter(treatment=treatment, entry=entry).first():
        return known
    if basis is not None and basis != treatment.version:
        raise StaleError(verdict, "Something new is known since this page was opened; look at the answer again.")
    if verdict.answer != "may_supply" or verdict.until is None:
        raise NotAuthorisedError(verdict)
    statement = Statement.objects.create(
        treatment=treatment,
        clinic_id=treatment.clinic_id,
        code="".join(secrets.choice(ALPHABET) for _ in range(LENGTH)),
        entry=entry,
        addressee=addressee.strip(),
        basis_version=treatment.version,
        verdict=as_json(verdict),
        until=verdict.until,
        printed=_printed(treatment, verdict, by, now),
        issued_at=now,
        valid_until=valid_until(treatment, verdict),
        **actor_columns(by),
    )
    _told("statement_issued", statement, by, now, ip)
    return statement


@transaction.atomic
def revoke_statement(
    *, statement: Statement, reason: str, by: Actor, now: datetime, ip: str | None = None
) -> StatementRevoked:
    """Take a statement back; twice is once. Raises ValueError without a reason."""
    if not reason.strip():
        raise ValueError("say why the statement is taken back")
    locked(statement.treatment_id)
    if known := StatementRevoked.objects.filter(statement=statement).first():
        return known
    row = StatementRevoked.objects.create(statement=statement, at=now, reason=reason.strip(), **actor_columns(by))
    _told("statement_revoked", statement, by, now, ip)
    return row


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a statement holds, and since when it is so."""

    valid: bool
    since: datetime


def standing_of(statement: Statement, *, now: datetime) -> Standing:
    """The answer to whoever scans the code; writes nothing."""
    return standings(statement.treatment, [statement], now=now)[0][1]


def standings(
    treatment: Treatment, statements: Sequence[Statement], *, now: datetime
) -> list[tuple[Statement, Standing]]:
    """The same for several of one treatment, in a fixed number of questions."""
    if not statements:
        return []
    revoked = dict(StatementRevoked.objects.filter(statement__in=statements).values_list("statement_id", "at"))
    said = list(_said_since(treatment, min(row.basis_version for row in statements), now))
    found = []
    for row in statements:
        contradicted = (at for version, at, verdict in said if version > row.basis_version and _less(verdict, row))
        ends = [row.valid_until, revoked.get(row.pk), next(contradicted, None)]
        past = [end for end in ends if end is not None and end <= now]
        found.append((row, Standing(valid=not past, since=min(past, default=row.issued_at))))
    return found


def statement_by_code(code: str) -> Statement | None:
    """The statement that bears this code."""
    found = Statement.objects.filter(code=code).select_related("treatment__clinic", "treatment__patient")
    return found.first() if len(code) == LENGTH else None


def code_in(written: str) -> str:
    """The code in what was typed or scanned: by itself, in groups, or at the end of its address. Empty: none."""
    signs = "".join(sign for sign in written.upper() if sign.isascii() and sign.isalnum())
    tail = signs[-LENGTH:]
    alone = len(signs) == LENGTH
    if len(tail) == LENGTH and set(tail) <= set(ALPHABET) and (alone or "CHECK" in signs[:-LENGTH]):
        return tail
    return ""


def valid_until(treatment: Treatment, verdict: Verdict) -> datetime:
    """The first instant after the last day on which the answer holds by itself."""
    last = max(verdict.holds_until or verdict.day, verdict.day)
    return datetime.combine(last + timedelta(days=1), time(), treatment.clinic.zone)


def _said_since(treatment: Treatment, version: int, now: datetime) -> Iterator[tuple[int, datetime, Verdict | None]]:
    """What the card said by each judgement after a version, in their order, and says now.

    None is that it says nothing any more: the record was merged. What no judgement tells, such as a policy, is known
    from the moment of asking only.
    """
    if treatment.merged_into_id:
        merged = Merge.objects.filter(merged=treatment, undone_at=None).first()
        yield treatment.version, merged.at if merged else now, None
        return
    results = list(treatment.every_result())
    for row in treatment.assessments.filter(version__gt=version, replaces=None).order_by("version"):
        known = [one for one in results if one.received_at <= row.created_at and one.status != "preliminary"]
        yield row.version, row.created_at, _verdict_then(treatment, row, known)
    yield NOW, now, verdict_of(treatment, now=now)


def _less(verdict: Verdict | None, statement: Statement) -> bool:
    """Whether an answer is less than what stands on the paper."""
    if verdict is None or verdict.answer != "may_supply" or verdict.until is None or verdict.until < statement.until:
        return True
    # A pause or a stop by a person may be resumed within two days, so tablets may be supplied; the paper is over.
    before = _advice(why["rule"] for why in statement.verdict["why"])
    return _advice(why.rule for why in verdict.why) > before


def _advice(rules: Iterable[str]) -> int:
    """How far the advice behind a verdict restricts treatment."""
    return max(RESTRICTION.index(rule.removeprefix("advice.")) for rule in rules if rule.startswith("advice."))


def latest(treatment: Treatment, results: list[Any], protocol: Protocol) -> date | None:
    """The day of the latest draw among these versions that the protocol can judge by: days may count from it."""
    used = [row for row in standing(results) if not protocol.needs_wbc or None not in (row.anc, row.wbc)]
    drawn = max((row.drawn_at for row in used), default=None)
    return drawn.astimezone(treatment.clinic.zone).date() if drawn else None


def _verdict_then(treatment: Treatment, row: Assessment, known: list[Any]) -> Verdict:
    """What the card said on a stored judgement; registries are the live answer's to look at."""
    protocol = PROTOCOLS[row.protocol_key]
    return eligibility(
        _judgement(row),
        protocol,
        day=row.as_of.astimezone(treatment.clinic.zone).date(),
        drawn_on=latest(treatment, known, protocol),
        policy=policy_of(treatment.clinic),
        enrolled=True,
    )


def _judgement(row: Assessment) -> Judgement:
    """The stored judgement, as far as a verdict reads it."""
    told: dict[str, Any] = row.judgement
    days: dict[str, Any] = {name: told[name] and date.fromisoformat(told[name]) for name in ("due_on", "overdue_after")}
    same = ("protocol", "anc", "wbc", "band", "treatment", "frequency", "overdue", "phase")
    return Judgement(
        **{name: told[name] for name in same},
        **days,
        as_of=row.as_of,
        episode=None,
        actions=tuple(told["actions"]),
        deadline=told["deadline"] and datetime.fromisoformat(told["deadline"]),
        reasons=tuple(Reason(**reason) for reason in told["reasons"]),
    )


def _printed(treatment: Treatment, verdict: Verdict, by: Actor, now: datetime) -> dict[str, Any]:
    """The texts that are the patient's and the answer's."""
    versions = list(treatment.every_result())
    judgement = judge_now(treatment, versions, now=now)
    patient, protocol = treatment.patient, treatment.protocol
    drawn = judgement.drawn_at
    return {
        "given_name": patient.given_name,
        "family_name": patient.family_name,
        "date_of_birth": patient.date_of_birth.isoformat(),
        "mrn": patient.mrn,
        "clinic": treatment.clinic.name,
        "time_zone": treatment.clinic.time_zone,
        "issued_by": str(by),
        "protocol": protocol.title,
        "protocol_key": protocol.key,
        "state": treatment.version,
        "anc": judgement.anc,
        "band": judgement.band,
        "drawn_on": drawn.astimezone(treatment.clinic.zone).date().isoformat() if drawn else None,
    }


def _told(verb: str, statement: Statement, by: Actor, now: datetime, ip: str | None) -> None:
    audit.record(
        verb, by=by, now=now, clinic_id=statement.clinic_id, patient_id=statement.treatment.patient_id,
        subject=f"statement:{statement.pk}", ip=ip,
    )  # fmt: skip
