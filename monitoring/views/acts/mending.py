"""Correcting a result, and taking back what was wrong."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.http import Http404
from django.shortcuts import get_object_or_404

from monitoring.actions.amending import correct_result, take_back_result
from monitoring.actions.record_result import COUNT_FIELDS
from monitoring.actions.rehearsing import Outlook
from monitoring.actions.treating import void_dose, void_event
from monitoring.forms import NUMBER
from monitoring.models import Result, Treatment
from monitoring.models.result import standing
from monitoring.models.treatment import standing_doses
from monitoring.rules.units import UNITS_ACCEPTED, plain
from monitoring.views.acts.form import ActForm, Choice, Note, local_moment, reason_field
from patients.models import Staff

TYPED = [name for name in COUNT_FIELDS if name != "unit"]


def result_in_words(row: Result, treatment: Treatment) -> str:
    """Drawn when, how many, from where."""
    drawn = row.drawn_at.astimezone(treatment.clinic.zone)
    anc = f"ANC {plain(row.anc, row.anc_bound)} /uL" if row.anc is not None else "no ANC"
    return f"{drawn:%Y-%m-%d %H:%M}, {anc}, {row.get_status_display().lower()}, {row.source} {row.accession}"


def standing_results(treatment: Treatment) -> list[Result]:
    """Those that count, the newest first."""
    return standing(list(treatment.every_result()))[::-1]


class OneResultForm(ActForm):
    """About one result that stands."""

    verb = "record_result"
    chooses = "Which result?"

    @classmethod
    def choices(cls, treatment: Treatment) -> Sequence[Choice]:
        """The results that count."""
        return [Choice(row.pk, result_in_words(row, treatment)) for row in standing_results(treatment)]

    def find(self, subject: str) -> Result:
        """A result of this patient, in the version that the person saw."""
        rows = {str(row.pk): row for row in self.treatment.every_result()}
        if subject not in rows or rows[subject].status == "entered_in_error":
            raise Http404
        return rows[subject]

    @property
    def about(self) -> str:
        """What is corrected."""
        return result_in_words(self.subject, self.treatment)

    def words(self, outlook: Outlook) -> Iterable[Note]:
        """Whether past advice was wrong because of it."""
        if not outlook.changed:
            yield Note("calm", "No advice that was given since the draw would have been another.")
        else:
            yield Note(
                "warn",
                "Advice that was given since the draw would have been another; whoever was told of it is told again.",
            )


class DrawField(forms.DateTimeField):
    """A local time. Left as it was it is the moment that it was, even where the clocks were changed."""

    before: datetime | None = None

    def clean(self, value: Any) -> datetime | None:
        """The moment; `before` where nothing else was typed."""
        if self.before is not None and value == f"{self.before:%Y-%m-%dT%H:%M}":
            return self.before
        typed: datetime | None = super().clean(value)
        return typed


class CorrectForm(OneResultForm):
    """What the result should have been."""

    title = "Correct a result"
    lead = "The old version stays readable; everyone who was told of it is told of the correction."
    button, done = "Save the correction", "The correction is saved."

    drawn_at = DrawField(
        label="Blood drawn at",
        help_text="Local time of the clinic.",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    anc = forms.CharField(label="ANC", required=False, max_length=24, widget=forms.TextInput(NUMBER))
    wbc = forms.CharField(label="White cells (WBC)", required=False, max_length=24, widget=forms.TextInput(NUMBER))
    neutrophils_percent = forms.CharField(
        label="Neutrophils %", required=False, max_length=12, widget=forms.TextInput(NUMBER)
    )
    segs_percent = forms.CharField(label="Segmented %", required=False, max_length=12, widget=forms.TextInput(NUMBER))
    bands_percent = forms.CharField(label="Bands %", required=False, max_length=12, widget=forms.TextInput(NUMBER))
    supported = forms.BooleanField(label="Taken under G-CSF or lithium", required=False)
    confirmed = forms.BooleanField(
        label="I have looked at the report again and the number and its unit are right", required=False
    )
    reason = reason_field("Why it is corrected")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        draw = self.fields["drawn_at"]
        if isinstance(draw, DrawField):
            draw.before = self.subject.drawn_at.astimezone(self.zone)
        for name in ("anc", "wbc"):
            self.fields[name].label = f"{self.fields[name].label} in {self.unit}"
        # Asked only once a number has been refused as a likely slip.
        self.fields["confirmed"].widget = forms.HiddenInput()

    def add_error(self, field: str | None, error: Any) -> None:
        """Something was refused: now the person may say that the number is right."""
        super().add_error(field, error)
        self.fields["confirmed"].widget = forms.CheckboxInput()

    def clean(self) -> dict[str, Any]:
        """Once ticked it stays in sight."""
        if self.cleaned_data.get("confirmed"):
            self.fields["confirmed"].widget = forms.CheckboxInput()
        return self.cleaned_data

    @property
    def unit(self) -> str:
        """The unit in which this result was reported."""
        sent = str(self.subject.received.get("unit", ""))
        return sent if sent in UNITS_ACCEPTED else self.treatment.clinic.count_unit

    def begin_with(self) -> dict[str, Any]:
        """The result as it was received."""
        return {name: self.subject.received.get(name, "") for name in TYPED} | {
            "drawn_at": self.subject.drawn_at.astimezone(self.zone).replace(tzinfo=None),
            "supported": self.subject.supported,
        }

    def clean_drawn_at(self) -> datetime:
        """The draw as it was, to the second, unless another minute was typed; then one that happened exactly once."""
        typed: datetime = self.cleaned_data["drawn_at"]
        before: datetime = self.subject.drawn_at
        if typed == before:
            return before
        local = typed.astimezone(self.zone)
        return local_moment(local.date(), local.time(), form=self)

    def perform(self, *, by: Staff, now: datetime, ip: str | None) -> object:
        """Record the next version."""
        count = {name: self.cleaned_data[name] or None for name in TYPED} | {"unit": self.unit}
        return correct_result(
            treatment=self.treatment,
            result=self.subject,
            count=count,
            drawn_at=self.cleaned_data["drawn_at"],
            supported=self.cleaned_data["supported"],
            confirmed=self.cleaned_data["confirmed"],
            reason=self.cleaned_data["reason"],
            by=by,
            now=now,
            ip=ip,
        )


class TakeBackResultForm(OneResultForm):
    """A result that is not this patient's, or never was."""

    title = "Mark a result as entered in error"
    lead = "It counts no more and stays readable with the reason. For a wrong number, correct it instead."
    button, done = "Mark it as entered in error", "The result is marked as entered in error."
    reason = reason_field("What was wrong")

    def perform(self, *, by: Staff, now: datetime, ip: str | None) -> object:
        """Record the version that says so."""
        return take_back_result(
            treatment=self.treatment, result=self.subject, reason=self.cleaned_data["reason"], by=by, now=now, ip=ip
        )


class TakeBackForm(ActForm):
    """An event or a dose that was recorded and did not happen."""

    title = "Take back a wrong event or dose"
    lead = "It stays readable, with who took it back, when and why. Then record what did happen."
    button, done = "Take it back", "It is taken back."
    chooses = "What did not happen?"
    reason = reason_field("What was wrong")

    @classmethod
    def choices(cls, treatment: Treatment) -> Sequence[Choice]:
        """Events that stand and doses, the newest first."""
        zone = treatment.clinic.zone
        found = []
        for event in treatment.every_event():
            if event.stands():
                shape = "%Y-%m-%d" if event.date_only else "%Y-%m-%d %H:%M"
                more = f", {event.celsius} °C" if event.celsius is not None else ", for good" if event.stop else ""
                text = f"{event.at.astimezone(zone):{shape}}, {event.get_kind_display()}{more}"
                found.append((event.at, Choice(event.pk, text, "event")))
        for dose in standing_doses(treatment.every_dose()):
            text = f"{dose.at.astimezone(zone):%Y-%m-%d %H:%M}, dose {dose.daily_mg.normalize():f} mg a day"
            found.append((dose.at, Choice(dose.pk, text, "dose")))
        return [choice for _, choice in sorted(found, key=lambda pair: pair[0], reverse=True)]

    def find(self, subject: str) -> Choice:
        """`event-12` or `dose-3`; taken back already is found too, so that twice is once."""
        kind, _, number = subject.partition("-")
        rows: Any = {"event": self.treatment.every_event(), "dose": self.treatment.doses_told()}.get(kind)
        if rows is None or not number.isdecimal():
            raise Http404
        row = get_object_or_404(rows, pk=number)
        self.row = row
        known = {(choice.kind, choice.pk): choice for choice in self.choices(self.treatment)}
        return known.get((kind, row.pk), Choice(row.pk, "taken back already", kind))

    @property
    def about(self) -> str:
        """What is taken back."""
        return str(self.subject.text)

    def perform(self, *, by: Staff, now: datetime, ip: str | None) -> object:
        """Void the event or the dose."""
        reason = self.cleaned_data["reason"]
        if self.subject.kind == "event":
            return void_event(event=self.row, by=by, now=now, reason=reason, ip=ip)
        return void_dose(dose=self.row, by=by, now=now, reason=reason, ip=ip)

    def words(self, outlook: Outlook) -> Iterable[Note]:
        """Which dose holds once this one is gone."""
        if self.subject.kind != "dose" or outlook.known:
            return
        left = [row for row in standing_doses(self.treatment.every_dose()) if row.pk != self.row.pk]
        held = f"{left[-1].daily_mg.normalize():f} mg a day" if left else "none is written down"
        yield Note("fact", f"The daily dose is then: {held}.")
