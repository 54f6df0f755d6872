"""Histories of 60 counts a second on one core, through the engine and through its front door; memory of a stream.

python -m benchmarks.assess [--quick] [--lines N]
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from benchmarks.machine import say, table
from monitoring.rules.assess import assess
from monitoring.rules.history import Count, Event, History
from monitoring.rules.protocols import PROTOCOLS
from monitoring.rules.wire import answer

START = datetime(2024, 1, 1, 9, tzinfo=UTC)
LABEL = PROTOCOLS["us-label-2025"]


def a_history(chance):
    """Sixty counts on the label's schedule; one in twelve falls below normal."""
    told, day = [Count(START - timedelta(days=2), Decimal(3000)), Event("first_dose", START)], 0
    for _ in range(59):
        day += 7 if day < 182 else 14 if day < 365 else 28
        low = chance.random() < 1 / 12
        value = chance.randrange(400, 1500) if low else chance.randrange(1500, 6000)
        told.append(Count(START + timedelta(days=day, minutes=chance.randrange(300)), Decimal(value)))
    return told, START + timedelta(days=day + 3)


def a_line(told, as_of):
    events = [
        {"kind": "count", "at": item.at.isoformat(), "anc": int(item.anc), "unit": "/uL"}
        if isinstance(item, Count)
        else {"kind": item.kind, "at": item.at.isoformat()}
        for item in told
    ]
    line = {"id": "h", "protocol": LABEL.key, "time_zone": "America/New_York", "as_of": as_of.isoformat()}
    return json.dumps(line | {"events": events})


def rate(work, things):
    best = 0.0
    for _ in range(3):
        begun = time.process_time()
        for thing in things:
            work(thing)
        best = max(best, len(things) / (time.process_time() - begun))
    return best


def streamed(lines, wanted):
    """Lines a second and the peak memory of `manage.py assess` on so many lines."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        for number in range(wanted):
            file.write(lines[number % len(lines)] + "\n")
        file.flush()
        begun = time.monotonic()
        subprocess.run(
            [sys.executable, "manage.py", "assess", file.name],
            stdout=subprocess.DEVNULL,
            check=True,
            cwd=Path(__file__).parents[1],
        )
        took = time.monotonic() - begun
    return wanted / took, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true")
    options.add_argument("--lines", type=int, default=100_000)
    chosen = options.parse_args()
    say()
    chance = random.Random(60)
    told = [a_history(chance) for _ in range(200 if chosen.quick else 2000)]
    ready = [(History(time_zone="America/New_York", events=tuple(events)), as_of) for events, as_of in told]
    lines = [a_line(*one) for one in told]
    rows = [
        ("assess(history)", f"{rate(lambda one: assess(one[0], LABEL, one[1]), ready):.0f}"),
        (
            "History(events) and assess",
            f"{rate(lambda one: assess(History(time_zone='America/New_York', events=one[0]), LABEL, one[1]), told):.0f}",
        ),
        ("one line of JSON in, one out", f"{rate(answer, lines):.0f}"),
    ]
    table(["60 counts each, one core", "histories/s"], rows)
    sizes = (1000, 5000) if chosen.quick else (10_000, chosen.lines)
    streams = [(size, *streamed(lines, size)) for size in sizes]
    table(["manage.py assess, lines", "lines/s", "peak MiB"], [(n, f"{r:.0f}", f"{m:.0f}") for n, r, m in streams])


if __name__ == "__main__":
    main()
