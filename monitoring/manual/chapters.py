"""A protocol as chapters of a page: every sentence beside the place where its rule is written."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from monitoring.manual import words
from monitoring.rules.history import Population
from monitoring.rules.protocol import Protocol, Source, Table
from monitoring.rules.reasons import IN_WORDS

THRESHOLDS: dict[Population, str] = {
    "general": "General population",
    "ben": "BEN (benign ethnic neutropenia, Duffy-null)",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence and its source."""

    text: str
    source: Source


Cell = tuple[Line, ...]
Marked = tuple[str, list[tuple[Line, int]]]
"""A cell under its head, and each line with the number of its source."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """A table when it has heads, else sentences: each row is a name and its cells."""

    key: str
    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A protocol in words."""

    protocol: Protocol
    facts: tuple[tuple[str, str], ...]
    chapters: tuple[Chapter, ...]
    sources: tuple[Source, ...]

    def marked(self) -> list[tuple[Chapter, list[tuple[str, list[Marked]]]]]:
        """The chapters with each cell under its head, and each line with its number in the list of sources."""
        return [
            (chapter, [(name, self._marked(chapter, cells)) for name, cells in chapter.rows])
            for chapter in self.chapters
        ]

    def _marked(self, chapter: Chapter, cells: Sequence[Cell]) -> list[Marked]:
        heads = chapter.heads[1:] or [""] * len(cells)
        lines = [[(line, self.sources.index(line.source) + 1) for line in cell] for cell in cells]
        return list(zip(heads, lines, strict=True))


def told(protocol: Protocol) -> Told:
    """All that the protocol says."""
    chapters = tuple(_chapters(protocol))
    used = [line.source for chapter in chapters for _, cells in chapter.rows for cell in cells for line in cell]
    return Told(protocol, tuple(_facts(protocol)), chapters, tuple(dict.fromkeys(used)))


def _facts(protocol: Protocol) -> Iterable[tuple[str, str]]:
    yield "Key", protocol.key
    yield "Country", protocol.country
    until = f" to {protocol.retired_on}, retired" if protocol.retired_on else ""
    yield "In force", f"from {protocol.in_force_from}{until}"
    yield "Judged by", "ANC and WBC of the same draw" if protocol.needs_wbc else "ANC alone"
    yield "Document", protocol.sources["*"].cite()


def _chapters(protocol: Protocol) -> Iterable[Chapter]:
    for population, table in protocol.tables.items():
        yield _bands(protocol, population, table)
    yield _phases(protocol)
    yield _windows(protocol)
    for population, table in protocol.tables.items():
        said = {
            "Before the first dose": words.start(table.start),
            "Rechallenge": words.rechallenge(table.rechallenge),
            "A fall": words.fall(table.fall, table),
        }
        yield _sentences(protocol, f"start-{population}", f"Starting: {THRESHOLDS[population]}", said)
    said = {
        "Breaks": words.breaks(protocol.breaks),
        "Fever": words.fever(protocol.fever),
        "Stopping for another reason": [("stop", _after_stop(protocol))],
        "Hospice": [("hospice", _hospice(protocol))],
        "Supply": words.supply(protocol.supply),
    }
    yield _sentences(protocol, "events", "Breaks, fever, stopping, hospice, supply", said)


def _bands(protocol: Protocol, population: Population, table: Table) -> Chapter:
    rows = []
    for rank, band in enumerate(table.bands):
        limits = words.limits(band, table.bands[rank - 1] if rank else None)
        cells = ([(f"band.{band.name}", limits)], words.treatment(band), words.tests(band), words.also(band))
        rows.append((band.name, tuple(_cell(protocol, said) for said in cells)))
    heads = ("Band", "ANC", "Treatment", "Tests", "Also")
    title = THRESHOLDS[population] if table.verified else f"{THRESHOLDS[population]}: not yet verified"
    return Chapter(f"bands-{population}", title, heads, tuple(rows))


def _phases(protocol: Protocol) -> Chapter:
    phases = protocol.phases
    rows = [
        (
            IN_WORDS[one.frequency].capitalize(),
            (_cell(protocol, [("phase", words.phase(one, last=one is phases[-1]))]),),
        )
        for one in phases
    ]
    return Chapter("phases", "How often while all is normal", ("Tests", "Until"), tuple(rows))


def _windows(protocol: Protocol) -> Chapter:
    rows = [
        (IN_WORDS[frequency].capitalize(), tuple(_cell(protocol, [("phase", text)]) for text in words.window(window)))
        for frequency, window in protocol.windows.items()
    ]
    return Chapter("windows", "When a test is due and overdue", ("Tests", "Due", "Last day in time"), tuple(rows))


def _sentences(protocol: Protocol, key: str, title: str, said: dict[str, words.Said]) -> Chapter:
    return Chapter(key, title, (), tuple((name, (_cell(protocol, lines),)) for name, lines in said.items()))


def _cell(protocol: Protocol, said: words.Said) -> Cell:
    return tuple(Line(text, protocol.source(rule)) for rule, text in said)


def _after_stop(protocol: Protocol) -> str:
    if protocol.ends_after_stop is None:
        return "Tests go on as before until one normal count is drawn after the last dose; then they end"
    return f"After the last dose: {words.tail(protocol.ends_after_stop)}"


def _hospice(protocol: Protocol) -> str:
    if protocol.hospice is None:
        return "This protocol has no rule of its own"
    return f"Agreed with patient and carer: {IN_WORDS[protocol.hospice]}, while the count is normal"
