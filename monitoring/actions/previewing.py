"""What the rules would say if this result were recorded now. Writes nothing."""

from datetime import datetime

from monitoring.actions.judging import judge, kept_id
from monitoring.actions.record_result import Report, as_row, check
from monitoring.models import Treatment
from monitoring.rules.judgement import Judgement


def preview(*, treatment: Treatment, report: Report, now: datetime) -> Judgement:
    """The judgement that would be stored. Raises InputError as record_result would."""
    reading = check(report, treatment=treatment, now=now)
    row = as_row(treatment, report, reading, now=now)
    kept = kept_id(treatment.pk)
    judged = treatment if kept is None else treatment.__class__.objects.select_related("clinic").get(pk=kept)
    versions = sorted([*judged.every_result(), row], key=lambda result: result.drawn_at)
    return judge(judged, versions, as_of=now)
