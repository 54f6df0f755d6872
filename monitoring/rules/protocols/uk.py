"""United Kingdom: white cells and neutrophils, each step down authorised, daily tests until two greens in a row."""

from datetime import date

from monitoring.rules.protocol import (
    Band,
    Breaks,
    Fever,
    Floor,
    Frequency,
    Phase,
    Protocol,
    Rechallenge,
    Source,
    Start,
    Step,
    Supply,
    Table,
    Tail,
    Window,
)

URGENT = Floor(1000, wbc=2000)
"""Below it a red count is a matter for haematology at once."""


def table(green: Floor, amber: Floor, *, verified: bool = True) -> Table:
    """The worse of the two numbers decides."""
    return Table(
        bands=(
            Band("green", green, "continue"),
            Band("amber", amber, "continue", path=(Step("twice_weekly", until=green),)),
            Band(
                "red",
                None,
                "stop",
                path=(Step("daily", until=green, in_a_row=2),),
                haematology_consult=True,
                consult_below=URGENT,
                way_back="never",
                register_non_rechallenge=True,
            ),
        ),
        start=Start(green, max_age_days=None),
        rechallenge=Rechallenge(green),
        verified=verified,
    )


_HOUSE = Source("House rule; the services say nothing of it", verified=False)
GENERAL = table(Floor(2000, wbc=3500), Floor(1500, wbc=3000))


_PHASES = (
    Phase("weekly", weeks=18),
    Phase("every_2_weeks", weeks=52, authorised=True),
    Phase("every_4_weeks", authorised=True),
)
WINDOWS: dict[Frequency, Window] = {
    "daily": Window(1, 1),
    "twice_weekly": Window(3, 4),
    "weekly": Window(7, 7),
    "every_2_weeks": Window(14, 14),
    "every_4_weeks": Window(28, 28),
}


def _registry(name: str, *, weekly_over_hours: int, weekly_days: int, breaks_verified: bool = True) -> Protocol:
    title = f"{name}, United Kingdom, January 2026"
    return Protocol(
        key=f"uk-{name.lower()}",
        title=title,
        country="GB",
        in_force_from=date(2020, 1, 1),
        tables={
            "general": GENERAL,
            "ben": table(Floor(1500, wbc=3000), Floor(1000, wbc=2500), verified=False),
        },
        phases=_PHASES,
        windows=WINDOWS,
        breaks=Breaks(as_new_days=29, extra_weekly_over_hours=weekly_over_hours),
        fever=Fever(),
        ends_after_stop=Tail("weekly", results=4, any_band=True),
        needs_wbc=True,
        supply=Supply({"weekly": weekly_days, "every_2_weeks": 21, "every_4_weeks": 42}, from_draw=True),
        sources={
            "*": Source(title),
            "break.extra_weekly": Source(title, verified=breaks_verified),
            "fever.interrupt": Source("House rule; the services ask for a count at once", verified=False),
            "supply.every_2_weeks": Source(title, verified=False),
            "supply.every_4_weeks": Source(title, verified=False),
            "supply.twice_weekly": _HOUSE,
            "supply.daily": _HOUSE,
            "supply.next_test": _HOUSE,
            "supply.overdue": _HOUSE,
        },
    )


UK_CPMS = _registry("CPMS", weekly_over_hours=96, weekly_days=10)
UK_ZTAS = _registry("ZTAS", weekly_over_hours=72, weekly_days=14, breaks_verified=False)
UK_DMS = _registry("DMS", weekly_over_hours=72, weekly_days=10)
