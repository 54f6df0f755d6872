"""What a program is told. Counts are texts, exact, per microlitre."""

from typing import Any

from django.db.models import Model

from monitoring.models import Alert, Result, Treatment
from monitoring.rules.units import plain
from patients.models import Patient


def _as_it_is(row: Model, *names: str) -> dict[str, Any]:
    return {"id": row.pk} | {name: getattr(row, name) for name in names}


def patient(row: Patient) -> dict[str, Any]:
    """Who a patient is."""
    return _as_it_is(row, "mrn", "given_name", "family_name", "date_of_birth")


def treatment(row: Treatment) -> dict[str, Any]:
    """Where a treatment stands by its last judgement."""
    last = {"band": row.band or None, "treatment": row.advice or None, "frequency": row.frequency or None}
    named = {"patient": row.patient_id, "protocol": row.protocol_key}
    return _as_it_is(row, "version", "due_on", "overdue_after", "tablets_until", "assessed_at") | named | last


def result(row: Result) -> dict[str, Any]:
    """One version of one result."""
    return {
        "id": row.pk,
        "treatment": row.treatment_id,
        "source": row.source,
        "accession": row.accession,
        "version": row.version,
        "sent_version": row.sent_version,
        "status": row.status,
        "drawn_at": row.drawn_at,
        "received_at": row.received_at,
        "anc": None if row.anc is None else plain(row.anc, row.anc_bound),
        "wbc": None if row.wbc is None else plain(row.wbc, row.wbc_bound),
        "supported": row.supported,
        "flags": row.flags,
    }


def alert(row: Alert) -> dict[str, Any]:
    """One alert."""
    return {
        "id": row.pk,
        "treatment": row.treatment_id,
        "cause": row.cause,
        "severity": row.get_severity_display().lower(),
        "state": row.state,
        "summary": row.summary,
        "raised_at": row.raised_at,
        "deadline": row.deadline,
        "escalated_at": row.escalated_at,
        "outcome": row.outcome or None,
    }
