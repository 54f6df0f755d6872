"""What is stored of a treatment."""

from monitoring.models.alert import Alert, AlertNote, Cause, Outcome, Severity
from monitoring.models.assessment import Assessment
from monitoring.models.idempotency import IdempotencyKey
from monitoring.models.result import Result
from monitoring.models.treatment import BenStatus, DoseChange, Treatment, TreatmentEvent

__all__ = [
    "Alert",
    "AlertNote",
    "Assessment",
    "BenStatus",
    "Cause",
    "DoseChange",
    "IdempotencyKey",
    "Outcome",
    "Result",
    "Severity",
    "Treatment",
    "TreatmentEvent",
]
