"""What is stored of a treatment."""

from monitoring.models.alert import Alert, AlertNote, Cause, Outcome, Severity, Step
from monitoring.models.assessment import Assessment
from monitoring.models.ben import BenProposal, BenStatus
from monitoring.models.booking import Booking
from monitoring.models.dispense import Authorisation, Dispense, Override, ReasonCode
from monitoring.models.draft import Draft
from monitoring.models.draw import Draw
from monitoring.models.feed import Feed
from monitoring.models.idempotency import IdempotencyKey
from monitoring.models.laboratory import Import, Laboratory, QuarantinedRow
from monitoring.models.limits import AgreedLimits
from monitoring.models.moving import Merge, Transfer
from monitoring.models.programme import NonRechallenge, Programme, ProgrammeRecord, RecordKind, RegistryForm
from monitoring.models.protocol_change import ChangeChunk, ChangeRow, Kind, ProtocolChange, RowState
from monitoring.models.reaching import Channel, Reach, Way, Wish
from monitoring.models.reminding import SelfCheck, Wording
from monitoring.models.result import Result
from monitoring.models.review import ResultReview
from monitoring.models.statement import Statement, StatementRevoked
from monitoring.models.treatment import DoseChange, DoseVoid, TakeOver, Treatment, TreatmentEvent

__all__ = [
    "AgreedLimits",
    "Alert",
    "AlertNote",
    "Assessment",
    "Authorisation",
    "BenProposal",
    "BenStatus",
    "Booking",
    "Cause",
    "ChangeChunk",
    "ChangeRow",
    "Channel",
    "Dispense",
    "DoseChange",
    "DoseVoid",
    "Draft",
    "Draw",
    "Feed",
    "IdempotencyKey",
    "Import",
    "Kind",
    "Laboratory",
    "Merge",
    "NonRechallenge",
    "Outcome",
    "Override",
    "Programme",
    "ProgrammeRecord",
    "ProtocolChange",
    "QuarantinedRow",
    "Reach",
    "ReasonCode",
    "RecordKind",
    "RegistryForm",
    "Result",
    "ResultReview",
    "RowState",
    "SelfCheck",
    "Severity",
    "Statement",
    "StatementRevoked",
    "Step",
    "TakeOver",
    "Transfer",
    "Treatment",
    "TreatmentEvent",
    "Way",
    "Wish",
    "Wording",
]
