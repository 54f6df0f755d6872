"""What the rules said, and when. Written once; a later reading of the same moment is a row of its own."""

from typing import ClassVar

import pgtrigger
from django.db import models

from monitoring.models.result import Result
from monitoring.models.treatment import Treatment
from patients.models import APPEND_ONLY

# An alert that another writer raised while this one waited for the lock has a later clock, and stands all the same.
ALERTED = """
    IF NOT EXISTS (
        SELECT 1 FROM monitoring_alert
        WHERE treatment_id = NEW.treatment_id AND cause = 'neutropenia'
          AND (resolved_at IS NULL OR resolved_at >= NEW.created_at)
    ) THEN
        RAISE EXCEPTION 'severe result % has no alert', NEW.result_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
"""


class Assessment(models.Model):
    """One judgement as it was given. `replaces`: the earlier judgement of that moment, before a correction."""

    treatment = models.ForeignKey(Treatment, models.PROTECT, related_name="assessments")
    result = models.ForeignKey(Result, models.PROTECT, null=True, related_name="assessments")
    replaces = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")
    version = models.IntegerField()
    as_of = models.DateTimeField()
    created_at = models.DateTimeField()
    protocol_key = models.CharField(max_length=32)
    severe = models.BooleanField(default=False)
    judgement = models.JSONField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["treatment", "-as_of"], name="assessments_by_moment")]
        triggers: ClassVar = [
            *APPEND_ONLY,
            pgtrigger.Trigger(
                name="severe_is_alerted",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Q(new__severe=True, new__replaces__isnull=True, new__result__isnull=False),
                func=ALERTED,
            ),
        ]
