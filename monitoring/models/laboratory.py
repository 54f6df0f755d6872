"""A laboratory's exports: how its columns are named, what was imported, and which rows wait for a person."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from monitoring.models.result import Result
from patients.models import NO_DELETE, Clinic, Staff


class Laboratory(models.Model):
    """A laboratory as a clinic knows it. `columns` maps our names to the headers of its export."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="laboratories")
    name = models.CharField(max_length=80)
    source = models.SlugField(max_length=40)
    columns = models.JSONField(default=dict)
    unit = models.CharField(max_length=16, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        triggers: ClassVar = NO_DELETE
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["clinic", "source"], name="one_laboratory_per_source"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_under_way(self) -> bool:
        """Whether rows of it are being taken; until they are all in, they are read in one way."""
        return Import.objects.filter(
            laboratory=self, confirmed_at__isnull=False, finished_at=None, cancelled_at=None
        ).exists()


class Import(models.Model):
    """One uploaded export: its bytes, how far it was read, and what became of its rows."""

    laboratory = models.ForeignKey(Laboratory, models.PROTECT, related_name="imports")
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="+")
    file_name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    rows = models.IntegerField()
    uploaded_at = models.DateTimeField()
    uploaded_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    confirmed_at = models.DateTimeField(null=True)
    read_rows = models.IntegerField(default=0)
    read_bytes = models.BigIntegerField(default=0)
    stored = models.IntegerField(default=0)
    known = models.IntegerField(default=0)
    refused = models.IntegerField(default=0)
    quarantined = models.IntegerField(default=0)
    finished_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)

    class Meta:
        triggers: ClassVar = NO_DELETE
        indexes: ClassVar = [models.Index(fields=["clinic", "-uploaded_at"], name="imports_by_time")]


class QuarantinedRow(models.Model):
    """A row that names nobody surely. It has an owner and a clock, and ends matched or refused by a person."""

    imported = models.ForeignKey(Import, models.PROTECT, related_name="waiting_rows")
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="+")
    number = models.IntegerField()
    fields = models.JSONField()
    field = models.CharField(max_length=40)
    message = models.TextField()
    owner = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    answer_by = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    result = models.ForeignKey(Result, models.PROTECT, null=True, related_name="+")
    end_reason = models.TextField(blank=True)

    class Meta:
        triggers: ClassVar = NO_DELETE
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["imported", "number"], name="one_quarantine_per_row"),
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_by=None, result=None)
                | (Q(ended_at__isnull=False, ended_by__isnull=False) & (Q(result__isnull=False) | ~Q(end_reason=""))),
                name="quarantine_ends_matched_or_refused",
            ),
        ]
        indexes: ClassVar = [
            models.Index("clinic", "answer_by", "id", name="quarantine_waiting", condition=Q(ended_at=None)),
        ]
