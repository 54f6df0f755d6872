"""A judgement in words for a page: nothing is said by colour alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from monitoring.alerts import ADVICE_IN_WORDS
from monitoring.models import Result, Treatment
from monitoring.models.result import standing
from monitoring.rules.judgement import Judgement, Reason
from monitoring.rules.reasons import IN_WORDS
from monitoring.rules.units import plain

ACTIONS_IN_WORDS: Mapping[str, str] = {
    "anc_now": "Take an ANC now",
    "baseline_too_old": "Take a fresh baseline: the latest is too old",
    "consider_ben_workup": "Consider whether this is benign ethnic neutropenia",
    "haematology_consult": "Consult haematology",
    "look_for_infection": "Look for an infection",
    "register_non_rechallenge": "Enter in the non-rechallenge register",
    "repeat_within_24h": "Repeat the count within 24 hours of the draw",
    "retitrate_from_12_5_mg": "Build the dose up again from 12.5 mg",
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
    )


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One version of a result for the table."""

    drawn_at: datetime
    anc: str
    band: str
    status: str
    version: int
    stands: bool
    supported: bool
    received_at: datetime


def result_rows(versions: Sequence[Result], treatment: Treatment) -> list[ResultRow]:
    """Every version, the replaced ones marked; bands as this treatment's protocol names them."""
    zone, table = treatment.clinic.zone, treatment.table
    stand = {row.pk for row in standing(list(versions))}
    return [
        ResultRow(
            drawn_at=row.drawn_at.astimezone(zone),
            anc=_number(row.anc, row.anc_bound),
            band=table.bands[table.rank(row.count())].name if row.anc is not None else "",
            status=row.get_status_display(),
            version=row.version,
            stands=row.pk in stand,
            supported=row.supported,
            received_at=row.received_at.astimezone(zone),
        )
        for row in versions
    ]


def _number(value: Decimal | None, bound: str) -> str:
    return "none" if value is None else plain(value, bound)
