"""An import in words: what each row would do, what would be right, and what became of them all."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from monitoring.alerts import ADVICE_IN_WORDS
from monitoring.feeds.csv import Header, read_rows
from monitoring.feeds.foreseeing import Foreseen, Foresight
from monitoring.feeds.imports import header_of, reading
from monitoring.feeds.layout import FIELDS, encoding_of
from monitoring.feeds.quarantine import REFUSED_LINE, band_if_ours
from monitoring.models import Import, QuarantinedRow
from monitoring.rules.reasons import IN_WORDS
from monitoring.rules.units import plain
from patients.models import Clinic, Patient

STATES: Mapping[str, str] = {
    "new": "new",
    "correction": "corrections or later versions",
    "known": "known already, add nothing",
    "waits": "name nobody surely and will wait in quarantine",
    "refused": "will be refused",
}
SHOWN = 200
SAMPLE = 3


@dataclass(frozen=True, slots=True)
class RowInWords:
    """A row of the preview."""

    number: int
    patient: Patient
    drawn_at: datetime
    sent: str
    anc: str
    band: str
    tone: str
    advice: str
    next_test: str
    state: str


def foreseen_rows(found: Foresight, clinic: Clinic) -> list[RowInWords]:
    """The judged rows, for a table."""
    return [_in_words(seen, clinic) for seen in found.shown if seen.judgement]


def _in_words(seen: Foreseen, clinic: Clinic) -> RowInWords:
    result, judgement, treatment = seen.result, seen.judgement, seen.treatment
    if result is None or judgement is None or treatment is None:
        raise ValueError(f"row {seen.row.number} has no judgement to show")
    sent = result.received
    due = f"{judgement.due_on:%a %-d %b %Y}" if judgement.due_on else "none is owed"
    return RowInWords(
        number=seen.row.number,
        patient=treatment.patient,
        drawn_at=result.drawn_at.astimezone(clinic.zone),
        sent=f"{sent.get('anc') or 'WBC ' + sent.get('wbc', '')} {sent.get('unit', '')}",
        anc=plain(result.anc, result.anc_bound) if result.anc is not None else "none",
        band=seen.band or "entered in error",
        tone=_tone(seen),
        advice=ADVICE_IN_WORDS[judgement.treatment],
        next_test=f"{due}, {IN_WORDS[judgement.frequency]}" if judgement.due_on else due,
        state={"known": "known already", "correction": "later version"}.get(seen.state, "new"),
    )


def _tone(seen: Foreseen) -> str:
    return "stop" if seen.severe else "warn" if seen.rank else ""


def states_in_words(found: Foresight) -> list[tuple[int, str]]:
    """How many rows would do what."""
    return [(found.states[state], words) for state, words in STATES.items() if found.states[state]]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an import's rows."""

    blank: int
    not_read: int
    refused: list[QuarantinedRow]
    more_refused: int
    waiting: int


def receipt(imported: Import) -> Receipt:
    """The counts that the import does not hold itself, and the first refused rows."""
    answered = imported.stored + imported.known + imported.refused + imported.quarantined
    refused = list(imported.waiting_rows.filter(end_reason=REFUSED_LINE).order_by("number")[:SHOWN])
    return Receipt(
        blank=max(imported.read_rows - answered, 0),
        not_read=max(imported.rows - imported.read_rows, 0),
        refused=refused,
        more_refused=max(imported.refused - len(refused), 0),
        waiting=imported.waiting_rows.filter(ended_at=None).count(),
    )


def first_lines(imported: Import) -> tuple[Header, list[list[str]]]:
    """The header and the first rows as they stand in the file, for choosing columns."""
    header = header_of(imported)
    stream = reading(imported)
    stream.seek(header.ends)
    places = [str(place) for place in range(len(header.names))]
    encoding = encoding_of(imported.laboratory)
    encoding = "cp1252" if encoding == "utf-8" else encoding
    rows = islice(read_rows(stream, places, delimiter=header.delimiter, encoding=encoding), SAMPLE)
    return header, [[row.fields.get(place, "") for place in places] for row in rows]


def field_in_words(name: str) -> str:
    """The field as a page names it."""
    return FIELDS.get(name, {"row": "The whole row"}.get(name, name.replace("_", " ")))


def band_in_words(row: QuarantinedRow) -> str:
    """What the count would be in a patient of this clinic: a low one must not wait unseen."""
    band, severe = band_if_ours(row.fields, row.clinic)
    return f"{band}, answer now" if severe else band


def drawn_in_words(row: QuarantinedRow) -> str:
    """When the blood was drawn, on the clinic's clock."""
    return f"{datetime.fromisoformat(row.fields['drawn_at']).astimezone(row.clinic.zone):%Y-%m-%d %H:%M}"
