"""What somebody has typed and not saved yet."""

from typing import ClassVar

from django.db import models

from patients.models import Clinic, Staff


class Draft(models.Model):
    """The unsaved rows of one person's sheet at one clinic. Kept here, because a browser may be shared."""

    staff = models.ForeignKey(Staff, models.PROTECT, related_name="drafts")
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="+")
    rows = models.JSONField(default=list)
    saved_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["staff", "clinic"], name="one_draft_a_sheet"),
        ]
