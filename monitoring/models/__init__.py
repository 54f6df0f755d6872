"""What is stored of a treatment."""

from monitoring.models.alert import Alert, AlertNote, Cause, Outcome, Severity
from monitoring.models.assessment import Assessment
from monitoring.models.draft import Draft
from monitoring.models.draw import Draw
from monitoring.models.idempotency import IdempotencyKey
from monitoring.models.laboratory import Import, Laboratory, QuarantinedRow
from monitoring.models.moving import Merge, Transfer
from monitoring.models.result import Result
from monitoring.models.treatment import BenProposal, BenStatus, DoseChange, TakeOver, Treatment, TreatmentEvent

__all__ = [
    "Alert",
    "AlertNote",
    "Assessment",
    "BenProposal",
    "BenStatus",
    "Cause",
    "DoseChange",
    "Draft",
    "Draw",
    "IdempotencyKey",
    "Import",
    "Laboratory",
    "Merge",
    "Outcome",
    "QuarantinedRow",
    "Result",
    "Severity",
    "TakeOver",
    "Transfer",
    "Treatment",
    "TreatmentEvent",
]
