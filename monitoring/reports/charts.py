"""Charts as plain shapes: a line of words above each bar, lengths in percent, so that a phone reads them at full size.

Nothing is said by colour alone: each kind of bar has a pattern of its own, and every number stands in words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isinf, log10

LINE, BAR, GAP = 18, 16, 12
"""Heights in pixels: the words, the bar, and the space below."""
TICKS_OF_TIME = ((1, "1 min"), (15, "15 min"), (60, "1 h"), (240, "4 h"), (1440, "1 day"), (10080, "1 week"))
LONGEST = 4 * 10080


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a bar, from and for so many percent of its length."""

    kind: str
    start: float
    length: float


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar with its words."""

    label: str
    value: str
    parts: tuple[Part, ...]
    top: int

    @property
    def words_at(self) -> int:
        """The line on which the words stand."""
        return self.top + LINE - 5

    @property
    def bar_at(self) -> int:
        """The upper edge of the bar."""
        return self.top + LINE


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Bars below each other over one scale."""

    key: str
    says: str
    kinds: tuple[tuple[str, str], ...]
    """Each kind of stretch and what it means."""
    bars: tuple[Bar, ...]
    ticks: tuple[tuple[float, str], ...]

    @property
    def floor(self) -> int:
        """Where the bars end and the scale begins."""
        return len(self.bars) * (LINE + BAR + GAP)

    @property
    def height(self) -> int:
        """Of all of it."""
        return self.floor + LINE

    @property
    def scale_at(self) -> int:
        """The line on which the scale's words stand."""
        return self.height - 4

    @property
    def bar_height(self) -> int:
        """Of one bar."""
        return BAR


Drawn = tuple[str, str, Sequence[tuple[str, float]]]
"""A bar's label, its value in words, and its stretches: kind and length in percent, one after the other."""


def chart(
    key: str, says: str, kinds: Sequence[tuple[str, str]], drawn: Sequence[Drawn], ticks: Sequence[tuple[float, str]]
) -> Chart | None:
    """The bars laid out; none when there is nothing to draw."""
    if not drawn:
        return None
    bars = tuple(
        Bar(label, value, tuple(_one_after_the_other(lengths)), top=number * (LINE + BAR + GAP))
        for number, (label, value, lengths) in enumerate(drawn)
    )
    return Chart(key=key, says=says, kinds=tuple(kinds), bars=bars, ticks=tuple(ticks))


def _one_after_the_other(lengths: Sequence[tuple[str, float]]) -> list[Part]:
    parts, start = [], 0.0
    for kind, length in lengths:
        if length > 0:
            parts.append(Part(kind, round(start, 2), round(length, 2)))
        start += length
    return parts


HUNDRED = ((0.0, "0"), (50.0, "50 %"), (100.0, "100 %"))


def up_to(most: float) -> tuple[tuple[float, str], ...]:
    """A scale from nothing to the most."""
    return ((0.0, "0"), (100.0, f"{most:g}"))


def on_the_clock(minutes: float) -> float:
    """Where a time stands on the logarithmic scale, in percent; four weeks and more at its end."""
    if isinf(minutes) or minutes >= LONGEST:
        return 100.0
    return 100 * log10(1 + minutes) / log10(1 + LONGEST)


def clock_ticks() -> tuple[tuple[float, str], ...]:
    """The scale of times."""
    return tuple((on_the_clock(minutes), words) for minutes, words in TICKS_OF_TIME)
