"""Where a treatment stands: the state that its history is folded into."""

from datetime import date, datetime, timedelta

from monitoring.rules.episode import OpenEpisode, Pause
from monitoring.rules.history import Count, History
from monitoring.rules.protocol import Band, Protocol, Step, Table, at_least


class Course:
    """Made by `follow`; counted into by `counting`, moved by `happening`."""

    __slots__ = (
        "approved",
        "authorised_steps",
        "baseline",
        "begun",
        "drawn_since_start",
        "episode",
        "ever_below_normal",
        "extra_weekly_until",
        "fallen",
        "fever_off_treatment",
        "fever_on",
        "hospice",
        "incomplete",
        "latest",
        "latest_at",
        "pause",
        "protocol",
        "rank",
        "recent",
        "retitrated_on",
        "since",
        "started_on",
        "table",
        "zone",
    )

    def __init__(self, history: History, protocol: Protocol, table: Table) -> None:
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
        self.fallen = False
        self.recent: list[tuple[datetime, Count]] = []
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
    def repeat_of(self) -> Count | None:
        """The first report whose repeat within 24 hours has not come."""
        return self.episode.repeat_of if self.episode else None

    @property
    def to_be_confirmed(self) -> bool:
        """The worst count of the episode is final only once a repeat has confirmed it."""
        episode, worst = self.episode, self.worst
        return bool(episode and worst and worst.final_when_confirmed and episode.proven < episode.worst)

    def step(self) -> Step | None:
        """The step of the path that the latest count leaves the patient on; None once the path is done."""
        worst = self.worst
        if worst is None or self.latest is None:
            return None
        return next((step for step in worst.path if not self.reaches(self.latest, step)), None)

    def reaches(self, count: Count, step: Step) -> bool:
        """Whether a count ends a step; where the step says so, only at the person's own baseline."""
        if self.fallen and count is self.latest:
            return False
        own = self.baseline if step.baseline else None
        return step.until.reached_by(count) and (own is None or at_least(count.anc, count.anc_bound, own))

    def off_for_long(self, today: date) -> bool:
        """Off for so long that a restart is as new, unless a long clean history outweighs the break."""
        pause = self.pause
        return pause is not None and pause.days(today) >= self.protocol.breaks.as_new_days and not self.waived(pause.on)

    def waived(self, since: date) -> bool:
        """A long clean history, where the protocol says so, outweighs a break since that day's last dose."""
        weeks = self.protocol.breaks.waived_after_clean_weeks
        if weeks is None or self.ever_below_normal or self.started_on is None:
            return False
        return since >= self.started_on + timedelta(weeks=weeks)
