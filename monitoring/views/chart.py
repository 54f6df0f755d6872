"""The counts as a drawing: bands, counts, breaks and doses, each told by its shape and in words. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from monitoring.rules.protocol import Table
from monitoring.views.marks import LABEL_APART, Point, labelled, thinned
from monitoring.views.results import ResultRow, tone
from monitoring.views.scale import BOTTOM, TOP, CountScale, TimeScale, TimeTick, count_scale, count_ticks, time_ticks
from monitoring.views.scale import time_scale as scale_of_time

RANGES = (("4w", "4 weeks", 28), ("3m", "3 months", 92), ("1y", "1 year", 366), ("all", "All", None))
DAYS = {key: days for key, _, days in RANGES}
LONG_GAP = timedelta(days=45)
"""Longer than any window: between such counts the line is broken, for nothing is known there."""
FLAG_APART, FLAG_TOP = 6.0, 22
MANY = 120
DOSE_TOP, DOSE_BOTTOM = 350, 400
HEIGHT_WITHOUT_DOSES, HEIGHT = 334, 410
LEGEND = {
    "dot": "count",
    "ring": "count under G-CSF or lithium",
    "below": "below the number shown (<)",
    "above": "above the number shown, or above the scale",
    "diamond": "preliminary count",
    "cross": "number that was corrected or entered in error",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What there is to draw. Times are the clinic's own."""

    rows: Sequence[ResultRow]
    breaks: Sequence[tuple[datetime, datetime | None, str]] = ()
    doses: Sequence[tuple[datetime, Decimal]] = ()
    flags: Sequence[tuple[datetime, str, str]] = ()
    """Other events: when, a letter, and what it was."""
    now: datetime
    range: str = "1y"
    log: bool = False


@dataclass(frozen=True, slots=True)
class Shade:
    """A band across the paper."""

    y: float
    height: float
    name: str
    tone: str
    asks: str

    @property
    def middle(self) -> float:
        """Where its name stands: in a narrow band in the middle, in a wide one at the top, above most counts."""
        return round(self.y + min(self.height / 2, 13), 1)


@dataclass(frozen=True, slots=True)
class Line:
    """From point to point; `gap` where no count was taken for long."""

    x1: float
    y1: float
    x2: float
    y2: float
    gap: bool = False


@dataclass(frozen=True, slots=True)
class Pause:
    """A stretch off treatment."""

    x: float
    width: float
    label: str
    title: str

    @property
    def middle(self) -> float:
        """Where its word stands."""
        return round(self.x + self.width / 2, 2)


@dataclass(frozen=True, slots=True)
class Flag:
    """Something else that happened, by its letter."""

    x: float
    y: int
    letter: str
    said: str


@dataclass(frozen=True, slots=True)
class Chart:
    """All that the template draws."""

    title: str
    summary: str
    log: bool
    range: str
    shades: Sequence[Shade]
    ticks: Sequence[tuple[float, int, bool]]
    days: Sequence[TimeTick]
    lines: Sequence[Line]
    points: Sequence[Point]
    crosses: Sequence[Point]
    pauses: Sequence[Pause]
    flags: Sequence[Flag]
    doses: Sequence[Line]
    dose_labels: Sequence[tuple[float, float, str]]
    legend: Sequence[tuple[str, str]]
    now_x: float
    top: int = TOP
    bottom: int = BOTTOM
    dose_top: int = DOSE_TOP
    dose_bottom: int = DOSE_BOTTOM
    pks: frozenset[int] = field(default_factory=frozenset)

    @property
    def height(self) -> int:
        """Pixels, with the lane of doses where there is one."""
        return HEIGHT if self.doses else HEIGHT_WITHOUT_DOSES

    @property
    def dot(self) -> float:
        """The radius of a count; smaller where there are very many."""
        return 4 if len(self.points) <= MANY else 2.6

    @property
    def has_gap(self) -> bool:
        """Whether the line is broken somewhere."""
        return any(line.gap for line in self.lines)

    @property
    def span(self) -> int:
        """Pixels of a hatched pause."""
        return self.foot - TOP

    @property
    def foot(self) -> int:
        """Down to where a pause is hatched."""
        return DOSE_BOTTOM if self.doses else BOTTOM


def draw(drawn: Drawn, table: Table) -> Chart:
    """The chart of one treatment over the range asked for."""
    zone = drawn.now.tzinfo
    moments = [row.drawn_at for row in drawn.rows] + [at for at, _ in drawn.doses] + [at for at, _, _ in drawn.flags]
    across = scale_of_time(first=min(moments, default=None), now=drawn.now, days=DAYS[drawn.range])
    across = TimeScale(across.start.astimezone(zone), across.end.astimezone(zone))
    inside = [row for row in drawn.rows if row.count is not None and across.holds(row.drawn_at)]
    down = count_scale([row.count for row in inside if row.count is not None], log=drawn.log)
    shown = sorted((row for row in inside if row.stands), key=lambda row: row.drawn_at)
    points = labelled(thinned([point(row, across, down) for row in shown]))
    crosses = [point(row, across, down, shape="cross") for row in inside if not row.stands]
    doses, dose_labels = dose_steps(drawn, across)
    shapes = dict.fromkeys(mark.shape for mark in (*points, *crosses))
    return Chart(
        title="Absolute neutrophil counts per microlitre",
        summary=summary(shown, drawn),
        log=drawn.log,
        range=drawn.range,
        shades=shades(table, down),
        ticks=count_ticks(down, [band.floor.anc for band in table.bands if band.floor]),
        days=time_ticks(across),
        lines=lines(shown, points),
        points=points,
        crosses=crosses,
        pauses=pauses(drawn, across),
        flags=flags(drawn, across),
        doses=doses,
        dose_labels=dose_labels,
        legend=[(shape, LEGEND[shape]) for shape in LEGEND if shape in shapes],
        now_x=across.x(drawn.now),
        pks=frozenset(row.pk for row in drawn.rows if across.holds(row.drawn_at)),
    )


def shades(table: Table, down: CountScale) -> list[Shade]:
    """The bands from best to worst, as the protocol's table has them."""
    floors = [float(band.floor.anc) if band.floor else down.low for band in table.bands]
    ceilings = [down.high, *floors]
    return [
        Shade(down.y(upper), round(down.y(lower) - down.y(upper), 1), band.name, tone(table, rank), band.treatment)
        for rank, (band, lower, upper) in enumerate(zip(table.bands, floors, ceilings, strict=False))
    ]


def shape_of(row: ResultRow, down: CountScale) -> str:
    """The shape says what the number is, so that nothing rests on colour."""
    if row.bound == "<":
        return "below"
    if row.bound == ">" or (row.count is not None and down.beyond(row.count)):
        return "above"
    if row.preliminary:
        return "diamond"
    return "ring" if row.supported else "dot"


def point(row: ResultRow, across: TimeScale, down: CountScale, shape: str = "") -> Point:
    """A count on the paper."""
    return Point(
        pk=row.pk,
        x=across.x(row.drawn_at),
        y=down.y(row.count or 0),
        shape=shape or shape_of(row, down),
        tone=row.tone,
        reading=reading(row),
        label=row.anc,
    )


def reading(row: ResultRow) -> str:
    """How a count is told on hover, by keyboard and by a screen reader."""
    said = [
        f"{row.drawn_at:%a} {row.drawn_at.day} {row.drawn_at:%b %Y, %H:%M}: ANC {row.anc} per microlitre",
        row.band,
        "under G-CSF or lithium" if row.supported else "",
        "preliminary" if row.preliminary else "",
        f"corrected from {row.was}" if row.stands and row.was and row.was != row.anc else "",
        "" if row.stands else "this number no longer stands",
    ]
    return ", ".join(part for part in said if part)


def lines(rows: Sequence[ResultRow], points: Sequence[Point]) -> list[Line]:
    """From count to count; broken where none was taken for longer than any window."""
    return [
        Line(a.x, a.y, b.x, b.y, gap=later.drawn_at - earlier.drawn_at > LONG_GAP)
        for (earlier, later), (a, b) in zip(pairwise(rows), pairwise(points), strict=True)
    ]


def pauses(drawn: Drawn, across: TimeScale) -> list[Pause]:
    """The stretches off treatment that reach into the range."""
    found = []
    for begin, end, said in drawn.breaks:
        until = end or drawn.now
        if until < across.start:
            continue
        x, last = across.x(begin), across.x(end) if end else 100.0
        width = round(max(last - x, 0.5), 2)
        found.append(Pause(x, width, "off" if width >= 4 else "", said))
    return found


def flags(drawn: Drawn, across: TimeScale) -> list[Flag]:
    """Side by side where there is room, else one above the other."""
    found: list[Flag] = []
    for at, letter, said in sorted(drawn.flags):
        if across.holds(at):
            x = across.x(at)
            close = bool(found) and x - found[-1].x < FLAG_APART and found[-1].y == FLAG_TOP
            found.append(Flag(x, TOP + 3 if close else FLAG_TOP, letter, said))
    return found


def dose_steps(drawn: Drawn, across: TimeScale) -> tuple[list[Line], list[tuple[float, float, str]]]:
    """The daily dose as steps; no line while off treatment, nor after it until a dose is recorded anew."""
    changes: list[tuple[datetime, Decimal | None]] = [(at, mg) for at, mg in drawn.doses if at <= drawn.now]
    changes += [(begin, None) for begin, _, _ in drawn.breaks if begin <= drawn.now]
    changes.sort(key=lambda change: change[0])
    most = max((mg for _, mg in drawn.doses), default=Decimal(0)) or Decimal(1)
    steps: list[Line] = []
    labels: list[tuple[float, float, str]] = []
    before: float | None = None
    for (at, mg), (until, _) in pairwise([*changes, (drawn.now, None)]):
        y = None if mg is None else round(DOSE_BOTTOM - float(mg / most) * (DOSE_BOTTOM - DOSE_TOP - 14), 1)
        if y is not None and mg is not None and until >= across.start:
            x = across.x(at)
            if before is not None and across.holds(at):
                steps.append(Line(x, before, x, y))
            steps.append(Line(x, y, across.x(until), y))
            if across.x(until) - x >= LABEL_APART - 2 or (until == drawn.now and not _near(labels, x)):
                labels.append((x, round(y - 4, 1), f"{mg.normalize():f}"))
        before = y
    return steps, labels


def _near(labels: list[tuple[float, float, str]], x: float) -> bool:
    return bool(labels) and x - labels[-1][0] < LABEL_APART


def summary(shown: Sequence[ResultRow], drawn: Drawn) -> str:
    """The chart in one paragraph for those who do not see it."""
    if not shown:
        return "No count in this time."
    lowest = min(shown, key=lambda row: (row.count or 0, row.bound != "<"))
    said = [
        f"{len(shown)} count{'s' if len(shown) > 1 else ''}.",
        f"Latest: {reading(shown[-1])}.",
        f"Lowest: {reading(lowest)}.",
    ]
    if drawn.breaks:
        said.append("Off treatment: " + "; ".join(text for _, _, text in drawn.breaks) + ".")
    return " ".join(said)
