"""A judgement in words for a page: nothing is said by colour alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from monitoring.alerts import ADVICE_IN_WORDS
from monitoring.models import Treatment
from monitoring.rules.judgement import Judgement, Reason
from monitoring.rules.protocol import NOT_YET_VERIFIED
from monitoring.rules.reasons import IN_WORDS

ACTIONS_IN_WORDS: Mapping[str, str] = {
    "anc_now": "Take an ANC now",
    "baseline_too_old": "Take a fresh baseline: the latest is too old",
    "consider_ben_workup": "Consider whether this is benign ethnic neutropenia",
    "haematology_consult": "Consult haematology",
    "look_for_infection": "Look for an infection",
    "register_non_rechallenge": "Enter in the non-rechallenge register",
    "repeat_within_24h": "Repeat the count within 24 hours of the draw",
    "retitrate_from_12_5_mg": "When restarting, build the dose up again from 12.5 mg",
    "review_rechallenge": "Prescriber: decide about a rechallenge",
    "second_baseline_needed": "A second baseline on another date is needed",
}
TONES: Mapping[str, str] = {
    "continue": "calm",
    "may_start": "calm",
    "may_resume": "calm",
    "do_not_start": "warn",
    "interrupt": "warn",
    "stop": "stop",
}


@dataclass(frozen=True, slots=True)
class AdviceCard:
    """What to do, until when, why."""

    tone: str
    advice: str
    band: str
    every: str
    due_on: date | None
    overdue: bool
    overdue_after: date | None
    deadline: datetime | None
    actions: Sequence[str]
    reasons: Sequence[Reason]
    anc: str | None
    protocol: str
    days_since_last_dose: int | None
    judged_at: datetime
    in_force_from: date
    retired_on: date | None
    changes_on: date | None
    whys: Sequence[tuple[str, str, bool]]
    """Each reason's sentence, where it is written, and whether somebody has read it there."""


def advice_card(judgement: Judgement, treatment: Treatment) -> AdviceCard:
    """The judgement as it is shown to clinic staff."""
    zone = treatment.clinic.zone
    return AdviceCard(
        tone=TONES[judgement.treatment],
        advice=ADVICE_IN_WORDS[judgement.treatment],
        band=judgement.band or "no count yet",
        every=IN_WORDS[judgement.frequency],
        due_on=judgement.due_on,
        overdue=judgement.overdue,
        overdue_after=judgement.overdue_after,
        deadline=judgement.deadline.astimezone(zone) if judgement.deadline else None,
        actions=[ACTIONS_IN_WORDS[code] for code in judgement.actions],
        reasons=judgement.reasons,
        anc=judgement.anc,
        protocol=treatment.protocol.title,
        days_since_last_dose=judgement.days_since_last_dose,
        judged_at=judgement.as_of.astimezone(zone),
        in_force_from=treatment.protocol.in_force_from,
        retired_on=treatment.protocol.retired_on,
        changes_on=judgement.changes_on,
        whys=[why(reason.text, reason.source) for reason in judgement.reasons],
    )


def why(text: str, source: str) -> tuple[str, str, bool]:
    """A reason's sentence, its source, and whether somebody has read it there."""
    return text, source.removesuffix(NOT_YET_VERIFIED).strip(), not source.endswith(NOT_YET_VERIFIED)
