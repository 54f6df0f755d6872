"""The reports as PDF, set by typst from `report.typ`: tagged for screen readers, the same bytes for the same answer.

Everything that is printed goes in as data; no text of a clinic can become a command of the typesetter.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import typst
from django.template.loader import render_to_string

from monitoring.reports.sheet import Report

LAYOUT = Path(__file__).with_name("report.typ")
PATTERNS = {
    "good": "Filled", "late": "Striped", "later": "Checked", "latest": "Lined", "missing": "Dotted", "none": "Empty",
}  # fmt: skip


def printed(reports: Sequence[Report], asked: Sequence[tuple[str, str]]) -> bytes:
    """The PDF's bytes."""
    compiler = typst.Compiler(ignore_system_fonts=True)
    made = compiler.compile(
        LAYOUT.read_bytes(), format="pdf", sys_inputs=inputs(reports, asked), pdf_standards=["ua-1"], timestamp=0
    )
    if not isinstance(made, bytes):
        raise TypeError("the layout makes one document")
    return made


def inputs(reports: Sequence[Report], asked: Sequence[tuple[str, str]]) -> dict[str, str]:
    """What the layout reads."""
    told = [
        {
            "title": report.title,
            "how": report.how,
            "empty": report.empty,
            "columns": [{"name": column.name, "numeric": column.numeric} for column in report.columns],
            "rows": [[words for _, words in row] for row in report.shown()],
            "chart": _drawing(report),
        }
        for report in reports
    ]
    return {"reports": json.dumps(told), "asked": json.dumps(list(asked))}


def _drawing(report: Report) -> dict[str, str] | None:
    if report.chart is None or not report.rows:
        return None
    svg = render_to_string("monitoring/chart.html", {"chart": report.chart, "print": True})
    kinds = ". ".join(f"{PATTERNS[kind]}: {words}" for kind, words in report.chart.kinds)
    return {"svg": svg, "says": report.chart.says, "kinds": kinds}
