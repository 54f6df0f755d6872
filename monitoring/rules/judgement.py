"""What the rules say of a history at one moment."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from monitoring.rules.protocol import Frequency

RESTRICTION = ("continue", "may_start", "may_resume", "do_not_start", "interrupt", "stop")
"""Treatment advice from the most permissive to the most restrictive."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: a short stable id, one sentence for a clinician, and where the rule is written."""

    rule: str
    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Episode:
    """A stretch of neutropenia, open until its path and any tail of weekly tests are done."""

    worst_band: str
    opened_at: datetime
    confirmed: bool | None
    tail_left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One answer; the fields and their values are those of the `assess` format. Dates are the clinic's own."""

    protocol: str
    as_of: datetime
    anc: str | None
    wbc: str | None
    band: str | None
    treatment: str
    frequency: Frequency
    due_on: date | None
    overdue_after: date | None
    overdue: bool
    phase: Frequency | None
    episode: Episode | None
    actions: tuple[str, ...]
    deadline: datetime | None
    reasons: tuple[Reason, ...]
    severe: bool = False
    """The latest count is in the protocol's worst band."""
    days_since_last_dose: int | None = None
    """Civil days off treatment; null while on it."""
    paused_since: date | None = None
    """The day of the last dose, while off treatment and not stopped for good."""
    changes_on: date | None = None
    """The day on which time alone changes this judgement: the break becomes so long that a restart is as new, or agreed
    limits end."""
    drawn_at: datetime | None = None
    """When the latest final count that the protocol could judge by was drawn: days of supply may count from it."""
    because: tuple[str, ...] = ()
    """The rules that decided the advice; their reasons are among `reasons`."""
    answer_changes_on: date | None = None
    """The first day on which time alone changes what may be supplied: also a baseline grown old, or two days off."""
    limits_until: date | None = None
    """The last day of limits that were agreed for this person; null: the protocol's own are used."""

    def overdue_on(self, day: date) -> bool:
        """Whether the next test is overdue on this day of the clinic's calendar."""
        return self.overdue_after is not None and day > self.overdue_after

    def as_dict(self) -> dict[str, Any]:
        """The judgement as the `assess` format prints it, ready for JSON."""
        episode = self.episode
        return {
            "protocol": self.protocol,
            "as_of": self.as_of.isoformat(),
            "anc": self.anc,
            "wbc": self.wbc,
            "band": self.band,
            "treatment": self.treatment,
            "frequency": self.frequency,
            "due_on": self.due_on.isoformat() if self.due_on else None,
            "overdue_after": self.overdue_after.isoformat() if self.overdue_after else None,
            "overdue": self.overdue,
            "phase": self.phase,
            "episode": episode
            and {
                "worst_band": episode.worst_band,
                "opened_at": episode.opened_at.isoformat(),
                "confirmed": episode.confirmed,
                "tail_left": episode.tail_left,
            },
            "actions": list(self.actions),
            "deadline": self.deadline.isoformat() if self.deadline else None,
            "reasons": [{"rule": reason.rule, "text": reason.text, "source": reason.source} for reason in self.reasons],
        }


def cautious(final: Judgement, with_preliminary: Judgement) -> Judgement:
    """Of two judgements the one that preliminary results may cause: they restrict, and never permit."""
    return min(final, with_preliminary, key=_permissiveness)


def _permissiveness(judgement: Judgement) -> tuple[int, date]:
    return -RESTRICTION.index(judgement.treatment), judgement.overdue_after or date.max
