"""Which phase a treatment is in on a day of the calendar."""

from datetime import date, timedelta

from monitoring.rules.calendar import add_months
from monitoring.rules.course import Course
from monitoring.rules.protocol import Phase


def phase_on(course: Course, day: date) -> Phase:
    """The phase in force, counted from the start of treatment and never chained."""
    phases = course.protocol.phases
    current = phases[0]
    for number, following in enumerate(phases[1:], start=1):
        if _ends(course, current) > day or not _may_enter(course, following, number):
            return current
        current = following
    return current


def _ends(course: Course, phase: Phase) -> date:
    started = course.started_on or date.max
    if phase.weeks is not None:
        return started + timedelta(weeks=phase.weeks)
    return add_months(started, phase.months or 0)


def _may_enter(course: Course, phase: Phase, number: int) -> bool:
    if phase.only_if_never_below_normal and course.ever_below_normal:
        return False
    return not phase.authorised or course.authorised_steps >= number
