"""Every version of every count, as the table and the chart show it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

from monitoring.alerts import severity_of
from monitoring.models import Result, ResultReview, Severity, Treatment
from monitoring.models.result import Status, standing
from monitoring.rules.protocol import Table
from monitoring.rules.units import plain

TONE_OF: Mapping[int, str] = {
    Severity.MILD: "mild",
    Severity.MODERATE: "moderate",
    Severity.SEVERE: "severe",
}
SAID: Mapping[str, str] = {
    "derived": "worked out from the white cells",
    "bands_not_reported": "band cells not reported",
    "anc_disagrees_with_derived": "reported ANC differs from the white cells by more than 10 %",
}


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One version of a result. `was` is the number before this version, `anc` the number in words' plain digits."""

    pk: int
    drawn_at: datetime
    count: Decimal | None
    bound: str
    anc: str
    wbc: str
    band: str
    tone: str
    status: str
    version: int
    stands: bool
    supported: bool
    flags: Sequence[str]
    received_at: datetime
    by: str
    reason: str
    was: str = ""
    reviewed: str = ""
    """Who has looked at what the laboratory sent, and when."""
    sent: int | None = None
    """The laboratory's own number, where it stands at another place."""

    @property
    def drawn_on(self) -> str:
        """The clinic's day, as the table writes it."""
        return f"{self.drawn_at:%Y-%m-%d}"

    @property
    def drawn_time(self) -> str:
        """The clinic's time of day."""
        return f"{self.drawn_at:%H:%M}"

    @property
    def received(self) -> str:
        """When it came, short; the year only where it is another one than that of the draw."""
        year = "" if self.received_at.year == self.drawn_at.year else f" {self.received_at.year}"
        return f"{self.received_at.day} {self.received_at:%b}{year}, {self.received_at:%H:%M}"

    @property
    def preliminary(self) -> bool:
        """It may restrict the advice and never permit more."""
        return self.status == Status.PRELIMINARY

    @property
    def status_in_words(self) -> str:
        """What the laboratory says of this version."""
        return Status(self.status).label


def tone(table: Table, rank: int) -> str:
    """normal, mild, moderate or severe: how a band is shaded and marked."""
    return TONE_OF[severity_of(table, rank)] if rank else "normal"


def result_rows(
    versions: Sequence[Result],
    treatment: Treatment,
    table: Table,
    *,
    seen: Mapping[int, ResultReview] = MappingProxyType({}),
) -> list[ResultRow]:
    """Every version, newest draw first; bands as this table names them. `seen`: who has looked at which, by result."""
    stand = {row.pk for row in standing(list(versions))}
    by_key = {(row.source, row.accession, row.version): row for row in versions}
    ordered = sorted(versions, key=lambda row: (row.drawn_at, row.version, row.pk), reverse=True)
    return [
        _row(
            row,
            treatment,
            table,
            stands=row.pk in stand,
            former=by_key.get((row.source, row.accession, row.version - 1)),
            seen=seen.get(row.pk),
        )
        for row in ordered
    ]


def _row(
    row: Result, treatment: Treatment, table: Table, *, stands: bool, former: Result | None, seen: ResultReview | None
) -> ResultRow:
    zone = treatment.clinic.zone
    rank = None if row.anc is None else table.rank(row.count())
    return ResultRow(
        pk=row.pk,
        drawn_at=row.drawn_at.astimezone(zone),
        count=row.anc,
        bound=row.anc_bound,
        anc=number(row.anc, row.anc_bound),
        wbc=number(row.wbc, row.wbc_bound),
        band="" if rank is None else table.bands[rank].name,
        tone="" if rank is None else tone(table, rank),
        status=row.status,
        version=row.version,
        stands=stands,
        supported=row.supported,
        flags=[SAID[flag] for flag in row.flags if flag in SAID],
        received_at=row.received_at.astimezone(zone),
        by=str(row.staff or row.integration or row.source),
        reason=row.reason,
        sent=row.sent_version if row.sent_version != row.version else None,
        was=number(former.anc, former.anc_bound) if former else "",
        reviewed=f"{seen.staff}, {seen.at.astimezone(zone):%Y-%m-%d %H:%M}" if seen else "",
    )


def number(value: Decimal | None, bound: str) -> str:
    """Plain digits with the sign they came with."""
    return "" if value is None else plain(value, bound)
