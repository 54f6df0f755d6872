"""Pages of a long list that cost the same wherever they are: what follows a row, never so many rows skipped."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Model, Q, QuerySet

PAGE = 25
COUNTED = 200
"""Counting stops here and says "200+": a list longer than that is not read to its end."""
MARK = "~"


@dataclass(frozen=True, slots=True)
class Order:
    """By which columns a list is sorted, the last one unique, and how each is read back from an address."""

    columns: tuple[str, ...]
    readers: tuple[Callable[[str], Any], ...]
    descending: bool = False

    def by(self) -> list[str]:
        """For order_by."""
        return [f"-{column}" if self.descending else column for column in self.columns]

    def mark(self, row: Sequence[Any]) -> str:
        """A row's place, as an address carries it."""
        return MARK.join(value.isoformat() if isinstance(value, date) else str(value) for value in row)

    def read(self, mark: str) -> tuple[Any, ...] | None:
        """The place that an address names; None where it names none, which shows the first page."""
        parts = mark.split(MARK)
        if len(parts) != len(self.readers):
            return None
        try:
            return tuple(read(part) for read, part in zip(self.readers, parts, strict=True))
        except ValueError:
            return None

    def after(self, place: tuple[Any, ...]) -> Q:
        """What follows that place; the first column bounds the index, the rest says where inside."""
        step = "lt" if self.descending else "gt"
        found, same = Q(), Q()
        for column, value in zip(self.columns, place, strict=True):
            found |= same & Q(**{f"{column}__{step}": value})
            same &= Q(**{column: value})
        return Q(**{f"{self.columns[0]}__{step}e": place[0]}) & found


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list: the ids on it, how many there are in all (counted to a limit), where the next begins."""

    ids: list[int]
    total: int
    next: str
    first: bool

    @property
    def counted(self) -> str:
        """How many there are, as a page says it."""
        return f"{COUNTED}+" if self.total > COUNTED else str(self.total)


def id_of(written: str) -> int:
    """An id from an address. Raises ValueError for what cannot be one."""
    number = int(written)
    if not 0 <= number < 2**63:
        raise ValueError(written)
    return number


def moment(written: str) -> datetime:
    """An aware instant from an address, in which a plus sign may have become a space. Raises ValueError."""
    found = datetime.fromisoformat(written.replace(" ", "+"))
    if found.tzinfo is None:
        raise ValueError(written)
    return found


def page_of(lists: Sequence["QuerySet[Any]"], order: Order, mark: str = "", *, size: int = PAGE) -> Page:
    """A page of several lists merged, one a clinic, each read from its own index. Two questions at most."""
    place = order.read(mark) if mark else None
    rows = _read(lists, order, None, COUNTED + 1)
    total = len(rows)
    if place is not None:
        rows = _read(lists, order, place, size + 1)
    shown = rows[:size]
    more = order.mark(shown[-1]) if len(rows) > size else ""
    return Page([row[-1] for row in shown], total, more, place is None)


def _read(
    lists: Sequence["QuerySet[Model]"], order: Order, place: tuple[Any, ...] | None, most: int
) -> list[tuple[Any, ...]]:
    parts = [rows.filter(order.after(place)) if place is not None else rows for rows in lists]
    keys = [rows.order_by(*order.by()).values_list(*order.columns)[:most] for rows in parts]
    if not keys:
        return []
    if len(keys) == 1:
        return list(keys[0])
    return list(keys[0].union(*keys[1:], all=True).order_by(*order.by())[:most])
