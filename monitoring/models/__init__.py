"""What is stored of a treatment."""

from monitoring.models.alert import Alert, AlertNote, Cause, Outcome, Severity
from monitoring.models.assessment import Assessment
from monitoring.models.dispense import Authorisation, Dispense, Override, ReasonCode
from monitoring.models.draft import Draft
from monitoring.models.draw import Draw
from monitoring.models.idempotency import IdempotencyKey
from monitoring.models.laboratory import Import, Laboratory, QuarantinedRow
from monitoring.models.moving import Merge, Transfer
from monitoring.models.programme import NonRechallenge, Programme, ProgrammeRecord, RecordKind
from monitoring.models.reminding import SelfCheck, Wording
from monitoring.models.result import Result
from monitoring.models.treatment import BenProposal, BenStatus, DoseChange, TakeOver, Treatment, TreatmentEvent

__all__ = [
    "Alert",
    "AlertNote",
    "Assessment",
    "Authorisation",
    "BenProposal",
    "BenStatus",
    "Cause",
    "Dispense",
    "DoseChange",
    "Draft",
    "Draw",
    "IdempotencyKey",
    "Import",
    "Laboratory",
    "Merge",
    "NonRechallenge",
    "Outcome",
    "Override",
    "Programme",
    "ProgrammeRecord",
    "QuarantinedRow",
    "ReasonCode",
    "RecordKind",
    "Result",
    "SelfCheck",
    "Severity",
    "TakeOver",
    "Transfer",
    "Treatment",
    "TreatmentEvent",
    "Wording",
]
