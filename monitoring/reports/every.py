"""Every report, in the order in which they are read."""

from collections.abc import Callable, Mapping

from monitoring.reports.answers import answer_times
from monitoring.reports.neutropenia import neutropenia
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
}
"""A report by its key, for those who want one."""


def every(question: Question) -> list[Report]:
    """All of them, in a fixed number of questions to the database."""
    tests = owed(question)
    return [
        on_time(question, tests), missed(tests), answer_times(question), neutropenia(question), people(question),
    ]  # fmt: skip
