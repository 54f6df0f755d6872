"""Reading single fields of the `assess` format: times, numbers, flags, texts."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from monitoring.rules.errors import InputError
from monitoring.rules.history import EVENT_KINDS

CORRECTIONS = ("correction", "entered_in_error")
KINDS = ("count", *CORRECTIONS, *EVENT_KINDS)
_YEARS = range(1900, 2201)


def moment_of(field: str, written: object) -> datetime:
    """An instant: a timestamp with its offset from UTC."""
    try:
        moment = datetime.fromisoformat(written) if isinstance(written, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or moment.year not in _YEARS:
        raise InputError(
            field,
            f"{written!r} is not a timestamp with an offset between 1900 and 2200, such as 2026-09-14T09:00:00+02:00",
        )
    return moment


def when_of(event: str, written: object) -> datetime | date:
    """A timestamp with its offset, or a plain date."""
    if not isinstance(written, str) or len(written) != len("2026-09-14"):
        return moment_of("at", written)
    try:
        day = date.fromisoformat(written)
    except ValueError:
        day = None
    if day is None or day.year not in _YEARS:
        raise InputError("at", f"{event}: {written!r} is not a date between 1900 and 2200, such as 2026-09-14")
    return day


def number_of(
    field: str, written: object, *, lowest: int = 0, highest: int = 100_000, hint: str = "a number per microlitre"
) -> Decimal:
    """A plain JSON number (or the same in quotes) within limits."""
    plain = isinstance(written, str) and written.isascii() and written.replace(".", "", 1).isdigit()
    if isinstance(written, bool) or not (plain or isinstance(written, int | Decimal)):
        number = Decimal("NaN")
    else:
        number = Decimal(str(written))
    if not number.is_finite() or not lowest <= number <= highest:
        raise InputError(field, f"{written} is not possible here; write {hint}, from {lowest} to {highest}")
    return number


def flag_of(fields: dict[str, Any], name: str) -> bool:
    """True or false, false when absent."""
    value = fields.get(name)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise InputError(name, f"{value!r} is neither true nor false")
    return value


def text_of(fields: dict[str, Any], name: str, default: str) -> str:
    """A text, or its default when absent."""
    value = fields.get(name, default)
    if not isinstance(value, str):
        raise InputError(name, f"{value!r} is not a text such as {default}")
    return value
