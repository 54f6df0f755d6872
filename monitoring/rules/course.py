"""The course of a treatment: its history followed event by event up to one moment."""

from datetime import UTC, date, datetime, timedelta

from monitoring.rules.episode import OpenEpisode, Pause
from monitoring.rules.errors import InputError
from monitoring.rules.history import Count, Event, History
from monitoring.rules.protocol import Band, Protocol, Step, Table, Tail, at_least


class Course:
    """Where a treatment stands; made by `follow`."""

    __slots__ = (
        "approved",
        "authorised_steps",
        "baseline",
        "begun",
        "drawn_since_start",
        "episode",
        "ever_below_normal",
        "extra_weekly_until",
        "fever_off_treatment",
        "fever_on",
        "history",
        "hospice",
        "incomplete",
        "latest",
        "latest_at",
        "pause",
        "protocol",
        "rank",
        "retitrated_on",
        "since",
        "started_on",
        "table",
        "zone",
    )

    def __init__(self, history: History, protocol: Protocol, table: Table) -> None:
        self.history = history
        self.protocol = protocol
        self.table = table
        self.zone = history.zone
        self.baseline = history.baseline_anc
        self.begun = False
        self.started_on: date | None = None
        self.drawn_since_start = False
        self.latest: Count | None = None
        self.latest_at: datetime | None = None
        self.rank = 0
        self.since: list[tuple[datetime, Count]] = []
        self.incomplete: Count | None = None
        self.episode: OpenEpisode | None = None
        self.approved = False
        self.pause: Pause | None = None
        self.retitrated_on: date | None = None
        self.extra_weekly_until: date | None = None
        self.fever_on: date | None = None
        self.fever_off_treatment = False
        self.hospice = False
        self.ever_below_normal = False
        self.authorised_steps = 0

    def civil(self, instant: datetime) -> date:
        """The clinic's calendar day of an instant."""
        return instant.astimezone(self.zone).date()

    @property
    def worst(self) -> Band | None:
        """The worst band of the open episode; its path is the one in force."""
        return self.table.bands[self.episode.worst] if self.episode else None

    @property
    def repeat_owed(self) -> bool:
        """The first report of the episode asks for a repeat that has not come."""
        worst, episode = self.worst, self.episode
        return bool(worst and episode and worst.repeat_within_24h and episode.confirmed is None)

    def step(self) -> Step | None:
        """The step of the path that the latest count leaves the patient on; None once the path is done."""
        worst = self.worst
        if worst is None or self.latest is None:
            return None
        return next((step for step in worst.path if not self.reaches(self.latest, step)), None)

    def reaches(self, count: Count, step: Step) -> bool:
        """Whether a count ends a step; where the step says so, only at the person's own baseline."""
        own = self.baseline if step.baseline else None
        return step.until.reached_by(count) and (own is None or at_least(count.anc, count.anc_bound, own))

    # Counts

    def count(self, at: datetime, count: Count) -> None:
        """A blood count, in the order of its draw."""
        rank = self._rank(count)
        if rank is None:
            self.incomplete = count
            return
        same_draw = at == self.latest_at
        self.incomplete = None
        self.latest, self.latest_at, self.rank = count, at, rank
        self.drawn_since_start = True
        self.since.append((at, count))
        self.fever_on = None
        if self.episode is not None:
            self._within(self.episode, at, count, same_draw=same_draw)
        elif rank:
            self._open(at, count, owed=None)

    def _rank(self, count: Count) -> int | None:
        """The band, or None for a count that lacks a number which the protocol needs and is not low without it."""
        if count.anc is not None and not self.protocol.needs_wbc:
            return self.table.rank(count)
        if not self.protocol.needs_wbc:
            raise InputError(
                "anc",
                f"{self.protocol.key} judges by the ANC; this count has neither an ANC nor a WBC with percentages",
            )
        rank = self.table.rank(count)
        return rank if rank or (count.anc is not None and count.wbc is not None) else None

    def _open(self, at: datetime, count: Count, *, owed: Tail | None) -> None:
        self.ever_below_normal = True
        self.episode = OpenEpisode(opened=count, opened_at=at, worst=self.rank, owed=owed)
        self._worsen(self.episode)
        self._follow_path(self.episode, at)

    def _worsen(self, episode: OpenEpisode) -> None:
        """The worst band alone decides the path and its tail; a broken tail is owed again unless treatment stops."""
        episode.worst = max(episode.worst, self.rank)
        worst = self.table.bands[episode.worst]
        episode.tail = worst.tail or (episode.owed if worst.way_back == "resume" else None)

    def _within(self, episode: OpenEpisode, at: datetime, count: Count, *, same_draw: bool) -> None:
        if episode.confirmed is None and not same_draw:
            episode.confirmed = self.rank > 0
        in_tail = episode.recovered and episode.tail is not None
        if in_tail and (self.rank == 0 or (episode.tail is not None and episode.tail.any_band)):
            self._tail_result(episode, at)
        elif in_tail and self.table.bands[episode.worst].way_back == "resume":
            # A low count inside the tail is an episode of its own, and the whole tail is owed again after it.
            self._open(at, count, owed=episode.tail)
        else:
            self._worsen(episode)
            self._follow_path(episode, at)

    def _follow_path(self, episode: OpenEpisode, at: datetime) -> None:
        """Recovered once the latest count has come to the end of the worst band's path."""
        if self.step() is not None:
            episode.recovered, episode.in_a_row = False, 0
            return
        worst = self.table.bands[episode.worst]
        episode.in_a_row += 1
        if worst.path and episode.in_a_row < worst.path[-1].in_a_row:
            return
        episode.recovered = episode.recovered_before = True
        if episode.tail is not None:
            episode.tail_left = episode.tail.results
            episode.last_weekly_on = self.civil(at)
        elif worst.way_back == "resume":
            self.episode = None

    def _tail_result(self, episode: OpenEpisode, at: datetime) -> None:
        day, tail = self.civil(at), episode.tail
        if tail is None or episode.last_weekly_on is None or (day - episode.last_weekly_on).days < tail.days:
            # An extra draw inside the week is no weekly result: four days in a row do not make four weeks.
            return
        episode.last_weekly_on = day
        episode.tail_left = max(episode.tail_left - 1, 0)
        worst = self.table.bands[episode.worst]
        if episode.tail_left == 0 and worst.way_back == "resume":
            self.episode = None

    # Events

    def event(self, at: datetime, event: Event) -> None:
        """Anything but a count, in its order."""
        match event.kind:
            case "first_dose":
                self._first_dose(at)
            case "last_dose":
                self._last_dose(at, event)
            case "restart":
                self._restart(at, event)
            case "rechallenge_approved":
                worst = self.worst
                self.approved |= self.begun and worst is not None and worst.way_back == "approval"
            case "hospice_agreed":
                self.hospice = True
            case "fever":
                self._fever(at, event)
            case "step_down_authorised":
                self.authorised_steps += 1

    def _first_dose(self, at: datetime) -> None:
        if not self.begun:
            self.begun = True
            self._begin(at)

    def _begin(self, at: datetime) -> None:
        """Phases counted from here; whatever counts before it opened is closed."""
        self.started_on = self.civil(at)
        self.drawn_since_start = False
        self.episode = None
        self.approved = False
        self.extra_weekly_until = None
        self.authorised_steps = 0

    def _last_dose(self, at: datetime, event: Event) -> None:
        if not self.begun:
            return
        self.pause = Pause(since=at, on=self.civil(at), time_known=isinstance(event.at, datetime), stop=event.stop)
        self.since = []

    def _restart(self, at: datetime, event: Event) -> None:
        if not self.begun:
            return
        on, pause, breaks = self.civil(at), self.pause, self.protocol.breaks
        time_known = isinstance(event.at, datetime)
        self.pause = None
        if pause and pause.lasted(breaks.retitrate_hours, at, on, until_time_known=time_known):
            self.retitrated_on = on
        if pause and self._waived(pause):
            return
        as_new = pause is not None and pause.days(on) >= breaks.as_new_days
        if as_new or self.approved:
            self._begin(at)
            return
        if self.episode:
            self.episode.restarted = True
        over = breaks.extra_weekly_over_hours
        if pause and over and pause.lasted(over + 1, at, on, until_time_known=time_known):
            self.extra_weekly_until = on + timedelta(weeks=breaks.extra_weekly_weeks)

    def _waived(self, pause: Pause) -> bool:
        """A long clean history, where the protocol says so, outweighs the break."""
        weeks = self.protocol.breaks.waived_after_clean_weeks
        if weeks is None or self.ever_below_normal or self.started_on is None:
            return False
        return pause.on >= self.started_on + timedelta(weeks=weeks)

    def _fever(self, at: datetime, event: Event) -> None:
        fever, on = self.protocol.fever, self.civil(at)
        if not self.begun or event.celsius is None or event.celsius < fever.celsius:
            return
        if self.pause and self.pause.days(on) > fever.days_after_last_dose:
            return
        if self.fever_on is None:
            # The earliest unanswered fever stands: a second one must not hide that the count is overdue.
            self.fever_on, self.fever_off_treatment = on, True
        self.fever_off_treatment &= self.pause is not None


def follow(history: History, protocol: Protocol, as_of: datetime) -> Course:
    """Fold the history up to and including `as_of`; later events have not happened yet."""
    try:
        table = protocol.tables[history.population]
    except KeyError:
        raise InputError(
            "population", f"{protocol.key} knows {', '.join(protocol.tables)}, not {history.population!r}"
        ) from None
    course = Course(history, protocol, table)
    moment = as_of.astimezone(UTC)
    for at, item in history.timeline:
        if at > moment:
            break
        if isinstance(item, Count):
            course.count(at, item)
        else:
            course.event(at, item)
    return course
