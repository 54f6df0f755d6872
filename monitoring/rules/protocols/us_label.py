"""United States prescribing information: the label of June 2025, and that of 2015 for replaying history."""

from dataclasses import replace
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

_LABEL = "Clozaril prescribing information, June 2025"
_REVIEW = "CNS Drugs 2022;36:659-679"
_HOUSE = "House rule; the label is silent"

_TO_1000 = Step("daily", until=Floor(1000))
_TO_1500 = Step("three_times_weekly", until=Floor(1500))

GENERAL = Table(
    bands=(
        Band("normal", Floor(1500), "continue"),
        Band("mild", Floor(1000), "continue", path=(_TO_1500,), repeat_within_24h=True),
        Band(
            "moderate",
            Floor(500),
            "interrupt",
            path=(_TO_1000, _TO_1500),
            tail=Tail("weekly", results=4),
            repeat_within_24h=True,
            haematology_consult=True,
            held_below=Floor(1000),
        ),
        Band(
            "severe",
            None,
            "stop",
            path=(_TO_1000, _TO_1500),
            repeat_within_24h=True,
            haematology_consult=True,
            way_back="approval",
        ),
    ),
    start=Start(Floor(1500), suggest_ben_workup=True),
    rechallenge=Rechallenge(Floor(1500)),
)

BEN = Table(
    bands=(
        Band("normal", Floor(1000), "continue"),
        Band(
            "neutropenia",
            Floor(500),
            "continue",
            path=(Step("three_times_weekly", until=Floor(1000)),),
            tail=Tail("weekly", results=4),
            repeat_within_24h=True,
            haematology_consult=True,
        ),
        Band(
            "severe",
            None,
            "stop",
            path=(
                Step("daily", until=Floor(500)),
                Step("three_times_weekly", until=Floor(1000), baseline=True),
            ),
            repeat_within_24h=True,
            haematology_consult=True,
            way_back="approval",
        ),
    ),
    start=Start(Floor(1000), counts=2),
    rechallenge=Rechallenge(Floor(1000), baseline="and"),
)

US_LABEL_2025 = Protocol(
    key="us-label-2025",
    title="United States prescribing information, June 2025",
    country="US",
    in_force_from=date(2025, 6, 13),
    tables={"general": GENERAL, "ben": BEN},
    phases=(Phase("weekly", months=6), Phase("every_2_weeks", months=12), Phase("monthly")),
    windows={
        "daily": Window(1, 1),
        "three_times_weekly": Window(2, 3),
        "weekly": Window(7, 7),
        "every_2_weeks": Window(14, 15),
        "monthly": Window(28, 31),
        "every_6_months": Window(months=6),
    },
    breaks=Breaks(retitrate_hours=48, as_new_days=30),
    fever=Fever(),
    hospice="every_6_months",
    supply=Supply(
        {"weekly": 7, "every_2_weeks": 14, "monthly": 30},
        to_know={"rems.ended": "The US REMS ended in 2025: no enrolment and no form is asked for before dispensing."},
    ),
    sources={
        "*": Source(_LABEL, "section 2.3"),
        "start": Source(_LABEL, "section 2.2"),
        "start.baseline_too_old": Source(_HOUSE),
        "repeat": Source(_LABEL, "section 2.3, tables 1 and 2"),
        "rechallenge": Source(_LABEL, "section 5.1"),
        "severe": Source(_LABEL, "section 5.1"),
        "break": Source(_LABEL, "section 2.4"),
        "break.as_new": Source(_REVIEW, "table 7"),
        "stop": Source(_LABEL, "section 2.4", verified=False),
        "fever": Source(_LABEL, "section 5.1", verified=False),
        "hospice": Source(_LABEL, "section 2.3", verified=False),
        "count": Source(_REVIEW, "table 1"),
        "count.supported": Source(_HOUSE),
        "supply": Source("Practice under the programme of 2015: the supply follows the frequency"),
        "rems.ended": Source("FDA, 2025-02-24 and 2025-06-13"),
        "phase": Source(_LABEL, "section 2.3; windows of the 2019-2021 programme"),
    },
)

_INTERRUPTED_2015 = {
    population: replace(table, bands=(*table.bands[:-1], replace(table.bands[-1], treatment="interrupt")))
    for population, table in US_LABEL_2025.tables.items()
}

US_LABEL_2015 = replace(
    US_LABEL_2025,
    key="us-label-2015",
    title="United States prescribing information, October 2015",
    in_force_from=date(2015, 10, 12),
    retired_on=date(2025, 6, 12),
    supply=Supply({"weekly": 7, "every_2_weeks": 14, "monthly": 30}),
    tables=_INTERRUPTED_2015
    | {"ben": replace(_INTERRUPTED_2015["ben"], rechallenge=Rechallenge(Floor(1000), baseline="or"))},
    sources={
        rule: replace(source, title=source.title.replace("June 2025", "October 2015"))
        for rule, source in US_LABEL_2025.sources.items()
    },
)
