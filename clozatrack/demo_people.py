"""The people of the demo: their names, and how each one's treatment goes. Told through the actions of a clinic."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from monitoring.actions.answering import acknowledge, resolve
from monitoring.actions.limiting import agree_limits
from monitoring.actions.record_result import Report, record_result
from monitoring.actions.treating import record_event
from monitoring.models import Alert, Outcome, Treatment
from monitoring.rules.protocol import Floor
from patients.models import Staff

DAY = timedelta(days=1)
FAMILY = (
    "Abara Bergström Castellanos Dlamini Eriksen Fofanah Gallagher Haddad Ivanova Jensen Kowalska"
    " Lindqvist Mbeki Nakamura Okafor Petrov Quispe Rossi Sato Tremblay Ueda Vargas Whitcombe Xiong Yilmaz"
    " Zanetti Armitage Boateng Choudhury Delacroix Eastwood Fischer Grünwald Hargreaves Iqbal Jovanović"
    " Kelly Lopes Moreau Novak Oyelaran Pereira Raman Sokolov"
).split()
GIVEN = (
    "Ada Ben Chloe Daniel Elena Femi Grace Hugo Ines Jonas Kira Leo Mara Nils Olga Paul Rosa Samir Tess"
    " Viktor Wanda Yusuf Zoe Amir Britt Carlos Dina Emil Farah Georg Hana Ivo June Karim Lucia Marek Nora"
    " Otto Priya Rafael Sanna Tariq Uma Vera"
).split()


@dataclass
class Person:
    """One patient of the demo: when treatment began, how the counts run, and how the story ends."""

    days: int
    mean: int = 3600
    end: Callable[["Story"], None] | None = None
    skip_last_days: int = 0
    draws_at: int = 9


@dataclass
class Story:
    """A treatment while its history is told, through the same actions that a clinic uses."""

    treatment: Treatment
    nurse: Staff
    prescriber: Staff
    now: datetime
    chance: random.Random
    number: int = 0

    def at(self, day: date, hour: int = 9, minute: int = 0) -> datetime:
        """A time of that day at the clinic."""
        return datetime.combine(day, time(hour, minute), self.treatment.clinic.zone)

    @property
    def today(self) -> date:
        """Today at the clinic."""
        return self.now.astimezone(self.treatment.clinic.zone).date()

    def count(self, value: int, drawn_at: datetime, **fields: str) -> None:
        """A result from the laboratory, known an hour and a half after the draw."""
        self.number += 1
        drawn_at = min(drawn_at, self.now - timedelta(hours=2))
        per_litre = Decimal(value) / 1000
        report = Report(
            source="lab",
            accession=f"L{self.treatment.pk:04}-{self.number:03}",
            drawn_at=drawn_at,
            count={"anc": f"{per_litre}", "unit": "10*9/L"} | fields,
        )
        received = min(drawn_at + timedelta(minutes=90), self.now)
        record_result(treatment=self.treatment, report=report, by=None, now=received)
        self.treatment.refresh_from_db()

    def event(self, kind: str, at: datetime | date, **fields: object) -> None:
        """Something that happened, recorded within the hour."""
        instant = at if isinstance(at, datetime) else self.at(at, 8)
        now = min(instant + timedelta(minutes=40), self.now)
        record_event(treatment=self.treatment, kind=kind, at=at, by=self.prescriber, now=now, **fields)  # type: ignore[arg-type]  # told by the table below
        self.treatment.refresh_from_db()

    def usual(self, mean: int) -> int:
        """A believable normal count, in steps of ten."""
        return max(1580, int(self.chance.gauss(mean, mean * 0.16)) // 10 * 10)

    def live(self, until: date, mean: int) -> None:
        """Tests on the day that they are due, now and then a day late, until that day."""
        while self.treatment.due_on and self.treatment.due_on <= until:
            late = self.chance.choices((0, 1, 2, 4), (90, 6, 3, 1))[0]
            day = min(self.treatment.due_on + late * DAY, until)
            self.count(self.usual(mean), self.at(day, 9, self.chance.randrange(0, 50)))

    def answer_the_past(self, *, older_than: timedelta = timedelta()) -> None:
        """Old alerts were answered in their time, the severe ones sooner."""
        old = Alert.objects.filter(treatment=self.treatment, raised_at__lte=self.now - older_than)
        for alert in old.standing():
            minutes = self.chance.choice((3, 5, 8, 12, 25, 40)) * alert.severity**2
            soon = min(alert.raised_at + timedelta(minutes=minutes), self.now)
            acknowledge(alert=alert, by=self.nurse, now=soon, note="Called the patient and the prescriber.")
            # An alert is resolved after the last count that it covers, never before.
            last = max(soon, self.treatment.assessed_at or soon)
            later = min(last + timedelta(hours=5), self.now)
            resolve(alert=alert, by=self.prescriber, now=later, outcome=Outcome.ACTED, note="Followed the protocol.")


def _blip(value: int, *, days_ago: int, then: tuple[int, ...] = ()) -> Callable[[Story], None]:
    """A low count some days ago, and what was drawn on the days after it."""

    def tell(story: Story) -> None:
        day = story.today - days_ago * DAY
        story.count(value, story.at(day, 9, 5))
        for later, next_value in enumerate(then, start=1):
            if day + later * DAY <= story.today:
                story.count(next_value, min(story.at(day + later * DAY, 8, 40), story.now - timedelta(hours=2)))

    return tell


def _severe_last_night(story: Story) -> None:
    story.answer_the_past()
    drawn_at = min(story.at(story.today - DAY, 22, 10), story.now - timedelta(hours=2))
    story.count(380, drawn_at)


def _severe_in_spring(story: Story) -> None:
    day = story.today - 60 * DAY
    story.count(410, story.at(day))
    story.event("last_dose", story.at(day, 7), reason="Severe neutropenia")
    for later, value in ((1, 460), (2, 620), (3, 900), (4, 1180), (6, 1450), (8, 1900)):
        story.count(value, story.at(day + later * DAY))
    story.answer_the_past()


def _rechallenged(story: Story) -> None:
    _severe_in_spring(story)
    story.event(
        "rechallenge_approved", story.at(story.today - 20 * DAY), reason="Benefit outweighs risk, family agrees"
    )
    story.count(2600, story.at(story.today - 16 * DAY))
    story.event("restart", story.at(story.today - 15 * DAY, 20))
    story.live(story.today - DAY, 3000)


def _paused(days: int, reason: str, *, stop: bool = False) -> Callable[[Story], None]:
    def tell(story: Story) -> None:
        story.event("last_dose", story.at(story.today - days * DAY, 20), stop=stop, reason=reason)

    return tell


def _fever(story: Story) -> None:
    story.event("fever", story.now - timedelta(hours=3), celsius=Decimal("38.9"))


def _hospice(story: Story) -> None:
    story.event("hospice_agreed", story.at(story.today - 30 * DAY), reason="Discussed with patient and daughter")


def _corrected(story: Story) -> None:
    story.count(640, story.now - timedelta(hours=30))
    report = Report(
        source="lab",
        accession=f"L{story.treatment.pk:04}-{story.number:03}",
        drawn_at=story.now - timedelta(hours=30),
        count={"anc": "6.4", "unit": "10*9/L"},
        status="corrected",
    )
    record_result(treatment=story.treatment, report=report, by=None, now=story.now - timedelta(hours=20))


def _other_limits(story: Story) -> None:
    agree_limits(
        treatment=story.treatment,
        floors=(Floor(1200), Floor(800), Floor(500)),
        until=story.today + 12 * DAY,
        reason="Low counts since childhood; agreed with haematology",
        by=story.prescriber,
        now=story.now - timedelta(hours=3),
    )


PEOPLE = (
    *(Person(days) for days in (21, 63, 98, 133, 168, 203, 231, 266, 301, 336, 371, 455, 546, 637, 728)),
    *(Person(days, mean=2400) for days in (49, 112, 259, 413)),
    Person(690, mean=2400, end=_other_limits),
    Person(119, skip_last_days=9),
    Person(287, skip_last_days=20),
    Person(520, skip_last_days=36),
    Person(77, skip_last_days=8),
    Person(160, end=_blip(1420, days_ago=0)),
    Person(400, end=_blip(1340, days_ago=2, then=(1290,)), skip_last_days=3),
    Person(240, end=_blip(870, days_ago=1), skip_last_days=2),
    Person(330, end=_blip(910, days_ago=12, then=(940, 1080, 1240, 1530)), skip_last_days=13),
    Person(610, end=_severe_last_night),
    Person(450, end=_severe_in_spring, skip_last_days=61),
    Person(700, end=_rechallenged, skip_last_days=61),
    Person(380, end=_paused(12, "Surgery, then did not want to go on")),
    Person(505, end=_paused(41, "Lost contact after moving house"), skip_last_days=41),
    Person(290, end=_paused(70, "Changed to another medicine", stop=True), skip_last_days=70),
    Person(145, end=_fever),
    Person(720, end=_hospice),
    Person(210, end=_corrected),
)
