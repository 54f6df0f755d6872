"""When the next test is due, how often tests are taken, and what that rests on."""

from dataclasses import dataclass
from datetime import date, timedelta

from monitoring.rules.calendar import due, last_day_in_time
from monitoring.rules.course import Course
from monitoring.rules.phases import phase_on
from monitoring.rules.protocol import Frequency, Tail


@dataclass(frozen=True, slots=True)
class Schedule:
    """The next test. `rule` says which sentence of the protocol decided."""

    frequency: Frequency
    due_on: date | None
    overdue_after: date | None
    rule: str


def schedule(course: Course, today: date) -> Schedule:
    """The next test as the course stands today; a fever brings it forward to the day of the fever."""
    planned = _planned(course, today)
    if course.fever_on is None:
        return planned
    rule = "fever.after_last_dose" if course.fever_off_treatment else "fever.count_now"
    frequency = planned.frequency if course.fever_off_treatment else course.protocol.fever.frequency
    return Schedule(frequency or planned.frequency, course.fever_on, course.fever_on, rule)


def phase(course: Course) -> Frequency | None:
    """The frequency when all is normal, on the day of the latest draw since the start (else of the start)."""
    if not course.begun:
        return None
    if course.hospice and course.episode is None and course.protocol.hospice:
        return course.protocol.hospice
    return phase_on(course, _counted_from(course)).frequency


def _planned(course: Course, today: date) -> Schedule:
    if course.repeat_of:
        tomorrow = course.civil(course.repeat_of.at) + timedelta(days=1)
        frequency = _path_frequency(course) if course.begun else "none"
        return Schedule(frequency, tomorrow, tomorrow, "repeat.owed")
    if not course.begun:
        return Schedule("none", None, None, "start.no_tests_before")
    if course.episode is not None and not course.episode.recovered:
        return _on_path(course)
    if _stopped(course, today):
        tail = course.protocol.ends_after_stop
        if _tests_ended(course, tail):
            return Schedule("none", None, None, "stop.tail_ended" if tail else "stop.tests_ended")
        if tail is not None and course.episode is None:
            return _every(course, tail.frequency, "stop.tail")
    return _in_phase(course) if course.episode is None else _on_path(course)


def _on_path(course: Course) -> Schedule:
    frequency = _path_frequency(course)
    if frequency == "none":
        return Schedule("none", None, None, "path.stopped" if _whatever_they_show(course) else "path.ended")
    if course.episode is None or not course.episode.recovered:
        return _every(course, frequency, "path.step")
    return _every(course, frequency, "path.last_tests" if _whatever_they_show(course) else "path.tail")


def _whatever_they_show(course: Course) -> bool:
    """The tail that is owed counts results of any band: nobody has recovered for that."""
    return course.episode is not None and course.episode.tail is not None and course.episode.tail.any_band


def _path_frequency(course: Course) -> Frequency:
    """The frequency of the worst band's path; once it is done, of the tail while one is owed."""
    step, episode, worst = course.step(), course.episode, course.worst
    if step is not None:
        return step.frequency
    if episode is None or worst is None:
        return "none"
    if not episode.recovered:
        return worst.path[-1].frequency
    return episode.tail.frequency if episode.tail and episode.tail_left else "none"


def _in_phase(course: Course) -> Schedule:
    frequency = phase(course) or "none"
    if course.hospice and frequency == course.protocol.hospice:
        return _every(course, frequency, "hospice")
    if course.extra_weekly_until and _counted_from(course) < course.extra_weekly_until:
        return _every(course, "weekly", "break.extra_weekly")
    return _every(course, frequency, "phase")


def _every(course: Course, frequency: Frequency, rule: str) -> Schedule:
    window, day = course.protocol.windows[frequency], _counted_from(course)
    return Schedule(frequency, due(window, day), last_day_in_time(window, day), rule)


def _counted_from(course: Course) -> date:
    """The day of the latest draw since the start, or the start itself."""
    if course.drawn_since_start and course.latest_at is not None:
        return course.civil(course.latest_at)
    if course.started_on is None:
        raise ValueError("nothing is scheduled before the first dose")
    return course.started_on


def _stopped(course: Course, today: date) -> bool:
    """Stopped for good, or off for so long that a restart would be as new."""
    pause = course.pause
    return pause is not None and (pause.stop or course.off_for_long(today))


def _tests_ended(course: Course, tail: Tail | None) -> bool:
    """One normal count drawn after the last dose; where the protocol owes a tail, that many weekly results."""
    if tail is None:
        best = course.table.bands[0].floor
        return any(best is None or best.reached_by(count) for _, count in course.since)
    last, weekly = course.pause.on if course.pause else date.min, 0
    for at, _ in course.since:
        if (course.civil(at) - last).days >= tail.days:
            last, weekly = course.civil(at), weekly + 1
    return weekly >= tail.results
