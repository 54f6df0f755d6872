"""How a laboratory writes its export: which header holds which of our fields. Mapped once, then remembered."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from monitoring.feeds.csv import ENCODINGS, Header
from monitoring.models import Laboratory
from monitoring.models.result import Status
from monitoring.rules.errors import InputError
from monitoring.rules.units import UNITS_ACCEPTED

FIELDS: Mapping[str, str] = {
    "mrn": "MRN",
    "date_of_birth": "Date of birth",
    "name": "Patient's name",
    "drawn_at": "Drawn at",
    "accession": "Sample number (accession)",
    "status": "Status",
    "unit": "Unit",
    "anc": "ANC",
    "wbc": "White cells (WBC)",
    "neutrophils_percent": "Neutrophils %",
    "segs_percent": "Segmented %",
    "bands_percent": "Bands %",
    "version": "Version",
    "supported": "Under G-CSF or lithium",
}
"""Ours, in the order in which a person is asked for them."""
REQUIRED = ("mrn", "date_of_birth", "drawn_at", "unit", "accession", "status")
DATES: Mapping[str, str] = {
    "ymd": "year first: 2026-09-14 07:30",
    "mdy": "month first: 09/14/2026 7:30 AM",
    "dmy": "day first: 14.09.2026 07:30 or 14/09/2026",
}
OTHER_NAMES = {"value": "anc", "dob": "date_of_birth", "collected_at": "drawn_at"}
GUESSES: Mapping[str, str] = {
    "mrn": "mrn patient_id patient_no patient_number pat_no pat_id medical_record_number hospital_number nhs_number",
    "date_of_birth": "date_of_birth dob birth_date birthdate born birthday",
    "name": "name patient patient_name pat_name full_name",
    "drawn_at": "drawn_at drawn draw_date collected_at collected collection_date collection_time sample_date"
    " specimen_date collected_date_time collection_date_time date_collected sample_taken",
    "accession": "accession accession_no accession_number sample_no sample_number sample_id specimen_id specimen_no"
    " lab_no lab_number order_no order_number",
    "status": "status result_status report_status",
    "unit": "unit units uom result_unit",
    "anc": "anc absolute_neutrophil_count absolute_neutrophils neutrophils_absolute neutrophils_abs abs_neutrophils"
    " neut_abs abs_neut neut_absolute value",
    "wbc": "wbc white_cells white_cell_count white_blood_cells leukocytes leucocytes wcc",
    "neutrophils_percent": "neutrophils_percent neutrophil_percent neut_percent neutrophils_pct neut_pct",
    "segs_percent": "segs_percent segmented_percent segs_pct",
    "bands_percent": "bands_percent bands_pct",
    "version": "version",
    "supported": "supported",
}
"""Header names that mean one thing only. "Neutrophils" alone may be a percentage, so it is left to a person."""
_DAY = re.compile(r"(\d{4}|\d{1,2})([-./])(\d{1,2})", re.ASCII)
_IN_BRACKETS = re.compile(r"[(\[](.*?)[)\]]")


@dataclass(frozen=True, slots=True)
class Layout:
    """One file's columns in their order, what is the same in every row, and how the text is written."""

    fields: tuple[str, ...]
    constants: Mapping[str, str] = field(default_factory=dict)
    dates: str = "ymd"
    delimiter: str = ","
    encoding: str = "utf-8"


def by_own_names(header: Header) -> Layout:
    """For a file whose header uses our names. Raises InputError that says which are missing."""
    columns = [_own(name) for name in header.names]
    missing = [name for name in REQUIRED if name not in columns]
    if "anc" not in columns and "wbc" not in columns:
        missing.append("anc (or wbc with percentages)")
    if missing:
        raise InputError("file", f"the header lacks {', '.join(missing)}; it has {', '.join(columns)}")
    return Layout(tuple(columns), delimiter=header.delimiter)


def _own(name: str) -> str:
    plain = "_".join(name.lower().replace("-", " ").split())
    return OTHER_NAMES.get(plain, plain)


def remembered(laboratory: Laboratory, header: Header) -> Layout:
    """The layout as a person mapped it once. Raises InputError when this file has other columns."""
    places = {name: ours for ours, name in laboratory.columns.items() if _is_column(ours, name)}
    missing = [name for name in places if name not in header.names]
    if not places or missing:
        lacking = f"this file lacks {', '.join(missing)}" if missing else "this laboratory's columns are not named yet"
        raise InputError("file", f"{lacking}; say which column is which")
    twice = [name for name in places if header.names.count(name) > 1]
    if twice:
        raise InputError("file", f"the header has {', '.join(twice)} more than once; give each column its own name")
    constants = {ours: name[1:] for ours, name in laboratory.columns.items() if _is_constant(ours, name)}
    if laboratory.unit and "unit" not in laboratory.columns:
        constants["unit"] = laboratory.unit
    return Layout(
        fields=tuple(places.get(name, "") for name in header.names),
        constants=constants,
        dates=laboratory.columns.get("=dates", "ymd"),
        delimiter=header.delimiter,
        encoding=encoding_of(laboratory),
    )


def encoding_of(laboratory: Laboratory) -> str:
    """In which letters this laboratory writes."""
    return str(laboratory.columns.get("=encoding", "utf-8"))


def _is_column(ours: str, name: str) -> bool:
    return ours in FIELDS and not name.startswith("=")


def _is_constant(ours: str, name: str) -> bool:
    return ours in FIELDS and name.startswith("=")


def headers_of(laboratory: Laboratory) -> list[tuple[str, str]]:
    """Our fields with this laboratory's own header for each, for a file that goes back to it."""
    return [(ours, name) for ours, name in laboratory.columns.items() if _is_column(ours, name)]


def guessed(header: Header) -> tuple[dict[str, str], str]:
    """Which header is probably which of our fields, and the unit where a header names it in brackets."""
    columns: dict[str, str] = {}
    unit = ""
    for name in header.names:
        ours, inside = means(name), _IN_BRACKETS.search(name)
        if not ours or ours in columns:
            continue
        columns[ours] = name
        if inside and inside[1] in UNITS_ACCEPTED:
            unit = inside[1]
    return columns, unit


def dates_guessed(cells: Iterable[str]) -> str:
    """In which order these dates are, where they leave no doubt; else nothing."""
    found = {_order(*match.groups()) for cell in cells if (match := _DAY.match(cell))}
    found.discard("")
    return found.pop() if len(found) == 1 else ""


def _order(first: str, sign: str, second: str) -> str:
    if len(first) == 4:
        return "ymd"
    if sign == "." or int(first) > 12:
        return "dmy"
    return "mdy" if int(second) > 12 else ""


def means(name: str) -> str:
    """Which of our fields a header names when it names one thing only, else nothing."""
    bare = _plain(_IN_BRACKETS.sub("", name))
    return next((ours for ours, known in GUESSES.items() if bare in known.split()), "")


def _plain(name: str) -> str:
    spelled = name.lower().replace("%", " percent ").replace("#", " absolute ")
    return "_".join(re.findall(r"[a-z0-9]+", spelled))


def check_columns(columns: Mapping[str, str], unit: str) -> dict[str, str]:
    """What is wrong with a map, by field; nothing when it may be remembered."""
    wrong = {}
    for ours in ("mrn", "date_of_birth", "drawn_at", "accession"):
        if not columns.get(ours):
            wrong[ours] = f"Say which column holds this: without it no row can be filed. It is {FIELDS[ours]}."
    if not columns.get("anc") and not columns.get("wbc"):
        wrong["anc"] = "Say which column holds the ANC, or the white cells with percentages."
    if not columns.get("unit") and unit not in UNITS_ACCEPTED:
        wrong["unit"] = "Say which column holds the unit, or choose the unit in which this laboratory always reports."
    if not columns.get("status"):
        wrong["status"] = "Say which column holds the status, or that this laboratory sends final results only."
    taken = [name for ours, name in columns.items() if _is_column(ours, name)]
    for ours, name in columns.items():
        if _is_column(ours, name) and taken.count(name) > 1:
            wrong.setdefault(ours, f"{name} is chosen twice; one column holds one thing.")
    if columns.get("=dates", "ymd") not in DATES or columns.get("=encoding", "utf-8") not in ENCODINGS:
        wrong["dates"] = "Choose one of the ways shown."
    if columns.get("status", "").startswith("=") and columns["status"] != f"={Status.FINAL}":
        wrong["status"] = "Only final results may be taken without a status."
    return wrong
