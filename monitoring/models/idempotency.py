"""Keys with which a program makes its own request repeatable."""

from typing import ClassVar

from django.db import models

from monitoring.models.result import Result
from patients.models import APPEND_ONLY, Integration


class IdempotencyKey(models.Model):
    """What a program asked for under a key, so that the same request again has the same answer."""

    integration = models.ForeignKey(Integration, models.PROTECT, related_name="+")
    key = models.CharField(max_length=120)
    body_hash = models.CharField(max_length=64)
    result = models.ForeignKey(Result, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        triggers: ClassVar = APPEND_ONLY
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["integration", "key"], name="one_request_per_key"),
        ]
