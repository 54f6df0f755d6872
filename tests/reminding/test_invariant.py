"""Patient-days with failures at random: nobody is told one thing twice, and nobody who should be told is missed.

2,000 patient-days in every run; `CLOZATRACK_PATIENT_DAYS=100000` for the rest. The judge is a second, naive reading:
it walks from day to day and person to person, and knows no SQL.
"""

import os
import random
from collections import Counter
from datetime import UTC, datetime, time, timedelta

import pytest

from monitoring.actions.drawing import record_draw
from monitoring.models import Draw, Treatment
from monitoring.reminding.planning import plan
from monitoring.reminding.replying import heard
from notifications.actions import claim, send
from notifications.channels import ChannelError
from notifications.models import Delivery
from patients.consenting import Person
from patients.reaching import Consent
from tests.cast import DAY, NOW, a_clinic, a_count, a_person
from tests.reminding.people import confirm, due_in

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.timeout(3600)]
PEOPLE = 100
DAYS = int(os.environ.get("CLOZATRACK_PATIENT_DAYS", "2000")) // PEOPLE
LOOKS = (time(8, 5), time(10, 10), time(18, 10))
WORTH = {"early": timedelta(days=1, hours=2), "evening": timedelta(hours=2, minutes=50), "day": timedelta(hours=8)}
"""How long after its time each reminder is still of use and allowed."""


class World:
    """One clinic, its people, and a gateway, a worker, a planner and a clock that fail now and then."""

    def __init__(self, monkeypatch, chance):
        self.chance, self.now, self.taken, self.down = chance, NOW, Counter(), False
        monkeypatch.setattr("notifications.actions.CHANNELS", {"sms": self, "email": self})
        self.clinic = a_clinic(time_zone="UTC")
        self.nurse = a_person(self.clinic, "nurse")
        self.people = [due_in(chance.randrange(1, 7), clinic=self.clinic, nurse=self.nurse) for _ in range(PEOPLE)]
        self.agreed = {one.pk: True for one in self.people}
        self.missed, self.told_of = [], Counter()

    def __call__(self, delivery):
        if self.down or self.chance.random() < 0.1:
            raise ChannelError("the gateway does not answer")
        self.taken[delivery.once] += 1
        assert self.agreed[int(delivery.about.split(":")[1])], f"{delivery.once} after STOP"
        return "SM1"

    def look(self):
        """The planner, unless it is dead; then the worker, which may die with a lease in its hand."""
        if self.chance.random() > 0.2:
            plan(now=self.now + timedelta(seconds=self.chance.randrange(-90, 90)))
        for _ in range(2):  # failed ones are tried again within minutes
            while leased := claim(now=self.now, limit=20):
                for delivery in leased:
                    if self.chance.random() < 0.05:
                        break  # dies here: the lease runs out
                    send(delivery, now=self.now)
            self.now += timedelta(minutes=2)

    def live(self, treatment):
        """What a patient does today: comes, comes late, says that blood was drawn, or stops the messages."""
        treatment.refresh_from_db()
        dice, today = self.chance.random(), self.now.date()
        if not treatment.due_on or today < treatment.due_on:
            return
        if dice < 0.6:
            a_count(treatment, 2400, at=self.now - timedelta(minutes=30), now=self.now)
            Draw.objects.filter(treatment=treatment, ended_at=None).update(
                ended_at=self.now, ended_by=self.nurse, end_reason="x"
            )
        elif dice < 0.65 and not Draw.objects.filter(treatment=treatment, ended_at=None).exists():
            record_draw(treatment=treatment, drawn_at=self.now, by=None, now=self.now)
        elif dice < 0.7:
            self.toggle(treatment)

    def toggle(self, treatment):
        """STOP, or START after it."""
        number = Consent.objects.filter(patient=treatment.patient).latest("pk").address
        stops = self.agreed[treatment.pk]
        heard(sender=number, words="STOP" if stops else "START", now=self.now)
        self.agreed[treatment.pk] = not stops

    def confirm_anew(self):
        """As they are asked to within six months: is this number still theirs?"""
        for treatment in self.people:
            consent = Consent.objects.filter(patient=treatment.patient).latest("pk")
            confirm(Person(treatment.patient), consent, now=self.now)

    def steady(self):
        """Nothing fails for once: every look is made, so whoever is owed something now has it."""
        for _ in range(2):
            plan(now=self.now)
            self.down = False
            while leased := claim(now=self.now, limit=50):
                for delivery in leased:
                    send(delivery, now=self.now)
            self.now += timedelta(minutes=1)


def owed_by_hand(world):
    """What the naive reading says each person should have been told by now and still could be."""
    for one in world.people:
        treatment = Treatment.objects.get(pk=one.pk)
        due, drawn = treatment.due_on, Draw.objects.filter(treatment=one, ended_at=None).exists()
        if due is None or drawn or not world.agreed[one.pk]:
            continue
        asked = due
        while asked.weekday() >= 5:
            asked -= DAY
        for step, day, at in (
            ("early", asked - 2 * DAY, time(10)),
            ("evening", asked - DAY, time(18)),
            ("day", asked, time(8)),
        ):
            begins = datetime.combine(day, at, UTC)
            if begins < world.now - timedelta(minutes=10) and world.now < begins + WORTH[step] - timedelta(minutes=10):
                yield f"reminder:{one.pk}:{due}:{step}:sms:0"


def test_h09_nobody_is_told_one_thing_twice_and_nobody_who_should_be_is_missed(monkeypatch):
    chance = random.Random(os.environ.get("CLOZATRACK_SEED", "1975"))
    world = World(monkeypatch, chance)
    judged = 0
    for day in range(DAYS):
        if day % 120 == 119:
            world.confirm_anew()
        for at in LOOKS:
            world.now = datetime.combine(NOW.date() + (day + 1) * DAY, at, UTC)
            world.down = chance.random() < 0.15
            for treatment in world.people:
                if at == LOOKS[1]:
                    world.live(treatment)
            world.look()
            if chance.random() < 0.3:
                world.steady()
                for once in owed_by_hand(world):
                    judged += 1
                    row = Delivery.objects.filter(once=once).first()
                    assert row is not None, f"{once} was never written, {world.now}"
                    # One that failed waits for its next try; that it is tried is the outbox's own promise.
                    assert row.sent_at or row.attempts, f"{once} was not sent, {world.now}: {row.last_error}"
    assert judged > PEOPLE
    twice = {once: times for once, times in world.taken.items() if times > 1}
    assert not twice
    assert sum(world.taken.values()) > DAYS * PEOPLE / 7


def test_the_judge_sees_a_reminder_that_is_missing(monkeypatch):
    world = World(monkeypatch, random.Random(1))
    world.now = datetime.combine(NOW.date() + 2 * DAY, time(10, 30), UTC)
    assert any(once for once in owed_by_hand(world))
    assert not Delivery.objects.filter(about__startswith="reminder:").exists()
