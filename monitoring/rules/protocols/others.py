"""Canada and Australia, as far as they are known: nothing here has been read in its primary document yet."""

from datetime import date

from monitoring.rules.protocol import (
    Band,
    Breaks,
    Fall,
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
)
from monitoring.rules.protocols.uk import GENERAL, WINDOWS

_GREEN = Floor(2000, wbc=3500, above=True)
_WEEKLY_X4 = Tail("weekly", results=4, any_band=True)

CANADA_2023 = Protocol(
    key="ca-2023",
    title="Canada, 2023",
    country="CA",
    in_force_from=date(2023, 1, 1),
    tables={
        "general": Table(
            bands=(
                Band("green", _GREEN, "continue"),
                Band("yellow", Floor(1500, wbc=2000), "continue", path=(Step("twice_weekly", until=_GREEN),)),
                Band(
                    "red",
                    None,
                    "stop",
                    tail=_WEEKLY_X4,
                    repeat_within_24h=True,
                    final_when_confirmed=True,
                    way_back="never",
                    register_non_rechallenge=True,
                ),
            ),
            start=Start(_GREEN, max_age_days=None),
            rechallenge=Rechallenge(_GREEN),
            fall=Fall(days=28, anc_by=1500, anc_below=2500, wbc_by=3000, wbc_below=4000),
        )
    },
    phases=(Phase("weekly", weeks=26), Phase("every_2_weeks", weeks=52), Phase("every_4_weeks")),
    windows=WINDOWS,
    breaks=Breaks(as_new_days=29),
    fever=Fever(interrupts=False, frequency="twice_weekly"),
    ends_after_stop=_WEEKLY_X4,
    needs_wbc=True,
    supply=Supply({"weekly": 7, "every_2_weeks": 14, "every_4_weeks": 28}, reaches="window"),
    sources={"*": Source("Canadian product monographs, 2023", verified=False)},
)

AUSTRALIA_2021 = Protocol(
    key="au-2021",
    title="Australia, 2021",
    country="AU",
    in_force_from=date(2021, 1, 1),
    tables={"general": GENERAL},
    phases=(Phase("weekly", weeks=18), Phase("every_4_weeks")),
    windows=WINDOWS,
    breaks=Breaks(as_new_days=28, extra_weekly_over_hours=72),
    fever=Fever(),
    ends_after_stop=_WEEKLY_X4,
    needs_wbc=True,
    supply=Supply({"weekly": 7, "every_4_weeks": 28}, reaches="due", late_collection_hours=48),
    sources={"*": Source("Australian monitoring guidance, 2021", verified=False)},
)
