"""What the rules would say if this result were recorded now. Writes nothing."""

from datetime import datetime

from monitoring.actions.judging import judge
from monitoring.actions.record_result import Report, as_row, check
from monitoring.models import Treatment
from monitoring.rules.judgement import Judgement


def preview(*, treatment: Treatment, report: Report, now: datetime) -> Judgement:
    """The judgement that would be stored. Raises InputError as record_result would."""
    reading = check(report, treatment=treatment, now=now)
    row = as_row(treatment, report, reading, now=now)
    versions = sorted([*treatment.results.all(), row], key=lambda result: result.drawn_at)
    return judge(treatment, versions, as_of=now)
