"""May I dispense, while everybody writes: a stateful test over real connections, judged by the committed rows."""

import os
import uuid
from collections import Counter as Tally
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from monitoring.actions.dispensing import authorise, hand_over, void_dispense
from monitoring.actions.overriding import ask_override, confirm_override, decline_override
from monitoring.actions.programmes import is_enrolled, record_fact, void_fact
from monitoring.actions.record_result import record_result
from monitoring.actions.treating import record_event, void_event
from monitoring.models import Authorisation, Dispense, Override, ProgrammeRecord, Result, Treatment, TreatmentEvent
from tests.cast import NOW, a_clinic, a_person, a_report, a_treatment
from tests.eligibility import witness
from tests.eligibility.laws import Reader
from tests.eligibility.writers import Writers

STEPS = int(os.environ.get("CLOZATRACK_STEPS", "10000"))
EACH = 200
"""Steps with one patient."""
WHAT = {
    ("result", "2500"): 4, ("result", "1400"): 1, ("result", "900"): 1, ("result", "400"): 1,
    ("correction", "2500"): 6, ("correction", "400"): 1, ("correction", None): 1,
    ("event", "fever"): 1, ("event", "last_dose"): 1, ("event", "restart"): 2, ("event", "rechallenge_approved"): 1,
    ("void_event",): 2, ("enrolment", "enrolled"): 5, ("enrolment", "disenrolled"): 1, ("void_enrolment",): 1,
    ("authorise", "seen"): 4, ("authorise", ""): 4, ("authorise_on",): 6, ("hand_over", 4): 6, ("hand_over", 9): 1,
    ("void_dispense",): 1, ("ask", "bridge"): 2, ("ask", "administrative"): 1, ("ask", "clinical"): 2,
    ("confirm", "prescriber"): 4, ("confirm", "second"): 2, ("confirm", "pharmacist"): 1, ("decline",): 1,
    "go": 16,
}  # fmt: skip
"""Who does what, and how often; `go`: one who was stopped goes on."""
AGAINST = (
    ("result", "400"),
    ("event", "fever"),
    ("enrolment", "disenrolled"),
    ("void_enrolment",),
    ("void_enrolment",),
)
"""What speaks against a supply; it often comes while somebody else is in the middle of something."""
PASSES = {1: 130, 60: 3, 3600: 4, 43_200: 1, 2 * 86_400: 1, 8 * 86_400: 1}
"""Seconds since the step before. Nobody stands in the middle of something for longer than seconds."""
STOPS = {None: 4} | dict.fromkeys(range(1, 21), 1 / 2)
"""Before which of its statements a writer waits for the others; None: it does all."""


def one_of(weighted, chance):
    return chance.choices(list(weighted), list(weighted.values()))[0]


def nth(rows, number):
    """The n-th latest row, or a refusal: there is none."""
    found = list(rows.order_by("-pk")[: number + 1])
    if not found:
        raise ValueError("nothing to choose from")
    return found[-1]


class Counter:
    """A laboratory, a nurse, a prescriber and two pharmacists, all with one patient, on so many connections."""

    def __init__(self, clinic, people, writers):
        self.clinic, self.people, self.writers = clinic, people, writers
        self.steps, self.commits, self.did, self.runs = 0, 0, Tally(), 0

    def run(self, chance):
        witness.forget()
        self.now, self.runs = NOW, self.runs + 1
        self.clinic.policies = {"registry_enrolments": self.runs % 2, "bridge_times": 1 + self.runs % 3}
        self.clinic.save()
        self.treatment = a_treatment(self.clinic, started=NOW - timedelta(days=30), clinician=self.people["prescriber"])
        self.enrolment("enrolled", which=0, now=NOW)
        self.result("2500", which=0, now=NOW)
        for _ in range(EACH):
            self._step(chance)
        self.writers.finish()
        commits = witness.committed(self.treatment.pk)
        needs, times = self.clinic.policies.values()
        Reader(protocol="us-label-2025", needs_enrolment=bool(needs), bridge_times=times).follow(commits)
        self.commits += len(commits)

    def _step(self, chance):
        """Somebody looks at the clock and begins; it is read before any lock, as at every edge. Or one goes on."""
        passes = one_of(PASSES, chance)
        if passes > 1:
            self.writers.finish()
        stopped, idle = self.writers.in_state("stopped"), self.writers.in_state("idle")
        what, which, stop = one_of(WHAT, chance), chance.randrange(4), one_of(STOPS, chance)
        if stopped and chance.random() < 0.2:
            what, stop = chance.choice(AGAINST), None
        self.steps, self.now = self.steps + 1, self.now + timedelta(seconds=passes)
        if stopped and (what == "go" or not idle):
            stopped[which % len(stopped)].go(stop)
        else:
            name, *given = ("authorise", "") if what == "go" else what
            idle[0].begin(partial(self._act, name, *given, which=which, now=self.now), stop)
        self.writers.settle()

    def _act(self, name, *given, which, now):
        getattr(self, name)(*given, which=which, now=now)
        self.did[name] += 1

    # What they do, each in a writer's own thread.

    def _fresh(self):
        return Treatment.objects.select_related("clinic", "patient").get(pk=self.treatment.pk)

    def result(self, anc, *, which, now):
        # The laboratory's clock may be some minutes ahead.
        report = a_report(anc, at=now + timedelta(seconds=(0, 0, 300, -86_400)[which]))
        record_result(treatment=self._fresh(), report=report, by=None, now=now)

    def correction(self, anc, *, which, now):
        counts = Result.objects.filter(treatment=self.treatment)
        old = nth(counts.filter(anc__lt=1500) if anc == "2500" else counts, which)
        status = {"status": "corrected" if anc else "entered_in_error"}
        report = a_report(anc, at=old.drawn_at, accession=old.accession, **status)
        record_result(treatment=self._fresh(), report=report, by=None, now=now)

    def event(self, kind, *, which, now):
        more = {"celsius": Decimal(39)} if kind == "fever" else {}
        record_event(treatment=self._fresh(), kind=kind, at=now, by=self.people["nurse"], now=now, **more)

    def void_event(self, *, which, now):
        happened = TreatmentEvent.objects.filter(treatment=self.treatment).exclude(kind="first_dose")
        void_event(event=nth(happened, which), by=self.people["nurse"], now=now, reason="Not so")

    def enrolment(self, kind, *, which, now):
        if is_enrolled(self.treatment) == (kind == "enrolled"):
            raise ValueError("that is on record already")
        told = {"clinic": self.clinic, "programme": "clinic", "kind": kind, "on": now.date()}
        record_fact(treatment=self.treatment, by=self.people["nurse"], now=now, **told)

    def void_enrolment(self, *, which, now):
        row = nth(ProgrammeRecord.objects.filter(treatment=self.treatment, voided_at=None), 0)
        void_fact(row=row, by=self.people["nurse"], now=now, reason="Another patient's")

    def authorise(self, seen, *, which, now):
        shown = self._fresh()
        basis = shown.version if seen else None
        authorise(treatment=shown, entry=uuid.uuid4(), basis=basis, by=self.people["pharmacist"], now=now)

    def authorise_on(self, *, which, now):
        asked = Override.objects.filter(treatment=self.treatment)
        # The page offers those that are confirmed; a forged request offers any.
        override = nth(asked if which == 3 else asked.filter(used_at=None, confirmed_at__isnull=False), which // 2)
        treatment = self._fresh()
        authorise(treatment=treatment, entry=uuid.uuid4(), override=override, by=self.people["pharmacist"], now=now)

    def hand_over(self, days, *, which, now):
        leave = nth(Authorisation.objects.filter(treatment=self.treatment), which // 2)
        tablets = {"strength_mg": Decimal(100), "quantity": 3 * days, "days": days}
        hand_over(authorisation=leave, by=self.people["pharmacist"], now=now, **tablets)

    def void_dispense(self, *, which, now):
        dispense = nth(Dispense.objects.filter(treatment=self.treatment), which)
        void_dispense(dispense=dispense, by=self.people["pharmacist"], now=now, reason="Not collected")

    def ask(self, scope, *, which, now):
        wanted = {"bridge": scope == "bridge", "administrative": scope == "administrative", "days": 4, "hours": 24}
        wanted |= {"code": "laboratory", "words": "The tube is lost"}
        ask_override(treatment=self._fresh(), by=self.people["pharmacist"], now=now, **wanted)

    def confirm(self, who, *, which, now):
        override = nth(Override.objects.filter(treatment=self.treatment), which // 2)
        confirm_override(override=override, by=self.people[who], now=now)

    def decline(self, *, which, now):
        override = nth(Override.objects.filter(treatment=self.treatment), which // 2)
        decline_override(override=override, by=self.people["prescriber"], now=now, answer="Blood is here")


@pytest.fixture
def counter():
    clinic, writers = a_clinic(), Writers(4)
    roles = {"nurse": "nurse", "prescriber": "prescriber", "pharmacist": "pharmacist", "second": "pharmacist"}
    witness.watch()
    yield Counter(clinic, {name: a_person(clinic, role) for name, role in roles.items()}, writers)
    writers.close()
    witness.stop_watching()


@pytest.mark.slow
@pytest.mark.timeout(120 + STEPS // 20)
@pytest.mark.django_db(transaction=True)
def test_h01_h02_no_supply_is_committed_after_a_fact_that_contradicts_it_whoever_writes_in_between(counter):
    @settings(
        max_examples=-(-STEPS // EACH), deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(chance=st.randoms(use_true_random=True))
    def whatever_happens(chance):
        counter.run(chance)

    whatever_happens()
    print(f"{counter.steps} steps, {counter.commits} transactions, {dict(counter.did)}")
    assert counter.steps >= STEPS
