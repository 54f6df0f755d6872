"""A blood count in the course of a treatment: it opens, worsens, confirms, recovers and closes episodes."""

from datetime import datetime, timedelta

from monitoring.rules.course import Course
from monitoring.rules.episode import OpenEpisode
from monitoring.rules.errors import InputError
from monitoring.rules.history import Count
from monitoring.rules.protocol import Tail


def take_count(course: Course, at: datetime, count: Count) -> None:
    """A count, in the order of its draw."""
    rank = _rank(course, count)
    if rank is None:
        course.incomplete = count
        return
    same_draw = at == course.latest_at
    course.fallen = rank == 0 and _has_fallen(course, at, count)
    course.incomplete = None
    course.latest, course.latest_at, course.rank = count, at, 1 if course.fallen else rank
    course.drawn_since_start = True
    course.since.append((at, count))
    course.fever_on = None
    if course.episode is not None:
        _within(course, course.episode, at, count, same_draw=same_draw)
    elif course.rank:
        _open(course, at, count, owed=None)


def _rank(course: Course, count: Count) -> int | None:
    """The band, or None for a count that lacks a number which the protocol needs and is not low without it."""
    protocol, table = course.protocol, course.table
    if count.anc is not None and not protocol.needs_wbc:
        return table.rank(count)
    if not protocol.needs_wbc:
        raise InputError(
            "anc", f"{protocol.key} judges by the ANC; this count has neither an ANC nor a WBC with percentages"
        )
    rank = table.rank(count)
    return rank if rank or (count.anc is not None and count.wbc is not None) else None


def _has_fallen(course: Course, at: datetime, count: Count) -> bool:
    fall = course.table.fall
    if fall is None:
        return False
    since = at - timedelta(days=fall.days)
    course.recent = [(when, earlier) for when, earlier in course.recent if when >= since]
    found = any(fall.between(earlier, count) for _, earlier in course.recent)
    course.recent.append((at, count))
    return found


def _open(course: Course, at: datetime, count: Count, *, owed: Tail | None) -> None:
    course.ever_below_normal = True
    episode = OpenEpisode(opened=count, opened_at=at, worst=0, owed=owed)
    course.episode = episode
    if course.table.bands[course.rank].repeat_within_24h:
        episode.repeat_of = count
    _worsen(course, episode, count)
    _follow_path(course, episode, at)


def _worsen(course: Course, episode: OpenEpisode, count: Count) -> None:
    """The worst band alone decides the path and its tail; a broken tail is owed again unless treatment stops."""
    band = course.table.bands[course.rank]
    if not band.final_when_confirmed:
        episode.proven = max(episode.proven, course.rank)
    elif course.rank > episode.worst:
        episode.repeat_of = count
    episode.worst = max(episode.worst, course.rank)
    episode.deep |= band.consult_below is not None and not band.consult_below.reached_by(count)
    _owe_tail(course, episode)


def _owe_tail(course: Course, episode: OpenEpisode) -> None:
    worst = course.table.bands[episode.worst]
    episode.tail = worst.tail or (episode.owed if worst.way_back == "resume" else None)


def _within(course: Course, episode: OpenEpisode, at: datetime, count: Count, *, same_draw: bool) -> None:
    if not same_draw:
        episode.repeat_of = None
        if episode.confirmed is None:
            episode.confirmed = course.rank > 0
        if course.to_be_confirmed and not _settle(course, episode):
            return
    in_tail = episode.recovered and episode.tail is not None and not course.to_be_confirmed
    if in_tail and (course.rank == 0 or (episode.tail is not None and episode.tail.any_band)):
        _tail_result(course, episode, at)
    elif in_tail and course.table.bands[episode.worst].way_back == "resume":
        # A low count inside the tail is an episode of its own, and the whole tail is owed again after it.
        _open(course, at, count, owed=episode.tail)
    else:
        _worsen(course, episode, count)
        _follow_path(course, episode, at)


def _settle(course: Course, episode: OpenEpisode) -> bool:
    """The repeat of a count that was not final yet. False when nothing remains of the episode."""
    episode.confirmed = course.rank >= episode.worst
    if episode.confirmed:
        episode.proven = episode.worst
        # The weekly tests count from here: the first report was not final.
        episode.recovered = False
        return True
    episode.worst = max(episode.proven, course.rank)
    episode.recovered, episode.tail_left = False, 0
    _owe_tail(course, episode)
    if episode.worst == 0:
        course.episode = None
    return episode.worst > 0


def _follow_path(course: Course, episode: OpenEpisode, at: datetime) -> None:
    """Recovered once the latest count has come to the end of the worst band's path."""
    if course.step() is not None:
        episode.recovered, episode.in_a_row = False, 0
        return
    worst = course.table.bands[episode.worst]
    episode.in_a_row += 1
    if worst.path and episode.in_a_row < worst.path[-1].in_a_row:
        return
    episode.recovered = episode.recovered_before = True
    if episode.tail is not None:
        episode.tail_left = episode.tail.results
        episode.last_weekly_on = course.civil(at)
    elif worst.way_back == "resume":
        course.episode = None


def _tail_result(course: Course, episode: OpenEpisode, at: datetime) -> None:
    day, tail = course.civil(at), episode.tail
    if tail is None or episode.last_weekly_on is None or (day - episode.last_weekly_on).days < tail.days:
        # An extra draw inside the week is no weekly result: four days in a row do not make four weeks.
        return
    episode.last_weekly_on = day
    episode.tail_left = max(episode.tail_left - 1, 0)
    worst = course.table.bands[episode.worst]
    if episode.tail_left == 0 and worst.way_back == "resume":
        course.episode = None
