"""How a patient is reached, and two records that are one person."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.shortcuts import get_object_or_404

from monitoring.actions.merging import merge, undo_merge
from monitoring.actions.rehearsing import Outlook
from monitoring.doors import treatments_of
from monitoring.models import Treatment
from monitoring.rules.errors import InputError
from monitoring.views.acts.form import ActForm, Choice, Note, reason_field
from patients.actions import change_contacts
from patients.models import Patient, Staff

KINDS = {"phone": "Phone", "email": "E-mail", "address": "Address"}


class ContactForm(ActForm):
    """Phone, e-mail, address."""

    verb = "register"
    title = "Change contact details"
    lead = "The old details stay in the record with the day on which they ended."
    button, done, judged = "Save the contact details", "The contact details are saved.", False

    phone = forms.CharField(
        label="Phone", required=False, max_length=40, widget=forms.TextInput({"type": "tel", "autocomplete": "off"})
    )
    email = forms.EmailField(
        label="E-mail", required=False, max_length=254, widget=forms.EmailInput({"autocomplete": "off"})
    )
    address = forms.CharField(
        label="Address", required=False, max_length=300, widget=forms.Textarea({"rows": 3, "autocomplete": "off"})
    )

    def begin_with(self) -> dict[str, Any]:
        """What is on record."""
        standing = self.treatment.patient.contact_points.filter(ended_at=None)
        self.before = {point.kind: point.value for point in standing}
        return dict(self.before)

    def perform(self, *, by: Staff, now: datetime, ip: str | None) -> object:
        """End the old, begin the new."""
        values = {kind: self.cleaned_data[kind].replace("\r\n", "\n") for kind in KINDS}
        return change_contacts(patient=self.treatment.patient, values=values, by=by, now=now, ip=ip)

    def words(self, outlook: Outlook) -> Iterable[Note]:
        """Old and new, side by side."""
        for kind, label in KINDS.items():
            was, now_is = self.before.get(kind, ""), self.cleaned_data[kind].strip().replace("\r\n", "\n")
            if was != now_is:
                yield Note("warn" if was else "fact", f"{label}: {was or 'none'} → {now_is or 'none'}")


class MergeForm(ActForm):
    """Another record of the same person."""

    verb = "merge"
    title = "Merge a duplicate into this record"
    lead = "This record is kept and reads the other one's results and events too. It can be undone."
    button, done = "Merge", "The records are merged."

    mrn = forms.CharField(label="MRN of the other record", max_length=40)
    born = forms.DateField(
        label="Date of birth in the other record",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="Both have to agree, so that a slip finds nobody.",
    )
    reason = reason_field("How you know that both are one person")

    def perform(self, *, by: Staff, now: datetime, ip: str | None) -> object:
        """Merge the record that was found."""
        other, reason = self.other(), self.cleaned_data["reason"]
        return merge(kept=self.treatment, merged=other, reason=reason, by=by, now=now, ip=ip)

    def other(self) -> Treatment:
        """The record with this MRN and date of birth at this clinic. Raises InputError."""
        found = treatments_of(self.staff, "merge").filter(
            clinic=self.treatment.clinic_id,
            patient__mrn__iexact=self.cleaned_data["mrn"].strip(),
            patient__date_of_birth=self.cleaned_data["born"],
        )
        if (one := found.first()) is None:
            text = "no patient of this clinic has this MRN and this date of birth; look at both again"
            raise InputError("mrn", text)
        return one

    def shows(self) -> Sequence[Patient]:
        """The other record's person."""
        return [self.other().patient]

    def words(self, outlook: Outlook) -> Iterable[Note]:
        """Who is who, and what does not go along."""
        mine, other = self.treatment.patient, self.other().patient
        yield Note("fact", f"Kept: {mine}, born {mine.date_of_birth}, MRN {mine.mrn}.")
        yield Note("fact", f"Merged into it: {other}, born {other.date_of_birth}, MRN {other.mrn}.")
        if mine.date_of_birth != other.date_of_birth:
            yield Note("stop", "The dates of birth differ. Be sure that this is one person before you confirm.")
        if (mine.family_name.lower(), mine.given_name.lower()) != (other.family_name.lower(), other.given_name.lower()):
            yield Note("stop", "The names differ. Be sure that this is one person before you confirm.")
        if self.other().ben:
            yield Note("warn", "BEN is documented in the other record and is not taken over: document it here.")
        yield Note("warn", "Open alerts of both stay open. Results that come for either MRN count here.")


class UndoMergeForm(ActForm):
    """They are two people after all."""

    verb = "merge"
    title = "Undo a merge"
    lead = "Each record reads its own results and events again, those that came meanwhile too."
    button, done = "Undo the merge", "The merge is undone."
    chooses = "Which merge?"
    mrn = forms.CharField(label="MRN of the other person here", max_length=40)
    reason = reason_field("How you know that these are two people")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.subject.old_mrn:
            del self.fields["mrn"]
            return
        self.fields["mrn"].help_text = (
            f"This record came along from {self.subject.old_clinic}, where its MRN was {self.subject.old_mrn}."
            f" Give the number by which {self.treatment.clinic} and its laboratory know this person."
        )

    @classmethod
    def choices(cls, treatment: Treatment) -> Sequence[Choice]:
        """The merges that stand."""
        rows = treatment.merges.filter(undone_at=None).select_related("merged__patient", "by")
        return [
            Choice(row.pk, f"MRN {row.merged.patient.mrn}, {row.merged.patient}, by {row.by}: {row.reason}")
            for row in rows
        ]

    def find(self, subject: str) -> Any:
        """A merge into this record; an undone one too, so that twice is once."""
        rows = self.treatment.merges.select_related("kept__patient", "merged__patient", "old_clinic")
        return get_object_or_404(rows, pk=subject if subject.isdecimal() else 0)

    @property
    def about(self) -> str:
        """Which records."""
        other = self.subject.merged.patient
        return f"{other}, born {other.date_of_birth}, MRN {other.mrn}"

    def perform(self, *, by: Staff, now: datetime, ip: str | None) -> object:
        """Undo it and judge both anew."""
        said = {"reason": self.cleaned_data["reason"], "mrn": self.cleaned_data.get("mrn", "")}
        return undo_merge(merge=self.subject, by=by, now=now, ip=ip, **said)

    def words(self, outlook: Outlook) -> Iterable[Note]:
        """The other record comes back to the lists."""
        yield Note("warn", f"{self.about} owes tests of its own again and comes back to the lists.")
