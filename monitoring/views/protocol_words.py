"""A clinic's change of protocol in words: how many of each kind, which advice becomes which, each patient's line."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from monitoring.alerts import ADVICE_IN_WORDS, HOLDS
from monitoring.models import ChangeRow, Kind, ProtocolChange, RowState
from monitoring.reports.spreadsheet import Echo, safe
from monitoring.rules.protocols import PROTOCOLS
from monitoring.rules.reasons import IN_WORDS
from patients.models import Patient

NAMES = {"advice": "Advice", "band": "Band", "frequency": "Tests", "due_on": "Next test"}
HEAD = (
    "mrn",
    "family_name",
    "given_name",
    "kind",
    *(when + name for name in NAMES for when in ("was_", "")),
    "state",
    "why",
)
TONES = {Kind.CANNOT: "stop", Kind.STRICTER: "stop", Kind.LOOSER: "warn", Kind.SOONER: "warn"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a judgement under both protocols."""

    name: str
    was: str
    then: str
    changes: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """One patient of the list."""

    patient: Patient
    kind: str
    tone: str
    lines: Sequence[Line]
    state: str
    why: str


@dataclass(frozen=True, slots=True)
class Tab:
    """One list that can be chosen, with its length."""

    word: str
    label: str
    number: int


def shown(row: ChangeRow) -> Shown:
    """A row in words."""
    return Shown(
        patient=row.treatment.patient,
        kind=row.get_kind_display(),
        tone=TONES.get(Kind(row.kind), ""),
        lines=list(lines(row)),
        state=row.get_state_display() if row.state != RowState.FORESEEN else "",
        why=row.why,
    )


def lines(row: ChangeRow) -> Iterator[Line]:
    """Every compared line; of a treatment that cannot be judged what is said now."""
    for name, label in NAMES.items():
        was, then = getattr(row, f"was_{name}"), getattr(row, name)
        if row.kind == Kind.CANNOT:
            yield Line(label, word(name, was), "cannot be judged", changes=True)
        else:
            yield Line(label, word(name, was), word(name, then), changes=was != then)


def word(name: str, value: str | date | None) -> str:
    """One value as a page says it."""
    if name == "advice":
        return ADVICE_IN_WORDS[str(value)] if value else "none"
    if name == "frequency":
        return IN_WORDS[value] if value else "none"  # type: ignore[index]  # written from a judgement
    if name == "due_on":
        return f"{value:%a} {value.day} {value:%b %Y}" if isinstance(value, date) else "none is owed"
    return str(value) if value else "no count yet"


def tabs(change: ProtocolChange, counts: Counter[str]) -> list[Tab]:
    """The lists that are not empty, the gravest first; what was refused before all of them."""
    refused = change.rows.filter(state=RowState.REFUSED).count() if change.confirmed_at else 0
    found = [Tab("refused", "Not switched", refused)] if refused else []
    return found + [Tab(kind.value, kind.label, counts[f"kind:{kind}"]) for kind in Kind if counts[f"kind:{kind}"]]


def advice_changes(counts: Counter[str]) -> list[tuple[int, str, str]]:
    """Which advice becomes which, and for how many; the most frequent first."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    told = [(number, name.split(":")) for name, number in ordered if name.startswith("advice:")]
    return [(number, ADVICE_IN_WORDS[was], ADVICE_IN_WORDS[then]) for number, (_, was, then) in told]


def line_changes(counts: Counter[str]) -> list[tuple[str, int]]:
    """How often each line changes."""
    return [(label, counts[f"line:{name}"]) for name, label in NAMES.items()]


def consequences(change: ProtocolChange, counts: Counter[str]) -> list[str]:
    """What confirming does, before it is done."""
    title, cannot = PROTOCOLS[change.protocol_key].title, counts["kind:cannot"]
    stops = sum(counts[name] for name in counts if name.startswith("advice:") and name.endswith(":stop"))
    holds = sum(
        number
        for name, number in counts.items()
        if name.startswith("advice:") and name.endswith(":interrupt") and name.split(":")[1] not in HOLDS
    )
    found = [
        f"{change.patients - cannot} patients are judged by {title} from now on, one after the other.",
        "What was said before stays as it was said, and can be read on each patient's page.",
        "Whoever is judged otherwise by then than this preview says is not switched, and is listed with the reason.",
        f"New patients of {change.clinic} begin with {title}.",
    ]
    if stops:
        found.append(f"{stops} are told to stop: a severe alert each, told one by one.")
    if holds:
        found.append(f"{holds} are told to interrupt: an alert each; owners are told of them in one message.")
    if cannot:
        found.append(f"{cannot} cannot be judged by it and stay as they are.")
    return found


def as_csv(change: ProtocolChange) -> Iterator[str]:
    """Every row of those who are still at the clinic, for a spreadsheet."""
    writer = csv.writer(Echo())
    yield writer.writerow(HEAD)
    rows = change.rows.filter(treatment__clinic=change.clinic_id).select_related("treatment__patient").order_by("pk")
    for row in rows.iterator():
        patient = row.treatment.patient
        told = [value for name in NAMES for value in (getattr(row, f"was_{name}"), getattr(row, name))]
        cells = [patient.mrn, patient.family_name, patient.given_name, row.kind, *told, row.state, row.why]
        yield writer.writerow([safe(cell) for cell in cells])
