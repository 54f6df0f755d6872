"""When a person is reminded of what: a table. Times are the person's own; days count from a day of the clinic."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time

KINDS = ("before", "evening", "day", "missed", "collect", "tablets", "moved", "confirm")
"""Each has its own words."""
TESTS = ("before", "evening", "day", "missed", "moved")
"""What a carer may be told of too: the days of tests, and nothing about tablets."""
CALL_AFTER_DAYS = 7
"""Days late, after the three kind reminders, on which staff are asked to call."""


@dataclass(frozen=True, slots=True)
class Step:
    """One reminder: from a time of day on, until it would be of no use any more.

    `anchor`: "asked" is the day on which the test is asked for, "late" the last day in time. `days` None: as many days
    before as the person wished. `wish`: the person's own choice that turns it off.
    """

    name: str
    kind: str
    anchor: str
    days: int | None
    at: time
    until_days: int
    until: time
    wish: str
    close: bool = False
    """Also where tests are so close together that one reminder for each is enough."""


STEPS = (
    Step("early", "before", "asked", None, time(10), -1, time(12), "before_test"),
    Step("evening", "evening", "asked", -1, time(18), -1, time(22, 30), "evening_before"),
    Step("day", "day", "asked", 0, time(8), 0, time(16), "on_the_day", close=True),
    Step("missed1", "missed", "late", 1, time(10), 2, time(20), "when_missed"),
    Step("missed3", "missed", "late", 3, time(10), 5, time(20), "when_missed"),
    Step("missed6", "missed", "late", 6, time(10), 8, time(20), "when_missed"),
)
BY_NAME: Mapping[str, Step] = {step.name: step for step in STEPS}
