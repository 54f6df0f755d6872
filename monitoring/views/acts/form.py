"""What every act's form shares: who, when, and how it says what would change."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, ClassVar

from django import forms
from django.http import Http404

from monitoring.actions.rehearsing import Outlook
from monitoring.models import Treatment
from monitoring.rules.history import Event
from monitoring.rules.plausible import last_dosing
from patients.models import Patient, Role, Staff

REASON = {"rows": 2}
FIELD_OF = {"at": "on"}
"""Where an action's word for a field is not the form's."""


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence that must not be overlooked. `tone`: stop, warn, calm or fact."""

    tone: str
    text: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the patient's rows that an act can be about."""

    pk: int
    text: str
    kind: str = ""

    @property
    def word(self) -> str:
        """How it stands in an address: 12, or event-12 where there are several kinds."""
        return f"{self.kind}-{self.pk}" if self.kind else str(self.pk)


class ActForm(forms.Form):
    """One act. Subclasses say what is done, and what has to be said before it is."""

    verb: ClassVar[str] = "record_event"
    title: ClassVar[str]
    lead: ClassVar[str] = ""
    button: ClassVar[str]
    done: ClassVar[str]
    judged: ClassVar[bool] = True
    """Whether it can change the judgement at all."""
    after: ClassVar[str] = "patient"
    """The page to which it leads back."""
    chooses: ClassVar[str] = ""
    """The question that is asked first where an act is about one of several rows."""

    def __init__(
        self, *args: Any, treatment: Treatment, staff: Staff, now: datetime, subject: str = "", **kwargs: Any
    ) -> None:
        self.treatment, self.staff, self.now = treatment, staff, now
        self.zone = treatment.clinic.zone
        self.today = now.astimezone(self.zone).date()
        self.word = subject
        self.subject: Any = self.find(subject) if self.chooses else None
        kwargs["initial"] = self.begin_with() | (kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)
        self.order_fields(self.field_order)

    @classmethod
    def choices(cls, treatment: Treatment) -> Sequence[Choice]:  # noqa: ARG003  # for those that override it
        """The rows to choose from."""
        return ()

    def find(self, subject: str) -> Any:
        """The row that was chosen. What is not this patient's does not exist."""
        raise Http404

    def begin_with(self) -> dict[str, Any]:
        """What stands in the fields at first."""
        return {}

    def perform(self, *, by: Staff, now: datetime, ip: str | None) -> object:
        """Do it. Raises InputError."""
        raise NotImplementedError

    def beforehand(self) -> Iterable[Note]:
        """What the person should know before anything is typed."""
        return ()

    def words(self, outlook: Outlook) -> Iterable[Note]:
        """What has to be said beside the comparison."""
        return ()

    def shows(self) -> Sequence[Patient]:
        """Whoever else is shown: that somebody saw them is audited."""
        return ()

    def events(self) -> list[Event]:
        """What stands in the treatment, as the rules read it."""
        return [event.as_event(self.treatment.clinic) for event in self.treatment.every_event() if event.stands()]

    def last_dose(self, at: datetime | date | None = None) -> Event | None:
        """The last dose of the break that is open at that moment (now when not given)."""
        found = last_dosing(self.events(), at or self.now, self.zone)
        return found if found and found.kind == "last_dose" else None

    def say(self, at: datetime | date) -> str:
        """A moment in words, in the clinic's zone."""
        local = at.astimezone(self.zone) if isinstance(at, datetime) else at
        return f"{local:%a} {local.day} {local:%b %Y, %H:%M}" if isinstance(at, datetime) else day_in_words(at)


def day_in_words(day: date) -> str:
    """Thu 5 Nov 2026."""
    return f"{day:%a} {day.day} {day:%b %Y}"


def local_moment(on: date, at: time, *, form: ActForm) -> datetime:
    """A local time that happened exactly once. Raises ValidationError where the clocks were changed."""
    local = datetime.combine(on, at, form.zone)
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        raise forms.ValidationError(
            f"{at:%H:%M} on {on} falls into the clock change of {form.zone.key}, so it happened twice or not at all."
            " Give a time before or after it, or leave the time empty."
        )
    return local


class MomentForm(ActForm):
    """When it happened: a date, and a time where it is known."""

    on = forms.DateField(label="Date", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), help_text="")
    time = forms.TimeField(
        label="Time",
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text="Local time of the clinic. Leave it empty when it is not known.",
    )
    field_order = ["on", "time"]
    starts_now: ClassVar[bool] = True

    def begin_with(self) -> dict[str, Any]:
        """Now, where it is likely to be now."""
        if not self.starts_now:
            return {}
        local = self.now.astimezone(self.zone)
        return {"on": local.date(), "time": local.time().replace(second=0, microsecond=0)}

    def clean(self) -> dict[str, Any]:
        """The moment as `at`: a date where the time is unknown."""
        on, at = self.cleaned_data.get("on"), self.cleaned_data.get("time")
        if on is None or "time" not in self.cleaned_data:
            return self.cleaned_data
        if on.year not in range(1900, 2201):
            raise forms.ValidationError({"on": f"{on} is not between 1900 and 2200; look at the year."})
        try:
            self.cleaned_data["at"] = on if at is None else local_moment(on, at, form=self)
        except forms.ValidationError as error:
            raise forms.ValidationError({"time": error}) from error
        return self.cleaned_data

    @property
    def at(self) -> datetime | date:
        """When it happened."""
        found: datetime | date = self.cleaned_data["at"]
        return found

    @property
    def at_on(self) -> date:
        """On which day of the clinic."""
        return self.at.astimezone(self.zone).date() if isinstance(self.at, datetime) else self.at


def reason_field(label: str = "Reason", **more: Any) -> forms.CharField:
    """Why, in a person's words."""
    return forms.CharField(label=label, max_length=2000, widget=forms.Textarea(attrs=REASON), **more)


def prescribers_of(treatment: Treatment) -> "list[tuple[str, str]]":
    """The clinic's prescribers, to choose who decided."""
    rows = treatment.clinic.memberships.filter(role=Role.PRESCRIBER, active=True, staff__is_active=True)
    people = [row.staff for row in rows.select_related("staff").order_by("staff__last_name", "staff__username")]
    return [("", "Nobody had to decide"), *((str(person.pk), str(person)) for person in people)]
