"""A person corrects a result or takes it back: a new version with a reason; the old one stays readable."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from monitoring.actions.record_result import Report, record_result
from monitoring.models import Result, Treatment
from monitoring.models.result import Status
from monitoring.rules.errors import InputError
from patients.models import Staff


def correct_result(
    *,
    treatment: Treatment,
    result: Result,
    count: Mapping[str, str | None],
    drawn_at: datetime,
    reason: str,
    by: Staff,
    now: datetime,
    supported: bool = False,
    confirmed: bool = False,
    ip: str | None = None,
) -> Result:
    """The version after `result`. Raises InputError without a reason, without a change, or when another was first."""
    report = replace(
        _next(result, reason),
        status=Status.CORRECTED,
        count=count,
        drawn_at=drawn_at,
        supported=supported,
        confirmed=confirmed,
    )
    same = {name: value for name, value in report.received().items() if name not in ("drawn_at", "status")}
    before = {name: value for name, value in result.received.items() if name not in ("drawn_at", "status")}
    if (same, drawn_at) == (before, result.drawn_at):
        raise InputError("anc", "nothing is changed; write what the result should have been")
    return record_result(treatment=treatment, report=report, by=by, now=now, ip=ip)


def take_back_result(
    *, treatment: Treatment, result: Result, reason: str, by: Staff, now: datetime, ip: str | None = None
) -> Result:
    """The result was entered in error: it counts no more and stays readable."""
    report = replace(_next(result, reason), status=Status.ENTERED_IN_ERROR)
    return record_result(treatment=treatment, report=report, by=by, now=now, ip=ip)


def _next(result: Result, reason: str) -> Report:
    # The version is counted from the one that the person saw: sent twice it is the same, and nobody is overwritten.
    if not reason.strip():
        raise InputError("reason", "say what was wrong; the reason stays with the result")
    return Report(
        source=result.source,
        accession=result.accession,
        drawn_at=result.drawn_at,
        version=result.version + 1,
        by_hand=True,
        reason=reason.strip(),
    )
