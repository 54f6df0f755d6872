"""record_result: a laboratory result goes in; judgement, alert and messages come out, or nothing does."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from monitoring.actions.alerting import end_by_count, raise_alerts
from monitoring.actions.correcting import tell_of_correction
from monitoring.actions.drawing import close_draw
from monitoring.actions.gathering import Digest
from monitoring.actions.judging import judge, keep, latest_draw, locked
from monitoring.alerts import HOLDS, called_for
from monitoring.models import Result, Treatment
from monitoring.models.result import Status, standing
from monitoring.rules.errors import InputError
from monitoring.rules.units import Reading, read_count
from patients import audit
from patients.models import Actor, Clinic, actor_columns

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

    The same version again returns the stored one and does nothing else. Raises InputError naming the field.
    A run of many results passes its `digest`: what is not severe is then told together.
    """
    reading = check(report, treatment=treatment, now=now)
    try:
        with transaction.atomic():
            return _record(locked(treatment.pk), report, reading, by, now, ip, digest)
    except IntegrityError as error:
        if "result_version_once" not in str(error):
            raise
        raise InputError(
            "accession", f"{report.accession} of {report.source} already belongs to another patient of this clinic"
        ) from error


def _record(
    treatment: Treatment,
    report: Report,
    reading: Reading | None,
    by: Actor,
    now: datetime,
    ip: str | None,
    digest: Digest | None,
) -> Result:
    versions = list(treatment.results.order_by("drawn_at", "pk"))
    earlier = [row for row in versions if (row.source, row.accession) == (report.source, report.accession)]
    report = _numbered(report, earlier)
    if same := _seen(earlier, report):
        return same
    _check_removal(earlier, report)
    before = standing(versions)
    result = as_row(treatment, report, reading, now=now, by=by)
    result.save(force_insert=True)
    result.just_stored = True
    versions = sorted([*versions, result], key=lambda row: row.drawn_at)
    _derive(treatment, versions, result, now, digest)
    close_draw(treatment, result, now=now)
    if earlier:
        tell_of_correction(treatment, before=before, versions=versions, result=result, now=now, digest=digest)
    audit.record(
        "result_recorded",
        by=by,
        now=now,
        clinic_id=treatment.clinic_id,
        patient_id=treatment.patient_id,
        subject=f"result:{result.pk}",
        ip=ip,
        status=result.status,
        version=result.version,
    )
    return result


def _derive(treatment: Treatment, versions: list[Result], result: Result, now: datetime, digest: Digest | None) -> None:
    """Judgement, derived columns and alerts that follow from the new version."""
    held_before = treatment.advice in HOLDS
    judgement = judge(treatment, versions, as_of=now)
    removed = result.status == Status.ENTERED_IN_ERROR
    found = called_for(
        table=treatment.table,
        count=None if removed else result.count(),
        judgement=judgement,
        held_before=held_before,
    )
    keep(treatment, judgement, result=result, latest_draw_at=latest_draw(versions), now=now)
    if result.status != Status.PRELIMINARY:
        end_by_count(treatment, judgement=judgement, now=now)
    raise_alerts(treatment, found, result=result, now=now, digest=digest)


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


def _numbered(report: Report, earlier: list[Result]) -> Report:
    """The version of a report whose source numbers none: what was stored with this content, else the next in turn."""
    if report.version is not None:
        return report
    for row in earlier:
        if row.received == report.received():
            return replace(report, version=row.version)
    last = max(earlier, key=lambda row: row.version, default=None)
    follows = report.status in (Status.CORRECTED, Status.ENTERED_IN_ERROR)
    if last is not None and (follows or last.status == Status.PRELIMINARY):
        return replace(report, version=last.version + 1)
    return replace(report, version=1)


def _seen(earlier: list[Result], report: Report) -> Result | None:
    """The same message again. A different one under the same version is an error, never a silent choice."""
    row = next((row for row in earlier if row.version == report.version), None)
    if row is None or row.received == report.received():
        return row
    raise InputError(
        "version",
        f"version {row.version} of {row.accession} is stored with other content;"
        f" send a correction as version {max(row.version for row in earlier) + 1}",
    )


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
        status=report.status,
        drawn_at=report.drawn_at,
        received_at=now,
        received=report.received(),
        supported=report.supported,
        reason=report.reason,
        **columns,
        **actor_columns(by),
    )
