"""Each part of a protocol as a sentence. A test changes every field in turn, and the words must change with it."""

from collections.abc import Mapping

from monitoring.rules.protocol import (
    Band,
    Breaks,
    Fall,
    Fever,
    Floor,
    Phase,
    Reach,
    Rechallenge,
    Start,
    Step,
    Supply,
    Table,
    Tail,
    Window,
)
from monitoring.rules.reasons import IN_WORDS

TREATMENT = {"continue": "Continue treatment", "interrupt": "Interrupt treatment", "stop": "Stop treatment"}
WAY_BACK = {
    "resume": "",
    "approval": "Never again unless a prescriber approves a rechallenge: benefit over risk, documented",
    "never": "For good: this protocol knows no way back",
}
OWN_BASELINE = {
    "ignored": "",
    "and": ", and at the person's own baseline or more",
    "or": ", or at the person's own baseline or more",
}
Said = list[tuple[str, str]]
"""Rule ids and sentences."""


def at_least(floor: Floor) -> str:
    """An ANC, and a WBC where one is judged too."""
    if floor.above:
        return f"above {floor.anc} /uL" + (f" with a WBC above {floor.wbc} /uL" if floor.wbc is not None else "")
    white = f" with a WBC of {floor.wbc} /uL or more" if floor.wbc is not None else ""
    return f"{floor.anc} /uL or more{white}"


def limits(band: Band, better: Band | None) -> str:
    """From where to where the band goes."""
    above = better.floor if better else None
    if above is None or better is None:
        return at_least(band.floor) if band.floor else "Every count"
    if band.floor is None:
        below = "not above" if above.above else "below"
        white = f", or a WBC {below} {above.wbc} /uL" if above.wbc is not None else ""
        return f"{below.capitalize()} {above.anc} /uL{white}"
    if band.floor.wbc is not None or above.wbc is not None or above.above or band.floor.above:
        return f"{at_least(band.floor)}, and not {better.name}"
    return f"{band.floor.anc} to below {above.anc} /uL"


def treatment(band: Band) -> Said:
    """What to do about treatment."""
    said = [(f"band.{band.name}", TREATMENT[band.treatment])]
    if band.held_below:
        said.append(("path", f"May resume from an ANC of {at_least(band.held_below)}"))
    if WAY_BACK[band.way_back]:
        said.append(("severe", WAY_BACK[band.way_back]))
    return said


def tests(band: Band) -> Said:
    """How often tests are taken until recovery, and after it."""
    said = [("path", step(one)) for one in band.path]
    if band.tail:
        said.append(("path", tail(band.tail)))
    return said or [("phase", "By phase")]


def also(band: Band) -> Said:
    """What else the band asks for."""
    deep = band.consult_below
    consult = "Consult haematology" if band.haematology_consult else "Haematology only by the clinic's own choice"
    consult += f", unless {at_least(deep)} and without fever" if deep else ""
    asked = (
        (band.repeat_within_24h, "repeat", "Repeat the first low count within 24 hours of its draw"),
        (band.haematology_consult or deep is not None, f"band.{band.name}", consult),
        (band.final_when_confirmed, "repeat", "Final only once a repeat confirms it; interrupt until then"),
        (band.register_non_rechallenge, f"band.{band.name}", "Enter in the non-rechallenge register"),
    )
    return [(rule, words) for wanted, rule, words in asked if wanted]


def step(one: Step) -> str:
    """One stretch of the path."""
    own = ", or at the person's own baseline" if one.baseline else ""
    times = f" in {one.in_a_row} results in a row" if one.in_a_row != 1 else ""
    return f"{IN_WORDS[one.frequency].capitalize()} until the ANC is {at_least(one.until)}{own}{times}"


def tail(owed: Tail) -> str:
    """Tests owed after recovery."""
    which = "whatever their band" if owed.any_band else "normal"
    end = "then tests end" if owed.then_ends else "then the last interval again"
    return f"{IN_WORDS[owed.frequency].capitalize()}: {owed.results} results, {which}, {owed.days} days apart; {end}"


def fall(rule: Fall | None, table: Table) -> Said:
    """A drop that counts as a band."""
    if rule is None:
        return [("count", "A fall alone changes no band")]
    low = table.bands[1].name
    anc = f"an ANC that falls by {rule.anc_by} /uL or more to below {rule.anc_below} /uL"
    white = f"a WBC by {rule.wbc_by} /uL or more to below {rule.wbc_below} /uL"
    return [("count", f"Within {rule.days} days {anc}, or {white}, counts as {low}")]


REACHES: Mapping[Reach, str] = {
    "margin": "A supply may reach past the last day in time of the next test by the clinic's margin",
    "window": "No supply reaches past the last day in time of the next test",
    "due": "No supply reaches past the day on which the next test is due",
}


def supply(rule: Supply | None) -> Said:
    """For how many days tablets may be supplied."""
    if rule is None:
        return [("supply", "This protocol has no rule of its own")]
    since = "counted from the draw" if rule.from_draw else "from the day of supply"
    said = [
        (f"supply.{frequency}", f"Tests {IN_WORDS[frequency]}: {days} days, {since}")
        for frequency, days in rule.days.items()
    ]
    only = "At a frequency without days of its own: " if rule.from_draw else ""
    said.append(("supply", only + REACHES[rule.reaches]))
    if rule.late_collection_hours is not None:
        hours = rule.late_collection_hours
        words = f"Collected more than {hours} hours after the draw: the quantity less the days since then"
        said.append(("supply", words))
    said += [(name, text.removesuffix(".")) for name, text in rule.to_know.items()]
    return said


def start(rule: Start) -> Said:
    """What a first dose needs."""
    counts = "The latest count is" if rule.counts == 1 else f"The {rule.counts} latest counts, on different dates, are"
    said = [("start", f"{counts} {at_least(rule.floor)}")]
    if rule.max_age_days is not None:
        said.append(("start.baseline_too_old", f"The latest was drawn at most {rule.max_age_days} days before"))
    if rule.suggest_ben_workup:
        said.append(("start", "Below that, consider whether this is benign ethnic neutropenia"))
    return said


def rechallenge(rule: Rechallenge) -> Said:
    """What an approved rechallenge needs."""
    return [
        ("rechallenge", f"After its approval the latest count is {at_least(rule.floor)}{OWN_BASELINE[rule.baseline]}")
    ]


def phase(one: Phase, *, last: bool) -> str:
    """Until when tests are this frequent while all is normal."""
    ends = [f"{one.months} calendar months"] if one.months is not None else []
    ends += [f"{one.weeks} weeks"] if one.weeks is not None else []
    words = f"Until {' or '.join(ends)} after the first dose" if ends else "For as long as treatment lasts"
    if last and ends:
        words += ", and after that"
    words += "; only when the service has authorised the step down" if one.authorised else ""
    return words + ("; only if no count was ever below normal" if one.only_if_never_below_normal else "")


def window(one: Window) -> tuple[str, str]:
    """When the next test is due, and its last day in time."""
    months = f"{one.months} calendar months" if one.months else ""
    return _after(months, one.due_days), _after(months, one.overdue_days)


def _after(months: str, days: int) -> str:
    count = f"{days} day{'' if days == 1 else 's'}" if days or not months else ""
    return " and ".join(part for part in (months, count) if part) + " after the draw"


def breaks(rule: Breaks) -> Said:
    """What a break in treatment asks for on restarting."""
    said = [
        ("break.retitrate", f"{rule.retitrate_hours} hours or more without a dose: build the dose up from 12.5 mg"),
        ("break.as_new", f"{rule.as_new_days} days or more: begin as a new patient, with a fresh baseline"),
    ]
    if rule.extra_weekly_over_hours is None:
        said.append(("break", "A shorter break changes nothing about the tests"))
    else:
        words = f"More than {rule.extra_weekly_over_hours} hours: every week for {rule.extra_weekly_weeks} weeks"
        said.append(("break.extra_weekly", words))
    if rule.waived_after_clean_weeks is not None:
        words = f"After {rule.waived_after_clean_weeks} weeks without a count below normal a break changes nothing"
        said.append(("break.waived", words))
    return said


def fever(rule: Fever) -> Said:
    """What a temperature asks for."""
    hold = "interrupt, " if rule.interrupts else "treatment goes on, "
    often = f", then {IN_WORDS[rule.frequency]} until it is answered" if rule.frequency else ""
    return [
        (
            "fever",
            f"{rule.celsius} °C or more on treatment: {hold}take an ANC the same day, look for an infection{often}",
        ),
        (
            "fever",
            f"{rule.celsius} °C or more within {rule.days_after_last_dose} days of the last dose: take an ANC now",
        ),
    ]
