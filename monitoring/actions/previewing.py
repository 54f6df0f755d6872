"""What the rules would say if this result were recorded now. Writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from monitoring.actions.guarding import MANUAL, doubts, still_open
from monitoring.actions.judging import judge_now
from monitoring.actions.record_result import Report, as_row, check
from monitoring.models import Treatment
from monitoring.models.result import standing
from monitoring.rules.history import Count
from monitoring.rules.judgement import Judgement
from monitoring.rules.slips import Question
from patients.models import Actor


@dataclass(frozen=True, slots=True)
class Weighed:
    """A result before it is stored: what it would mean, what is asked about it, and the count before it."""

    judgement: Judgement
    count: Count
    last: Count | None
    asked: Sequence[Question]
    still_open: Sequence[Question]


def preview(*, treatment: Treatment, report: Report, now: datetime) -> Judgement:
    """The judgement that would be stored. Raises InputError as record_result would."""
    return weigh(treatment=treatment, report=report, by=None, now=now).judgement


def weigh(*, treatment: Treatment, report: Report, by: Actor, now: datetime) -> Weighed:
    """The judgement and the questions that recording it would meet. Raises InputError as record_result would."""
    reading = check(report, treatment=treatment, now=now)
    row = as_row(treatment, report, reading, now=now)
    judged = Treatment.objects.filter(merged_here=treatment.pk).select_related("clinic").first() or treatment
    stored = list(judged.every_result())
    before = standing(stored)
    asked = doubts(judged, before, row, by=by, now=now) if report.source == MANUAL else []
    return Weighed(
        judgement=judge_now(judged, sorted([*stored, row], key=lambda result: result.drawn_at), now=now),
        count=row.count(),
        last=next((other.count() for other in reversed(before) if other.drawn_at <= row.drawn_at), None),
        asked=asked,
        still_open=still_open(asked, row, report.answers, by=by),
    )
