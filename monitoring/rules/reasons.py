"""Why: each rule that decided, in one sentence that a clinician understands, with its source."""

from dataclasses import replace
from datetime import date

from monitoring.rules.advice import Advice
from monitoring.rules.course import Course
from monitoring.rules.judgement import Reason
from monitoring.rules.protocol import Frequency
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
    "band": "The latest ANC, {anc} /uL, is in the band {band}: {range}.",
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
    "start.below_floor": "Starting is not recommended below an ANC of {start} /uL.",
    "start.baseline_too_old": "The latest baseline was drawn more than {age} days ago.",
    "start.no_tests_before": "No routine tests are owed before the first dose.",
    "break.as_new": "Off treatment for {off} days, {as_new} or more: begin as a new patient, with a fresh baseline.",
    "break.may_resume": "Off treatment for {off} days, fewer than {as_new}: treatment may resume and tests go on.",
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
    "path.tail": "Recovered from {worst}: {every}, {left} more normal results are owed.",
    "path.ended": "The ANC has recovered and treatment is stopped, so tests end.",
    "stop.tests_ended": "A normal ANC was drawn after the last dose, so tests end.",
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
    protocol, pause, episode, count = course.protocol, course.pause, course.episode, course.latest
    held = course.worst.held_below if course.worst else None
    return {
        "protocol": protocol.key,
        "anc": plain(count.anc, count.anc_bound) if count and count.anc is not None else "not reported",
        "band": course.table.bands[course.rank].name,
        "best": course.table.bands[0].name,
        "range": band_range(course, course.rank),
        "agreed": course.table.agreed.until if course.table.agreed else "",
        "fall_days": course.table.fall.days if course.table.fall else 0,
        "start": course.table.start.floor.anc,
        "age": course.table.start.max_age_days,
        "off": pause.days(today) if pause else 0,
        "as_new": protocol.breaks.as_new_days,
        "hours": protocol.breaks.retitrate_hours,
        "extra": course.extra_weekly_until,
        "held": held.anc if held else "",
        "fever": course.fever_on,
        "fever_days": protocol.fever.days_after_last_dose,
        "worst": course.worst.name if course.worst else "",
        "left": episode.tail_left if episode else 0,
        "every": IN_WORDS[planned.frequency],
        "start_on": course.started_on,
    }


def band_range(course: Course, rank: int) -> str:
    """The band's limits in words, per microlitre."""
    bands = course.table.bands
    floor, above = bands[rank].floor, bands[rank - 1].floor if rank else None
    upper = f"below {above.anc}" if above else ""
    lower = f"{floor.anc} or more" if floor else ""
    return " and ".join(part for part in (lower, upper) if part)
