"""What the rules make of a treatment now, or made of it with what was known at a moment gone by. Writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from monitoring.actions.judging import judge
from monitoring.models import Result, TakeOver, Treatment
from monitoring.models.limits import protocol_at
from monitoring.models.result import standing
from monitoring.rules.history import Count
from monitoring.rules.judgement import Judgement
from monitoring.rules.open_break import OpenBreak, open_break
from monitoring.rules.units import plain


@dataclass(frozen=True, slots=True)
class Reading:
    """The judgement, and the break that is open at that moment."""

    judgement: Judgement
    pause: OpenBreak | None


def read(
    treatment: Treatment, versions: Sequence[Result], *, as_of: datetime, known_at: datetime | None = None
) -> Reading:
    """The judgement of that moment; with `known_at` from what had been recorded by then, and no more."""
    if known_at is not None:
        versions = [row for row in versions if row.received_at <= known_at]
    final = [row for row in standing(list(versions)) if row.status != "preliminary"]
    history = treatment.history_of(final, known_at=known_at)
    return Reading(
        judgement=judge(treatment, versions, as_of=as_of, known_at=known_at, all_known=known_at is None),
        pause=open_break(history, protocol_at(treatment, as_of), as_of),
    )


def under_protocol_of(treatment: Treatment, *, known_at: datetime) -> None:
    """Bring this copy of the row (never saved) to the protocol by which it was judged then."""
    # A judgement that was read again later was read by the rules of its time, not by those in force then.
    said = treatment.assessments.filter(created_at__lte=known_at, replaces=None).order_by("-created_at", "-pk").first()
    if said is not None:
        treatment.protocol_key = said.protocol_key


@dataclass(frozen=True, slots=True)
class SevereBefore:
    """The lowest count ever in the protocol's worst band; `told_by` where it was taken over and not drawn here."""

    anc: str
    on: date | None
    last_on: date | None
    told_by: str = ""


def severe_before(
    treatment: Treatment, counts: Sequence[Result], take_over: TakeOver | None, *, as_of: datetime
) -> SevereBefore | None:
    """Severe neutropenia in the past. None where the latest count is the first severe one: the advice says so."""
    table, zone = treatment.table, treatment.clinic.zone
    worst = len(table.bands) - 1
    lowest = take_over.lowest_anc if take_over else None
    if take_over and lowest is not None and table.rank(Count(at=as_of, anc=lowest)) == worst:
        return SevereBefore(plain(lowest), take_over.lowest_on, None, take_over.told_by)
    drawn = sorted((row for row in counts if row.anc is not None), key=lambda row: row.drawn_at)
    severe = [row for row in drawn if table.rank(row.count()) == worst]
    if not severe or severe == drawn[-1:]:
        return None
    deepest = min(severe, key=lambda row: (row.anc, row.drawn_at))
    days = [row.drawn_at.astimezone(zone).date() for row in (deepest, severe[-1])]
    return SevereBefore(plain(deepest.anc or Decimal(0), deepest.anc_bound), days[0], days[1])
