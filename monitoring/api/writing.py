"""What a program is told. Counts are texts, exact, per microlitre."""

from typing import Any

from monitoring.models import Alert, Result, Treatment
from monitoring.rules.units import plain
from patients.models import Patient


def patient(row: Patient) -> dict[str, Any]:
    """Who a patient is."""
    return {
        "id": row.pk,
        "mrn": row.mrn,
        "given_name": row.given_name,
        "family_name": row.family_name,
        "date_of_birth": row.date_of_birth,
    }


def treatment(row: Treatment) -> dict[str, Any]:
    """Where a treatment stands by its last judgement."""
    return {
        "id": row.pk,
        "patient": row.patient_id,
        "protocol": row.protocol_key,
        "version": row.version,
        "band": row.band or None,
        "treatment": row.advice or None,
        "frequency": row.frequency or None,
        "due_on": row.due_on,
        "overdue_after": row.overdue_after,
        "tablets_until": row.tablets_until,
        "assessed_at": row.assessed_at,
    }


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
