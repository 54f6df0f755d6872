"""Why: each rule that decided, in one sentence that a clinician understands, with its source."""

from dataclasses import replace
from datetime import date

from monitoring.rules.advice import Advice
from monitoring.rules.course import Course
from monitoring.rules.judgement import Reason
from monitoring.rules.protocol import Floor, Frequency
from monitoring.rules.schedule import Schedule
from monitoring.rules.units import plain

IN_WORDS: dict[Frequency, str] = {
    "daily": "every day",
    "twice_weekly": "twice a week",
    "three_times_weekly": "three times a week",
    "weekly": "every week",
    "every_2_weeks": "every 2 weeks",
    "every_4_weeks": "every 4 weeks",
    "monthly": "every month",
    "every_12_weeks": "every 12 weeks",
    "yearly": "every year",
    "every_6_months": "every 6 months",
    "none": "not at all",
}

SENTENCES = {
    "band": "The latest {count} /uL, is in the band {band}{range}.",
    "limits.agreed": "Limits agreed for this patient until {agreed} are used in place of the protocol's own.",
    "count.incomplete": "The latest count lacks the white cell count that {protocol} needs, so it cannot count as"
    " {best}.",
    "count.derived": "The ANC was worked out from the white cell count and the percentages.",
    "count.bands_not_reported": "Band cells were not reported, so the ANC counts segmented cells alone.",
    "count.anc_disagrees_with_derived": "The reported ANC and the one worked out from the white cells differ by more"
    " than 10 %; the reported one is used.",
    "count.supported": "The count was taken under G-CSF or lithium; it is not proof that the marrow has recovered.",
    "count.fall": "The count has fallen so far within {fall_days} days that it counts as {band}.",
    "start.allowed": "The baseline allows a first dose.",
    "start.no_baseline": "There is no baseline ANC yet, so treatment may not start.",
    "start.second_baseline": "A second baseline ANC on another date is needed before the first dose.",
    "start.below_floor": "Starting is not recommended: it asks for {start}, per microlitre.",
    "start.baseline_too_old": "The latest baseline was drawn more than {age} days ago.",
    "start.no_tests_before": "No routine tests are owed before the first dose.",
    "break.as_new": "Off treatment for {off}, {as_new} or more: begin as a new patient, with a fresh baseline.",
    "break.may_resume": "Off treatment for {off}, fewer than {as_new}: treatment may resume and tests go on.",
    "break.waived": "Off treatment for {off}. After so long without a low count treatment may resume and tests go on.",
    "break.retitrate": "{hours} hours or more without a dose: build the dose up again from 12.5 mg.",
    "break.extra_weekly": "After this break tests are taken every week until {extra}.",
    "severe.until_approved": "Severe neutropenia: no clozapine unless the prescriber documents that the benefit"
    " outweighs the risk.",
    "severe.to_be_confirmed": "Such a count is repeated within 24 hours before it is final: interrupt until then.",
    "severe.for_good": "Treatment is stopped for good under this protocol.",
    "rechallenge.ready": "A rechallenge is approved and the ANC has recovered.",
    "rechallenge.not_yet": "A rechallenge is approved, but the ANC has not recovered far enough.",
    "path.may_resume": "The ANC is back at {held} /uL or more: treatment may be resumed.",
    "treatment.continue": "Nothing in the history stands against continuing.",
    "fever.interrupt": "Fever on treatment: interrupt until a count drawn after it is known.",
    "fever.count_now": "Fever on {fever}: take an ANC the same day and look for an infection.",
    "fever.after_last_dose": "Fever on {fever}, within {fever_days} days of the last dose: take an ANC now.",
    "repeat.owed": "A first low count is repeated within 24 hours of its draw.",
    "path.step": "Worst count of this episode: {worst}. Tests are taken {every} until the ANC has recovered.",
    "path.tail": "Recovered from {worst}: tests {every}, {left} to come.",
    "path.last_tests": "Treatment is stopped: tests {every}, {left_of_any} to come, whatever they show.",
    "path.stopped": "Treatment is stopped, and the results owed after it have been drawn, so tests end.",
    "path.ended": "The ANC has recovered and treatment is stopped, so tests end.",
    "stop.tests_ended": "A normal ANC was drawn after the last dose, so tests end.",
    "stop.tail_ended": "The weekly results owed after the last dose have been drawn, so tests end.",
    "stop.tail": "Treatment is stopped: weekly results are still owed before tests end.",
    "hospice": "Hospice monitoring is agreed: tests {every} while the count is normal.",
    "phase": "Treatment began on {start_on}; at the latest draw tests were due {every}.",
}


def reasons(course: Course, given: Advice, planned: Schedule, today: date) -> tuple[Reason, ...]:
    """The reasons in the order in which they decided: the count, the advice, the next test, the dose."""
    rules = [*_of_the_count(course), *given.because, planned.rule]
    if "retitrate_from_12_5_mg" in given.actions:
        rules.append("break.retitrate")
    words = _words(course, planned, today)
    return tuple(_reason(course, rule, words) for rule in dict.fromkeys(rules))


def _of_the_count(course: Course) -> list[str]:
    found = [] if course.latest is None else [f"band.{course.table.bands[course.rank].name}"]
    if course.table.agreed:
        found.append("limits.agreed")
    if course.fallen:
        found.append("count.fall")
    if course.incomplete:
        found.append("count.incomplete")
    if course.latest:
        found += [f"count.{flag}" for flag in course.latest.flags if f"count.{flag}" in SENTENCES]
        found += ["count.supported"] if course.latest.supported else []
    return found


def _reason(course: Course, rule: str, words: dict[str, object]) -> Reason:
    sentence = SENTENCES.get(rule) or SENTENCES[rule.partition(".")[0]]
    source = course.protocol.source(rule)
    source = source if course.table.verified else replace(source, verified=False)
    return Reason(rule, sentence.format_map(words), source.cite())


def _words(course: Course, planned: Schedule, today: date) -> dict[str, object]:
    protocol, pause, episode = course.protocol, course.pause, course.episode
    held = course.worst.held_below if course.worst else None
    return {
        "protocol": protocol.key,
        "count": _count_in_words(course),
        "band": course.table.bands[course.rank].name,
        "best": course.table.bands[0].name,
        "range": "" if course.fallen else f": {band_range(course, course.rank)}",
        "agreed": course.table.agreed.until if course.table.agreed else "",
        "fall_days": course.table.fall.days if course.table.fall else 0,
        "start": _reached(course.table.start.floor),
        "age": course.table.start.max_age_days,
        "off": counted(pause.days(today), "day") if pause else "",
        "as_new": protocol.breaks.as_new_days,
        "hours": protocol.breaks.retitrate_hours,
        "extra": course.extra_weekly_until,
        "held": held.anc if held else "",
        "fever": course.fever_on,
        "fever_days": protocol.fever.days_after_last_dose,
        "worst": course.worst.name if course.worst else "",
        "left": counted(episode.tail_left, "more normal result") if episode else "",
        "left_of_any": counted(episode.tail_left, "more result") if episode else "",
        "every": IN_WORDS[planned.frequency],
        "start_on": course.started_on,
    }


def counted(number: int, what: str) -> str:
    """1 day, 2 days."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def _count_in_words(course: Course) -> str:
    """ANC, 1470; with the white cells where the protocol judges by both, so that it can be seen which one decided."""
    count = course.latest
    if count is None:
        return "count"
    anc = "not reported" if count.anc is None else plain(count.anc, count.anc_bound)
    if not course.protocol.needs_wbc:
        return f"ANC, {anc}"
    wbc = "not reported" if count.wbc is None else plain(count.wbc, count.wbc_bound)
    return f"count, ANC {anc} and WBC {wbc}"


def band_range(course: Course, rank: int) -> str:
    """The band's limits in words, per microlitre."""
    bands = course.table.bands
    floor, better = bands[rank].floor, bands[rank - 1].floor if rank else None
    both = any(one is not None and one.wbc is not None for one in (floor, better))
    if both:
        # The worse of the two numbers decides: below either is below, and both have to be reached.
        return ", but ".join([*([_reached(floor)] if floor else []), *([_missed(better)] if better else [])])
    upper = f"below {better.anc}" if better else ""
    lower = f"{floor.anc} or more" if floor else ""
    return " and ".join(part for part in (lower, upper) if part)


def _numbers(floor: Floor) -> list[tuple[str, int]]:
    return [("ANC", floor.anc), *([] if floor.wbc is None else [("WBC", floor.wbc)])]


def _reached(floor: Floor) -> str:
    words = "{} above {}" if floor.above else "{} {} or more"
    return " and ".join(words.format(*one) for one in _numbers(floor))


def _missed(floor: Floor) -> str:
    words = "{} {} or less" if floor.above else "{} below {}"
    return " or ".join(words.format(*one) for one in _numbers(floor))
