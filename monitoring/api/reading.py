"""Reading what a program sends: numbers stay exact, unknown fields are refused by name."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from monitoring.actions.record_result import COUNT_FIELDS, Report
from monitoring.rules.errors import InputError

LAST_VERSION = 100_000
FIELDS = ("source", "accession", "version", "status", "drawn_at", "supported", "confirmed", *COUNT_FIELDS)


class ExactJSONParser(BaseParser):
    """JSON in which 1498.94 stays 1498.94: a float would not."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The body, with decimals for numbers. Raises ParseError for what is not JSON."""
        try:
            return json.loads(stream.read().decode(), parse_float=Decimal, parse_constant=str)
        except (ValueError, RecursionError) as error:
            raise ParseError(f"The body is not JSON in UTF-8: {error}") from error


def read_report(body: object) -> Report:
    """A result as a program reports it. Raises InputError naming the field."""
    if not isinstance(body, dict):
        raise InputError("body", "send one result as a JSON object")
    if unknown := sorted(set(body) - set(FIELDS)):
        raise InputError(ascii(unknown[0])[1:-1], f"no such field; known: {', '.join(FIELDS)}")
    version = body.get("version")
    if version is not None and (not isinstance(version, int) or isinstance(version, bool)):
        raise InputError("version", f"{version!r} is not a version; send 1, 2, 3 or leave it out")
    if version is not None and version not in range(1, LAST_VERSION + 1):
        raise InputError("version", f"a version lies between 1 and {LAST_VERSION}; send 1, 2, 3 or leave it out")
    return Report(
        source=_text(body, "source", longest=40),
        accession=_text(body, "accession", longest=80),
        version=version,
        status=_text(body, "status", longest=16),
        drawn_at=_moment(body.get("drawn_at")),
        supported=_flag(body, "supported"),
        confirmed=_flag(body, "confirmed"),
        count={name: body.get(name) for name in COUNT_FIELDS},
    )


def _text(body: dict[str, Any], name: str, *, longest: int) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > longest or not _storable(value):
        raise InputError(name, f"send a text of 1 to {longest} characters")
    return value


def _storable(value: str) -> bool:
    """Half a surrogate pair is JSON but no text, and PostgreSQL stores neither it nor a NUL."""
    return "\x00" not in value and not any("\ud800" <= sign <= "\udfff" for sign in value)


def _flag(body: dict[str, Any], name: str) -> bool:
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise InputError(name, f"{value!r} is neither true nor false")
    return value


def _moment(written: object) -> datetime:
    try:
        moment = datetime.fromisoformat(written) if isinstance(written, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or moment.year not in range(1900, 2201):
        raise InputError("drawn_at", "send a timestamp with its offset, such as 2026-09-14T09:00:00+02:00")
    return moment


def read_booking(body: object) -> tuple[date | None, str]:
    """The day of a draw, or null and why what was booked is cancelled. Raises InputError naming the field."""
    said = _known(body, ("day", "reason"), "day")
    return (None, _text(said, "reason", longest=500)) if said["day"] is None else (_day("day", said["day"]), "")


def read_ahead(body: object) -> tuple[date, date | None] | None:
    """The day of collecting and the day back, where a day ahead is asked about. Raises InputError naming the field."""
    if not body:
        return None
    said = _known(body, ("collect_on", "back_on"), "collect_on")
    back = said.get("back_on")
    return _day("collect_on", said["collect_on"]), None if back is None else _day("back_on", back)


def _known(body: object, fields: tuple[str, ...], wanted: str) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise InputError("body", "send a JSON object")
    if unknown := sorted(set(body) - set(fields)):
        raise InputError(ascii(unknown[0])[1:-1], f"no such field; known: {', '.join(fields)}")
    if wanted not in body:
        raise InputError(wanted, "this is missing; send a day such as 2026-09-17")
    return body


def _day(field: str, written: object) -> date:
    try:
        return date.fromisoformat(str(written))
    except ValueError as error:
        raise InputError(field, "this is no day; send one such as 2026-09-17") from error
