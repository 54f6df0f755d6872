"""Which judgement raises which alert, how urgent it is, and in which words. Policy as tables."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitoring.models import Cause, Severity, Step
from monitoring.rules.history import Count
from monitoring.rules.judgement import Judgement
from monitoring.rules.protocol import Band, Table
from monitoring.rules.units import plain
from patients.models import Clinic

FAMILY_BY_SEVERITY: Mapping[int, str] = {
    Severity.SEVERE: "severe",
    Severity.MODERATE: "moderate",
    Severity.MILD: "other",
    Severity.ROUTINE: "other",
}
FAMILY_BY_CAUSE: Mapping[str, str] = {Cause.TEST_OVERDUE: "overdue"}
"""Which of a clinic's times an alert has: those of its cause where it has its own, else those of its severity."""

CHAIN: Mapping[int, str] = {Step.DEPUTY: "escalate", Step.ON_CALL: "on_call", Step.ALARM: "alarm"}
"""The policy of each step is called after it and the family: on_call_severe_minutes."""
ADVICE_IN_WORDS: Mapping[str, str] = {
    "may_start": "Treatment may start",
    "do_not_start": "Do not start treatment",
    "continue": "Continue treatment",
    "interrupt": "Interrupt treatment",
    "may_resume": "Treatment may resume",
    "stop": "Stop treatment",
}
HOLDS = ("interrupt", "stop")
SUBJECT = "Clozatrack: {urgency}, please sign in"
URGENCY: Mapping[int, str] = {
    Severity.SEVERE: "urgent alert, answer now",
    Severity.MODERATE: "alert, answer within the hour",
    Severity.MILD: "new alert",
    Severity.ROUTINE: "new task",
}
BODY = """An alert at {clinic} waits for an answer.

Open it here (sign-in needed): {base_url}/alerts/{alert_id}/

This message names no patient on purpose. Decision support: the prescriber decides.
"""
REPEAT = "The first low count is to be repeated within 24 hours of its draw."
SHORT = "Clozatrack: {urgency}. {base_url}/alerts/{alert_id}/ (sign-in needed)"
"""For every channel but e-mail."""
MANY, ONE = "Alerts were raised", "1 alert was raised"
BATCH_BODY = (
    MANY
    + """ at {clinic}, to be answered by you.

Open the list here (sign-in needed): {base_url}/alerts/

This message names no patient on purpose. Decision support: the prescriber decides.
"""
)
BATCH_SHORT = "Clozatrack: " + MANY + ", to be answered by you. {base_url}/alerts/ (sign-in needed)"


@dataclass(frozen=True, slots=True)
class Raising:
    """An alert that is called for."""

    cause: Cause
    severity: Severity
    summary: str
    deadline: datetime | None = None


def key_of(channel: str, address: str) -> str:
    """How a way ends a message's `once` key. An e-mail's address is its own key, as it always was."""
    if channel == "email":
        return address
    return f"{channel}:{hashlib.sha256(address.encode()).hexdigest()[:24]}"


def severity_of(table: Table, rank: int) -> Severity:
    """The worst band is severe; a band that interrupts is moderate; any other low one is mild."""
    band: Band = table.bands[rank]
    if rank == len(table.bands) - 1:
        return Severity.SEVERE
    return Severity.MILD if band.treatment == "continue" else Severity.MODERATE


def called_for(*, table: Table, count: Count | None, judgement: Judgement, held_before: bool) -> list[Raising]:
    """The alerts that a new count calls for: its own band, a new hold, and the repeat that is owed."""
    found = []
    rank = table.rank(count) if count else 0
    held = judgement.treatment in HOLDS and not held_before
    # A late report of an old count that has long recovered is history; severe is told whenever it comes.
    recovered_since = judgement.episode is None and rank < len(table.bands) - 1
    if held or (rank and not recovered_since):
        severity = severity_of(table, rank) if rank else Severity.MODERATE
        if judgement.treatment == "stop" and held:
            severity = Severity.SEVERE
        found.append(Raising(Cause.NEUTROPENIA, severity, _low_count(table, rank, count, judgement)))
    if judgement.deadline is not None:
        found.append(Raising(Cause.REPEAT_OWED, Severity.MILD, REPEAT, deadline=judgement.deadline))
    return found


def called_for_by_protocol(judgement: Judgement, title: str, *, was_advice: str) -> list[Raising]:
    """The alerts that another protocol calls for on the same history: a new or graver hold, a repeat owed."""
    found = []
    if judgement.treatment in HOLDS and judgement.treatment != was_advice:
        graver = judgement.treatment == "stop"
        if graver or was_advice not in HOLDS:
            text = f"Judged by {title} from now on: {ADVICE_IN_WORDS[judgement.treatment].lower()}."
            found.append(Raising(Cause.NEUTROPENIA, Severity.SEVERE if graver else Severity.MODERATE, text))
    if judgement.deadline is not None:
        found.append(Raising(Cause.REPEAT_OWED, Severity.MILD, REPEAT, deadline=judgement.deadline))
    return found


def _low_count(table: Table, rank: int, count: Count | None, judgement: Judgement) -> str:
    number = f"ANC {plain(count.anc, count.anc_bound)} /uL" if count and count.anc is not None else "Count"
    return f"{number}, {table.bands[rank].name}. {ADVICE_IN_WORDS[judgement.treatment]}."


def family(cause: str, severity: int) -> str:
    """Which of a clinic's times hold for such an alert."""
    return FAMILY_BY_CAUSE.get(cause) or FAMILY_BY_SEVERITY[severity]


def minutes_to(clinic: Clinic, cause: str, severity: int, step: int) -> int:
    """Minutes without an answer until this step; never fewer than until the step before it."""
    kind = family(cause, severity)
    return max((clinic.policy(f"{name}_{kind}_minutes") for at, name in CHAIN.items() if at <= step), default=0)


def escalate_at(clinic: Clinic, cause: str, severity: int, now: datetime, *, told: int = Step.OWNER) -> datetime:
    """When the step after `told` is taken if nobody has answered by then."""
    return now + timedelta(minutes=minutes_to(clinic, cause, severity, min(told + 1, Step.ALARM)))


def returns_at(clinic: Clinic, cause: str, severity: int, now: datetime) -> datetime:
    """When an alert that is acknowledged now comes back unless it is resolved by then."""
    return now + timedelta(minutes=clinic.policy(f"return_{family(cause, severity)}_minutes"))
