"""Limits agreed for one person: a protocol whose bands begin elsewhere, until a day. A protocol like any other.

The United Kingdom's services let a prescriber agree other limits outside the licence, for this patient and for a time.
The clinical rules name no lowest limit for it; these are the house's own, taken from what they call severe.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from monitoring.rules.errors import InputError
from monitoring.rules.history import Population
from monitoring.rules.protocol import Agreed, Band, Floor, Protocol, Source, Step, Table

SEVERE_ANC = 500
"""/uL. Below it neutropenia is severe in general and with BEN alike (US label, section 2.3): no agreement moves it."""
LOWEST_WBC = 2000
"""/uL. Fewer white cells are a matter for haematology at once (UK), or red (Canada)."""
LONGEST_DAYS = 366
"""An agreement is looked at again within the year; it is never for life."""
LIMITS_WARNING_DAYS = 14
"""So long before its last day the prescriber is asked what comes after it."""


def with_limits(
    protocol: Protocol, population: Population, floors: Sequence[Floor], *, until: date, source: Source
) -> Protocol:
    """The protocol with other limits between its bands for one population. Raises InputError for what may not be.

    What leans on a band's limit moves with it: the steps of a path, a hold, the start. The count that a rechallenge
    needs after severe neutropenia stays the protocol's own.
    """
    table = protocol.tables[population]
    check_limits(table, floors)
    own = [band.floor for band in table.bands if band.floor]
    moved = dict(zip(own, floors, strict=True))
    agreed = replace(
        table,
        bands=tuple(_band(band, moved) for band in table.bands),
        start=replace(table.start, floor=moved.get(table.start.floor, table.start.floor)),
        agreed=Agreed(until),
    )
    return replace(
        protocol,
        tables={**protocol.tables, population: agreed},
        sources={
            **protocol.sources,
            **dict.fromkeys(("limits", "band", "start.below_floor", "path.may_resume"), source),
        },
    )


def limits_of(table: Table) -> list[tuple[str, Floor]]:
    """The limits that can be agreed: each band's name and the count from which it begins, the best first."""
    return [(band.name, band.floor) for band in table.bands if band.floor]


def check_limits(table: Table, floors: Sequence[Floor]) -> None:
    """Raises InputError, naming the limit by its number from the best: anc_0, wbc_1."""
    own = limits_of(table)
    if len(floors) != len(own):
        raise InputError("limits", f"this protocol has {len(own)} limits, and {len(floors)} were given")
    for number, ((name, was), floor) in enumerate(zip(own, floors, strict=True)):
        _check_anc(number, name, was, floor)
        _check_wbc(number, name, was, floor)
        if number and floor.anc >= floors[number - 1].anc:
            raise InputError(
                f"anc_{number}", f"{name} has to begin below {floors[number - 1].anc} /uL, where the better band begins"
            )
    if [was for _, was in own] == list(floors):
        raise InputError("limits", "these are the protocol's own limits; change at least one")


def _check_anc(number: int, name: str, was: Floor, floor: Floor) -> None:
    if was.anc == SEVERE_ANC != floor.anc:
        raise InputError(f"anc_{number}", f"below {SEVERE_ANC} /uL is severe for everybody; that limit never moves")
    if floor.anc < SEVERE_ANC:
        raise InputError(
            f"anc_{number}",
            f"{floor.anc} /uL is below {SEVERE_ANC} /uL, which is severe for everybody: {name} cannot begin there."
            " Limits are per microlitre: 1.0 x10^9/L is 1000 /uL",
        )


def _check_wbc(number: int, name: str, was: Floor, floor: Floor) -> None:
    if (floor.wbc is None) != (was.wbc is None):
        raise InputError(f"wbc_{number}", f"{name} is {'not ' if was.wbc is None else ''}judged by white cells")
    if floor.wbc is not None and floor.wbc < LOWEST_WBC:
        raise InputError(
            f"wbc_{number}", f"{floor.wbc} white cells /uL are below {LOWEST_WBC} /uL, which no agreement may go under"
        )


def _band(band: Band, moved: Mapping[Floor, Floor]) -> Band:
    path = tuple(_step(step, moved) for step in band.path)
    held = moved.get(band.held_below, band.held_below) if band.held_below else None
    return replace(band, floor=moved[band.floor] if band.floor else None, path=path, held_below=held)


def _step(step: Step, moved: Mapping[Floor, Floor]) -> Step:
    return replace(step, until=moved.get(step.until, step.until))
