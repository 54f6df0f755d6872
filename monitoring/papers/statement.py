"""The eligibility statement on one page, with a QR code that asks the running service whether it still holds."""

import io
import json
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import segno
import typst

from monitoring.models import Statement

LAYOUT = Path(__file__).with_name("statement.typ")
THE_REMS = (
    "The US Clozapine REMS ended on 24 February 2025. Since then no enrolment, certification, status form or dispense"
    " authorisation exists, and nothing requires this paper. It says what this clinic's monitoring allowed when it was"
    " issued, for those who still ask for “the REMS”."
)


def printed(statement: Statement, *, base_url: str) -> bytes:
    """The PDF's bytes; the same statement is the same bytes for ever."""
    told = {name: json.dumps(value) for name, value in inputs(statement, base_url=base_url).items()}
    try:
        return _set(told, sealed=True)
    except typst.TypstError:
        # A name in a script that the built-in fonts lack: the system's fonts may know it, and a gap beats no paper.
        return _set(told, sealed=False)


def _set(told: dict[str, str], *, sealed: bool) -> bytes:
    """Sealed: with the built-in fonts alone, and tagged for screen readers."""
    compiler = typst.Compiler(ignore_system_fonts=sealed)
    made = compiler.compile(
        LAYOUT.read_bytes(), format="pdf", sys_inputs=told, pdf_standards=["ua-1"] if sealed else [], timestamp=0
    )
    if not isinstance(made, bytes):
        raise TypeError("the layout makes one document")
    return made


def inputs(statement: Statement, *, base_url: str) -> dict[str, object]:
    """What the layout reads."""
    told, verdict = statement.printed, statement.verdict
    address = f"{base_url}/check/{statement.code}/"
    zone = ZoneInfo(told["time_zone"])
    return {
        "answer": f"Clozapine may be supplied for up to {verdict['days']} day{'s' * (verdict['days'] != 1)},"
        f" until {in_words(date.fromisoformat(verdict['until']))}",
        "person": [
            ("Patient", f"{told['family_name']}, {told['given_name']}"),
            ("Born", told["date_of_birth"]),
            ("MRN", f"{told['mrn']} at {told['clinic']}"),
        ],
        "facts": _facts(statement, zone),
        "why": [{"kind": one["kind"], "text": one["text"], "source": one["source"]} for one in verdict["why"]],
        "rems": THE_REMS,
        "qr": qr(address),
        "address": address,
        "check": f"{base_url}/check/",
        "code": in_groups(statement.code),
    }


def _facts(statement: Statement, zone: ZoneInfo) -> list[tuple[str, str]]:
    told, verdict = statement.printed, statement.verdict
    count = f"{told['anc']} /uL, {told['band']}, drawn {told['drawn_on']}" if told["anc"] else "none on record"
    facts = [
        ("Issued", f"{moment(statement.issued_at, zone)} by {told['issued_by']}"),
        ("Valid until", f"{moment(statement.valid_until, zone)}, unless something new is known before"),
        ("Latest neutrophil count (ANC)", count),
        ("Next blood test by", verdict["sample_by"] or "none is owed"),
        ("Rules", f"{told['protocol']} ({told['protocol_key']}), state {told['state']}"),
    ]
    return [("For", statement.addressee), *facts] if statement.addressee else facts


def in_words(day: date) -> str:
    """14 September 2026."""
    return f"{day.day} {day:%B %Y}"


def moment(at: datetime, zone: ZoneInfo) -> str:
    """2026-09-14 12:00 (Europe/Berlin)."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M} ({zone.key})"


def in_groups(code: str) -> str:
    """As it is read aloud and typed."""
    return " ".join(code[begin : begin + 5] for begin in range(0, len(code), 5))


def qr(address: str) -> str:
    """The address as a drawing; a quarter of it may be dirty."""
    drawn = io.BytesIO()
    segno.make(address, error="q").save(drawn, kind="svg", border=4, xmldecl=False)
    return drawn.getvalue().decode()
