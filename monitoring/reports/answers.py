"""Alerts, and how long they waited for an answer.

**A call** is an alert being raised, or becoming worse: each asks a person anew, and counts with the severity that the
alert had from then on. **Answered**: the first time after the call that a person acknowledged or resolved the alert.
**Ended**: the first time after it that the alert was resolved, by a person or by a count that came. A call that a
count ended before any person answered is left out of the answer times. A call that still waits counts as longer than
any other, so that waiting cannot make the times look better.
"""

from math import isinf
from typing import Any

from monitoring.models import Cause, Severity
from monitoring.reports.charts import Drawn, chart, clock_ticks, on_the_clock
from monitoring.reports.question import Question, ask
from monitoring.reports.sheet import Column, Report, duration

ANSWERED = """
, called AS (
    SELECT n.id, n.alert_id, n.at, coalesce(n.severity, a.severity) AS severity, a.cause
    FROM monitoring_alertnote n
    JOIN monitoring_alert a ON a.id = n.alert_id
    JOIN wanted w ON w.treatment_id = a.treatment_id AND n.at >= w.since AND n.at < w.until
    WHERE n.verb IN ('raised', 'worsened') AND n.at <= %(known_at)s
      AND (n.at AT TIME ZONE w.zone)::date BETWEEN %(since)s AND %(until)s
), timed AS (
    SELECT c.severity, c.cause, answer.at IS NOT NULL AS answered, ended.at IS NOT NULL AS ended,
           answer.at IS NULL AND ended.at IS NOT NULL AS by_count,
           coalesce(extract(epoch FROM answer.at - c.at) / 60, 'Infinity')::float8 AS to_answer,
           coalesce(extract(epoch FROM ended.at - c.at) / 60, 'Infinity')::float8 AS to_end
    FROM called c
    CROSS JOIN LATERAL (
        SELECT min(x.at) AS at FROM monitoring_alertnote x
        WHERE x.alert_id = c.alert_id AND x.id > c.id AND x.at <= %(known_at)s AND x.staff_id IS NOT NULL
          AND x.verb IN ('acknowledged', 'resolved')
    ) answer
    CROSS JOIN LATERAL (
        SELECT min(x.at) AS at FROM monitoring_alertnote x
        WHERE x.alert_id = c.alert_id AND x.id > c.id AND x.at <= %(known_at)s AND x.verb = 'resolved'
    ) ended
)
SELECT severity, cause, count(*), count(*) FILTER (WHERE answered), count(*) FILTER (WHERE by_count),
       count(*) FILTER (WHERE NOT ended),
       percentile_disc(0.5) WITHIN GROUP (ORDER BY to_answer) FILTER (WHERE NOT by_count),
       percentile_disc(0.9) WITHIN GROUP (ORDER BY to_answer) FILTER (WHERE NOT by_count),
       percentile_disc(0.5) WITHIN GROUP (ORDER BY to_end), percentile_disc(0.9) WITHIN GROUP (ORDER BY to_end)
FROM timed GROUP BY GROUPING SETS ((severity, cause), (severity))
ORDER BY severity, cause NULLS FIRST
"""
KINDS = (
    ("good", "Half were answered by its end"),
    ("late", "Nine of ten were answered by its end"),
    ("missing", "Not answered yet"),
)


def answer_times(question: Question) -> Report:
    """How many calls there were, and in which time they were answered and ended, by severity and cause."""
    found = ask(ANSWERED, question)
    return Report(
        key="answers",
        title="Alerts and answer times",
        how=(
            ("A call is an alert raised or become worse, counted with its severity from then on, on the day of the"
            " call. Answered: a person first acknowledged or resolved it after the call. Ended: it was resolved, by a"
            " person or by a count that came."),
            ("Half answered within (median) and nine of ten within (90th percentile) are the shortest times in which"
            " that many were answered. Calls that still wait count as longer than any; calls that a count ended"
            " before anybody answered are left out of the answer times."),
        ),
        columns=(
            Column("Severity", "text"), Column("Cause", "text"), Column("Calls"), Column("Answered"),
            Column("Ended by a count"), Column("Not ended"),
            Column("Half answered within", "minutes"), Column("9 of 10 answered within", "minutes"),
            Column("Half ended within", "minutes"), Column("9 of 10 ended within", "minutes"),
        ),
        rows=tuple((Severity(severity).label, _cause(cause), *numbers) for severity, cause, *numbers in found),
        chart=chart(
            "answers",
            "Time to a person's answer by severity, on a scale that grows tenfold",
            KINDS,
            [_drawn(row) for row in found if row[1] is None and row[6] is not None],
            clock_ticks(),
        ),
        empty="No alert was raised in these days.",
    )  # fmt: skip


def _cause(cause: str | None) -> str:
    return "All" if cause is None else Cause(cause).label


def _drawn(row: tuple[Any, ...]) -> Drawn:
    severity, half, most = row[0], row[6], row[7]
    words = f"half {duration(half)}, 9 of 10 {duration(most)}"
    if isinf(half):
        return Severity(severity).label, words, [("missing", 100.0)]
    reached = on_the_clock(half)
    tail = "missing" if isinf(most) else "late"
    return Severity(severity).label, words, [("good", reached), (tail, on_the_clock(most) - reached)]
