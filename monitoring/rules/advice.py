"""What to do about treatment now."""

from dataclasses import dataclass, field
from datetime import date, datetime

from monitoring.rules.course import Course
from monitoring.rules.starting import Finding, rechallenge_ready, starting

PERMITS = frozenset(("treatment.continue", "path.may_resume", "break.may_resume", "break.waived"))
"""What a fever takes back until a count is known."""


@dataclass(slots=True)
class Advice:
    """Treatment advice, the rules that decided it in their order, and the actions they ask for."""

    treatment: str
    because: list[str]
    actions: list[str] = field(default_factory=list)


def advice(course: Course, today: date) -> Advice:
    """Severe neutropenia outranks everything; then the fever precaution, a long break, the path, a short break."""
    if not course.begun:
        return _may_start(starting(course, today), "start")
    off_for_long = _after_long_break(course, today)
    given = _on_approval_path(course) or off_for_long or _on_path(course, today)
    if given is off_for_long:
        return given
    precaution = course.fever_on is not None and not course.fever_off_treatment and course.protocol.fever.interrupts
    if precaution and given.treatment != "stop":
        given.treatment = "interrupt"
        given.because = [*(rule for rule in given.because if rule not in PERMITS), "fever.interrupt"]
    return given


def _may_start(found: list[Finding], rule: str) -> Advice:
    if not found:
        return Advice("may_start", [f"{rule}.allowed"])
    return Advice("do_not_start", [rule for rule, _ in found], [action for _, action in found if action])


def _on_approval_path(course: Course) -> Advice | None:
    """Stopped until a person has approved a rechallenge, or for good where the protocol knows no way back."""
    worst, episode = course.worst, course.episode
    if worst is None or episode is None or worst.way_back == "resume":
        return None
    if course.to_be_confirmed:
        return Advice("interrupt", ["severe.to_be_confirmed"])
    actions = ["register_non_rechallenge"] if worst.register_non_rechallenge else []
    if worst.way_back == "never":
        return Advice(worst.treatment, ["severe.for_good"], actions)
    if not course.approved:
        review = ["review_rechallenge"] if episode.recovered_before else []
        return Advice(worst.treatment, ["severe.until_approved"], actions + review)
    ready = rechallenge_ready(course)
    return Advice("may_start" if ready else "do_not_start", ["rechallenge.ready" if ready else "rechallenge.not_yet"])


def _after_long_break(course: Course, today: date) -> Advice | None:
    if not course.off_for_long(today):
        return None
    given = _may_start(starting(course, today), "start")
    given.because.insert(0, "break.as_new")
    return given


def _on_path(course: Course, today: date) -> Advice:
    worst, episode, latest = course.worst, course.episode, course.latest
    held = worst.held_below if worst and episode and not episode.recovered else None
    if worst and held and latest and not held.reached_by(latest):
        return Advice("interrupt", [f"band.{worst.name}"])
    if course.pause:
        long = course.pause.days(today) >= course.protocol.breaks.as_new_days
        return Advice("may_resume", ["break.waived" if long else "break.may_resume"])
    if held and episode and not episode.restarted:
        return Advice("may_resume", ["path.may_resume"])
    return Advice("continue", ["treatment.continue"])


def retitrate(course: Course, now: datetime, today: date) -> bool:
    """Off for so long that the dose must be built up anew; still true on the day of such a restart."""
    pause = course.pause
    return course.retitrated_on == today or (
        pause is not None and pause.lasted(course.protocol.breaks.retitrate_hours, now, today)
    )
