"""May clozapine be dispensed, for how many days, and why: a reading of the judgement. Pure, as the judgement is.

Clinical reasons come from the judgement alone. Administrative ones block only where the clinic has switched that
policy on. Informational ones never block.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from monitoring.rules.judgement import Judgement
from monitoring.rules.protocol import Protocol
from monitoring.rules.supplying import Reached, SupplyPolicy, basis_of, last_day

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
class Verdict:
    """The answer, the most days of tablets that may be supplied on `day`, and the last day that they reach.

    Tablets at home are taken first: the days begin after them, and reach no further for it.
    """

    day: date
    answer: Answer
    days: int
    until: date | None
    why: tuple[Why, ...]
    holds_until: date | None
    """The last day on which time alone leaves this answer as it is; null: it does not change by itself."""
    sample_by: date | None
    """The latest day for the next blood test, so that there is no gap."""
    days_since_last_dose: int | None = None
    """Civil days off treatment; null while on it."""
    tablets_until: date | None = None
    """The last day that earlier supplies reach; null: none is known."""


def eligibility(
    judgement: Judgement,
    protocol: Protocol,
    *,
    day: date,
    drawn_on: date | None,
    policy: SupplyPolicy,
    enrolled: bool | None = None,
    since_draw: timedelta | None = None,
    tablets_until: date | None = None,
) -> Verdict:
    """What may be supplied on a day of the clinic's calendar. `drawn_on`: the day of the latest count.

    `since_draw`: how long ago that was, where the hour counts (whole days otherwise). `tablets_until`: the last day
    that earlier supplies reach.
    """
    basis = basis_of(judgement, protocol, drawn_on)
    begins = day if tablets_until is None else max(day, tablets_until + timedelta(days=1))
    reached = last_day(basis, protocol, policy, day, begins=begins, since_draw=since_draw)
    why = [
        *_clinical(judgement, protocol, reached if reached and reached.until >= day else None),
        *_of_a_gap(judgement, protocol, day, tablets_until),
        *_informational(judgement, protocol),
    ]
    until = _furthest(judgement, reached, why)
    if until is not None and reached is not None:
        why += [_why(rule, protocol, "may_supply", text, "informational") for rule, text in reached.because]
    if until is not None and until < begins:
        why.append(_covered(until, protocol, day, begins))
        until = None
    # What is administrative joins last: it must never hide a clinical reason, which its override would then lift too.
    why += _administrative(policy, enrolled)
    answer = _strictest(why)
    if answer == "do_not_supply":
        until = None
    return Verdict(
        day=day,
        answer=answer,
        days=(until - begins).days + 1 if until else 0,
        until=until,
        why=tuple(why),
        holds_until=_holds_until(judgement, day, until),
        sample_by=judgement.overdue_after,
        days_since_last_dose=judgement.days_since_last_dose,
        tablets_until=tablets_until,
    )


def _furthest(judgement: Judgement, reached: Reached | None, why: Sequence[Why]) -> date | None:
    """The last day that tablets may reach; what was agreed for one person ends on its day, and they end with it."""
    if reached is None or _strictest(why) == "do_not_supply":
        return None
    return min(reached.until, judgement.limits_until or reached.until)


def _strictest(why: Sequence[Why]) -> Answer:
    return max((one.answer for one in why), key=STRICTNESS.index)


def _covered(until: date, protocol: Protocol, day: date, begins: date) -> Why:
    """Why the latest count covers nothing more."""
    if until >= day:
        text = f"Tablets at home reach until {begins - timedelta(days=1)}; the latest count covers until {until}."
        return _why("supply.at_home", protocol, "prescriber_decides", text)
    return _why("supply.used_up", protocol, "prescriber_decides", "The days that the latest count covers are over.")


def _why(rule: str, protocol: Protocol, answer: Answer, text: str, kind: Kind = "clinical") -> Why:
    return Why(rule, kind, answer, text, protocol.source(rule).cite())


def _clinical(judgement: Judgement, protocol: Protocol, reached: Reached | None) -> list[Why]:
    found = standing(judgement, protocol)
    # Where treatment is held or not begun, blood that is late is not what the supply waits for.
    if judgement.overdue and found[0].answer == "may_supply":
        text = f"The blood test is overdue: it was in time until {judgement.overdue_after}. "
        if reached and reached.by_draw:
            text += f"The latest draw covers a supply until {reached.until} all the same; take blood now."
            found.append(_why("supply.overdue", protocol, "may_supply", text))
        else:
            text += "A bridge supply can cover the wait for blood."
            found.append(_why("supply.overdue", protocol, "prescriber_decides", text))
    return found


def standing(judgement: Judgement, protocol: Protocol) -> list[Why]:
    """What the advice and a break say of any supply, whatever its days."""
    found = [_of_advice(judgement, protocol)]
    if judgement.days_since_last_dose is not None and judgement.paused_since is None:
        text = "Treatment was stopped for good: tablets are for the prescriber, who would begin it again."
        found.append(_why("break.stopped", protocol, "prescriber_decides", text))
    if "retitrate_from_12_5_mg" in judgement.actions:
        text = (
            "Two days or more without a dose: the old dose may not be given. The prescriber builds it up from 12.5 mg."
        )
        found.append(_why("break.retitrate", protocol, "prescriber_decides", text))
    return found


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
    deciding = [reason.text for reason in judgement.reasons if reason.rule in judgement.because]
    said = " ".join([text, *deciding]) if answer != "may_supply" else text
    return Why(f"advice.{judgement.treatment}", "clinical", answer, said, protocol.sources["*"].cite())


def _of_a_gap(judgement: Judgement, protocol: Protocol, day: date, until: date | None) -> list[Why]:
    """Tablets that are over though nobody has recorded a last dose: a warning, because they may come from elsewhere."""
    hours = protocol.breaks.retitrate_hours
    if until is None or judgement.treatment != "continue" or (day - until).days * 24 < hours:
        return []
    text = (
        f"The tablets handed over here ended on {until}, {(day - until).days} days ago. Ask when the last one was"
        f" taken: after {hours} hours without a dose the old dose may not be given; record the last dose then."
    )
    return [_why("break.tablets_over", protocol, "may_supply", text)]


def _administrative(policy: SupplyPolicy, enrolled: bool | None) -> list[Why]:
    if not policy.needs_enrolment or enrolled:
        return []
    text = "This clinic's own policy asks for enrolment in its registry, and the patient is not enrolled."
    return [Why("policy.enrolment", "administrative", "do_not_supply", text, "Clinic policy")]


TO_SHOW = ("count.supported", "count.incomplete")
"""What the count was, which whoever supplies has to know."""


def _informational(judgement: Judgement, protocol: Protocol) -> list[Why]:
    known = protocol.supply.to_know if protocol.supply else {}
    found = [_why(rule, protocol, "may_supply", text, "informational") for rule, text in known.items()]
    shown = [reason for reason in judgement.reasons if reason.rule in TO_SHOW]
    found += [Why(reason.rule, "informational", "may_supply", reason.text, reason.source) for reason in shown]
    if (days := judgement.days_since_last_dose) is not None:
        text = f"{days} day{'' if days == 1 else 's'} since the last dose."
        found.append(Why("break.days", "informational", "may_supply", text))
    if judgement.anc is not None and judgement.deadline is not None:
        text = "The first low count is still to be repeated within 24 hours of its draw."
        found.append(Why("repeat.owed", "informational", "may_supply", text))
    return found


def _holds_until(judgement: Judgement, day: date, until: date | None) -> date | None:
    changes = judgement.answer_changes_on
    ends = [judgement.overdue_after, until, changes and changes - timedelta(days=1)]
    return min((end for end in ends if end and end >= day), default=None)


@dataclass(frozen=True, slots=True)
class Milestone:
    """A day on which not taking tablets begins to mean something more."""

    on: date
    rule: str
    text: str
    short: str
    """The same in a few words, for a list."""


def after_the_last_tablet(protocol: Protocol, last_dose_on: date) -> Sequence[Milestone]:
    """What a gap would mean, day by day, from the last day with tablets: shown before it happens."""
    breaks = protocol.breaks
    found = [
        Milestone(
            last_dose_on + timedelta(days=1), "gap.begins", "No tablets: the first dose is missed.", "the gap begins"
        ),
        Milestone(
            last_dose_on + timedelta(hours=breaks.retitrate_hours),
            "break.retitrate",
            f"{breaks.retitrate_hours} hours without a dose: the dose has to be built up again from 12.5 mg.",
            f"{breaks.retitrate_hours} h, from 12.5 mg again",
        ),
    ]
    if breaks.extra_weekly_over_hours:
        days = breaks.extra_weekly_over_hours // 24 + 1
        hours, weeks = breaks.extra_weekly_over_hours, breaks.extra_weekly_weeks
        text = f"More than {hours} hours without a dose: weekly tests for {weeks} weeks."
        short = f"over {hours} h, weekly tests"
        found.append(Milestone(last_dose_on + timedelta(days=days), "break.extra_weekly", text, short))
    text = f"{breaks.as_new_days} days without a dose: treatment begins anew, with a fresh baseline and weekly tests"
    clean = breaks.waived_after_clean_weeks
    text += f", unless {clean} weeks without a low count went before it." if clean else "."
    short = f"{breaks.as_new_days} days, as a new patient"
    found.append(Milestone(last_dose_on + timedelta(days=breaks.as_new_days), "break.as_new", text, short))
    return sorted(found, key=lambda milestone: milestone.on)


def last_covered_day(supplied_on: date, tablets_days: int) -> date:
    """The last day with tablets, when taking them begins on the day of supply. Raises ValueError below one day."""
    if tablets_days < 1:
        raise ValueError(f"{tablets_days} days is no supply; give one day or more")
    return supplied_on + timedelta(days=tablets_days - 1)
