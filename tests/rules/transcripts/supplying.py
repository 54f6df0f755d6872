"""The pharmacist's answers, and those of the US REMS."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import product

from monitoring.rules.eligibility import (
    SupplyPolicy,
    Verdict,
    Why,
    after_the_last_tablet,
    eligibility,
    last_covered_day,
)
from monitoring.rules.protocols import PROTOCOLS
from monitoring.rules.rems import ERAS, Facts, psf_due, would_have_said
from tests.rules.telling import anc, event, judged, on, treated
from tests.rules.transcripts.lines import Lines, shown, tried

WHITE = Decimal(8000)
DAYS = (
    *("2015-10-11", "2015-10-12", "2020-05-04", "2021-11-15", "2021-11-18", "2021-11-19"),
    *("2022-11-01", "2022-11-02", "2023-05-04", "2025-02-23", "2025-02-24"),
)


STORIES = {
    "first": (-2, [anc(-2, 3000, wbc=WHITE)]),
    "low baseline": (-2, [anc(-2, 1400, wbc=WHITE)]),
    "no count": (None, []),
    "normal": (50, treated(anc(50, 5000, wbc=WHITE))),
    "monthly": (400, treated(event("step_down_authorised", 130), anc(400, 5000, wbc=WHITE))),
    "mild": (50, treated(anc(50, 1400, wbc=Decimal(3200)))),
    "moderate": (50, treated(anc(50, 900, wbc=Decimal(2500)))),
    "derived": (50, treated(anc(50, 900, wbc=Decimal(2500), flags=("derived",)))),
    "severe": (50, treated(anc(50, 400, wbc=Decimal(1500)))),
    "fever": (50, treated(anc(50, 5000, wbc=WHITE), event("fever", 51, celsius=Decimal(39)))),
    "paused": (50, treated(anc(50, 5000, wbc=WHITE), event("last_dose", 50))),
    "stopped": (50, treated(anc(50, 5000, wbc=WHITE), event("last_dose", 50, stop=True))),
}
POLICIES = {
    "plain": SupplyPolicy(days={}),
    "28 days": SupplyPolicy(days={"monthly": 28, "weekly": 6}, margin_days=0),
    "registry": SupplyPolicy(days={}, needs_enrolment=True),
}
WITH_POLICIES = ("us-label-2025", "uk-ztas")


def supplies() -> Lines:
    """The pharmacist's answer: each reason in full once, then by its rule; and what a gap would mean."""
    known: set[Why] = set()
    for key, name, house in product(PROTOCOLS, STORIES, POLICIES):
        if house == "plain" or key in WITH_POLICIES:
            for day, verdict in _verdicts(key, name, POLICIES[house]):
                for one in [one for one in verdict.why if one not in known]:
                    yield f"{one.rule}, {one.kind}, {one.answer}", f"{one.text} | {one.source}"
                known.update(verdict.why)
                rules = tuple(one.rule for one in verdict.why)
                yield f"{key}, {name}, {house}, day {day}", shown(replace(verdict, why=rules))
    for key, protocol in PROTOCOLS.items():
        yield f"{key}, a gap", shown(after_the_last_tablet(protocol, date(2026, 3, 2)))
    for days in (-1, 0, 1, 28):
        yield f"{days} days of tablets", shown(tried(last_covered_day, date(2026, 3, 2), days))


def _verdicts(key: str, name: str, policy: SupplyPolicy) -> Iterator[tuple[int, Verdict]]:
    latest, story = STORIES[name]
    drawn_on = None if latest is None else on(latest).date()
    for later in (0, 2, 6, 10, 11, 40):
        day = max((latest or 0) + later, 0)
        said = judged(story, day, protocol=key)
        enrolled = None if later else True
        yield (
            day,
            eligibility(said, PROTOCOLS[key], day=on(day).date(), drawn_on=drawn_on, policy=policy, enrolled=enrolled),
        )


def programmes() -> Lines:
    """What the US REMS would have said, era by era, with one thing wrong after another."""
    well = {"prescriber_certified": True, "pharmacy_certified": True, "patient_enrolled": True, "band": "normal"}
    for on_day in map(date.fromisoformat, DAYS):
        for name, wrong in _wrongs(on_day).items():
            known = Facts(**well | {"anc_on": on_day} | wrong)
            yield f"{on_day} {name}", shown(tried(would_have_said, known, on_day))
    for era in ERAS:
        yield era.key, f"{era.title} from {era.begins}"
    yield "form due", shown([psf_due(date(2023, 5, 4)), psf_due(None)])


def _wrongs(day: date) -> dict[str, dict[str, object]]:
    def ago(days: int) -> date:
        return day - timedelta(days=days)

    asked = {"dispenses": (ago(30),)}
    with_rationale = asked | {"with_rationale": True}
    three = tuple(ago(days) for days in (0, 30, 60))
    frequencies = ("weekly", "every_2_weeks", "monthly", "yearly")
    certified = ("prescriber_certified", "pharmacy_certified", "patient_enrolled")
    old = (-1, 7, 8, 15, 16, 31, 32)
    who_and_band = tuple(product(("general", "ben"), ("mild", "moderate", "severe")))
    return {
        "all well": {},
        **{f"not begun, {begins}": {"begun": False, "begins_on": begins} for begins in (None, day + timedelta(days=1))},
        "taken over": {"begun": False, "begins_on": day + timedelta(days=1), "beginning_known": False},
        **{f"without {one}": {one: False} for one in certified},
        "nothing": dict.fromkeys(certified, False) | {"anc_on": None},
        "held": {"treatment_held": True},
        **{f"{who} {band}": {"population": who, "band": band} for who, band in who_and_band},
        "severe with rationale": {"band": "severe", "treatment_rationale": True, "anc_on": ago(99)},
        **{
            f"{one}, ANC {days} days old": {"frequency": one, "anc_on": ago(days)}
            for one, days in product(frequencies, old)
        },
        "no form": asked,
        **{f"form {days} days ago": asked | {"status_forms": (ago(days),)} for days in (-1, 0, 37, 38)},
        "rationale": with_rationale,
        "three rationales": with_rationale | {"dispense_rationales": three},
        "two rationales and an old one": with_rationale | {"dispense_rationales": (*three[:2], ago(200))},
        **{f"rationale, ANC {days} days old": with_rationale | {"anc_on": ago(days)} for days in (-1, 30, 31)},
        "rationale, low ANC": with_rationale | {"band": "moderate"},
        "rationale, no ANC": with_rationale | {"anc_on": None},
    }
