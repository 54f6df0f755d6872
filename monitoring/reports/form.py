"""The question as a page asks it: filters in the address, each refused with what would be right."""

from datetime import date, datetime
from typing import Any

from django import forms
from django.http import Http404

from monitoring.reports.question import Question, end_of_day
from monitoring.rules.protocols import PROTOCOLS
from patients.access import clinics_of
from patients.models import Clinic, Staff

EARLIEST = date(1990, 1, 1)
MOST_YEARS = 10
DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
TRY = "is not a day; write it as 2026-09-14"


class QuestionForm(forms.Form):
    """Clinic, clinician, protocol, thresholds, days, and the day as known on. Empty is everything, or the last year."""

    clinic = forms.TypedChoiceField(label="Clinic", required=False, coerce=int, empty_value=None)
    clinician = forms.TypedChoiceField(label="Clinician", required=False, coerce=int, empty_value=None)
    protocol = forms.ChoiceField(
        label="Protocol", required=False, choices=[("", "All"), *((key, key) for key in PROTOCOLS)]
    )
    population = forms.ChoiceField(
        label="Thresholds", required=False, choices=[("", "All"), ("general", "General"), ("ben", "BEN (Duffy-null)")]
    )
    since = forms.DateField(label="From", required=False, widget=DAY, error_messages={"invalid": f"This {TRY}"})
    until = forms.DateField(label="To", required=False, widget=DAY, error_messages={"invalid": f"This {TRY}"})
    as_known_on = forms.DateField(
        label="As known on",
        required=False,
        widget=DAY,
        help_text="Empty is now. A past day shows what was recorded by its end, for ever the same.",
        error_messages={"invalid": f"This {TRY}"},
    )

    def __init__(self, asked: Any, *, staff: Staff, now: datetime) -> None:
        super().__init__(asked)
        self.now = now
        self.mine: list[Clinic] = list(clinics_of(staff, "see_reports").order_by("name", "pk"))
        if not self.mine:
            raise Http404
        self._refuse_the_clinics_of_others(asked.get("clinic", ""))
        people = Staff.objects.filter(treatments__clinic__in=self.mine).distinct().order_by("last_name", "username")
        self.fields["clinic"].choices = [("", "All of mine"), *((one.pk, one.name) for one in self.mine)]  # type: ignore[attr-defined]  # a choice field
        self.fields["clinician"].choices = [("", "All"), *((one.pk, str(one)) for one in people)]  # type: ignore[attr-defined]  # likewise

    def _refuse_the_clinics_of_others(self, written: str) -> None:
        """A clinic that is not theirs does not exist for them."""
        if written.isdigit() and int(written) not in {clinic.pk for clinic in self.mine}:
            raise Http404

    def clean(self) -> dict[str, Any]:
        """Days in their order, none of them in the future where that would be a guess."""
        asked = super().clean() or {}
        today = self.now.astimezone(self.clinics()[0].zone).date()
        known_on = asked.get("as_known_on")
        if known_on and known_on > today:
            self.add_error("as_known_on", f"{known_on} has not come yet; choose today or a day before it")
        for name in ("since", "until"):
            if (asked.get(name) or today) < EARLIEST:
                self.add_error(name, f"{asked[name]} is before clozapine was monitored like this; choose a later day")
        until = asked["until"] = asked.get("until") or min(known_on or today, today)
        since = asked["since"] = asked.get("since") or _months_before(until, 11)
        if since > until:
            self.add_error("since", f"{since} is after {until}; the first day comes before the last")
        if (until - since).days > MOST_YEARS * 366:
            self.add_error("since", f"more than {MOST_YEARS} years at once; choose a later first day")
        return asked

    def clinics(self) -> tuple[Clinic, ...]:
        """The clinic chosen, else all of theirs."""
        chosen = getattr(self, "cleaned_data", {}).get("clinic")
        return tuple(clinic for clinic in self.mine if chosen in (None, clinic.pk))

    def question(self) -> Question:
        """The question, complete."""
        asked, clinics = self.cleaned_data, self.clinics()
        known_on = asked["as_known_on"]
        return Question(
            clinics=clinics,
            since=asked["since"],
            until=asked["until"],
            known_at=min(self.now, end_of_day(known_on, clinics)) if known_on else self.now,
            clinician_id=asked["clinician"],
            protocol=asked["protocol"],
            population=asked["population"],
        )


def _months_before(day: date, months: int) -> date:
    """The first day of the month so many months before."""
    number = day.year * 12 + day.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)
