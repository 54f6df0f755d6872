"""Which version of a result a report is, and its place among those that are stored; the highest place stands.

A laboratory numbers its own versions, and a person may correct its result between two of them. So what a person wrote
takes the next place, and a laboratory's message whose number is taken by then is placed after it, or, where the
laboratory has sent a later one already, below that. Nothing that a laboratory sends is lost to a person's number.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from monitoring.models import Result
from monitoring.models.result import Status
from monitoring.rules.errors import InputError

SAID = ("anc", "anc_bound", "wbc", "wbc_bound", "drawn_at", "supported")
"""By what two versions of one sample differ in what they mean."""

if TYPE_CHECKING:
    from monitoring.actions.record_result import Report


def numbered(report: "Report", earlier: Sequence[Result]) -> "Report":
    """The version of a report whose source numbers none: what was stored with this content, else the next in turn."""
    if report.version is not None:
        return report
    for row in _theirs(earlier):
        if row.received == report.received():
            return replace(report, version=row.number)
    last = max(_theirs(earlier), key=lambda row: row.number, default=None)
    follows = report.status in (Status.CORRECTED, Status.ENTERED_IN_ERROR)
    if last is not None and (follows or last.status == Status.PRELIMINARY):
        return replace(report, version=last.number + 1)
    return replace(report, version=1)


def seen(report: "Report", earlier: Sequence[Result]) -> Result | None:
    """The same message again. A different one under the same number is an error, never a silent choice."""
    rows = earlier if report.by_hand else _theirs(earlier)
    row = next((row for row in rows if _number(row, report) == report.version), None)
    if row is None or row.received == report.received():
        return row
    raise InputError(
        "version",
        f"version {report.version} of {row.accession} is stored with other content;"
        f" send a correction as version {max(_number(row, report) for row in rows) + 1}",
    )


def place(report: "Report", earlier: Sequence[Result]) -> int:
    """Where a report stands that was not seen before: at its own number where that is free, and else after a person's
    correction, yet below whatever the same source has sent under a higher number."""
    number, taken = report.version or 1, {row.version for row in earlier}
    later = [row.version for row in _theirs(earlier) if row.number > number]
    if report.by_hand or not taken:
        return number
    if later:
        free = [spot for spot in range(1, min(later)) if spot not in taken]
        return number if number in free else max(free, default=min(taken) - 1)
    return max(number, max(taken) + 1)


def _theirs(rows: Sequence[Result]) -> list[Result]:
    return [row for row in rows if not row.by_hand]


def _number(row: Result, report: "Report") -> int:
    """What this report's number is compared with: a person counts places, a laboratory its own messages."""
    return row.version if report.by_hand else row.number


def overruled(result: Result, versions: Sequence[Result]) -> Result | None:
    """What a person had written and this message of the source says otherwise, where it did stand until now."""
    others = [row for row in versions if row is not result and _same_sample(row, result)]
    last = max(others, key=lambda row: row.version, default=None)
    if last is None or not last.by_hand or result.by_hand or result.version < last.version:
        return None
    same = all(getattr(last, name) == getattr(result, name) for name in SAID)
    return None if same else last


def superseded(result: Result, versions: Sequence[Result]) -> bool:
    """A higher place is taken already: this one comes late and changes nothing."""
    return any(_same_sample(row, result) and row.version > result.version for row in versions)


def _same_sample(row: Result, other: Result) -> bool:
    return (row.source, row.accession) == (other.source, other.accession)
