"""The next blood test, booked, moved or cancelled."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.shortcuts import get_object_or_404

from monitoring.actions.booking import book_test, cancel_booking
from monitoring.actions.rehearsing import Outlook
from monitoring.models import Booking, Treatment
from monitoring.rules.eligibility import after_the_last_tablet
from monitoring.views.acts.form import ActForm, Choice, Note, day_in_words, reason_field
from monitoring.worklist import draw_by
from patients.closed_days import closed_days_of, is_open
from patients.models import Staff


class BookForm(ActForm):
    """The day on which blood is to be drawn."""

    verb = "book_test"
    title = "Book a blood test"
    lead = (
        "The day on which blood is to be drawn. It answers “no test is booked”; the test stays owed until its result."
    )
    button, done, judged = "Book this day", "The blood test is booked.", False

    day = forms.DateField(label="Day of the draw", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))

    def begin_with(self) -> dict[str, Any]:
        """The day on which the next test is drawn, brought forward from a weekend; today where it is late."""
        due = self.treatment.due_on
        if due is None:
            return {}
        closed = self._closed(self.today, max(due, self.today))
        return {"day": max(draw_by(due, self.treatment.frequency, closed), self.today)}

    def beforehand(self) -> Iterable[Note]:
        """What is booked already, and how far the tablets reach."""
        if standing := self._standing():
            yield Note("fact", f"Booked now: {day_in_words(standing.day)}. Another day takes its place.")
        yield from self._tablets()

    def perform(self, *, by: Staff, now: datetime, ip: str | None) -> object:
        """Book it, or move what is booked."""
        return book_test(treatment=self.treatment, day=self.cleaned_data["day"], by=by, now=now, ip=ip)

    def words(self, outlook: Outlook) -> Iterable[Note]:
        """Whether that is in time, for the test and for the tablets."""
        day, standing = self.cleaned_data["day"], self._standing()
        was = day_in_words(standing.day) if standing else "none"
        yield Note("fact", f"Blood test booked: {was} → {day_in_words(day)}.")
        late, until = self.treatment.overdue_after, self.treatment.tablets_until
        if late is not None and day > late:
            yield Note("warn", f"The test is overdue after {day_in_words(late)}: this day is too late for it.")
        if until is not None and day > until + timedelta(days=1):
            yield Note("stop", f"The tablets reach until {day_in_words(until)}: there is a gap before this day.")
        if not is_open(day, self._closed(day, day)):
            yield Note("warn", "The clinic takes no blood on this day. Make sure that somebody else does.")
        yield from self._tablets()

    def _closed(self, since: date, until: date) -> frozenset[date]:
        clinic = self.treatment.clinic
        return closed_days_of([clinic], since=since, until=until)[clinic.pk]

    def _standing(self) -> Booking | None:
        return self.treatment.bookings.filter(ended_at=None).first()

    def _tablets(self) -> Iterable[Note]:
        if (until := self.treatment.tablets_until) is not None:
            yield Note("fact", f"Tablets until {day_in_words(until)}. {gap_in_words(self.treatment, until)}")


class CancelBookingForm(ActForm):
    """No blood will be drawn on that day."""

    verb = "book_test"
    title = "Cancel the booked blood test"
    lead = "The test stays owed. Where tablets run out, an alert says so until another day is booked."
    button, done, judged = "Cancel the booking", "The booking is cancelled. The test is still owed.", False
    chooses = "Which booking?"
    reason = reason_field("Why")

    @classmethod
    def choices(cls, treatment: Treatment) -> Sequence[Choice]:
        """The one that stands."""
        return [Choice(row.pk, day_in_words(row.day)) for row in treatment.bookings.filter(ended_at=None)]

    def find(self, subject: str) -> Any:
        """A booking of this patient; an ended one too, so that twice is once."""
        return get_object_or_404(self.treatment.bookings, pk=subject if subject.isdecimal() else 0)

    @property
    def about(self) -> str:
        """Which day."""
        return f"Booked for {day_in_words(self.subject.day)}"

    def perform(self, *, by: Staff, now: datetime, ip: str | None) -> object:
        """End it with the reason."""
        return cancel_booking(booking=self.subject, reason=self.cleaned_data["reason"], by=by, now=now, ip=ip)

    def words(self, outlook: Outlook) -> Iterable[Note]:
        """What is left without a day."""
        yield Note("fact", f"Blood test booked: {day_in_words(self.subject.day)} → none.")
        if (until := self.treatment.tablets_until) is not None:
            yield Note("warn", f"Tablets until {day_in_words(until)}. {gap_in_words(self.treatment, until)}")


def gap_in_words(treatment: Treatment, until: date) -> str:
    """What a gap would mean, by day."""
    stones = after_the_last_tablet(treatment.protocol, until)
    return "Without more: " + "; ".join(f"{day_in_words(stone.on)}: {stone.short}" for stone in stones) + "."
