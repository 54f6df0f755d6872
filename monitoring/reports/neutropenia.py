"""Episodes of neutropenia by their worst band, per 100 years on treatment.

**An episode** is read from the stored judgements, each moment in its latest reading known then. It begins with the
first judgement that names an episode where the one before named none, or one opened earlier; an earlier opening named
later (a low count reported late) is the same episode. It counts on the day of the draw that opened it, with the worst
band that its last judgement names. One that had begun and ended before its counts were entered is not seen.

**Years on treatment** run from a first dose or restart to the last dose, within the days asked about, also through an
episode; 365.25 days are a year. The limits of the rate are Byar's 95 % limits of a Poisson count.
"""

from math import sqrt
from typing import Any

from monitoring.reports.charts import chart, up_to
from monitoring.reports.question import Question, ask
from monitoring.reports.sheet import Column, Report
from monitoring.rules.protocols import PROTOCOLS

EPISODES = """
, moment AS (
    SELECT DISTINCT ON (coalesce(a.replaces_id, a.id)) coalesce(a.replaces_id, a.id) AS id, a.treatment_id, a.as_of,
           (a.judgement->'episode'->>'opened_at')::timestamptz AS opened_at,
           a.judgement->'episode'->>'worst_band' AS band, (a.judgement->'episode'->>'confirmed')::bool AS confirmed
    FROM monitoring_assessment a
    WHERE a.treatment_id IN (SELECT treatment_id FROM wanted) AND a.created_at <= %(known_at)s
    ORDER BY coalesce(a.replaces_id, a.id), a.created_at DESC, a.id DESC
), in_turn AS (
    SELECT *, (opened_at IS NOT NULL AND coalesce(opened_at > lag(opened_at) OVER turn, true))::int AS begins
    FROM moment WINDOW turn AS (PARTITION BY treatment_id ORDER BY as_of, id)
), numbered AS (
    SELECT *, sum(begins) OVER (PARTITION BY treatment_id ORDER BY as_of, id) AS number FROM in_turn
), episode AS (
    SELECT DISTINCT ON (treatment_id, number) * FROM numbered WHERE opened_at IS NOT NULL
    ORDER BY treatment_id, number, as_of DESC, id DESC
)
SELECT w.ben, e.band, count(*), count(*) FILTER (WHERE e.confirmed), count(DISTINCT e.treatment_id)
FROM episode e JOIN wanted w ON w.treatment_id = e.treatment_id AND e.opened_at >= w.since AND e.opened_at < w.until
WHERE (e.opened_at AT TIME ZONE w.zone)::date BETWEEN %(since)s AND %(until)s
GROUP BY 1, 2
"""
YEARS = """
, event AS (
    SELECT e.treatment_id, e.kind, e.at, lead(e.at) OVER (PARTITION BY e.treatment_id ORDER BY e.at, e.id) AS ended
    FROM monitoring_treatmentevent e
    WHERE e.treatment_id IN (SELECT treatment_id FROM wanted) AND e.kind IN ('first_dose', 'restart', 'last_dose')
      AND e.recorded_at <= %(known_at)s AND (e.voided_at IS NULL OR e.voided_at > %(known_at)s)
), course AS (
    SELECT w.ben, e.treatment_id,
           greatest(e.at, w.since, %(since)s::timestamp AT TIME ZONE w.zone) AS began,
           least(e.ended, w.until, (%(until)s + 1)::timestamp AT TIME ZONE w.zone, %(known_at)s) AS ended
    FROM event e JOIN wanted w USING (treatment_id) WHERE e.kind <> 'last_dose'
)
SELECT ben, count(DISTINCT treatment_id), sum(extract(epoch FROM ended - began))::float8 / (365.25 * 86400)
FROM course WHERE ended > began GROUP BY 1
"""
Z = 1.96


def neutropenia(question: Question) -> Report:
    """Episodes and their rate, for the general population and with BEN."""
    episodes = {(ben, band): numbers for ben, band, *numbers in ask(EPISODES, question)}
    years = {ben: (treated, total) for ben, treated, total in ask(YEARS, question)}
    rows = []
    for ben, words in ((False, "General"), (True, "BEN")):
        treated, total = years.get(ben, (0, 0.0))
        known = any(of_ben == ben for of_ben, _ in episodes)
        found = [band for of_ben, band in episodes if of_ben == ben]
        for band in dict.fromkeys([*_low_bands(question, ben=ben), *found]) if treated or known else []:
            count, confirmed, people = episodes.get((ben, band), (0, 0, 0))
            rows.append((words, band, count, confirmed, people, treated, total, *rates(count, total)))
    return Report(
        key="neutropenia",
        title="Neutropenia",
        how=(
            ("An episode runs from its first low count to the end of its path and tail, as the judgements stored by"
            " then say, and counts once: on the day of its first draw, under its worst band."),
            "Years on treatment run from a first dose or restart to the last dose, within the days asked about.",
            "Rate = episodes ÷ years on treatment × 100, with 95 % limits (Byar). Few episodes make wide limits.",
            ("Confirmed: a repeat count bore the first low one out. An episode that had begun and ended before its"
            " counts were entered is not counted."),
        ),
        columns=(
            Column("Thresholds", "text"), Column("Worst band", "text"), Column("Episodes"), Column("Confirmed"),
            Column("Patients with one"), Column("Patients treated"), Column("Years on treatment", "rate"),
            Column("Per 100 years", "rate"), Column("Lower limit", "rate"), Column("Upper limit", "rate"),
        ),
        rows=tuple(rows),
        chart=_chart(rows),
        empty="Nobody was on treatment in these days.",
    )  # fmt: skip


def _low_bands(question: Question, *, ben: bool) -> list[str]:
    """Every band but the best, in order: of the protocol asked about, or of those with which the clinics begin."""
    keys = [question.protocol] if question.protocol else [clinic.default_protocol for clinic in question.clinics]
    asked = [PROTOCOLS[key] for key in dict.fromkeys(keys) if key in PROTOCOLS]
    tables = [protocol.tables["ben" if ben else "general"] for protocol in asked if not ben or "ben" in protocol.tables]
    return list(dict.fromkeys(band.name for table in tables for band in table.bands[1:]))


def rates(count: int, years: float) -> tuple[float | None, float | None, float | None]:
    """Per 100 years, and its 95 % limits by Byar's approximation; none without any time on treatment."""
    if not years:
        return None, None, None
    lower = count * (1 - 1 / (9 * count) - Z / (3 * sqrt(count))) ** 3 if count else 0.0
    upper = (count + 1) * (1 - 1 / (9 * (count + 1)) + Z / (3 * sqrt(count + 1))) ** 3
    return 100 * count / years, 100 * lower / years, 100 * upper / years


def _chart(rows: list[tuple[Any, ...]]) -> Any:
    most = max((row[7] for row in rows if row[7] is not None), default=0)
    drawn = [
        (f"{row[0]}, {row[1]}", f"{row[7]:.1f} per 100 years",
         [("good", 100 * row[7] / most if most else 0)])
        for row in rows if row[7] is not None
    ]  # fmt: skip
    return chart(
        "neutropenia", "Episodes per 100 years on treatment", (("good", "Rate"),), drawn, up_to(round(most, 1))
    )
