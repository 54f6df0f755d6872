"""Rows that name nobody surely. Each has an owner and a clock, and a person matches it to a patient or refuses it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count as Counted
from django.db.models import Q, QuerySet

from monitoring.actions.nudge import nudge
from monitoring.actions.record_result import COUNT_FIELDS, record_result
from monitoring.feeds.matching import report_of
from monitoring.feeds.taking import Answer
from monitoring.models import Import, QuarantinedRow, Result, Severity, Treatment
from monitoring.rules.history import Count
from monitoring.rules.protocols import PROTOCOLS
from monitoring.rules.units import read_count
from notifications.actions import owe
from notifications.models import Delivery
from patients import audit
from patients.access import clinics_of, may
from patients.models import Clinic, Staff

REFUSED_LINE = "Refused by the import: the row itself is wrong."
"""Ends a row that no person has to answer; it is kept for the receipt and for mending."""
VERB = "import_results"
FILE = "imported__content"
"""Up to 10 MB that no page of rows needs."""
SUBJECT = "Clozatrack: urgent result without a sure patient, answer now"
BODY = """A result at {clinic} waits in quarantine. It would be severe in anybody, and whose it is is not sure.

Open it here (sign-in needed): {base_url}/quarantine/

This message names no patient on purpose. Decision support: the prescriber decides.
"""


CLOCKS = {True: "escalate_severe_minutes", False: "answer_quarantine_minutes"}
"""A count that would be severe in anybody waits as long as a severe alert that nobody has answered."""


class AnsweredError(ValueError):
    """Somebody has answered this row already."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many rows wait for an answer, and how many of them for too long."""

    rows: int
    overdue: int


def waiting_rows(staff: Staff, now: datetime) -> Waiting:
    """For the worklist: the rows that wait at this person's clinics; one query."""
    found = rows_of(staff).filter(ended_at=None).aggregate(
        rows=Counted("pk"), overdue=Counted("pk", filter=Q(answer_by__lt=now))
    )  # fmt: skip
    return Waiting(**found)


def rows_of(staff: Staff) -> "QuerySet[QuarantinedRow]":
    """The rows of the clinics at which this person may import."""
    found = QuarantinedRow.objects.filter(clinic__in=clinics_of(staff, VERB))
    return found.select_related("imported__laboratory", "clinic", "owner").defer(FILE)


def refused_lines(imported: Import) -> "QuerySet[QuarantinedRow]":
    """The rows of an import that were wrong in themselves, in their order."""
    return imported.waiting_rows.filter(end_reason=REFUSED_LINE).order_by("number")


def waits_already(imported: Import, fields: Mapping[str, str]) -> bool:
    """The same row of the same laboratory waits, or was answered by a person: a file that comes again adds nothing."""
    same = QuarantinedRow.objects.filter(imported__laboratory=imported.laboratory_id, fields=fields)
    return same.exclude(end_reason=REFUSED_LINE).exists()


def put_aside(imported: Import, answer: Answer, *, now: datetime) -> None:
    """Keep a row that was not taken: to wait for a person, or, wrong in itself, for the receipt."""
    waits = answer.outcome == "waits"
    severe = waits and band_if_ours(answer.fields, imported.clinic)[1]
    ended = {} if waits else {"ended_at": now, "ended_by": imported.uploaded_by, "end_reason": REFUSED_LINE}
    QuarantinedRow.objects.create(
        imported=imported,
        clinic_id=imported.clinic_id,
        number=answer.row.number,
        fields=answer.fields if waits else answer.row.fields,
        field=answer.field[:40],
        message=answer.message,
        owner=imported.uploaded_by,
        created_at=now,
        answer_by=now + timedelta(minutes=imported.clinic.policy(CLOCKS[severe])),
        **ended,
    )
    if severe:
        _tell(imported, now)


def _tell(imported: Import, now: datetime) -> None:
    """The owner and the clinic's on-call address, once an import: a severe count must not wait unseen."""
    owner, clinic = imported.uploaded_by, imported.clinic
    addresses = {clinic.on_call_email, *([owner.email] if owner.is_active and owner.email else [])}
    owe(
        Delivery(
            once=f"import:{imported.pk}:severe:{address}",
            address=address,
            subject=SUBJECT,
            body=BODY.format(clinic=clinic.name, base_url=settings.BASE_URL),
            about=f"import:{imported.pk}",
            clinic_id=clinic.pk,
            priority=Severity.SEVERE,
            created_at=now,
            due_at=now,
        )
        for address in sorted(addresses)
    )
    transaction.on_commit(nudge)


def band_if_ours(fields: Mapping[str, str], clinic: Clinic) -> tuple[str, bool]:
    """The band of a row's count in the clinic's usual protocol, and whether that is its worst."""
    table = PROTOCOLS[clinic.default_protocol].tables["general"]
    if fields["status"].lower().replace(" ", "_") == "entered_in_error":
        return "", False
    read = read_count(**{name: fields.get(name) or None for name in COUNT_FIELDS})  # type: ignore[arg-type]  # text or None
    if read.anc is None:
        return "", False
    moment = datetime.fromisoformat(fields["drawn_at"])
    rank = table.rank(Count(moment, read.anc, read.anc_bound, read.wbc, read.wbc_bound))
    return table.bands[rank].name, rank == len(table.bands) - 1


@transaction.atomic
def match_row(
    *, row: QuarantinedRow, treatment: Treatment, reason: str, by: Staff, now: datetime, ip: str | None = None
) -> Result:
    """Record the row's result for this patient. Raises InputError where it cannot be recorded, ValueError if late."""
    current = _waiting(row)
    if treatment.clinic_id != current.clinic_id:
        raise ValueError("the row and the patient belong to different clinics")
    report = replace(report_of(current.fields, current.imported.laboratory.source), reason=reason)
    result = record_result(treatment=treatment, report=report, by=by, now=now, ip=ip)
    _end(current, by, now, reason, result)
    audit.record(
        "row_matched", by=by, now=now, clinic_id=current.clinic_id, patient_id=treatment.patient_id,
        subject=f"row:{current.pk}", ip=ip, result=result.pk, reason=reason,
    )  # fmt: skip
    return result


@transaction.atomic
def refuse_row(*, row: QuarantinedRow, reason: str, by: Staff, now: datetime, ip: str | None = None) -> None:
    """No patient of this clinic's is meant, and this is why."""
    if not reason.strip():
        raise ValueError("say why the row is refused")
    current = _waiting(row)
    _end(current, by, now, reason, None)
    audit.record(
        "row_refused", by=by, now=now, clinic_id=current.clinic_id, subject=f"row:{current.pk}", ip=ip, reason=reason
    )


@transaction.atomic
def hand_over_row(*, row: QuarantinedRow, to: Staff, by: Staff, now: datetime, ip: str | None = None) -> None:
    """Another person answers it; the clock runs on."""
    current = _waiting(row)
    if not may(to, VERB, current.clinic_id):
        raise ValueError(f"{to} may not import results at this clinic")
    QuarantinedRow.objects.filter(pk=current.pk).update(owner=to)
    audit.record(
        "row_handed_over", by=by, now=now, clinic_id=current.clinic_id, subject=f"row:{current.pk}", ip=ip,
        owner=to.pk,
    )  # fmt: skip


def _waiting(row: QuarantinedRow) -> QuarantinedRow:
    whole = QuarantinedRow.objects.select_related("imported__laboratory").defer(FILE)
    current = whole.select_for_update(of=("self",)).get(pk=row.pk)
    if current.ended_at is not None:
        raise AnsweredError("this row was answered already; open it to see by whom")
    return current


def _end(row: QuarantinedRow, by: Staff, now: datetime, reason: str, result: Result | None) -> None:
    row.ended_at, row.ended_by, row.end_reason, row.result = now, by, reason, result
    row.save(update_fields=["ended_at", "ended_by", "end_reason", "result"])
