"""Two protocols of other shapes, sketched to prove that the vocabulary carries them. Not offered to any patient yet.

The European Union lengthens its intervals by what has happened so far and stops for good; the United Kingdom judges
by two numbers, authorises each step down and waits for two greens in a row.
"""

from datetime import date

from monitoring.rules.protocol import (
    Band,
    Breaks,
    Fever,
    Floor,
    Phase,
    Protocol,
    Rechallenge,
    Source,
    Start,
    Step,
    Table,
    Tail,
    Window,
)

_WEEKLY_X4 = Tail("weekly", results=4, any_band=True)


def _eu(normal: int, mild: int) -> Table:
    return Table(
        bands=(
            Band("normal", Floor(normal), "continue"),
            Band("mild", Floor(mild), "continue", path=(Step("weekly", until=Floor(normal)),)),
            Band("stop", None, "stop", tail=_WEEKLY_X4, haematology_consult=True, way_back="never"),
        ),
        start=Start(Floor(normal), max_age_days=None),
        rechallenge=Rechallenge(Floor(normal)),
    )


EU_2025_09 = Protocol(
    key="eu-2025-09",
    title="European Union, September 2025",
    country="EU",
    in_force_from=date(2025, 9, 8),
    tables={"general": _eu(1500, 1000), "ben": _eu(1000, 500)},
    phases=(
        Phase("weekly", weeks=18),
        Phase("monthly", weeks=52),
        Phase("every_12_weeks", weeks=104, only_if_never_below_normal=True),
        Phase("yearly", only_if_never_below_normal=True),
    ),
    windows={
        "weekly": Window(7, 7),
        "monthly": Window(28, 31),
        "every_12_weeks": Window(84, 84),
        "yearly": Window(months=12),
    },
    breaks=Breaks(as_new_days=28, extra_weekly_over_hours=72, waived_after_clean_weeks=104),
    fever=Fever(),
    ends_after_stop=_WEEKLY_X4,
    sources={
        "*": Source("Direct Healthcare Professional Communication, 2025-09-08"),
        "break": Source("Direct Healthcare Professional Communication, 2025-09-08", verified=False),
        "stop": Source("Direct Healthcare Professional Communication, 2025-09-08", verified=False),
        "path": Source("Direct Healthcare Professional Communication, 2025-09-08", verified=False),
    },
)


def _uk(green: Floor, amber: Floor) -> Table:
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
                way_back="never",
                register_non_rechallenge=True,
            ),
        ),
        start=Start(green, max_age_days=None),
        rechallenge=Rechallenge(green),
    )


UK_CPMS = Protocol(
    key="uk-cpms",
    title="United Kingdom, CPMS",
    country="GB",
    in_force_from=date(2020, 1, 1),
    tables={
        "general": _uk(Floor(2000, wbc=3500), Floor(1500, wbc=3000)),
        "ben": _uk(Floor(1500, wbc=3000), Floor(1000, wbc=2500)),
    },
    phases=(
        Phase("weekly", weeks=18),
        Phase("every_2_weeks", weeks=52, authorised=True),
        Phase("every_4_weeks", authorised=True),
    ),
    windows={
        "daily": Window(1, 1),
        "twice_weekly": Window(3, 4),
        "weekly": Window(7, 7),
        "every_2_weeks": Window(14, 14),
        "every_4_weeks": Window(28, 28),
    },
    breaks=Breaks(as_new_days=29, extra_weekly_over_hours=96),
    fever=Fever(),
    ends_after_stop=_WEEKLY_X4,
    needs_wbc=True,
    sources={"*": Source("CPMS, United Kingdom, January 2026", verified=False)},
)

SKETCHES = {protocol.key: protocol for protocol in (EU_2025_09, UK_CPMS)}
