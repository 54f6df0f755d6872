"""Civil dates: calendar months that clamp, and windows counted from a draw."""

import calendar
from collections.abc import Collection
from datetime import date, timedelta

from monitoring.rules.protocol import Window


def add_months(day: date, months: int) -> date:
    """So many calendar months later, clamped to the month's last day; count from the start, never chain."""
    years, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(years, month0 + 1, min(day.day, calendar.monthrange(years, month0 + 1)[1]))


def due(window: Window, drawn_on: date) -> date:
    """The day of the next test."""
    return add_months(drawn_on, window.months) + timedelta(days=window.due_days)


def last_day_in_time(window: Window, drawn_on: date) -> date:
    """The last day on which the next test is not overdue."""
    return add_months(drawn_on, window.months) + timedelta(days=window.overdue_days)


SATURDAY = 5


def working_day(day: date, closed: Collection[date] = ()) -> date:
    """This day, or the last open one before it: weekends and closed days move a draw earlier, never later (H22)."""
    while day.weekday() >= SATURDAY or day in closed:
        day -= timedelta(days=1)
    return day
