"""What an import would do, before it is confirmed: each row's judgement or error, and totals. Writes nothing."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from monitoring.actions.judging import judge_now
from monitoring.actions.record_result import as_row, check
from monitoring.feeds.csv import Row, read_rows
from monitoring.feeds.imports import layout_of, reading
from monitoring.feeds.layout import Layout
from monitoring.feeds.matching import UnmatchedError, matched, normal, report_of, treatments_of_rows
from monitoring.models import BenStatus, Import, Result, Treatment
from monitoring.models.limits import table_at
from monitoring.rules.errors import InputError
from monitoring.rules.judgement import Judgement

CHECKED = 2_000
JUDGED = 20
LISTED = 100


@dataclass(slots=True)
class Foreseen:
    """One row as it would be taken."""

    row: Row
    state: str
    treatment: Treatment | None = None
    result: Result | None = None
    band: str = ""
    rank: int = 0
    severe: bool = False
    judgement: Judgement | None = None
    field: str = ""
    message: str = ""


@dataclass(slots=True)
class Foresight:
    """The first rows of an import as they would be taken."""

    checked: int = 0
    rows: list[Foreseen] = field(default_factory=list)
    states: Counter[str] = field(default_factory=Counter)
    bands: Counter[str] = field(default_factory=Counter)

    @property
    def shown(self) -> list[Foreseen]:
        """The rows that are judged on the page: the first ones, and every severe one."""
        good = [seen for seen in self.rows if seen.result]
        return [seen for place, seen in enumerate(good) if place < JUDGED or seen.severe][: 2 * JUDGED]

    @property
    def problems(self) -> list[Foreseen]:
        """The first rows that would be refused or would wait."""
        return [seen for seen in self.rows if seen.message][:LISTED]


def foresee(imported: Import, *, now: datetime) -> Foresight:
    """Check the first rows and judge the first of those. Raises InputError when the columns are not named."""
    header, layout = layout_of(imported)
    stream = reading(imported)
    stream.seek(header.ends)
    rows = read_rows(stream, layout.fields, delimiter=layout.delimiter, encoding=layout.encoding)
    batch = list(islice(rows, CHECKED))
    found = Foresight(checked=len(batch), rows=_foreseen(imported, batch, layout, now))
    _mark_known(imported, found.rows)
    found.states.update(seen.state for seen in found.rows)
    found.bands.update(seen.band for seen in found.rows if seen.band)
    _judge(found, now)
    return found


def _foreseen(imported: Import, batch: list[Row], layout: Layout, now: datetime) -> list[Foreseen]:
    treatments = treatments_of_rows(imported.clinic, batch)
    _with_ben(treatments.values())
    return [_one(imported, row, layout, treatments, now) for row in batch]


def _with_ben(treatments: Iterable[Treatment]) -> None:
    """Each treatment's BEN status, in one query for all of them."""
    wanted = {treatment.pk: treatment for treatment in treatments}
    statuses = BenStatus.objects.filter(treatment__in=wanted).order_by("confirmed_at")
    latest = {status.treatment_id: status for status in statuses}
    for pk, treatment in wanted.items():
        treatment.__dict__["ben"] = latest.get(pk)


def _one(imported: Import, row: Row, layout: Layout, treatments: dict[str, Treatment], now: datetime) -> Foreseen:
    try:
        fields = normal(row, layout, imported.clinic.zone)
        report = report_of(fields, imported.laboratory.source)
        treatment = matched(fields, treatments)
        result = as_row(treatment, report, check(report, treatment=treatment, now=now), now=now)
    except UnmatchedError as error:
        return Foreseen(row, "waits", field=error.field, message=error.message)
    except InputError as error:
        return Foreseen(row, "refused", field=error.field, message=error.message)
    seen = Foreseen(row, "new", treatment=treatment, result=result)
    if result.anc is not None:
        table = table_at(treatment, now)
        seen.rank = table.rank(result.count())
        seen.band = table.bands[seen.rank].name
        seen.severe = seen.rank == len(table.bands) - 1
    return seen


def _mark_known(imported: Import, rows: list[Foreseen]) -> None:
    """Rows that are stored already, and later versions of what is stored; one query."""
    numbers = [seen.result.accession for seen in rows if seen.result]
    stored = Result.objects.filter(
        clinic=imported.clinic_id, source=imported.laboratory.source, accession__in=numbers
    ).order_by("version")
    versions: dict[str, list[Result]] = {}
    for result in stored:
        versions.setdefault(result.accession, []).append(result)
    for seen in rows:
        if seen.result and (earlier := versions.setdefault(seen.result.accession, [])):
            _compare(seen, seen.result, earlier)
        if seen.result and seen.state != "known":
            versions[seen.result.accession].append(seen.result)


def _compare(seen: Foreseen, result: Result, earlier: list[Result]) -> None:
    last = earlier[-1]
    sent_last = next((row for row in reversed(earlier) if not row.by_hand), last)
    if last.treatment_id != result.treatment_id:
        _refuse(seen, "accession", f"{result.accession} already belongs to another patient of this clinic")
    elif any(row.received == result.received for row in earlier):
        seen.state = "known"
    elif result.status in ("corrected", "entered_in_error") or sent_last.status == "preliminary":
        seen.state, result.version = "correction", last.version + 1
    else:
        _refuse(seen, "version", f"{result.accession} is stored with other content; a correction has to say so")


def _refuse(seen: Foreseen, field_name: str, message: str) -> None:
    seen.state, seen.field, seen.message, seen.result, seen.band, seen.severe = (
        "refused", field_name, message, None, "", False,
    )  # fmt: skip


def _judge(found: Foresight, now: datetime) -> None:
    """The shown rows, each with the rows before it in the file taken as stored. A fixed number of queries."""
    shown = found.shown
    wanted = {seen.treatment.pk for seen in shown if seen.treatment}
    whole = Treatment.objects.filter(pk__in=wanted).select_related("patient", "clinic")
    merged = ("merged_here__results", "merged_here__events")
    treatments = {one.pk: one for one in whole.prefetch_related("results", "events", *merged)}
    _with_ben(treatments.values())
    known = {}
    for pk, one in treatments.items():
        records = [one, *one.merged_here.all()]
        one.events_read = [event for record in records for event in record.events.all()]
        known[pk] = [result for record in records for result in record.results.all()]
    judged = {id(seen) for seen in shown}
    for seen in found.rows:
        if seen.result is None or seen.treatment is None or seen.treatment.pk not in treatments:
            continue
        versions = known[seen.treatment.pk]
        with_it = versions if seen.state == "known" else [*versions, seen.result]
        if id(seen) in judged:
            try:
                in_order = sorted(with_it, key=lambda result: result.drawn_at)
                seen.judgement = judge_now(treatments[seen.treatment.pk], in_order, now=now)
            except InputError as error:
                _refuse(seen, error.field, error.message)
                continue
        known[seen.treatment.pk] = with_it
