"""New patients from a CSV file, line by line: one bad line loses nothing."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitoring.actions.registering import Person, check_person, enrol
from monitoring.feeds.csv import DELIMITERS
from monitoring.rules.errors import InputError
from patients.models import Actor, Clinic, Patient, parse_date_or_none

FIELDS: Mapping[str, str] = {
    "mrn": "MRN",
    "family_name": "Family name",
    "given_name": "Given name",
    "date_of_birth": "Date of birth",
}
GUESSES: Mapping[str, str] = {
    "mrn": "mrn patient_id patient_no patient_number medical_record_number hospital_number",
    "family_name": "family_name last_name lastname surname family name",
    "given_name": "given_name first_name firstname forename given",
    "date_of_birth": "date_of_birth dob birth_date birthdate born birthday",
}
LARGEST = 500_000
MOST = 2_000


@dataclass(slots=True)
class Line:
    """One line of the file and what would become, or has become, of it."""

    number: int
    cells: Sequence[str]
    person: Person | None = None
    field: str = ""
    message: str = ""
    asks: bool = False
    """Somebody of the same name and date of birth is registered: another person, or the same?"""
    done: bool = False


def text_of(content: bytes) -> str:
    """The file as text. Raises InputError saying what would be right."""
    if len(content) > LARGEST:
        raise InputError("file", "the file is larger than 500 kB; split it into parts of 2,000 patients")
    if content.startswith(b"PK\x03\x04"):
        raise InputError("file", "the file is an Excel workbook; save it as CSV in UTF-8 and choose that file")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InputError("file", f"line {line} is not UTF-8; save the file as CSV in UTF-8") from error
    if not text.strip() or "\x00" in text:
        raise InputError("file", "the file is empty or no text; save it as CSV in UTF-8 with a header line")
    return text.replace("\r\n", "\n").replace("\r", "\n").strip("\n")


def read_lines(text: str) -> tuple[list[str], list[Line]]:
    """The header and the lines after it. Raises InputError for too many."""
    first = text.splitlines()[0] if text else ""
    delimiter = max(DELIMITERS, key=first.count)
    rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text), delimiter=delimiter)]
    if len(rows) > MOST + 1:
        raise InputError("file", f"{len(rows) - 1} lines, and at most {MOST} are taken at once; split the file")
    lines = [Line(number, row) for number, row in enumerate(rows[1:], start=2) if any(row)]
    return rows[0] if rows else [], lines


def guessed(names: Sequence[str]) -> dict[str, str]:
    """Which header is probably which of our fields."""
    plain = {"_".join(name.lower().replace("-", " ").split()): name for name in names}
    return {
        ours: plain[known]
        for ours, all_known in GUESSES.items()
        for known in reversed(all_known.split())
        if known in plain
    }


def check_lines(
    lines: Sequence[Line], *, names: Sequence[str], columns: Mapping[str, str], clinic: Clinic, now: datetime
) -> None:
    """Mark each line with its person or with what is wrong; a fixed number of queries."""
    places = {ours: list(names).index(name) for ours, name in columns.items() if name in names}
    for line in lines:
        try:
            line.person = _person(line, names, places)
            check_person(line.person, clinic=clinic, now=now)
        except InputError as error:
            line.field, line.message = error.field, error.message
    _compare(lines, clinic)


def _person(line: Line, names: Sequence[str], places: Mapping[str, int]) -> Person:
    if len(line.cells) != len(names):
        raise InputError("line", f"{len(line.cells)} columns where the header has {len(names)}")
    given = {ours: line.cells[place] for ours, place in places.items()}
    born = parse_date_or_none(given["date_of_birth"])
    if born is None:
        raise InputError("date_of_birth", f"{given['date_of_birth']!r} is not a date; write it as 1980-05-17")
    return Person(
        mrn=given["mrn"], family_name=given["family_name"], given_name=given["given_name"], date_of_birth=born
    )


def _compare(lines: Sequence[Line], clinic: Clinic) -> None:
    """Against the clinic's patients, and against the lines before."""
    good = [(line, line.person) for line in lines if line.person and not line.message]
    there = Patient.objects.filter(clinic=clinic)
    numbers = {
        mrn.upper(): f"{family}, {given}"
        for mrn, family, given in there.filter(mrn__in=_spellings(good)).values_list("mrn", "family_name", "given_name")
    }
    born = {person.date_of_birth for _, person in good}
    names = {_same(patient) for patient in there.filter(date_of_birth__in=born)}
    for line, person in good:
        mrn = person.mrn.upper()
        if mrn in numbers:
            line.field, line.message = "mrn", f"{person.mrn} is already the MRN of {numbers[mrn]}"
            continue
        line.asks = _same(person) in names
        numbers[mrn] = f"{person.family_name}, {person.given_name}, line {line.number}"
        names.add(_same(person))


def _spellings(good: Sequence[tuple[Line, Person]]) -> set[str]:
    """An MRN is the same in any case; exact spellings find all but mixed ones, which the database still refuses."""
    return {spelled for _, person in good for spelled in (person.mrn, person.mrn.upper(), person.mrn.lower())}


def _same(one: Person | Patient) -> tuple[object, ...]:
    return one.family_name.casefold(), one.given_name.casefold(), one.date_of_birth


def register_lines(lines: Sequence[Line], *, clinic: Clinic, another: set[int], by: Actor, now: datetime) -> None:
    """Register what is good, each line for itself; `another` are the lines of which a person said: not the same."""
    for line in lines:
        if line.person is None or line.message:
            continue
        try:
            enrol(clinic=clinic, person=line.person, by=by, now=now, another=line.number in another)
        except InputError as error:
            line.field, line.message = error.field, error.message
        else:
            line.done = True


def left_over(names: Sequence[str], lines: Sequence[Line]) -> str:
    """The header and the lines that were not registered, as CSV to mend and send again."""
    target = io.StringIO()
    csv.writer(target, lineterminator="\n").writerows([names, *(line.cells for line in lines if not line.done)])
    return target.getvalue()
