"""A report as CSV, row by row. Each row repeats the question, so that a file explains itself wherever it lands."""

import csv
from collections.abc import Iterator

from monitoring.reports.question import Question
from monitoring.reports.sheet import Report, Value, duration

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would run; such a cell is written with an apostrophe before it."""
ASKED = ("Clinics", "From", "To", "As known at")


class Echo:
    """A file that hands back what is written into it."""

    def write(self, text: str) -> str:
        """The text itself."""
        return text


def lines(report: Report, question: Question) -> Iterator[str]:
    """The header and the rows."""
    writer = csv.writer(Echo())
    clinics = "; ".join(clinic.name for clinic in question.clinics)
    asked = (clinics, question.since.isoformat(), question.until.isoformat(), question.known_at.isoformat())
    yield writer.writerow([*(column.in_a_spreadsheet for column in report.columns), *ASKED])
    for row in report.rows:
        yield writer.writerow([safe(value) for value in (*row, *asked)])


def safe(value: Value) -> str:
    """The value as a cell that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    if isinstance(value, float):
        return duration(value) if value == float("inf") else f"{value:.2f}"
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(FORMULA) else text
