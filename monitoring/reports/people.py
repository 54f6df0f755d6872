"""Patients by band and frequency, as their last judgement stored by then said."""

from collections import Counter
from collections.abc import Sequence

from monitoring.alerts import ADVICE_IN_WORDS
from monitoring.reports.charts import Chart, chart, up_to
from monitoring.reports.question import Question, ask
from monitoring.reports.sheet import Column, Report, Value
from monitoring.rules.judgement import RESTRICTION
from monitoring.rules.protocol import Frequency
from monitoring.rules.protocols import PROTOCOLS
from monitoring.rules.reasons import IN_WORDS

LATEST = """
SELECT last.frequency, last.band, last.advice, count(*)
FROM wanted w CROSS JOIN LATERAL (
    SELECT a.judgement->>'frequency' AS frequency, coalesce(a.judgement->>'band', '') AS band,
           a.judgement->>'treatment' AS advice
    FROM monitoring_assessment a
    WHERE a.treatment_id = w.treatment_id AND coalesce(a.replaces_id, 0) = 0 AND a.as_of <= %(known_at)s
    ORDER BY a.as_of DESC, a.version DESC LIMIT 1
) last
WHERE w.since <= %(known_at)s AND w.until > %(known_at)s
GROUP BY 1, 2, 3
"""
NO_COUNT = "no count yet"
KINDS = ("good", "late", "later", "latest", "missing", "none")


def people(question: Question) -> Report:
    """How many patients there are in each band, by how often they are tested."""
    found = Counter[tuple[str, str]]()
    advice = Counter[str]()
    for frequency, band, given, count in ask(LATEST, question):
        found[frequency, band or NO_COUNT] += count
        advice[given] += count
    bands = _bands({band for _, band in found})
    every = [frequency for frequency in IN_WORDS if any(row == frequency for row, _ in found)]
    rows: list[tuple[Value, ...]] = [
        (IN_WORDS[frequency], *(found[frequency, band] for band in bands), _total(found, frequency))
        for frequency in every
    ]
    if rows:
        by_band = [sum(count for (_, one), count in found.items() if one == band) for band in bands]
        rows.append(("All", *by_band, found.total()))
    said = "; ".join(f"{ADVICE_IN_WORDS[given].lower()}: {advice[given]}" for given in RESTRICTION if advice[given])
    return Report(
        key="people",
        title="Patients by band and frequency",
        how=(
            (
                "Each patient once, under the last judgement stored by then: the band of the latest count, and how"
                " often tests are taken. It is a picture of that moment; the days asked about do not change it."
            ),
            "Not at all: before the first dose, or after tests have ended.",
            *((f"Advice then: {said}.",) if said else ()),
        ),
        columns=(Column("Tested", "text"), *(Column(band) for band in bands), Column("All")),
        rows=tuple(rows),
        chart=_chart(found, every, bands),
        empty="Nobody was monitored then.",
    )


def _total(found: Counter[tuple[str, str]], frequency: str) -> int:
    return sum(count for (row, _), count in found.items() if row == frequency)


def _bands(found: set[str]) -> list[str]:
    """From best to worst, as the protocols order them."""
    known = [
        band.name for protocol in PROTOCOLS.values() for table in protocol.tables.values() for band in table.bands[:-1]
    ]
    worst = [table.bands[-1].name for protocol in PROTOCOLS.values() for table in protocol.tables.values()]
    return [band for band in dict.fromkeys([*known, *worst, NO_COUNT]) if band in found]


def _chart(found: Counter[tuple[str, str]], every: Sequence[Frequency], bands: Sequence[str]) -> Chart | None:
    most = max((_total(found, frequency) for frequency in every), default=0)
    kinds = [(KINDS[min(number, len(KINDS) - 1)], band) for number, band in enumerate(bands)]
    drawn = [
        (
            IN_WORDS[frequency].capitalize(),
            str(_total(found, frequency)),
            [(kind, 100 * found[frequency, band] / most) for kind, band in kinds],
        )
        for frequency in every
    ]
    return chart("people", "Patients by how often they are tested and by band", kinds, drawn, up_to(most))
