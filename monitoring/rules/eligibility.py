"""May clozapine be dispensed, for how many days, and why: a reading of the judgement. Pure, as the judgement is.

Clinical reasons come from the judgement alone. Administrative ones block only where the clinic has switched that
policy on. Informational ones never block.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from monitoring.rules.judgement import Judgement
from monitoring.rules.protocol import Frequency, Protocol

Answer = Literal["may_supply", "prescriber_decides", "do_not_supply"]
Kind = Literal["clinical", "administrative", "informational"]
STRICTNESS: tuple[Answer, ...] = ("may_supply", "prescriber_decides", "do_not_supply")
"""From the most permissive to the most restrictive; the strictest reason decides."""


@dataclass(frozen=True, slots=True)
class Why:
    """One reason: of which kind, what it asks for by itself, in one sentence, and where it is written."""

    rule: str
    kind: Kind
    answer: Answer
    text: str
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyPolicy:
    """What a clinic may set: days that replace the protocol's at a frequency, and how far past the test they reach."""

    days: Mapping[Frequency, int]
    margin_days: int = 3
    needs_enrolment: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer, the most days that may be supplied from `day` on, and the last day that they reach."""

    day: date
    answer: Answer
    days: int
    until: date | None
    why: tuple[Why, ...]
    holds_until: date | None
    """The last day on which time alone leaves this answer as it is; null: it does not change by itself."""
    sample_by: date | None
    """The latest day for the next blood test, so that there is no gap."""


def eligibility(
    judgement: Judgement,
    protocol: Protocol,
    *,
    day: date,
    drawn_on: date | None,
    policy: SupplyPolicy,
    enrolled: bool | None = None,
) -> Verdict:
    """What may be supplied on a day of the clinic's calendar. `drawn_on`: the day of the latest count."""
    why = [*_clinical(judgement, protocol), *_informational(judgement)]
    # What is administrative joins last: it must never hide a clinical reason, which its override would then lift too.
    until = None if _strictest(why) == "do_not_supply" else _until(judgement, protocol, day, drawn_on, policy)
    if until is not None and until < day:
        why.append(
            _why("supply.used_up", protocol, "prescriber_decides", "The days that the latest count covers are over.")
        )
    why += _administrative(policy, enrolled)
    answer = _strictest(why)
    if answer == "do_not_supply" or (until is not None and until < day):
        until = None
    return Verdict(
        day=day,
        answer=answer,
        days=(until - day).days + 1 if until else 0,
        until=until,
        why=tuple(why),
        holds_until=_holds_until(judgement, until),
        sample_by=judgement.overdue_after,
    )


def _strictest(why: Sequence[Why]) -> Answer:
    return max((one.answer for one in why), key=STRICTNESS.index, default="may_supply")


def _why(rule: str, protocol: Protocol, answer: Answer, text: str, kind: Kind = "clinical") -> Why:
    return Why(rule, kind, answer, text, protocol.source(rule).cite())


def _clinical(judgement: Judgement, protocol: Protocol) -> list[Why]:
    found = [_of_advice(judgement, protocol)]
    if judgement.overdue and judgement.treatment not in ("stop", "do_not_start"):
        text = (
            f"The blood test is overdue since {judgement.overdue_after}. A bridge supply can cover the wait for blood."
        )
        found.append(_why("supply.overdue", protocol, "prescriber_decides", text))
    if "retitrate_from_12_5_mg" in judgement.actions:
        text = (
            "Two days or more without a dose: the old dose may not be given. The prescriber builds it up from 12.5 mg."
        )
        found.append(_why("break.retitrate", protocol, "prescriber_decides", text))
    return [one for one in found if one]


ADVICE: Mapping[str, tuple[Answer, str]] = {
    "continue": ("may_supply", "Nothing in the history stands against continuing."),
    "may_start": ("may_supply", "The latest count allows a first dose."),
    "may_resume": ("may_supply", "Treatment may resume."),
    "do_not_start": ("prescriber_decides", "Starting now is not recommended; only a prescriber can decide otherwise."),
    "interrupt": ("do_not_supply", "Treatment is interrupted until the count allows it again."),
    "stop": ("do_not_supply", "Treatment is stopped."),
}  # fmt: skip


def _of_advice(judgement: Judgement, protocol: Protocol) -> Why:
    answer, text = ADVICE[judgement.treatment]
    deciding = next((reason for reason in judgement.reasons if not reason.rule.startswith(("band", "count"))), None)
    said = f"{text} {deciding.text}" if deciding and answer != "may_supply" else text
    return Why(f"advice.{judgement.treatment}", "clinical", answer, said, protocol.sources["*"].cite())


def _administrative(policy: SupplyPolicy, enrolled: bool | None) -> list[Why]:
    if not policy.needs_enrolment or enrolled:
        return []
    text = "This clinic's own policy asks for enrolment in its registry, and the patient is not enrolled."
    return [Why("policy.enrolment", "administrative", "do_not_supply", text, "Clinic policy")]


def _informational(judgement: Judgement) -> list[Why]:
    found = []
    if judgement.protocol == "us-label-2025":
        text = "The US REMS ended in 2025: no enrolment and no form is asked for before dispensing."
        found.append(Why("rems.ended", "informational", "may_supply", text, "FDA, 2025-02-24 and 2025-06-13"))
    if (days := judgement.days_since_last_dose) is not None:
        text = f"{days} day{'' if days == 1 else 's'} since the last dose."
        found.append(Why("break.days", "informational", "may_supply", text))
    if judgement.anc is not None and judgement.deadline is not None:
        text = "The first low count is still to be repeated within 24 hours of its draw."
        found.append(Why("repeat.owed", "informational", "may_supply", text))
    return found


def _until(
    judgement: Judgement, protocol: Protocol, day: date, drawn_on: date | None, policy: SupplyPolicy
) -> date | None:
    """The last day that a supply may reach: by frequency, and never past the next test and its margin."""
    supply = protocol.supply
    allowed = dict(supply.days) | dict(policy.days) if supply else dict(policy.days)
    frequency = judgement.frequency if judgement.frequency != "none" else judgement.phase or "weekly"
    if supply and supply.from_draw and drawn_on is not None:
        # A frequency that the protocol does not list is a short one, such as twice a week.
        return drawn_on + timedelta(days=allowed.get(frequency, min(allowed.values())) - 1)
    by_frequency = allowed.get(frequency, max(allowed.values(), default=None))
    limits = [day + timedelta(days=by_frequency - 1)] if by_frequency else []
    if judgement.due_on is not None:
        margin = policy.margin_days if supply is None or supply.past_due else 0
        limits.append(max(judgement.due_on, judgement.overdue_after or judgement.due_on) + timedelta(days=margin))
    return min(limits, default=None)


def _holds_until(judgement: Judgement, until: date | None) -> date | None:
    ends = [judgement.overdue_after, until, judgement.changes_on and judgement.changes_on - timedelta(days=1)]
    return min((end for end in ends if end), default=None)


@dataclass(frozen=True, slots=True)
class Milestone:
    """A day on which not taking tablets begins to mean something more."""

    on: date
    rule: str
    text: str


def after_the_last_tablet(protocol: Protocol, last_dose_on: date) -> Sequence[Milestone]:
    """What a gap would mean, day by day, from the last day with tablets: shown before it happens."""
    breaks = protocol.breaks
    found = [
        Milestone(last_dose_on + timedelta(days=1), "gap.begins", "No tablets: the first dose is missed."),
        Milestone(
            last_dose_on + timedelta(hours=breaks.retitrate_hours),
            "break.retitrate",
            f"{breaks.retitrate_hours} hours without a dose: the dose has to be built up again from 12.5 mg.",
        ),
    ]
    if breaks.extra_weekly_over_hours:
        days = breaks.extra_weekly_over_hours // 24 + 1
        hours, weeks = breaks.extra_weekly_over_hours, breaks.extra_weekly_weeks
        text = f"More than {hours} hours without a dose: weekly tests for {weeks} weeks."
        found.append(Milestone(last_dose_on + timedelta(days=days), "break.extra_weekly", text))
    text = f"{breaks.as_new_days} days without a dose: treatment begins anew, with a fresh baseline and weekly tests."
    found.append(Milestone(last_dose_on + timedelta(days=breaks.as_new_days), "break.as_new", text))
    return sorted(found, key=lambda milestone: milestone.on)


def last_covered_day(supplied_on: date, tablets_days: int) -> date:
    """The last day with tablets, when taking them begins on the day of supply. Raises ValueError below one day."""
    if tablets_days < 1:
        raise ValueError(f"{tablets_days} days is no supply; give one day or more")
    return supplied_on + timedelta(days=tablets_days - 1)
