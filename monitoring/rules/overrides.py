"""Which override lifts which reasons. One total order of reasons, and each scope reaches up to one place in it.

So it cannot matter in which order reasons or overrides are looked at, more overrides never allow less, more reasons
never allow more, and what is administrative never lifts what is clinical.
"""

from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Literal

from monitoring.rules.eligibility import Why

Scope = Literal["administrative", "bridge", "clinical"]


class Level(IntEnum):
    """How much stands against a supply, from nothing to a hold."""

    NOTHING = 0
    ADMINISTRATIVE = 1
    WAITING = 2
    """Blood is missing or late; nothing speaks against the drug."""
    DECISION = 3
    """A prescriber has to decide: a start that is not recommended, a dose to be built up again."""
    HOLD = 4
    """Interrupted or stopped."""


REACH: Mapping[Scope, Level] = {
    "administrative": Level.ADMINISTRATIVE,
    "bridge": Level.WAITING,
    "clinical": Level.HOLD,
}
WAITS_FOR_BLOOD = ("supply.overdue", "supply.used_up")


def level_of(why: Why) -> Level:
    """Where one reason stands. A clinical reason that is not known to be about missing blood is a decision at least."""
    if why.answer == "may_supply":
        return Level.NOTHING
    if why.kind != "clinical":
        return Level.ADMINISTRATIVE
    if why.answer == "do_not_supply":
        return Level.HOLD
    return Level.WAITING if why.rule in WAITS_FOR_BLOOD else Level.DECISION


def level(why: Iterable[Why]) -> Level:
    """What stands against a supply: the highest of all reasons."""
    return max(map(level_of, why), default=Level.NOTHING)


def reach_of(scope: Scope, seen: Level) -> Level:
    """How high an override reaches: as its scope does, and above missing blood only as high as was seen.

    `seen`: what stood against a supply when the second person confirmed.
    """
    return min(REACH[scope], max(seen, Level.WAITING))


def lifts(reach: Level, why: Iterable[Why], *, news: bool) -> bool:
    """Whether such an override allows a supply now.

    `news`: something is known that the second person did not know. Then it lifts nothing above missing blood.
    """
    standing = level(why)
    return standing <= (min(reach, Level.WAITING) if news else reach)
