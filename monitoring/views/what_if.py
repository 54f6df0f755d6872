"""What if this patient were judged by another protocol: the same history, side by side. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from monitoring.actions.judging import Known, judge_known, known_of
from monitoring.alerts import ADVICE_IN_WORDS
from monitoring.models import Result, Treatment
from monitoring.models.limits import protocol_at
from monitoring.models.result import standing
from monitoring.rules.errors import InputError
from monitoring.rules.judgement import Judgement
from monitoring.rules.open_break import OpenBreak, open_break
from monitoring.rules.protocol import Protocol, Table
from monitoring.rules.protocols import PROTOCOLS
from monitoring.rules.reasons import IN_WORDS
from monitoring.rules.units import plain
from monitoring.views.finding import address_of, staff_of, treatment_or_404
from monitoring.views.words import ACTIONS_IN_WORDS, why
from patients import audit

COUNTS = 20
"""So many of the latest counts are shown with their bands."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One line under both protocols."""

    name: str
    one: str
    other: str

    @property
    def differs(self) -> bool:
        """Whether they say different things."""
        return self.one != self.other


@dataclass(frozen=True, slots=True)
class CountRow:
    """A count, and its band under both protocols."""

    drawn_at: datetime
    anc: str
    wbc: str
    one: str
    other: str

    @property
    def differs(self) -> bool:
        """Whether it falls into bands of other names."""
        return self.one != self.other


@login_required
@require_GET
def what_if(request: HttpRequest, patient_id: int) -> HttpResponse:
    """The same history under another protocol, as of now; opening the page is audited."""
    treatment, now = treatment_or_404(request, patient_id), timezone.now()
    audit.opened(treatment.patient, by=staff_of(request), now=now, ip=address_of(request))
    chosen = PROTOCOLS.get(request.GET.get("protocol", ""))
    page: dict[str, object] = {
        "patient": treatment.patient,
        "own": treatment.protocol,
        "chosen": chosen,
        "protocols": [one for one in PROTOCOLS.values() if one.key != treatment.protocol_key],
        "now": now,
    }
    if chosen is not None:
        try:
            page |= _side_by_side(treatment, chosen, now)
        except InputError as error:
            page["refused"] = f"{error.message[:1].upper()}{error.message[1:]}."
    return render(request, "monitoring/protocol/what_if.html", page)


def _side_by_side(treatment: Treatment, other: Protocol, now: datetime) -> dict[str, object]:
    versions = list(treatment.every_result())
    known, own = known_of(treatment, versions), protocol_at(treatment, now)
    mine, theirs = (judge_known(known, protocol, as_of=now) for protocol in (own, other))
    return {
        "lines": compared(_lines(mine, known, own, now), _lines(theirs, known, other, now)),
        "whys": [[why(reason.text, reason.source) for reason in judged.reasons] for judged in (mine, theirs)],
        "counts": _counts(versions, known, own, other),
        "wbc": own.needs_wbc or other.needs_wbc,
    }


def compared(one: dict[str, str], other: dict[str, str]) -> list[Compared]:
    """Line by line."""
    return [Compared(name, value, other[name]) for name, value in one.items()]


def _as_new(pause: OpenBreak | None) -> str:
    if pause is None:
        return "no break is open"
    return "never: tests go on as before" if pause.waived else _day(pause.as_new_on, "")


def _lines(judgement: Judgement, known: Known, protocol: Protocol, now: datetime) -> dict[str, str]:
    pause, episode = open_break(known.final, protocol, now), judgement.episode
    return {
        "Advice": ADVICE_IN_WORDS[judgement.treatment],
        "To do": "; ".join(ACTIONS_IN_WORDS[code] for code in judgement.actions) or "nothing else",
        "Band of the latest count": judgement.band or "no count yet",
        "Tests": IN_WORDS[judgement.frequency],
        "Next test": _day(judgement.due_on, "none is owed"),
        "Overdue after": _day(judgement.overdue_after, "never") + (": overdue" if judgement.overdue else ""),
        "Episode": f"open, worst {episode.worst_band}" if episode else "none is open",
        "Restart as a new patient": _as_new(pause),
    }


def _day(day: date | None, none: str) -> str:
    return f"{day:%a} {day.day} {day:%b %Y}" if day else none


def _counts(versions: Sequence[Result], known: Known, own: Protocol, other: Protocol) -> list[CountRow]:
    """The latest counts, the newest first. Preliminary ones are left out, as a band of theirs permits nothing."""
    tables = [protocol.tables[known.final.population] for protocol in (own, other)]
    final = sorted(
        (row for row in standing(list(versions)) if row.status != "preliminary"), key=lambda row: row.drawn_at
    )
    return [
        CountRow(
            drawn_at=row.drawn_at,
            anc=plain(row.anc, row.anc_bound) if row.anc is not None else "not reported",
            wbc=plain(row.wbc, row.wbc_bound) if row.wbc is not None else "not reported",
            one=_band(row, tables[0], own),
            other=_band(row, tables[1], other),
        )
        for row in reversed(final[-COUNTS:])
    ]


def _band(row: Result, table: Table, protocol: Protocol) -> str:
    """The band by itself. A count without the white cells that a protocol needs is never its best band."""
    rank = table.rank(row.count())
    incomplete = row.anc is None or (protocol.needs_wbc and row.wbc is None)
    return "incomplete" if incomplete and not rank else table.bands[rank].name
