"""The engine's front door: one history as JSON in, one judgement as JSON out."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from monitoring.rules.assess import assess
from monitoring.rules.errors import InputError
from monitoring.rules.history import Count, Event, History, instant_of
from monitoring.rules.protocol import Protocol
from monitoring.rules.protocols import PROTOCOLS
from monitoring.rules.units import Written, read_count
from monitoring.rules.wire_events import (
    CORRECTIONS,
    KINDS,
    flag_of,
    moment_of,
    number_of,
    text_of,
    when_of,
)

Fields = dict[str, Any]
Order = tuple[datetime, bool]


class Question(NamedTuple):
    """A history, the protocol that it is to be judged by, and the moment asked about."""

    history: History
    protocol: Protocol
    as_of: datetime


def read_history(fields: Fields) -> Question:
    """Read one history in the `assess` format. Raises InputError naming the field."""
    protocol = _protocol(fields)
    as_of = moment_of("as_of", fields.get("as_of"))
    zone = _zone(text_of(fields, "time_zone", "UTC"))
    population = text_of(fields, "population", "general")
    if population not in ("general", "ben"):
        raise InputError("population", f"{population!r} is not known; write general or ben")
    history = History(
        time_zone=zone.key,
        population="ben" if population == "ben" else "general",
        baseline_anc=_baseline(fields.get("baseline_anc")),
        events=_happened(fields.get("events", []), zone, as_of.astimezone(UTC)),
    )
    return Question(history, protocol, as_of)


def write_judgement(fields: Fields) -> Fields:
    """Judge one history; the answer echoes its `id` and `as_of`. Raises InputError naming the field."""
    question = read_history(fields)
    judgement = assess(question.history, question.protocol, question.as_of)
    return {"id": fields.get("id")} | judgement.as_dict() | {"as_of": fields["as_of"]}


def answer(line: str | bytes) -> tuple[str, bool]:
    """One line of JSON for one line of JSON, and whether it could be judged."""
    identity = None
    try:
        fields = _parse(line)
        identity = fields.get("id")
        return json.dumps(write_judgement(fields)), True
    except InputError as error:
        refusal = {"id": identity, "error": {"field": error.field, "message": error.message}}
        return json.dumps(refusal, default=str), False


def answers(lines: Iterable[bytes]) -> Iterator[tuple[str, bool]]:
    """An answer for each line that is not blank, in order; holds one line at a time."""
    return (answer(line) for line in lines if line.strip())


def _parse(line: str | bytes) -> Fields:
    try:
        fields = json.loads(line, parse_float=Decimal, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise InputError("line", f"not JSON: {error}; write one history as a JSON object a line") from error
    if not isinstance(fields, dict):
        raise InputError("line", "a history is a JSON object, one a line")
    return fields


def _protocol(fields: Fields) -> Protocol:
    key = fields.get("protocol")
    found = PROTOCOLS.get(key) if isinstance(key, str) else None
    if found is None:
        raise InputError("protocol", f"{key!r} is not known; known: {', '.join(PROTOCOLS)}")
    return found


@cache
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError("time_zone", f"{name!r} is not an IANA time zone such as Europe/Berlin") from error


def _baseline(written: Written | None) -> Decimal | None:
    return None if written is None else number_of("baseline_anc", written)


def _happened(events: object, zone: ZoneInfo, as_of: datetime) -> list[Count | Event]:
    """What had happened by `as_of`: counts as last corrected, without those entered in error, and events."""
    if not isinstance(events, list):
        raise InputError("events", "events are a list of objects")
    counts: list[tuple[datetime | date, Fields]] = []
    amended: dict[str | int, tuple[Order, int]] = {}
    known, found = set(), list[Count | Event]()
    for number, fields in enumerate(events):
        at = _time(number, fields)
        if fields.get("kind") == "count":
            known.add(_identity("id", fields.get("id"), number))
        if instant_of(at, zone) > as_of:
            continue
        kind = _kind(number, fields)
        if kind == "count":
            counts.append((at, fields))
        elif kind in CORRECTIONS:
            _amend(amended, fields, number, (instant_of(at, zone), kind == "entered_in_error"))
        else:
            found.append(_event(fields, at))
    _refuse_unknown(amended, known, events)
    found += _counts(counts, amended, events, zone)
    return found


def _time(number: int, fields: object) -> datetime | date:
    if not isinstance(fields, dict):
        raise InputError("events", f"event {number + 1} is not an object")
    return when_of(f"event {number + 1}", fields.get("at"))


def _kind(number: int, fields: Fields) -> str:
    kind = fields.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise InputError("kind", f"event {number + 1}: {kind!r} is not known; known: {', '.join(KINDS)}")
    return kind


def _event(fields: Fields, at: datetime | date) -> Event:
    celsius = None
    if fields["kind"] == "fever":
        celsius = number_of(
            "celsius", fields.get("celsius"), lowest=30, highest=45, hint="degrees Celsius, such as 38.5"
        )
    return Event(kind=fields["kind"], at=at, stop=flag_of(fields, "stop"), celsius=celsius)


def _identity(field: str, written: object, number: int) -> str | int | None:
    if written is None or isinstance(written, str | int):
        return written
    raise InputError(field, f"event {number + 1}: {written!r} is not an id; write a text")


def _amend(
    amended: dict[str | int, tuple[Order, int]],
    fields: Fields,
    number: int,
    order: tuple[datetime, bool],
) -> None:
    of = _identity("of", fields.get("of"), number)
    if of is None:
        raise InputError("of", f"event {number + 1} must name the id of the count that it amends")
    if of not in amended or amended[of][0] <= order:
        amended[of] = (order, number)


def _refuse_unknown(amended: dict[str | int, Any], known: set[Any], events: list[Fields]) -> None:
    for of in amended:
        if of not in known:
            raise InputError("of", f"there is no count with the id {of!r}")
        if sum(event.get("id") == of for event in events if event.get("kind") == "count") > 1:
            raise InputError("id", f"two counts bear the id {of!r}, so it is not clear which one is amended")


def _counts(
    counts: list[tuple[datetime | date, Fields]], amended: dict[str | int, Any], events: list[Fields], zone: ZoneInfo
) -> Iterator[Count]:
    for at, fields in counts:
        own_id = fields.get("id")
        current = events[amended[own_id][1]] if own_id is not None and own_id in amended else fields
        if current["kind"] != "entered_in_error":
            yield _count(at, current, own_id, zone)


def _count(at: datetime | date, fields: Fields, own_id: object, zone: ZoneInfo) -> Count:
    try:
        reading = read_count(
            anc=fields.get("anc"),
            wbc=fields.get("wbc"),
            unit=fields.get("unit"),
            neutrophils_percent=fields.get("neutrophils_percent"),
            segs_percent=fields.get("segs_percent"),
            bands_percent=fields.get("bands_percent"),
        )
    except InputError as error:
        raise InputError(error.field, f"count of {fields.get('at')}: {error.message}") from error
    return Count(
        at=at if isinstance(at, datetime) else instant_of(at, zone).astimezone(zone),
        anc=reading.anc,
        anc_bound=reading.anc_bound,
        wbc=reading.wbc,
        wbc_bound=reading.wbc_bound,
        supported=flag_of(fields, "supported"),
        id=str(own_id or ""),
        flags=reading.flags,
    )
