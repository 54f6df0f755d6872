"""Tests done on time, and draws that were missed: two readings of one question.

**A test is owed** where a stored judgement names a last day in time (`overdue_after`) and either blood was drawn
while that judgement stood, or the last day passed while it stood. One last day of one treatment is one test, however
many judgements named it. A judgement that was replaced before its last day, by a pause for instance, owes nothing.

**The judgement that stood before a draw** is the last one that was stored before the judgement of that draw's own
result, and that either was stored before the blood was drawn or belongs to an earlier draw. So a laboratory that
reports two draws together, or in the wrong order, makes nobody late. Later readings of a past moment (`replaces`)
are not what people had been told, and are left out.

**On time**: the first draw under that judgement is on or before the last day, on the clinic's calendar. **Late**: it
is after it. **Not drawn**: the last day is over at the moment asked about, and no blood is known to be drawn. A sample
still on its way counts as drawn. A test belongs to the month of its last day in time.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date

from monitoring.reports.charts import HUNDRED, chart, up_to
from monitoring.reports.question import Question, ask
from monitoring.reports.sheet import Column, Report, percent
from monitoring.rules.reasons import IN_WORDS

# coalesce(replaces_id, 0) = 0 is not IS NULL on purpose: while PostgreSQL has no statistics yet, it would walk the
# index of that column once for each draw, and take minutes instead of a second.
OWED = """
, judged AS (
    SELECT w.zone, a.treatment_id, a.version, a.judgement->>'frequency' AS frequency,
           (a.judgement->>'overdue_after')::date AS last_day,
           lead(a.created_at) OVER (PARTITION BY a.treatment_id, w.zone ORDER BY a.version) AS replaced_at
    FROM (SELECT DISTINCT treatment_id, zone FROM wanted) w JOIN monitoring_assessment a USING (treatment_id)
    WHERE coalesce(a.replaces_id, 0) = 0 AND a.created_at <= %(known_at)s
), result AS (
    SELECT DISTINCT ON (treatment_id, source, accession) treatment_id, drawn_at, status,
           first_value(id) OVER (PARTITION BY treatment_id, source, accession ORDER BY version) AS first_id
    FROM monitoring_result
    WHERE treatment_id IN (SELECT treatment_id FROM wanted) AND received_at <= %(known_at)s
    ORDER BY treatment_id, source, accession, version DESC
), draw AS (
    SELECT r.treatment_id, r.drawn_at, min(own.version) AS version, min(own.as_of) AS told_at
    FROM result r JOIN monitoring_assessment own ON own.result_id = r.first_id AND coalesce(own.replaces_id, 0) = 0
    WHERE r.status <> 'entered_in_error' GROUP BY r.treatment_id, r.drawn_at
    UNION ALL
    SELECT treatment_id, drawn_at, NULL, NULL FROM monitoring_draw
    WHERE treatment_id IN (SELECT treatment_id FROM wanted) AND recorded_at <= %(known_at)s
      AND (ended_at IS NULL OR ended_at > %(known_at)s)
), tested AS (
    SELECT draw.treatment_id, before.last_day, before.frequency, before.version, draw.drawn_at
    FROM draw CROSS JOIN LATERAL (
        SELECT (a.judgement->>'overdue_after')::date AS last_day, a.judgement->>'frequency' AS frequency, a.version
        FROM monitoring_assessment a
        WHERE a.treatment_id = draw.treatment_id AND coalesce(a.replaces_id, 0) = 0 AND a.as_of <= %(known_at)s
          -- The moment lets the index begin where it matters: without it each draw would walk all that came after it.
          AND a.as_of <= coalesce(draw.told_at, %(known_at)s) AND (a.version < draw.version OR draw.version IS NULL)
          AND (a.as_of <= draw.drawn_at
               OR (SELECT drawn_at FROM monitoring_result WHERE id = a.result_id) < draw.drawn_at)
        ORDER BY a.as_of DESC, a.version DESC LIMIT 1
    ) before
), passed AS (
    SELECT treatment_id, last_day, frequency, version
    FROM judged WHERE last_day < (coalesce(replaced_at, %(known_at)s) AT TIME ZONE zone)::date
), owed AS (
    SELECT treatment_id, last_day, (array_agg(frequency ORDER BY version DESC))[1] AS frequency,
           min(drawn_at) AS drawn_at
    FROM (SELECT * FROM tested UNION ALL SELECT passed.*, NULL FROM passed) known
    WHERE last_day BETWEEN %(since)s AND %(until)s
    GROUP BY treatment_id, last_day
), told AS (
    SELECT date_trunc('month', last_day)::date AS month, frequency, drawn_at IS NULL AS missing,
           coalesce((drawn_at AT TIME ZONE zone)::date, today) - last_day AS days_late
    FROM owed JOIN wanted USING (treatment_id)
    WHERE (last_day + 1)::timestamp AT TIME ZONE zone > since AND (last_day + 1)::timestamp AT TIME ZONE zone <= until
)
SELECT month, frequency, missing, width_bucket(days_late, ARRAY[1, 8, 31]), count(*)
FROM told GROUP BY 1, 2, 3, 4
"""
KINDS = (("good", "On time"), ("late", "Drawn late"), ("missing", "Not drawn"))
LATE = (("late", "1 to 7 days late"), ("later", "8 to 30 days late"), ("latest", "More than 30 days late"))


@dataclass(frozen=True, slots=True)
class Owed:
    """So many tests of one month and frequency, alike in how late they came (0: in time) or in never having come."""

    month: date
    frequency: str
    missing: bool
    lateness: int
    count: int

    @property
    def kind(self) -> str:
        """How it is told in the chart by month."""
        return "missing" if self.missing else "late" if self.lateness else "good"


def owed(question: Question) -> list[Owed]:
    """All tests owed in the time asked about, counted."""
    return [Owed(*row) for row in ask(OWED, question)]


def on_time(question: Question, tests: list[Owed]) -> Report:
    """Tests done on time, by month."""
    rows, drawn = [], []
    for month in question.months():
        found = Counter[str]()
        for test in tests:
            if test.month == month:
                found[test.kind] += test.count
        total, share = found.total(), percent(found["good"], found.total())
        rows.append((f"{month:%Y-%m}", total, found["good"], found["late"], found["missing"], share))
        if total:
            words = f"{found['good']} of {total} on time"
            drawn.append((f"{month:%B %Y}", words, [(kind, 100 * found[kind] / total) for kind, _ in KINDS]))
    return Report(
        key="on-time",
        title="Tests done on time",
        how=(
            ("A test is owed where the judgement that stood then named a last day in time. It belongs to the month"
            " of that day."),
            ("On time: blood was drawn on or before that day, on the clinic's calendar. Drawn late: after it. Not"
            " drawn: the day is over and no blood is known to be drawn. A sample on its way counts as drawn."),
            "Share on time = on time ÷ owed. Tests that nothing asked for are not counted.",
        ),
        columns=(
            Column("Month", "text"), Column("Owed"), Column("On time"), Column("Drawn late"), Column("Not drawn"),
            Column("Share on time", "percent"),
        ),
        rows=tuple(rows),
        chart=chart("on-time", "Tests by month: on time, drawn late, not drawn", KINDS, drawn, HUNDRED),
        empty="No test was owed in these days.",
    )  # fmt: skip


def missed(tests: list[Owed]) -> Report:
    """Draws that did not happen in time, by how often tests were owed."""
    rows, drawn = [], []
    late = [test for test in tests if test.lateness]
    every = [frequency for frequency in IN_WORDS if any(test.frequency == frequency for test in late)]
    most = max((_sum(late, frequency) for frequency in every), default=0)
    for frequency in every:
        of_these = [test for test in late if test.frequency == frequency]
        by_lateness = [sum(test.count for test in of_these if test.lateness == bucket) for bucket in (1, 2, 3)]
        total, missing = sum(by_lateness), sum(test.count for test in of_these if test.missing)
        tests_owed = _sum(tests, frequency)
        share = percent(total, tests_owed)
        rows.append((_every(frequency), tests_owed, total, *by_lateness, missing, share))
        lengths = [(kind, 100 * count / most) for (kind, _), count in zip(LATE, by_lateness, strict=True)]
        drawn.append((_every(frequency).capitalize(), f"{total} missed", lengths))
    return Report(
        key="missed",
        title="Missed draws",
        how=(
            ("A draw is missed when the last day in time passed and no blood had been drawn: those drawn late and those"
            " not drawn, by how often tests were owed then."),
            "Days late run from the last day in time to the draw, or to the day as known for what is not drawn yet.",
            "Share missed = missed ÷ owed.",
        ),
        columns=(
            Column("Tests owed", "text"), Column("Owed"), Column("Missed"), *(Column(words) for _, words in LATE),
            Column("Of these not drawn yet"), Column("Share missed", "percent"),
        ),
        rows=tuple(rows),
        chart=chart("missed", "Missed draws by how often tests were owed", LATE, drawn, up_to(most)),
        empty="No draw was missed in these days.",
    )  # fmt: skip


def _every(frequency: str) -> str:
    """Where no routine test is owed, one is all the same: the repeat of a low count, or a count in fever."""
    return "once" if frequency == "none" else IN_WORDS[frequency]  # type: ignore[index]  # stored as the rules said it


def _sum(tests: list[Owed], frequency: str) -> int:
    return sum(test.count for test in tests if test.frequency == frequency)
