"""How much of a transfer a person may read, and in which words."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from monitoring.models import Transfer
from monitoring.rules.judgement import Judgement
from monitoring.rules.reasons import IN_WORDS


@dataclass(frozen=True, slots=True)
class TransferRow:
    """One transfer as one person sees it. `named`: the patient is theirs to know."""

    transfer: Transfer
    sends: bool
    receives: bool
    named: bool
    who: str
    mrn: str
    days: int

    @property
    def waiting(self) -> str:
        """For how long, in words."""
        return "since today" if self.days == 0 else f"for {self.days} day{'' if self.days == 1 else 's'}"

    @property
    def late(self) -> bool:
        """Unanswered for longer than the sending clinic allows."""
        return self.transfer.state == "requested" and self.days >= self.transfer.from_clinic.policy(
            "transfer_answer_days"
        )


def row_of(transfer: Transfer, mine: Collection[int], *, now: datetime) -> TransferRow:
    """To the receiver the patient is a person once it opens the request; to the sender no longer once they left."""
    patient, waits = transfer.treatment.patient, transfer.state == "requested"
    sends, receives = transfer.from_clinic_id in mine, transfer.to_clinic_id in mine
    theirs = transfer.treatment.clinic_id in mine
    initials = f"{patient.family_name[:1]}. {patient.given_name[:1]}., born {patient.date_of_birth.year}"
    return TransferRow(
        transfer=transfer,
        sends=sends,
        receives=receives,
        named=theirs or (receives and waits),
        who=str(patient) if theirs else (initials if waits else ""),
        mrn=_mrn(transfer, sends=sends, receives=receives and waits) or (transfer.new_mrn if receives else ""),
        days=(now - transfer.requested_at).days,
    )


def _mrn(transfer: Transfer, *, sends: bool, receives: bool) -> str:
    return transfer.old_mrn if sends or receives else ""


def before_asking(transfer_to: str, *, sender: str, days: int, alerts: int, every: str) -> list[str]:
    """What a request means, before it is made."""
    sees = "It sees the name, the date of birth, the MRN, your reason and the latest advice, and nothing else"
    goes = f"the whole history, the earned interval and {_alerts(alerts)} go along"
    return [
        f"{transfer_to} is asked to take over. {sees} until it accepts.",
        f"Until then the patient stays on the lists of {sender}; tests ({every}) and alerts go on as before.",
        f"When it accepts, {goes}, and {sender} no longer sees the patient.",
        f"If nobody answers for {days} day{'' if days == 1 else 's'}, an alert is raised here.",
    ]


def before_accepting(
    transfer: Transfer, judgement: Judgement, *, clinician: str, mrn: str, alerts: int, protocol: str
) -> list[str]:
    """What accepting means, before it is done."""
    to_clinic, due, owner = transfer.to_clinic, judgement.due_on, clinician or "The clinic's on-call address"
    owned = f"{owner} owns the patient's alerts. None is open now."
    if alerts:
        owned = f"{owner} owns {_alerts(alerts)}, is told by e-mail, and the time to answer begins again."
    test = "No test is owed."
    if due:
        every = IN_WORDS[judgement.frequency]
        test = f"The next test is due {due:%a %-d %b %Y} on your calendar ({to_clinic.time_zone}), {every}."
    return [
        f"The patient joins {to_clinic} as MRN {mrn} and leaves the lists of {transfer.from_clinic}.",
        owned,
        test,
        f"The history goes on under the same protocol: {protocol}.",
    ]


def _alerts(number: int) -> str:
    return f"{number} open alert{'' if number == 1 else 's'}"
