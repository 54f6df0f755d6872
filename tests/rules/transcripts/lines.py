"""A value in one line of a transcript, or how it was refused."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import date, datetime

from monitoring.rules.errors import InputError

Lines = Iterator[tuple[object, object]]


def shown(value: object) -> str:
    """A value in one line, without the noise of types."""
    if is_dataclass(value) and not isinstance(value, type):
        parts = (f"{one.name}={shown(getattr(value, one.name))}" for one in fields(value))
        return f"({', '.join(parts)})"
    if isinstance(value, list | tuple):
        return f"[{', '.join(shown(one) for one in value)}]"
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value if isinstance(value, str) else str(value)


def tried(ask, *given, **more) -> object:
    """What it answers, or how it refuses."""
    try:
        return ask(*given, **more)
    except InputError as error:
        return f"REFUSED {error.field}: {error.message}"
    except ValueError as error:
        return f"REFUSED: {error}"
