"""Counts as marks on the paper: which of them bear a number, and which are drawn small. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

LABEL_APART = 7.0
BESIDE = 9
CROWD_APART, CROWD = 1.7, 3
"""So many counts, each so close to the next in per cent of the width, would hide each other."""


@dataclass(frozen=True, slots=True)
class Point:
    """A count: where, in which shape, and how it reads."""

    pk: int
    x: float
    y: float
    shape: str
    tone: str
    reading: str
    label: str = ""
    label_y: float = 0
    anchor: str = "start"
    dx: int = BESIDE
    minor: bool = False
    crowded: bool = False

    @property
    def drawn_as(self) -> str:
        """The shape; a count among many of the same days is a smaller dot."""
        return "speck" if self.crowded and self.shape == "dot" else self.shape


def thinned(points: list[Point]) -> list[Point]:
    """Counts of a crowd drawn small, but for its lowest and for the latest of all: those two are looked for."""
    found: list[Point] = []
    for crowd in _crowds(points):
        large = {max(crowd, key=lambda mark: mark.y).pk, points[-1].pk}
        small = len(crowd) >= CROWD
        found += [replace(mark, crowded=small and mark.pk not in large) for mark in crowd]
    return found


def _crowds(points: list[Point]) -> Iterable[list[Point]]:
    crowd = points[:1]
    for before, mark in pairwise(points):
        if mark.x - before.x > CROWD_APART:
            yield crowd
            crowd = []
        crowd.append(mark)
    if crowd:
        yield crowd


def labelled(points: list[Point]) -> list[Point]:
    """Numbers beside the latest count and beside low ones, none over another; the lowest is never left out."""
    wanted = [mark for mark in points if mark.tone != "normal" or mark.shape == "above"]
    latest = points[-1:]
    lowest = [max(wanted, key=lambda mark: mark.y)] if wanted else []
    kept: list[Point] = []
    for mark in [*latest, *lowest, *reversed(wanted)]:
        if all(abs(mark.x - other.x) >= LABEL_APART or mark is other for other in kept) and mark not in kept:
            kept.append(mark)
    sure = {mark.pk for mark in (*latest, *lowest)}
    keep = {mark.pk for mark in kept}
    return [
        (_with_label(mark, minor=mark.pk not in sure, last=mark is points[-1]) if mark.pk in keep else _bare(mark))
        for mark in points
    ]


def _with_label(mark: Point, *, minor: bool, last: bool) -> Point:
    """Beside its count and at its height, so that a number never stands in another band than its count."""
    if last:
        return replace(mark, label_y=mark.y + 4)
    if mark.shape == "above":
        return replace(mark, label_y=mark.y - 11, anchor="middle", dx=0, minor=minor)
    left = mark.x > 88
    return replace(
        mark, label_y=mark.y + 4, anchor="end" if left else "start", dx=-BESIDE if left else BESIDE, minor=minor
    )


def _bare(mark: Point) -> Point:
    return replace(mark, label="")
