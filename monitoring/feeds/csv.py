"""A laboratory's CSV export as rows, in constant memory. A bad row never loses the others."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any, BinaryIO

from monitoring.rules.errors import InputError

DELIMITERS = (",", ";", "\t", "|")
ENCODINGS = {
    "cp1252": "Western European (Windows-1252, also called latin-1 or ANSI)",
    "utf-8": "UTF-8: refuse the rows that are not",
}
BOM = b"\xef\xbb\xbf"
LONGEST_FIELD = 10_000
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins with one of these is run as a formula by a spreadsheet."""
REFUSAL_COLUMNS = ("refused_field", "refused_because")
WORKBOOK = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class Header:
    """The first line: the names as they are written, what stands between them, and where it ends."""

    names: tuple[str, ...]
    delimiter: str = ","
    ends: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it stood in the file. `broken` says why it could not be read at all; `ends` is its last byte."""

    number: int
    fields: dict[str, str]
    broken: str = ""
    ends: int = 0


def read_header(stream: BinaryIO, encoding: str = "utf-8") -> Header:
    """The column names in the first line. Raises InputError when the file is no CSV export."""
    first = stream.readline(LONGEST_FIELD)
    if not first.strip():
        raise InputError("file", "the file is empty; export the results with their header line")
    if first.startswith(WORKBOOK):
        raise InputError("file", "the file is an Excel workbook; save it as CSV in UTF-8 and choose that file")
    if first[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in first:
        raise InputError("file", "the file is UTF-16; export it as CSV in UTF-8")
    try:
        line = _decoded(first.removeprefix(BOM), encoding)
    except UnicodeDecodeError as error:
        raise InputError("file", "the header is not UTF-8; export the file as CSV in UTF-8") from error
    if "\r" in line.strip():
        raise InputError("file", "the lines end with CR alone; save the file as CSV for Windows or Unix")
    delimiter = max(DELIMITERS, key=line.count)
    names = next(csv.reader([line], delimiter=delimiter))
    return Header(tuple(name.strip() for name in names), delimiter, len(first))


def read_rows(
    stream: BinaryIO,
    fields: Sequence[str],
    *,
    delimiter: str = ",",
    encoding: str = "utf-8",
    at: int = 0,
    line: int = 2,
) -> Iterator[Row]:
    """The rows from here on, one line each; `fields` names the columns, "" one that is not wanted."""
    for number, written in enumerate(stream, start=line):
        at += len(written)
        if written.strip():
            yield _row(number, written, fields, delimiter, encoding, at)


def _row(number: int, line: bytes, columns: Sequence[str], delimiter: str, encoding: str, ends: int) -> Row:
    if len(line) > LONGEST_FIELD:
        return Row(number, {}, f"the line is {len(line)} bytes long; a row has at most {LONGEST_FIELD}", ends)
    if b"\x00" in line:
        return Row(number, {}, "the row holds a zero byte; export the file as CSV in UTF-8", ends)
    try:
        values = next(csv.reader([_decoded(line, encoding)], delimiter=delimiter), [])
    except UnicodeDecodeError:
        shown = line.decode("latin-1").rstrip("\r\n").split(delimiter)
        return Row(number, _named(columns, shown), "the row is not UTF-8", ends)
    except csv.Error as error:
        return Row(number, {}, f"the row is not CSV: {error}", ends)
    fields = _named(columns, values)
    if len(values) != len(columns):
        wrong = f"{len(values)} columns where the header has {len(columns)}; quote texts that hold {_said(delimiter)}"
        return Row(number, fields, wrong, ends)
    return Row(number, fields, "", ends)


def _decoded(line: bytes, encoding: str) -> str:
    """As UTF-8; what is not, in the letters that a person has chosen for it. Raises UnicodeDecodeError."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        if encoding == "utf-8":
            raise
        return line.decode(encoding)


def _said(delimiter: str) -> str:
    return {",": "commas", ";": "semicolons", "\t": "tabs"}.get(delimiter, delimiter)


def _named(columns: Sequence[str], values: Sequence[str]) -> dict[str, str]:
    return {name: _plain(value) for name, value in zip(columns, values, strict=False) if name}


def _plain(cell: str) -> str:
    """Without the quote that `safe` put before a formula: a mended file comes back to us."""
    stripped = cell.strip()
    return stripped[1:] if stripped[:1] == "'" and stripped[1:2] in FORMULA else stripped


def safe(cell: object) -> str:
    """The cell so that no spreadsheet runs it: what begins like a formula gets a quote before it."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(FORMULA) else text


def write_rows(target: "IO[str]", head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """CSV for a person's spreadsheet; every cell is safe."""
    writer = csv.writer(target)
    writer.writerow([safe(name) for name in head])
    writer.writerows([safe(cell) for cell in row] for row in rows)
