"""Supply planned ahead, tablets at home, limits agreed for one person, and what a patient told."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import product

from monitoring.rules.assess import assess
from monitoring.rules.eligibility import eligibility
from monitoring.rules.feeling_unwell import TABLE, Answers
from monitoring.rules.history import History
from monitoring.rules.limits import limits_of, with_limits
from monitoring.rules.planning import at_discharge, for_days_away
from monitoring.rules.protocol import Floor, Source, Supply
from monitoring.rules.protocols import PROTOCOLS
from monitoring.rules.supplying import SupplyPolicy, basis_of
from tests.rules.telling import anc, event, judged, on, treated
from tests.rules.transcripts.lines import Lines, shown, tried

WHITE = Decimal(8000)
AWAY = ((-1, 3), (0, 0), (0, 5), (1, 4), (2, 9), (4, 11), (9, 8), (20, 30), (20, 49), (5, 400), (5, 401))
"""Leaving and back again, in days from today."""
DRAWN = (50, 200, 400)
STEPS = (event("step_down_authorised", 126), event("step_down_authorised", 364))


def _day(number: int) -> date:
    return on(number).date()


HOUSES = {
    "plain": SupplyPolicy(days={}),
    "no margin, 7 at discharge": SupplyPolicy(days={"monthly": 28}, margin_days=0, discharge_days=7),
    "closed": SupplyPolicy(
        days={},
        closed=frozenset(_day(drawn + days) for drawn, days in product(DRAWN, (1, 2, 3, 7, 12, 13, 14, 27, 28))),
    ),
}


def plans() -> Lines:
    """At discharge and for days away: from the latest count, with new blood, and where no blood would do."""
    for key, drawn, house in product(("us-label-2025", "uk-cpms", "eu-2025-09", "au-2021"), DRAWN, HOUSES):
        protocol, policy = PROTOCOLS[key], HOUSES[house]
        if house != "plain" and key != "us-label-2025":
            continue
        story = treated(*STEPS, anc(drawn, 5000, wbc=WHITE))
        for today in (drawn, drawn + 2, drawn + 7, drawn + 8):
            basis = basis_of(judged(story, today, protocol=key), protocol, _day(drawn))
            told = f"{key}, drawn {drawn}, {house}, today {today}"
            for leaves in (0, 1, 5, 7, 11, 30, 46):
                plan = at_discharge(basis, protocol, policy, today=_day(today), day=_day(today + leaves))
                yield f"{told}, discharged in {leaves}", shown(plan)
            for leaves, back in AWAY:
                asked = {"today": _day(today), "leaves_on": _day(today + leaves), "back_on": _day(today + back)}
                plan = tried(for_days_away, basis, protocol, policy, **asked)
                yield f"{told}, away from {leaves} to {back}", shown(plan)
    yield from _bare_plans()


def _bare_plans() -> Lines:
    """Where no test is owed, and where nothing limits a supply."""
    label = PROTOCOLS["us-label-2025"]
    basis = basis_of(judged(treated(anc(50, 5000)), 52), label, _day(50))
    trips = [
        {"today": _day(today), "leaves_on": _day(leaves), "back_on": _day(60)}
        for today, leaves in ((54, 57), (54, 55), (52, 54))
    ]
    bases = {
        "no test owed": replace(basis, due_on=None, overdue_after=None),
        "daily": replace(basis, frequency="daily"),
        "without a window": replace(basis, frequency="yearly", due_on=None, overdue_after=None),
    }
    supplies = {
        "own": label.supply,
        "no supply": None,
        **{f"{days} from the draw": Supply({"weekly": days}, from_draw=True) for days in (1, 2, 3, 5)},
    }
    for name, found in product(bases, supplies):
        protocol, told = replace(label, supply=supplies[found]), f"{name}, {found}"
        plan = at_discharge(bases[name], protocol, HOUSES["plain"], today=_day(54), day=_day(55))
        yield f"{told}, discharged", shown(plan)
        for trip in trips:
            plan = for_days_away(bases[name], protocol, HOUSES["plain"], **trip)
            yield f"{told}, away from {trip['leaves_on']}", shown(plan)


def at_home() -> Lines:
    """With tablets at home until a day, on a day; reasons in full."""
    for key, drawn in product(("us-label-2025", "uk-cpms", "au-2021"), (50, 400)):
        story = treated(*STEPS, anc(drawn, 5000, wbc=WHITE))
        for later, home in product((0, 4, 9, 10), (-4, 3, 8, 9, 10, 35)):
            said = judged(story, drawn + later, protocol=key)
            verdict = eligibility(
                said, PROTOCOLS[key], day=_day(drawn + later), drawn_on=_day(drawn), policy=HOUSES["plain"],
                tablets_until=_day(drawn + home),
            )  # fmt: skip
            why = [one.text for one in verdict.why if one.kind == "clinical"]
            told = f"{key}, drawn {drawn}, day {later}, at home until {home}"
            yield told, shown([verdict.answer, verdict.days, verdict.until, verdict.holds_until, *why])


def limits() -> Lines:
    """Other limits for one person: what is refused, what is made of it, and what the pharmacist reads under it."""
    signed = Source("Agreed by Pia Prescriber")
    for key in PROTOCOLS:
        table = PROTOCOLS[key].tables["general"]
        own = [floor for _, floor in limits_of(table)]
        yield f"{key} has", shown(limits_of(table))
        for name, floors in _asked(own).items():
            made = tried(with_limits, PROTOCOLS[key], "general", floors, until=date(2026, 12, 31), source=signed)
            yield f"{key}, {name}", made if isinstance(made, str) else shown(made.tables["general"])
            if isinstance(made, str):
                continue
            for value in (450, 700, 1100, 1600):
                story = treated(anc(50, value, wbc=WHITE))
                said = assess(History(events=story), made, on(50, 3))
                verdict = eligibility(said, made, day=_day(50), drawn_on=_day(50), policy=HOUSES["plain"])
                yield f"{key}, {name}, ANC {value}", shown([one.text for one in verdict.why])


def _asked(own: list[Floor]) -> dict[str, list[Floor]]:
    """Limits as somebody might ask for them."""

    def moved(number: int, **change: object) -> list[Floor]:
        return [replace(floor, **change) if place == number else floor for place, floor in enumerate(own)]

    found = {"its own": own, "one too few": own[:-1], "one too many": [*own, Floor(500)]}
    for number, floor in enumerate(own):
        found |= {f"ANC {number} at {value}": moved(number, anc=value) for value in (499, 500, 501, 1200, 2200)}
        found |= {f"WBC {number} at {value}": moved(number, wbc=value) for value in (None, 1999, 2000)}
        found[f"{number} a little lower"] = moved(number, anc=floor.anc - 100)
    return found


def unwell() -> Lines:
    """What a patient may tell, and every row of what follows from it."""
    told = (
        *({"celsius": Decimal(value)} for value in ("33.9", "34", "38.5", "43", "43.1")),
        *({"missed_days": days} for days in (-1, 0, 365, 366)),
        *({"smoking": word} for word in ("", "stopped", "started", "a pipe")),
    )
    for one in told:
        found = tried(Answers, **one)
        yield shown(list(one.values())), found if isinstance(found, str) else shown(found.as_dict())
    for row in TABLE:
        yield row.code, shown(replace(row, holds=None))
