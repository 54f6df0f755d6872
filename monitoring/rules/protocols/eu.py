"""European Union: the absolute neutrophil count alone, fewer tests after a clean history, and a stop for good."""

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
    Supply,
    Table,
    Tail,
    Window,
)

_LETTER = "Direct Healthcare Professional Communication, 2025-09-08 (PRAC, July 2025)"
_UNREAD = Source(_LETTER, verified=False)
_HOUSE = Source("House rule; the letter is silent", verified=False)
_WEEKLY_X4 = Tail("weekly", results=4, any_band=True)


def _table(normal: Floor, mild: Floor) -> Table:
    return Table(
        bands=(
            Band("normal", normal, "continue"),
            Band("mild", mild, "continue", path=(Step("weekly", until=normal),)),
            Band("stop", None, "stop", tail=_WEEKLY_X4, way_back="never"),
        ),
        start=Start(normal, max_age_days=None),
        rechallenge=Rechallenge(normal),
    )


EU_2025_09 = Protocol(
    key="eu-2025-09",
    title="European Union, September 2025",
    country="EU",
    in_force_from=date(2025, 9, 8),
    tables={"general": _table(Floor(1500), Floor(1000)), "ben": _table(Floor(1000), Floor(500))},
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
    supply=Supply({"weekly": 7, "monthly": 28, "every_12_weeks": 84, "yearly": 84}, reaches="window"),
    sources={
        "*": Source(_LETTER),
        "break.as_new": _UNREAD,
        "path.step": _UNREAD,
        "stop": _UNREAD,
        "fever": _HOUSE,
        "supply": _HOUSE,
    },
)
