"""A row of the worklist in words: who, what is wanted, since when, and what it means.

Rows write their own HTML: as a template they would be three quarters of the whole page's time. Whatever comes from
outside goes through `escape`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from html import escape
from typing import TypeVar

from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from monitoring.alerts import ADVICE_IN_WORDS
from monitoring.models import Alert, Booking, Draw, Step, Treatment
from monitoring.views.row_words import WORDS, days, written
from patients.closed_days import Days
from patients.models import Patient

UNREMARKABLE = ("continue", "")
Ready = TypeVar("Ready")
WHO = '<div class="person"><a id="{key}-who" href="{href}">{name}</a> <span class="who-line">{ids}</span></div>'
TREATMENT = (
    '<li class="entry" id="{key}">' + WHO + '<div class="what">{tag} <span class="more">{more}</span></div>'
    '<div class="says"><strong>{advice}</strong> {drawn} <span class="who-line">last count {last}</span></div>'
    '<div class="do">{act}</div></li>'
)
ALERT = (
    '<li class="entry" id="{key}">' + WHO + '<div class="what">{tag} <span class="age">{age}</span></div>'
    '<div class="says"><a id="{key}-open" href="{opens}">{cause}</a> {summary}</div>'
    '<div class="last">{owner}<span class="who-line">{state}</span></div></li>'
)
ACT = '<a class="act" id="{}-do" href="{}{}">{}<span class="sr-only">: {}</span></a>'
UNANSWERED: Mapping[int, str] = {
    Step.OWNER: "the owner was told",
    Step.DEPUTY: "the deputy was told",
    Step.ON_CALL: "on-call was told",
    Step.ALARM: "the clinic's alarm stands",
}
OFFERS: Mapping[str, str] = {
    "drawn": "No result will come", "tablets": "Book a test", "unreached": "See and mend",
    "unreviewed": "", "paused": "", "off": "",
}  # fmt: skip
"""What may be done from a row; in every other section: note that blood was drawn."""
ADDRESSES: Mapping[str, str] = {"tablets": "act/book/", "unreached": "reminders/"}
"""Where that is done; in every other section: on the page of the draw."""


class Who:
    """Whom a row is about."""

    patient: Patient
    clinic: str

    @cached_property
    def href(self) -> str:
        """The patient's page."""
        return address("patient", self.patient.pk)

    @cached_property
    def ids(self) -> str:
        """Date of birth and MRN, and the clinic where one has several."""
        born = self.patient.date_of_birth.isoformat()
        return ", ".join(part for part in (f"born {born}", self.patient.mrn, self.clinic) if part)


_known: dict[str, str] = {}


def address(name: str, pk: int) -> str:
    """The address of one patient or alert; the pattern is looked up once."""
    if name not in _known:
        _known[name] = reverse(name, args=[0])
    return _known[name].replace("/0/", f"/{pk}/", 1)


def tag(words: str, tone: str) -> str:
    """A word in a frame of its tone, or in bold without one."""
    return f'<span class="tag {tone}">{escape(words)}</span>' if tone else f"<strong>{escape(words)}</strong>"


@dataclass
class Row(Who):
    """A treatment. `tone` colours the tag, and the tag says it in words too."""

    section: str
    key: str
    patient: Patient
    clinic: str
    what: str
    more: str
    tone: str
    last: str
    advice: str
    drawn: str = ""
    """That blood is on its way, or for when it is booked."""
    awaited: bool = False
    """Blood is on its way."""
    may_draw: bool = False

    def __str__(self) -> SafeString:
        """The row as an item of its list."""
        offer = OFFERS.get(self.section, "" if self.awaited else "Blood drawn") if self.may_draw else ""
        name = escape(str(self.patient))
        return SafeString(
            TREATMENT.format(
                key=self.key,
                href=self.href,
                name=name,
                ids=escape(self.ids),
                tag=tag(self.what, self.tone),
                more=escape(self.more),
                advice=escape(self.advice),
                drawn=f'<span class="tag">{escape(self.drawn)}</span>' if self.drawn else "",
                last=escape(self.last),
                act=ACT.format(self.key, self.href, ADDRESSES.get(self.section, "drawn/"), offer, name)
                if offer
                else "",
            )
        )


@dataclass
class AlertRow(Who):
    """An alert with its age, its owner and who is on it."""

    alert: Alert
    patient: Patient
    clinic: str
    age: str
    tone: str
    owner: str
    state: str

    @property
    def key(self) -> str:
        """Its name on the page."""
        return f"alert-{self.alert.pk}"

    @property
    def what(self) -> str:
        """How severe it is."""
        return self.alert.get_severity_display()

    def __str__(self) -> SafeString:
        """The row as an item of its list."""
        return SafeString(
            ALERT.format(
                key=self.key,
                href=address("patient", self.patient.pk),
                opens=address("alert", self.alert.pk),
                name=escape(str(self.patient)),
                ids=escape(self.ids),
                tag=tag(self.what, self.tone),
                age=escape(self.age),
                cause=escape(self.alert.get_cause_display()),
                summary=escape(self.alert.summary),
                owner=escape(self.owner),
                state=escape(self.state),
            )
        )


def treatment_row(
    section: str,
    treatment: Treatment,
    draw: Draw | None,
    now: datetime,
    *,
    closed: Days,
    booked: Booking | None = None,
    may_draw: bool,
    several: bool,
) -> Row:
    """A treatment in the section of this name."""
    zone = treatment.clinic.zone
    what, more, tone = WORDS[section](treatment, now.astimezone(zone).date(), closed)
    if section == "late" and draw:
        more = more.partition(";")[0]
    return Row(
        section=section,
        key=f"{section}-{treatment.pk}",
        patient=treatment.patient,
        clinic=treatment.clinic.name if several else "",
        what=what,
        more=more,
        tone=tone,
        last=_last(treatment),
        advice=_advice(treatment, now),
        drawn=_drawn(draw, now) if draw else _booked(booked, now.astimezone(zone).date()),
        awaited=draw is not None,
        may_draw=may_draw,
    )


def _booked(booked: Booking | None, day: date) -> str:
    """The day of the next test; one that has passed without blood is told as missed."""
    if booked is None:
        return ""
    return f"test booked {written(booked.day)}" if booked.day >= day else f"booked {written(booked.day)}, no blood came"


def _last(treatment: Treatment) -> str:
    if treatment.latest_draw_at is None:
        return "none yet"
    return f"{treatment.band}, {written(treatment.latest_draw_at.astimezone(treatment.clinic.zone).date())}"


def _advice(treatment: Treatment, now: datetime) -> str:
    """The stored advice, unless it is the usual one or time has changed it since: then the row's own words hold."""
    day = now.astimezone(treatment.clinic.zone).date()
    outdated = treatment.changes_on is not None and treatment.changes_on <= day
    return "" if outdated or treatment.advice in UNREMARKABLE else ADVICE_IN_WORDS[treatment.advice]


def _drawn(draw: Draw, now: datetime) -> str:
    zone = draw.clinic.zone
    at, today = draw.drawn_at.astimezone(zone), now.astimezone(zone).date()
    if at.date() == today:
        return f"drawn today at {at:%H:%M}"
    return f"drawn {written(at.date())} at {at:%H:%M}, {days((today - at.date()).days)} ago"


def draw_row(draw: Draw, now: datetime, *, may_draw: bool, several: bool) -> Row:
    """Blood that was drawn and has no result yet; from the second day on somebody should ask for it."""
    zone = draw.clinic.zone
    old = (now.astimezone(zone).date() - draw.drawn_at.astimezone(zone).date()).days
    return Row(
        section="drawn",
        key=f"drawn-{draw.treatment_id}",
        patient=draw.treatment.patient,
        clinic=draw.clinic.name if several else "",
        what=_drawn(draw, now),
        more="ask the laboratory" if old else "",
        tone="warn" if old else "",
        last=_last(draw.treatment),
        advice=_advice(draw.treatment, now),
        may_draw=may_draw,
    )


def alert_row(alert: Alert, now: datetime, *, several: bool) -> AlertRow:
    """An alert as it stands."""
    state = alert.state
    if state == "acknowledged":
        state = f"acknowledged by {alert.acknowledged_by}"
    elif state == "open" and alert.escalated_at:
        state = f"nobody answered: {UNANSWERED[alert.step]}"
    return AlertRow(
        alert=alert,
        patient=alert.treatment.patient,
        clinic=alert.clinic.name if several else "",
        age=age(alert.raised_at, now),
        tone={1: "stop", 2: "warn"}.get(alert.severity, ""),
        owner=str(alert.owner) if alert.owner else "On-call",
        state=state,
    )


def age(since: datetime, now: datetime) -> str:
    """How long ago, in its largest unit: 12 minutes, 3 hours, 2 days."""
    if now - since < timedelta(minutes=1):
        return "just now"
    return timesince(since, now, depth=1).replace("\xa0", " ")


def lasted(since: datetime, until: datetime) -> str:
    """How long something took, in its two largest units."""
    return timesince(since, until, depth=2).replace("\xa0", " ")


def in_order(ids: Iterable[int], found: Mapping[int, Ready]) -> list[Ready]:
    """The rows of a page in the page's order; one that has gone since is left out."""
    return [found[pk] for pk in ids if pk in found]
