"""record_result: a laboratory result goes in; judgement, alert and messages come out, or nothing does."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from monitoring.actions.alerting import end_by_count, raise_alerts
from monitoring.actions.booking import answer_supply_alert, keep_booking
from monitoring.actions.correcting import tell_of_correction
from monitoring.actions.drawing import close_draw
from monitoring.actions.gathering import Digest
from monitoring.actions.guarding import MANUAL, doubts, kept_answers, loosening, proof_in_words, refuse_unanswered
from monitoring.actions.judging import Facts, as_assessment, bring_up, facts_of, judge_now, latest_draw, locked
from monitoring.actions.reviewing import waits_for_review
from monitoring.actions.revoking import revoke_supplies
from monitoring.actions.storing import store
from monitoring.actions.versioning import numbered, place, seen, superseded
from monitoring.alerts import HOLDS, called_for
from monitoring.models import Result, Treatment
from monitoring.models.limits import table_at
from monitoring.models.result import Status, standing
from monitoring.rules.errors import InputError
from monitoring.rules.slips import Answers, Question
from monitoring.rules.units import Reading, read_count
from patients import audit
from patients.models import Actor, AuditEvent, Clinic, actor_columns

CLOCK_SKEW = timedelta(minutes=10)
COUNT_FIELDS = ("anc", "wbc", "unit", "neutrophils_percent", "segs_percent", "bands_percent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One version of one result as received. `count` holds the COUNT_FIELDS that were sent, as text."""

    source: str
    accession: str
    drawn_at: datetime
    count: Mapping[str, str | None] = field(default_factory=dict)
    version: int | None = None
    """None: the source numbers no versions. Then a correction, or what follows a preliminary, is the next one."""
    status: str = Status.FINAL
    supported: bool = False
    confirmed: bool = False
    """A person has confirmed a number that looks like a slip of the unit."""
    reason: str = ""
    """Why it comes late or is corrected, or what proves it, in a person's words."""
    by_hand: bool = False
    """A person corrects here what was sent; `version` is then its place, and no number of the source's."""
    answers: Answers = field(default_factory=Answers)
    """What the typist answered to the questions of monitoring.rules.slips."""

    def received(self) -> dict[str, Any]:
        """What is kept as it came, and compared when the same version comes again."""
        sent = {name: str(value) for name, value in self.count.items() if value not in (None, "")}
        return sent | {"drawn_at": self.drawn_at.isoformat(), "status": self.status, "supported": self.supported}


def record_result(
    *,
    treatment: Treatment,
    report: Report,
    by: Actor,
    now: datetime,
    ip: str | None = None,
    digest: Digest | None = None,
) -> Result:
    """Store the result, judge, alert, owe messages and audit: all in one transaction, with the treatment locked.

    The same version again returns the stored one and does nothing else. Raises InputError naming the field, and
    DoubtError for a typed result whose questions are not answered.
    A run of many results passes its `digest`: what is not severe is then told together.
    """
    check(report, treatment=treatment, now=now)
    with refusing_taken_accession(report), transaction.atomic():
        current = locked(treatment.pk)
        if current.clinic_id != treatment.clinic_id:
            raise InputError("treatment", f"the patient has moved to {current.clinic} meanwhile; send the result there")
        return record_locked(treatment=current, home=treatment.pk, report=report, by=by, now=now, ip=ip, digest=digest)


@contextmanager
def refusing_taken_accession(report: Report) -> Iterator[None]:
    """Around the transaction: an accession that is another patient's is an InputError."""
    try:
        yield
    except IntegrityError as error:
        if "result_version_once" not in str(error):
            raise
        raise InputError(
            "accession", f"{report.accession} of {report.source} already belongs to another patient of this clinic"
        ) from error


def record_locked(
    *,
    treatment: Treatment,
    home: int,
    report: Report,
    by: Actor,
    now: datetime,
    ip: str | None = None,
    digest: Digest | None = None,
) -> Result:
    """record_result for a treatment that this very transaction has locked.

    `home`: the record that the result came for. It stays there when that record was merged into this treatment.
    """
    reading = check(report, treatment=treatment, now=now)
    facts = facts_of(treatment)
    earlier = [row for row in facts.versions if (row.source, row.accession) == (report.source, report.accession)]
    report = numbered(report, earlier)
    if same := seen(report, earlier):
        return same
    _check_removal(earlier, report)
    before = standing(facts.versions)
    result = as_row(treatment, report, reading, now=now, by=by)
    result.treatment_id = earlier[0].treatment_id if earlier else home
    result.version = place(report, earlier)
    typed = report.source == MANUAL and not earlier
    asked = _guarded(treatment, before, result, report.answers, by, now) if typed else []
    audited = recorded(treatment, result, by, now, ip, **kept_answers(asked, result, report.answers, by=by))
    versions = sorted([*facts.versions, result], key=lambda row: row.drawn_at)
    _derive(treatment, facts._replace(versions=versions), result, audited, now, digest)
    if facts.drawn:
        close_draw(treatment, result, now=now)
    if typed:
        raise_alerts(treatment, loosening(treatment, before, result, by=by), result=result, now=now)
    if earlier:
        tell_of_correction(treatment, before=before, versions=versions, result=result, now=now, digest=digest)
    return result


def _guarded(
    treatment: Treatment, before: list[Result], result: Result, answers: Answers, by: Actor, now: datetime
) -> list[Question]:
    """The questions that were asked, all answered, and the answers kept beside the result."""
    asked = doubts(treatment, before, result, by=by, now=now)
    refuse_unanswered(asked, result, answers, by=by)
    result.reason = " ".join(filter(None, [result.reason, proof_in_words(asked, result, answers, by=by)]))
    return asked


def _derive(
    treatment: Treatment, facts: Facts, result: Result, audited: AuditEvent, now: datetime, digest: Digest | None
) -> None:
    """Judgement, derived columns and alerts that follow from the new version; stored with the line of the audit."""
    held_before = treatment.advice in HOLDS
    judgement = judge_now(treatment, facts.versions, now=now, events=facts.events)
    counts = result.status != Status.ENTERED_IN_ERROR and not superseded(result, facts.versions)
    found = called_for(
        table=table_at(treatment, now),
        count=result.count() if counts else None,
        judgement=judgement,
        held_before=held_before,
    )
    columns = bring_up(treatment, judgement, latest_draw_at=latest_draw(facts.versions), now=now)
    result.judgement_given = as_assessment(treatment, judgement, result=None, now=now)
    columns |= waits_for_review(treatment, result, now=now)
    store(treatment, columns, result, result.judgement_given, audited)
    if facts.booked and counts:
        keep_booking(treatment, result.drawn_at, now=now)
    if result.status != Status.PRELIMINARY and facts.alerted:
        end_by_count(treatment, judgement=judgement, now=now)
        answer_supply_alert(treatment, "A count has come.", now=now)
    raise_alerts(treatment, found, result=result, now=now, digest=digest)
    revoke_supplies(treatment, now=now)


def recorded(
    treatment: Treatment, result: Result, by: Actor, now: datetime, ip: str | None, **answers: Any
) -> AuditEvent:
    """The line in the audit trail; its subject is known when the result is stored."""
    return audit.event(
        "result_recorded",
        by=by,
        now=now,
        clinic_id=treatment.clinic_id,
        patient_id=treatment.patient_id,
        ip=ip,
        status=result.status,
        version=result.version,
        **answers,
    )


def check(report: Report, *, treatment: Treatment, now: datetime) -> Reading | None:
    """The numbers, exact; none for a version that says the result was entered in error. Raises InputError."""
    if report.status not in Status.values:
        raise InputError("status", f"{report.status!r} is not known; write one of {', '.join(Status.values)}")
    if report.drawn_at.tzinfo is None:
        raise InputError("drawn_at", f"{report.drawn_at} has no offset; write a timestamp such as 2026-09-14T09:00:00Z")
    _check_draw(treatment, report, now)
    if not report.accession.strip():
        raise InputError("accession", "the accession is empty; give the laboratory's number of the sample")
    if report.status == Status.ENTERED_IN_ERROR:
        return None
    reading = read_count(**{name: report.count.get(name) for name in COUNT_FIELDS}, confirmed=report.confirmed)  # type: ignore[arg-type]  # every field is text or None
    if reading.anc is not None and reading.wbc is not None and reading.anc > reading.wbc and not report.confirmed:
        raise InputError(
            "anc", "the ANC is higher than the white cell count that it is part of; look whether a column was swapped"
        )
    return reading


def _check_draw(treatment: Treatment, report: Report, now: datetime) -> None:
    clinic: Clinic = treatment.clinic
    if report.drawn_at > now + CLOCK_SKEW:
        raise InputError("drawn_at", f"{report.drawn_at.isoformat()} is in the future; give the time of the draw")
    if report.drawn_at.astimezone(clinic.zone).date() < treatment.patient.date_of_birth:
        raise InputError("drawn_at", f"{report.drawn_at.isoformat()} is before the patient was born")


def _check_removal(earlier: list[Result], report: Report) -> None:
    """A result that was entered in error has to be there first."""
    if not earlier and report.status == Status.ENTERED_IN_ERROR:
        raise InputError("accession", f"there is no result {report.accession} to mark as entered in error")


def as_row(treatment: Treatment, report: Report, reading: Reading | None, *, now: datetime, by: Actor = None) -> Result:
    """The result as a row that is not stored yet."""
    columns: dict[str, Any] = {}
    if reading is not None:
        columns = {
            "anc": reading.anc,
            "anc_bound": reading.anc_bound,
            "wbc": reading.wbc,
            "wbc_bound": reading.wbc_bound,
            "flags": list(reading.flags),
        }
    return Result(
        treatment=treatment,
        clinic_id=treatment.clinic_id,
        source=report.source,
        accession=report.accession,
        version=report.version or 1,
        sent_version=None if report.by_hand else report.version,
        by_hand=report.by_hand,
        status=report.status,
        drawn_at=report.drawn_at,
        received_at=now,
        received=report.received(),
        supported=report.supported,
        reason=report.reason,
        **columns,
        **actor_columns(by),
    )
