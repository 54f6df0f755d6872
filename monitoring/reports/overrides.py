"""Overrides and bridge supplies: counted by month, and each one with who asked, who answered, why, and for how long.

**Asked** in the month of the request, on the clinic's calendar. What happened to it is told as known at the moment
asked about: an answer, a use or a review that came later is not seen. **Not answered**: it expired before anybody did.
**To review**: confirmed, and nobody who neither asked nor confirmed has looked at it since.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from monitoring.models import ReasonCode
from monitoring.reports.charts import chart, up_to
from monitoring.reports.question import Question, ask
from monitoring.reports.sheet import NOTHING, Column, Report, percent

OVERRIDES = """
, person AS (
    SELECT id, coalesce(nullif(trim(first_name || ' ' || last_name), ''), username) AS name FROM patients_staff
)
SELECT (o.asked_at AT TIME ZONE w.zone)::date, o.id, o.bridge, o.code, o.days,
       extract(epoch FROM o.expires_at - o.asked_at)::float8 / 60, asker.name,
       CASE WHEN o.confirmed_at <= %(known_at)s THEN 'confirmed'
            WHEN decliner.id IS NOT NULL AND o.declined_at <= %(known_at)s THEN 'declined'
            WHEN o.expires_at < %(known_at)s THEN 'not answered' ELSE 'waiting' END,
       CASE WHEN o.confirmed_at <= %(known_at)s THEN confirmer.name
            WHEN o.declined_at <= %(known_at)s THEN decliner.name END,
       coalesce(o.used_at <= %(known_at)s, false),
       CASE WHEN o.reviewed_at <= %(known_at)s THEN reviewer.name END
FROM monitoring_override o
JOIN wanted w ON w.treatment_id = o.treatment_id AND o.asked_at >= w.since AND o.asked_at < w.until
JOIN person asker ON asker.id = o.asked_by_id
LEFT JOIN person confirmer ON confirmer.id = o.confirmed_by_id
LEFT JOIN person decliner ON decliner.id = o.declined_by_id
LEFT JOIN person reviewer ON reviewer.id = o.reviewed_by_id
WHERE o.asked_at <= %(known_at)s AND (o.asked_at AT TIME ZONE w.zone)::date BETWEEN %(since)s AND %(until)s
ORDER BY o.asked_at, o.id
"""
KINDS = (("good", "Bridge supplies confirmed"), ("late", "Overrides confirmed"), ("missing", "Not confirmed"))
HOW = (
    ("Each request counts in the month in which it was asked for. A bridge supply is a few days of tablets while blood"
     " is on its way; an override is a supply against the answer. Both need a second person."),
    ("Not answered: it expired before a second person answered. To review: confirmed, and nobody who neither asked nor"
     " confirmed has looked at it; all of them are meant to be reviewed."),
)  # fmt: skip
EACH = (
    "Days: the tablets allowed. Valid for: from the request to its expiry. No patient is named; the number is the one"
    " in the audit trail (override:7)."
)


@dataclass(frozen=True, slots=True)
class Given:
    """One request and what became of it."""

    asked_on: date
    number: int
    bridge: bool
    code: str
    days: int
    minutes: float
    asked_by: str
    answer: str
    answered_by: str | None
    used: bool
    reviewed_by: str | None

    @property
    def confirmed(self) -> bool:
        """Whether a second person said yes."""
        return self.answer == "confirmed"


def given(question: Question) -> list[Given]:
    """All requests of the time asked about, the oldest first."""
    return [Given(*row) for row in ask(OVERRIDES, question)]


COUNTED: tuple[tuple[str, Callable[[Given], bool]], ...] = (
    ("Bridges asked for", lambda row: row.bridge),
    ("Bridges confirmed", lambda row: row.bridge and row.confirmed),
    ("Bridges used", lambda row: row.bridge and row.used),
    ("Overrides asked for", lambda row: not row.bridge),
    ("Overrides confirmed", lambda row: not row.bridge and row.confirmed),
    ("Overrides used", lambda row: not row.bridge and row.used),
)


def by_month(question: Question, rows: list[Given]) -> Report:
    """How many were asked for, confirmed, used and reviewed, month by month."""
    months = [(month, [row for row in rows if row.asked_on.replace(day=1) == month]) for month in question.months()]
    told, drawn = [], []
    most = max((len(found) for _, found in months), default=0)
    for month, found in months:
        confirmed = [row for row in found if row.confirmed]
        reviewed = sum(row.reviewed_by is not None for row in confirmed)
        counts = [sum(map(counts_as, found)) for _, counts_as in COUNTED]
        told.append((f"{month:%Y-%m}", *counts, len(confirmed) - reviewed, percent(reviewed, len(confirmed))))
        if found:
            kinds = Counter("missing" if not row.confirmed else "good" if row.bridge else "late" for row in found)
            words = f"{len(found)} asked for, {len(confirmed)} confirmed"
            drawn.append((f"{month:%B %Y}", words, [(kind, 100 * kinds[kind] / most) for kind, _ in KINDS]))
    columns = [Column(name) for name, _ in COUNTED]
    return Report(
        key="overrides",
        title="Overrides and bridge supplies by month",
        how=(*HOW, "Share reviewed = reviewed ÷ confirmed."),
        columns=(Column("Month", "text"), *columns, Column("To review"), Column("Share reviewed", "percent")),
        rows=tuple(told) if rows else (),
        chart=chart("overrides", "Overrides and bridge supplies by month", KINDS, drawn, up_to(most)),
        empty="No override and no bridge supply was asked for in these days.",
    )


def one_by_one(rows: list[Given]) -> Report:
    """Every request, with who asked, who answered, the reason, the scope, how long, and whether it was used."""
    return Report(
        key="overrides-each",
        title="Each override and bridge supply",
        how=(*HOW, EACH),
        columns=(
            Column("Asked on", "text"), Column("Number", "text"), Column("Kind", "text"), Column("Reason", "text"),
            Column("Days"), Column("Valid for", "minutes"), Column("Asked by", "text"), Column("Answer", "text"),
            Column("Answered by", "text"), Column("Used", "text"), Column("Reviewed by", "text"),
        ),
        rows=tuple(_cells(row) for row in rows),
        chart=None,
        empty="No override and no bridge supply was asked for in these days.",
    )  # fmt: skip


def _cells(row: Given) -> tuple[str | int | float, ...]:
    return (
        row.asked_on.isoformat(), str(row.number), "bridge" if row.bridge else "override", ReasonCode(row.code).label,
        row.days, row.minutes, row.asked_by, row.answer, row.answered_by or NOTHING, "yes" if row.used else "no",
        row.reviewed_by or ("to review" if row.confirmed else NOTHING),
    )  # fmt: skip
