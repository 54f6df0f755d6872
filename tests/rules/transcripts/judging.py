"""Histories, bad lines, written counts and refused protocols."""

import json
import random
from dataclasses import replace
from itertools import product
from pathlib import Path

from monitoring.rules.protocol import Band, Floor, Source, Tail
from monitoring.rules.protocols import PROTOCOLS
from monitoring.rules.units import read_count
from monitoring.rules.wire import answer
from tests.rules.second_reading.stories import random_history
from tests.rules.test_wire import BAD, a_count, told
from tests.rules.transcripts.lines import Lines, shown, tried

CASES = Path(__file__).parents[1] / "cases"


def judgements() -> Lines:
    """The worked cases and random histories, each with every reason and its source."""
    for file in sorted(CASES.glob("*.jsonl")):
        for line in file.read_text().splitlines():
            case = json.loads(line)
            yield case["history"]["id"], answer(json.dumps(case["history"]))[0]
    yield from _corrected()
    chance = random.Random(1500)
    for number, key in product(range(12), PROTOCOLS):
        story = random_history(chance) | {"id": f"{key} {number}", "protocol": key}
        yield story["id"], answer(json.dumps(story))[0]


def _corrected() -> Lines:
    """Corrections at one instant, and by a date that begins at midnight in the clinic."""
    base = a_count(anc=2000)
    first = {"kind": "correction", "of": "c", "at": "2025-06-02T09:00:00Z", "anc": 900, "unit": "/uL"}
    for name, at in (
        ("the same instant", "2025-06-02T09:00:00Z"),
        ("by date", "2025-06-03"),
        ("earlier", "2025-06-02"),
    ):
        second = first | {"at": at, "anc": 1400}
        for order, events in (("", (base, first, second)), (" listed first", (second, first, base))):
            line = told(*events, time_zone="Pacific/Auckland")
            yield f"corrected again, {name}{order}", answer(line)[0]
    late = first | {"at": "2025-06-02T13:00:00Z"}
    dated = first | {"at": "2025-06-03", "anc": 1400}
    yield "by date, after its midnight", answer(told(base, late, dated, time_zone="Pacific/Auckland"))[0]
    wiped = {"kind": "entered_in_error", "of": "c", "at": "2025-06-02T09:00:00Z"}
    yield "entered in error at that instant", answer(told(base, wiped, first))[0]


def refusals() -> Lines:
    """Bad lines, with the field and what would be right."""
    for line, _, _ in BAD:
        yield line[:90], answer(line)[0]
    first = {"kind": "first_dose", "at": "2025-06-01"}
    for field in ("at", "kind"):
        yield f"second without {field}", answer(told(first, {"kind": "restart", "at": "2025-06-02"} | {field: None}))[0]
    for more in ({"id": {}}, {"wbc": "x"}, {"segs_percent": 101}, {"bands_percent": "-1"}, {"unit": "x" * 60}):
        yield more, answer(told(first, a_count(**more)))[0]
    for celsius in (29, 30, "38.5", 45, 45.1, "1e2", None):
        yield f"fever {celsius}", answer(told(first, {"kind": "fever", "at": "2025-06-03", "celsius": celsius}))[0]
    for at in ("1899-12-31", "1900-01-01", "2200-12-31", "2201-01-01", "2025-02-29"):
        yield f"restart {at}", answer(told(first, {"kind": "restart", "at": at}))[0]
    for of in ([1], None, 7, "c"):
        yield f"of {of}", answer(told(a_count(), {"kind": "correction", "at": "2025-06-02", "of": of, "anc": 9}))[0]


def written_counts() -> Lines:
    """Numbers and units as laboratories write them."""
    values = (
        None,
        0,
        19,
        20,
        1500,
        "1499.6",
        "<0.1",
        ">100",
        "1,5",
        "100000",
        100_001,
        "12" * 20,
        True,
        "NaN",
        "9" * 39,
    )
    for unit, value in product((None, "/uL", "K/uL", "10*9/l", " x10^9/L ", "/\u00b5L"), values):
        yield f"{unit} {value}", shown(tried(read_count, unit=unit, anc=value))
    shares = ((None, None, None), (40, None, None), (None, 40, None), (None, 40, 5), (None, 60, 41), ("<5", None, None))
    for own, (whole, segs, bands) in product((None, "1.5", "1.65"), shares):
        read = tried(
            read_count,
            unit="K/uL",
            anc=own,
            wbc="4.2",
            neutrophils_percent=whole,
            segs_percent=segs,
            bands_percent=bands,
        )
        yield f"{own} of 4.2: {whole} {segs} {bands}", shown(read)
    exact = tried(read_count, unit="/uL", wbc="99999.123456789012", neutrophils_percent="99.123456789011")
    yield "all digits are kept", shown(exact)
    yield "forty signs", shown(tried(read_count, unit="/uL", anc="9" * 38))
    for value in ("0.4", "250000", "1500"):
        yield f"confirmed {value}", shown(tried(read_count, unit="/uL", anc=value, confirmed=True))
    for value in ("250", "99", "101"):
        yield f"derived {value}", shown(tried(read_count, unit="K/uL", wbc=value, neutrophils_percent=99))


def protocols_refused() -> Lines:
    """What a protocol must not be."""
    label = PROTOCOLS["us-label-2025"]
    table = label.tables["general"]
    worst = Band("c", None, "stop")
    wrong_bands = {
        "none": (),
        "no bottom": (Band("a", Floor(1500), "continue"),),
        "two bottoms": (Band("a", None, "continue"), worst),
        "rising": (Band("a", Floor(1000), "continue"), Band("b", Floor(1500), "stop"), worst),
        "a hole": (Band("a", Floor(1500), "continue"), Band("b", None, "stop"), worst),
        "equal": (Band("a", Floor(1000), "continue"), Band("b", Floor(1000), "stop"), worst),
        "a tail without a window": (*table.bands[:2], replace(table.bands[2], tail=Tail("yearly")), table.bands[3]),
    }
    for name, bands in wrong_bands.items():
        made = tried(lambda bands=bands: replace(label, tables={"general": replace(table, bands=bands)}))
        yield name, made if isinstance(made, str) else "accepted"
    without = {name: window for name, window in label.windows.items() if name != "daily"}
    yield "no daily window", tried(replace, label, windows=without)
    yield "no document", tried(replace, label, sources={"start": Source("somewhere")})
    for key, protocol in PROTOCOLS.items():
        for rule in ("phase", "band.severe", "band.red", "break.as_new", "supply.overdue", "fever.interrupt"):
            yield f"{key} {rule}", protocol.source(rule).cite()
