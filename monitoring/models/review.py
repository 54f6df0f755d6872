"""That a person has looked at what a laboratory sent: the last of ordered, drawn, received, reviewed."""

from typing import ClassVar

from django.db import models

from monitoring.models.result import Result
from patients.models import APPEND_ONLY, Staff


class ResultReview(models.Model):
    """One version of a result, seen by one person. A later version is another result and is looked at again."""

    result = models.OneToOneField(Result, models.PROTECT, related_name="review")
    staff = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        triggers: ClassVar = APPEND_ONLY
