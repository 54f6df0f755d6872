"""Whose result a row is, and what it reports. Two identifiers have to agree, or the row waits for a person."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.db.models.functions import Upper

from monitoring.actions.record_result import COUNT_FIELDS, Report
from monitoring.feeds.csv import Row
from monitoring.feeds.layout import DATES, Layout
from monitoring.models import Treatment
from monitoring.rules.errors import InputError
from monitoring.rules.units import read_count
from patients.models import Clinic

TRUE = {"": False, "0": False, "no": False, "false": False, "1": True, "yes": True, "true": True}
LONGEST_ACCESSION = 80
_WAYS = {
    "mdy": re.compile(r"(?P<m>\d{1,2})[/.-](?P<d>\d{1,2})[/.-](?P<y>\d{4})(?P<rest>.*)", re.ASCII),
    "dmy": re.compile(r"(?P<d>\d{1,2})[/.-](?P<m>\d{1,2})[/.-](?P<y>\d{4})(?P<rest>.*)", re.ASCII),
}
_TIME = re.compile(r"[ T]+(\d{1,2}):(\d\d)(:\d\d)?(?: ?([AaPp])\.?[Mm]\.?)?", re.ASCII)


class UnmatchedError(InputError):
    """A good row that names nobody surely; a person has to say whose it is."""


def normal(row: Row, layout: Layout, zone: ZoneInfo) -> dict[str, str]:
    """The row's fields with what is the same in every row, and dates as 1980-05-17. Raises InputError by field."""
    if row.broken:
        raise InputError("row", row.broken)
    fields = row.fields | dict(layout.constants)
    for name in ("mrn", "date_of_birth", "drawn_at"):
        if not fields.get(name):
            raise InputError(name, f"the {name.replace('_', ' ')} is empty; without it the row cannot be filed")
    fields["date_of_birth"] = _date(fields["date_of_birth"], layout.dates).isoformat()
    fields["drawn_at"] = _drawn_at(fields["drawn_at"], layout.dates, zone).isoformat()
    return fields


def report_of(fields: Mapping[str, str], source: str) -> Report:
    """What a normal row reports; its numbers can be read. Raises InputError naming the field."""
    if (supported := fields.get("supported", "").lower()) not in TRUE:
        raise InputError("supported", f"{fields['supported']!r} is neither yes nor no")
    version = fields.get("version", "")
    if version and not (version.isascii() and version.isdigit() and 0 < int(version[:9]) < 10**6):
        raise InputError("version", f"{version!r} is not a version; write 1, 2, 3, or leave it empty")
    if len(fields["accession"]) > LONGEST_ACCESSION:
        raise InputError("accession", f"the sample number is longer than {LONGEST_ACCESSION} letters; give it alone")
    report = Report(
        source=source,
        accession=fields["accession"],
        version=int(version) if version else None,
        status=fields["status"].lower().replace(" ", "_"),
        drawn_at=datetime.fromisoformat(fields["drawn_at"]),
        supported=TRUE[supported],
        count={name: fields.get(name) or None for name in COUNT_FIELDS},
    )
    if report.status != "entered_in_error":
        read_count(**report.count)  # type: ignore[arg-type]  # every field is text or None
    return report


def treatments_of_rows(clinic: Clinic, rows: Iterable[Row]) -> dict[str, Treatment]:
    """The clinic's treatments by MRN, for one batch in one query."""
    numbers = {row.fields.get("mrn", "").upper() for row in rows}
    known: QuerySet[Treatment] = (
        Treatment.objects.filter(clinic=clinic)
        .annotate(number=Upper("patient__mrn"))
        .filter(number__in=numbers)
        .select_related("patient", "clinic")
    )
    return {treatment.patient.mrn.upper(): treatment for treatment in known}


def matched(fields: Mapping[str, str], treatments: Mapping[str, Treatment]) -> Treatment:
    """Whose the row is. Raises UnmatchedError where the identifiers disagree or name nobody."""
    treatment = treatments.get(fields["mrn"].upper())
    if treatment is None:
        raise UnmatchedError(
            "mrn", f"no patient of this clinic has the MRN {fields['mrn']!r}; register them or mend the MRN"
        )
    disagreement = disagreements(fields, treatment)
    if disagreement:
        name, message = next(iter(disagreement.items()))
        raise UnmatchedError(name, message)
    return treatment


def disagreements(fields: Mapping[str, str], treatment: Treatment) -> dict[str, str]:
    """What the row says of the person that the record does not, by field."""
    patient, found = treatment.patient, {}
    if fields["mrn"].upper() != patient.mrn.upper():
        found["mrn"] = f"the row says the MRN {fields['mrn']}, the record {patient.mrn}"
    if date.fromisoformat(fields["date_of_birth"]) != patient.date_of_birth:
        found["date_of_birth"] = (
            f"{fields['date_of_birth']} is not the date of birth of the patient with the MRN {patient.mrn};"
            " find out whose result this is"
        )
    if (name := fields.get("name", "")) and not _words(patient.family_name) & _words(name):
        found["name"] = f"the row names {name}, the record with this MRN {patient}; find out whose result this is"
    return found


def _words(name: str) -> set[str]:
    """The words of a name, whatever its accents and case."""
    bare = unicodedata.normalize("NFKD", name)
    return set(re.findall(r"\w+", "".join(letter for letter in bare if not unicodedata.combining(letter)).casefold()))


def _date(written: str, way: str) -> date:
    try:
        return date.fromisoformat(_year_first(written, way))
    except ValueError as error:
        shown = "1980-05-17" if way == "ymd" else DATES[way]
        raise InputError("date_of_birth", f"{written!r} is not a date; write it as {shown}") from error


def _year_first(written: str, way: str) -> str:
    """The same day with the year first; what is written otherwise comes back as it is."""
    if way == "ymd" or not (found := _WAYS[way].fullmatch(written)):
        return written
    day = f"{found['y']}-{int(found['m']):02}-{int(found['d']):02}"
    if not (time := _TIME.fullmatch(found["rest"])):
        return day + found["rest"]
    hour = int(time[1])
    if time[4]:
        if not 1 <= hour <= 12:
            return written
        hour = hour % 12 + (12 if time[4] in "pP" else 0)
    return f"{day} {hour:02}:{time[2]}{time[3] or ''}"


def _drawn_at(written: str, way: str, zone: ZoneInfo) -> datetime:
    """A timestamp with its offset, or a local time of the clinic's zone that happened exactly once."""
    shown = "2026-09-14 09:00" if way == "ymd" else DATES[way]
    year_first = _year_first(written, way)
    try:
        moment = datetime.fromisoformat(year_first)
    except ValueError as error:
        raise InputError("drawn_at", f"{written!r} is not a time; write it as {shown}") from error
    if len(year_first) <= len("2026-09-14"):
        raise InputError("drawn_at", f"{written!r} has no time of day; write it as {shown}")
    if moment.year not in range(1900, 2201):
        raise InputError("drawn_at", f"{written!r} is not between 1900 and 2200")
    if moment.tzinfo is not None:
        return moment
    local = moment.replace(tzinfo=zone)
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        raise InputError("drawn_at", f"{written!r} falls into a clock change of {zone.key}; add the offset from UTC")
    return local.astimezone(UTC)
