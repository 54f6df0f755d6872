"""What a typed count is asked about."""

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import product
from zoneinfo import ZoneInfo

from monitoring.rules.history import Count
from monitoring.rules.protocols import PROTOCOLS
from monitoring.rules.slips import Neighbour, Typed, questions
from monitoring.rules.units import read_count
from tests.rules.telling import HOUR, on
from tests.rules.transcripts.lines import Lines, shown, tried


def doubts() -> Lines:
    """What a typed count is asked about."""
    zone, general = ZoneInfo("America/New_York"), PROTOCOLS["us-label-2025"].tables["general"]
    histories = {
        "none": (),
        "usual": (2400, 2500, 2600),
        "low": (1400,),
        "moderate": (2400, 900),
        "seven": (9000, 9000, 2000, 2100, 2200, 2300, 2400),
        "no ANC": (None,),
    }
    values = (
        "240",
        "400",
        "950",
        "1500",
        "1530",
        "2400",
        "3150",
        "3700",
        "5100",
        "5200",
        "24000",
        "25000",
        "42.0",
        "<500",
        ">9000",
    )
    for (name, told_before), value, (unit, scale) in product(histories.items(), values, (("/uL", 1), ("K/uL", 1000))):
        written = value if scale == 1 else f"{value[0] if value[0] in '<>' else ''}{Decimal(value.lstrip('<>')) / 1000}"
        reading = tried(read_count, unit=unit, anc=written)
        if isinstance(reading, str):
            continue
        earlier = [Count(at=on(7 * week), anc=one and Decimal(one)) for week, one in enumerate(told_before)]
        count = Count(at=on(49), anc=reading.anc, anc_bound=reading.anc_bound)
        typed = Typed(count=count, written=written, scale=scale, unit=unit)
        yield f"{name}: {written} {unit}", shown(questions(typed, earlier, general, now=on(49, 2), zone=zone))
    yield from _times_and_neighbours(zone, general)


def _times_and_neighbours(zone, table) -> Lines:
    def typed(at: datetime, value: int | None) -> Typed:
        count = Count(at=at, anc=None if value is None else Decimal(value))
        return Typed(count=count, written=str(value), scale=1, unit="/uL")

    earlier = [Count(at=on(0), anc=Decimal(2400)), Count(at=on(7), anc=Decimal(2500), anc_bound="<")]
    for minutes, value in product((-1500, -31, -30, 0, 30, 31, 900, 1439, 1440, 1441), (2400, 2500)):
        at = on(7) + timedelta(minutes=minutes)
        yield (
            f"{value} {minutes} minutes after",
            shown(questions(typed(at, value), earlier, table, now=on(8), zone=zone)),
        )
    for hours in (71, 72, 73):
        now = on(14) + hours * HOUR
        yield f"{hours} h after its draw", shown(questions(typed(on(14), 2450), earlier, table, now=now, zone=zone))
    yield "no ANC", shown(questions(typed(on(14), None), earlier, table, now=on(14), zone=zone))
    for mine, theirs, their_past in product(
        (2400, 4600, 1600), (2400, 4600, 1600, None), ((2400,), (5000,), (1600,), ())
    ):
        past = [Count(at=on(day), anc=Decimal(one)) for day, one in enumerate(their_past)]
        row = Neighbour(name="Ada Smith", count=typed(on(14), theirs).count, earlier=past)
        said = questions(typed(on(14), mine), earlier, table, now=on(14), zone=zone, neighbour=row)
        yield f"{mine} under {theirs} of {their_past}", shown(said)
