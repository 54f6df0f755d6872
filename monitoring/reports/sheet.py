"""A report as a page, a spreadsheet and a print show it: what was counted and how, a table, a chart."""

from dataclasses import dataclass
from math import isinf
from typing import Literal

from monitoring.reports.charts import Chart

Kind = Literal["text", "count", "percent", "minutes", "rate"]
Value = str | int | float | None
NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a report's table."""

    name: str
    kind: Kind = "count"

    @property
    def numeric(self) -> bool:
        """Whether its values are set flush right."""
        return self.kind != "text"

    @property
    def in_a_spreadsheet(self) -> str:
        """The header with its unit, as a program needs it."""
        return f"{self.name} (minutes)" if self.kind == "minutes" else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One report. `how` says how each number is computed, in sentences for a clinician."""

    key: str
    title: str
    how: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    chart: Chart | None
    empty: str

    @property
    def wide(self) -> bool:
        """Whether the table needs the whole width, so that the number that matters is not scrolled away."""
        return len(self.columns) > 7

    def shown(self) -> list[list[tuple[Column, str]]]:
        """The table's cells in words, each with its column."""
        return [[(column, in_words(value, column.kind)) for column, value in self._cells(row)] for row in self.rows]

    def _cells(self, row: tuple[Value, ...]) -> list[tuple[Column, Value]]:
        return list(zip(self.columns, row, strict=True))


def in_words(value: Value, kind: Kind) -> str:
    """A value as a person reads it."""
    if value is None:
        return NOTHING
    if kind == "minutes":
        return duration(float(value))
    if kind == "percent":
        return f"{float(value):.0f} %"
    return f"{float(value):.1f}" if kind == "rate" else str(value)


def duration(minutes: float) -> str:
    """25 min, 5 h 10 min, 3 d 4 h; an endless wait is an answer that has not come."""
    if isinf(minutes):
        return "not yet"
    whole = round(minutes)
    if whole < 60:
        return f"{whole} min"
    hours, rest = divmod(whole, 60)
    if hours < 48:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{hours // 24} d {hours % 24} h"


def percent(part: int, whole: int) -> float | None:
    """Of a hundred, rounded to a tenth; nothing of nothing."""
    return round(100 * part / whole, 1) if whole else None
