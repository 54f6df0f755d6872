"""Whether a first dose may be given: before treatment, and again after a break that makes a new patient of one."""

from datetime import date

from monitoring.rules.course import Course
from monitoring.rules.history import Count
from monitoring.rules.protocol import at_least

Finding = tuple[str, str]
"""A rule's id, and the action code that it asks for ("" for none)."""


def starting(course: Course, today: date) -> list[Finding]:
    """What stands against a first dose; nothing found means that it may be given."""
    start, baselines = course.table.start, course.since
    if not baselines:
        return [("start.no_baseline", "second_baseline_needed" if start.counts > 1 else "")]
    found: list[Finding] = []
    drawn_on = {course.civil(at) for at, _ in baselines}
    if len(drawn_on) < start.counts:
        found.append(("start.second_baseline", "second_baseline_needed"))
    latest = [count for _, count in baselines[-start.counts :]]
    if not all(start.floor.reached_by(count) for count in latest):
        found.append(("start.below_floor", _workup(course, latest[-1])))
    if start.max_age_days is not None and (today - course.civil(baselines[-1][0])).days > start.max_age_days:
        found.append(("start.baseline_too_old", "baseline_too_old"))
    return found


def _workup(course: Course, latest: Count) -> str:
    start = course.table.start
    low = not start.floor.reached_by(latest)
    return "consider_ben_workup" if start.suggest_ben_workup and low else ""


def rechallenge_ready(course: Course) -> bool:
    """Whether the latest count allows an approved rechallenge."""
    rule, count = course.table.rechallenge, course.latest
    if count is None:
        return False
    floor = rule.floor.reached_by(count)
    if rule.baseline == "ignored" or course.baseline is None:
        return floor
    own = at_least(count.anc, count.anc_bound, course.baseline)
    return (floor and own) if rule.baseline == "and" else (floor or own)
