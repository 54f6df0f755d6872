"""assess: what a protocol makes of a history at one moment. Pure: the caller owns the clock."""

from datetime import UTC, date, datetime, timedelta

from monitoring.rules.advice import Advice, advice, retitrate
from monitoring.rules.course import Course
from monitoring.rules.follow import follow
from monitoring.rules.history import History
from monitoring.rules.judgement import Episode, Judgement
from monitoring.rules.protocol import Protocol
from monitoring.rules.reasons import reasons
from monitoring.rules.schedule import Schedule, phase, schedule
from monitoring.rules.units import plain

_A_DAY = timedelta(hours=24)


def assess(history: History, protocol: Protocol, as_of: datetime) -> Judgement:
    """Judge the history as of an aware instant; later events are ignored.

    Raises InputError where a count lacks the number that the protocol judges by.
    """
    course = follow(history, protocol, as_of)
    now = as_of.astimezone(UTC)
    today = course.civil(now)
    given, planned = advice(course, today), schedule(course, today)
    given.actions += _actions(course, now, today)
    return _judgement(course, as_of, today, given, planned)


def _actions(course: Course, now: datetime, today: date) -> list[str]:
    found = []
    worst, episode = course.worst, course.episode
    if course.repeat_of:
        found.append("repeat_within_24h")
    if worst and episode and worst.haematology_consult and not episode.recovered:
        deep = worst.consult_below is None or episode.deep or course.fever_on is not None
        found += ["haematology_consult"] if deep else []
    if course.fever_on is not None:
        found += ["anc_now"] if course.fever_off_treatment else ["anc_now", "look_for_infection"]
    if retitrate(course, now, today):
        found.append("retitrate_from_12_5_mg")
    return found


def _judgement(course: Course, as_of: datetime, today: date, given: Advice, planned: Schedule) -> Judgement:
    count, pause = course.latest, course.pause
    return Judgement(
        protocol=course.protocol.key,
        as_of=as_of,
        anc=None if count is None or count.anc is None else plain(count.anc, count.anc_bound),
        wbc=None if count is None or count.wbc is None else plain(count.wbc, count.wbc_bound),
        band=None if count is None else course.table.bands[course.rank].name,
        treatment=given.treatment,
        frequency=planned.frequency,
        due_on=planned.due_on,
        overdue_after=planned.overdue_after,
        overdue=planned.overdue_after is not None and today > planned.overdue_after,
        phase=phase(course),
        episode=_episode(course),
        actions=tuple(sorted(set(given.actions))),
        deadline=_deadline(course),
        reasons=reasons(course, given, planned, today),
        severe=count is not None and course.rank == len(course.table.bands) - 1,
        days_since_last_dose=pause.days(today) if pause else None,
        paused_since=pause.on if pause and not pause.stop else None,
        changes_on=_changes_on(course, today),
        drawn_at=course.latest_at,
        because=tuple(given.because),
        answer_changes_on=_answer_changes_on(course, given, today),
        limits_until=course.table.agreed.until if course.table.agreed else None,
    )


def _changes_on(course: Course, today: date) -> date | None:
    """The first day on which time alone may change it: a break that becomes long, or agreed limits that end."""
    days = []
    if course.pause is not None and not course.waived(course.pause.on):
        days.append(course.pause.on + timedelta(days=course.protocol.breaks.as_new_days))
    if course.table.agreed is not None:
        days.append(course.table.agreed.until + timedelta(days=1))
    return min((day for day in days if day > today), default=None)


def _answer_changes_on(course: Course, given: Advice, today: date) -> date | None:
    """As `_changes_on`, and where a baseline grows too old to start on or the old dose may be given no more."""
    days = [_changes_on(course, today)]
    age = course.table.start.max_age_days
    if given.treatment == "may_start" and age is not None and course.since and not course.approved:
        days.append(course.civil(course.since[-1][0]) + timedelta(days=age + 1))
    if course.pause is not None:
        days.append(course.pause.lasts_on(course.protocol.breaks.retitrate_hours, course.zone))
    return min((day for day in days if day is not None and day > today), default=None)


def _deadline(course: Course) -> datetime | None:
    """24 elapsed hours after the draw, so that a clock change inside them changes nothing."""
    first = course.repeat_of
    return (first.at.astimezone(UTC) + _A_DAY).astimezone(first.at.tzinfo) if first else None


def _episode(course: Course) -> Episode | None:
    episode = course.episode
    if episode is None:
        return None
    return Episode(
        worst_band=course.table.bands[episode.worst].name,
        opened_at=episode.opened.at,
        confirmed=episode.confirmed,
        tail_left=episode.tail_left,
    )
