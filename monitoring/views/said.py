"""What was said, and when: the stored judgements, those that a later reading replaced marked as such."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from monitoring.alerts import ADVICE_IN_WORDS
from monitoring.models import Assessment, Treatment
from monitoring.rules.protocol import Frequency
from monitoring.rules.reasons import IN_WORDS
from monitoring.views.words import TONES, why

ROWS = 50


@dataclass(frozen=True, slots=True)
class Said:
    """One stored judgement. `replaced_at`: a correction made the rules read that moment anew."""

    pk: int
    as_of: datetime
    created_at: datetime
    advice: str
    tone: str
    band: str
    anc: str
    every: str
    due_on: date | None
    because_of: str
    result_id: int | None
    protocol: str
    reasons: list[tuple[str, str, bool]]
    again: bool
    replaced_at: datetime | None


def said_page(treatment: Treatment, *, before: str) -> dict[str, object]:
    """A page of them, the newest first; `before` is the last one of the page before."""
    rows = treatment.assessments.select_related("result").order_by("-pk")
    if before.isdecimal() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: ROWS + 1])
    shown = found[:ROWS]
    later = Assessment.objects.filter(replaces__in=[row.pk for row in shown]).order_by("pk")
    replaced = dict(later.values_list("replaces_id", "created_at"))
    return {
        "rows": [_said(row, treatment, replaced) for row in shown],
        "older": shown[-1].pk if len(found) > ROWS else None,
    }


def _said(row: Assessment, treatment: Treatment, replaced: Mapping[int, datetime]) -> Said:
    zone, told = treatment.clinic.zone, row.judgement
    return Said(
        pk=row.pk,
        as_of=row.as_of.astimezone(zone),
        created_at=row.created_at.astimezone(zone),
        advice=ADVICE_IN_WORDS[told["treatment"]],
        tone=TONES[told["treatment"]],
        band=told["band"] or "no count yet",
        anc=told["anc"] or "",
        every=_every(told["frequency"]),
        due_on=date.fromisoformat(told["due_on"]) if told["due_on"] else None,
        because_of=_because_of(row, treatment),
        result_id=row.result_id,
        protocol=row.protocol_key,
        reasons=[why(reason["text"], reason["source"]) for reason in told["reasons"]],
        again=row.replaces_id is not None,
        replaced_at=replaced.get(row.pk),
    )


def _every(frequency: Frequency) -> str:
    return IN_WORDS[frequency]


def _because_of(row: Assessment, treatment: Treatment) -> str:
    if row.result is None:
        return "an event, or time gone by"
    return f"the count drawn {row.result.drawn_at.astimezone(treatment.clinic.zone):%Y-%m-%d %H:%M}"
