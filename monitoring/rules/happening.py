"""What happens in a treatment besides counts: doses, breaks, approvals, fever."""

from datetime import datetime, timedelta

from monitoring.rules.course import Course
from monitoring.rules.episode import OpenEpisode, Pause
from monitoring.rules.history import Event


def take_event(course: Course, at: datetime, event: Event) -> None:
    """Anything but a count, in its order."""
    match event.kind:
        case "first_dose":
            _first_dose(course, at)
        case "last_dose":
            _last_dose(course, at, event)
        case "restart":
            _restart(course, at, event)
        case "rechallenge_approved":
            worst = course.worst
            course.approved |= course.begun and worst is not None and worst.way_back == "approval"
        case "hospice_agreed":
            course.hospice = True
        case "fever":
            _fever(course, at, event)
        case "step_down_authorised":
            course.authorised_steps += 1


def _first_dose(course: Course, at: datetime) -> None:
    if not course.begun:
        course.begun = True
        _begin(course, at)


def _stopped_for_good(course: Course) -> bool:
    """A restart does not undo a stop to which the protocol knows no way back."""
    worst = course.worst
    return worst is not None and worst.way_back == "never" and not course.to_be_confirmed


def _begin(course: Course, at: datetime, *, keep: OpenEpisode | None = None) -> None:
    """Phases counted from here; whatever counts before it opened is closed."""
    course.started_on = course.civil(at)
    course.drawn_since_start = False
    course.episode = keep
    course.approved = False
    course.extra_weekly_until = None
    course.authorised_steps = 0


def _last_dose(course: Course, at: datetime, event: Event) -> None:
    if not course.begun:
        return
    course.pause = Pause(since=at, on=course.civil(at), time_known=isinstance(event.at, datetime), stop=event.stop)
    course.since = []


def _restart(course: Course, at: datetime, event: Event) -> None:
    if not course.begun:
        return
    on, pause, breaks = course.civil(at), course.pause, course.protocol.breaks
    time_known = isinstance(event.at, datetime)
    course.pause = None
    if pause and pause.lasted(breaks.retitrate_hours, at, on, until_time_known=time_known):
        course.retitrated_on = on
    if pause and course.waived(pause.on):
        return
    as_new = pause is not None and pause.days(on) >= breaks.as_new_days
    if as_new or course.approved:
        _begin(course, at, keep=course.episode if _stopped_for_good(course) else None)
        return
    if course.episode:
        course.episode.restarted = True
    over = breaks.extra_weekly_over_hours
    if pause and over and pause.exceeded(over, at, on, until_time_known=time_known):
        course.extra_weekly_until = on + timedelta(weeks=breaks.extra_weekly_weeks)


def _fever(course: Course, at: datetime, event: Event) -> None:
    fever, on = course.protocol.fever, course.civil(at)
    if not course.begun or event.celsius is None or event.celsius < fever.celsius:
        return
    if course.pause and course.pause.days(on) > fever.days_after_last_dose:
        return
    if course.fever_on is None:
        # The earliest unanswered fever stands: a second one must not hide that the count is overdue.
        course.fever_on, course.fever_off_treatment = on, True
    course.fever_off_treatment &= course.pause is not None
