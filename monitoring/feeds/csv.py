"""A laboratory's CSV export, row by row in constant memory. A bad row never loses the others."""

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice
from typing import BinaryIO
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.db.models.functions import Upper

from monitoring.actions.gathering import Digest
from monitoring.actions.record_result import COUNT_FIELDS, Report, record_result
from monitoring.models import Treatment
from monitoring.rules.errors import InputError
from patients.models import Actor, Clinic

REQUIRED = ("mrn", "date_of_birth", "drawn_at", "unit", "accession", "status")
OTHER_NAMES = {"value": "anc", "dob": "date_of_birth", "collected_at": "drawn_at"}
REFUSAL_COLUMNS = ("refused_field", "refused_because")
BATCH = 500
LONGEST_FIELD = 10_000
Clock = Callable[[], datetime]
TRUE = {"": False, "0": False, "no": False, "false": False, "1": True, "yes": True, "true": True}


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it stood in the file. `broken` says why it could not be read at all."""

    number: int
    fields: dict[str, str]
    broken: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that was not taken: which field, what was wrong, what would be right."""

    row: Row
    field: str
    message: str


def read_header(stream: BinaryIO) -> list[str]:
    """The column names in the first line. Raises InputError when it is not the header of such an export."""
    first = stream.readline(LONGEST_FIELD)
    if not first.strip():
        raise InputError("file", "the file is empty; export the results with their header line")
    if first[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in first:
        raise InputError("file", "the file is UTF-16; export it as CSV in UTF-8")
    try:
        names = next(csv.reader([first.decode("utf-8-sig")]))
    except UnicodeDecodeError as error:
        raise InputError("file", "the header is not UTF-8; export the file as CSV in UTF-8") from error
    columns = [_column(name) for name in names]
    missing = [name for name in REQUIRED if name not in columns]
    if "anc" not in columns and "wbc" not in columns:
        missing.append("anc (or wbc with percentages)")
    if missing:
        raise InputError("file", f"the header lacks {', '.join(missing)}; it has {', '.join(columns)}")
    return columns


def _column(name: str) -> str:
    plain = "_".join(name.strip().lower().replace("-", " ").split())
    return OTHER_NAMES.get(plain, plain)


def read_rows(stream: BinaryIO, columns: list[str]) -> Iterator[Row]:
    """The rows after the header, one line each."""
    for number, line in enumerate(stream, start=2):
        if line.strip():
            yield _row(number, line, columns)


def _row(number: int, line: bytes, columns: list[str]) -> Row:
    if len(line) > LONGEST_FIELD:
        return Row(number, {}, f"the line is {len(line)} bytes long; a row has at most {LONGEST_FIELD}")
    try:
        values = next(csv.reader([line.decode("utf-8")]), [])
    except UnicodeDecodeError:
        shown = line.decode("latin-1").rstrip("\r\n")
        return Row(number, dict(zip(columns, shown.split(","), strict=False)), "the row is not UTF-8")
    except csv.Error as error:
        return Row(number, {}, f"the row is not CSV: {error}")
    fields = {name: value.strip() for name, value in zip(columns, values, strict=False)}
    if len(values) != len(columns):
        return Row(number, fields, f"{len(values)} columns where the header has {len(columns)}; quote commas in texts")
    return Row(number, fields)


def take_rows(
    rows: Iterable[Row], *, clinic: Clinic, source: str, by: Actor, clock: Clock, digest: Digest | None = None
) -> Iterator[bool | Refusal]:
    """Record the rows in order: True for a new result, False for one known already, a Refusal for a bad row."""
    remaining = iter(rows)
    while batch := list(islice(remaining, BATCH)):
        treatments = _treatments(clinic, batch)
        for row in batch:
            try:
                yield _take(row, treatments, clinic, source, by, clock(), digest)
            except InputError as error:
                yield Refusal(row, error.field, error.message)


def _treatments(clinic: Clinic, batch: list[Row]) -> dict[str, Treatment]:
    """The clinic's treatments by MRN, for one batch in one query."""
    numbers = {row.fields.get("mrn", "").upper() for row in batch}
    known: QuerySet[Treatment] = (
        Treatment.objects.filter(clinic=clinic)
        .annotate(number=Upper("patient__mrn"))
        .filter(number__in=numbers)
        .select_related("patient", "clinic")
    )
    return {treatment.patient.mrn.upper(): treatment for treatment in known}


def _take(
    row: Row,
    treatments: dict[str, Treatment],
    clinic: Clinic,
    source: str,
    by: Actor,
    now: datetime,
    digest: Digest | None,
) -> bool:
    if row.broken:
        raise InputError("row", row.broken)
    treatment = _matched(row.fields, treatments)
    report = _report(row.fields, clinic, source)
    result = record_result(treatment=treatment, report=report, by=by, now=now, digest=digest)
    return result.just_stored


def _matched(fields: dict[str, str], treatments: dict[str, Treatment]) -> Treatment:
    """Two identifiers have to agree, or the row waits for a person."""
    treatment = treatments.get(fields["mrn"].upper())
    if treatment is None:
        raise InputError(
            "mrn", f"no patient of this clinic has the MRN {fields['mrn']!r}; register them or mend the MRN"
        )
    if _date("date_of_birth", fields["date_of_birth"]) != treatment.patient.date_of_birth:
        raise InputError(
            "date_of_birth",
            f"{fields['date_of_birth']} is not the date of birth of the patient with the MRN {fields['mrn']};"
            " find out whose result this is",
        )
    return treatment


def _report(fields: dict[str, str], clinic: Clinic, source: str) -> Report:
    if (supported := fields.get("supported", "").lower()) not in TRUE:
        raise InputError("supported", f"{fields['supported']!r} is neither yes nor no")
    version = fields.get("version", "")
    if version and not (version.isascii() and version.isdigit() and 0 < int(version[:9]) < 10**6):
        raise InputError("version", f"{version!r} is not a version; write 1, 2, 3, or leave it empty")
    return Report(
        source=source,
        accession=fields["accession"],
        version=int(version) if version else None,
        status=fields["status"].lower().replace(" ", "_"),
        drawn_at=_drawn_at(fields["drawn_at"], clinic.zone),
        supported=TRUE[supported],
        count={name: fields.get(name) or None for name in COUNT_FIELDS},
    )


def _date(field: str, written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError as error:
        raise InputError(field, f"{written!r} is not a date; write it as 1980-05-17") from error


def _drawn_at(written: str, zone: ZoneInfo) -> datetime:
    """A timestamp with its offset, or a local time of the clinic's zone that happened exactly once."""
    try:
        moment = datetime.fromisoformat(written)
    except ValueError as error:
        raise InputError("drawn_at", f"{written!r} is not a time; write it as 2026-09-14 09:00") from error
    if len(written) <= len("2026-09-14"):
        raise InputError("drawn_at", f"{written!r} has no time of day; write it as 2026-09-14 09:00")
    if moment.year not in range(1900, 2201):
        raise InputError("drawn_at", f"{written!r} is not between 1900 and 2200")
    if moment.tzinfo is not None:
        return moment
    local = moment.replace(tzinfo=zone)
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        raise InputError("drawn_at", f"{written!r} falls into a clock change of {zone.key}; add the offset from UTC")
    return local.astimezone(UTC)
