"""Every report, in the order in which they are read."""

from collections.abc import Callable, Mapping

from monitoring.reports.answers import answer_times
from monitoring.reports.neutropenia import neutropenia
from monitoring.reports.overrides import by_month, given, one_by_one
from monitoring.reports.people import people
from monitoring.reports.question import Question
from monitoring.reports.sheet import Report
from monitoring.reports.tests_owed import missed, on_time, owed

ONE: Mapping[str, Callable[[Question], Report]] = {
    "on-time": lambda question: on_time(question, owed(question)),
    "missed": lambda question: missed(owed(question)),
    "answers": answer_times,
    "neutropenia": neutropenia,
    "people": people,
    "overrides": lambda question: by_month(question, given(question)),
    "overrides-each": lambda question: one_by_one(given(question)),
}
"""A report by its key, for those who want one."""


def every(question: Question) -> list[Report]:
    """All of them, in a fixed number of questions to the database."""
    tests, overrides = owed(question), given(question)
    return [
        on_time(question, tests), missed(tests), answer_times(question), neutropenia(question), people(question),
        by_month(question, overrides), one_by_one(overrides),
    ]  # fmt: skip
