"""An alert that nobody answers: owner, deputy, on-call, the clinic's alarm. Time is passed in, nobody waits for it."""

from datetime import timedelta

import pytest

from monitoring.actions.answering import acknowledge, hand_over, resolve
from monitoring.models import Alert, AlertNote
from monitoring.sweep import sweep
from notifications.models import Delivery
from tests.cast import DAY, NOW, a_clinic, a_count, a_deputy, a_person, a_shift, a_treatment, an_absence

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
HOUR = 60 * MINUTE


class Ward:
    """A clinic with an owner, a deputy and somebody on call, and one alert of each severity."""

    def __init__(self):
        self.clinic = a_clinic(on_call_email="desk@north.example")
        self.owner, self.deputy, self.duty = (a_person(self.clinic, role) for role in ("prescriber", "nurse", "nurse"))
        self.names = {self.owner.email: "owner", self.deputy.email: "deputy", self.duty.email: "on call"}
        self.names["desk@north.example"] = "desk"

    def alert(self, anc=400, owner=True):
        treatment = a_treatment(self.clinic, clinician=self.owner if owner else None)
        a_count(treatment, anc)
        return Alert.objects.get(treatment=treatment, cause="neutropenia")

    def watch(self, until, *, since=NOW, every=5 * MINUTE):
        for number in range(int((until - since) / every) + 1):
            sweep(now=since + number * every)

    def told(self, alert):
        """Who was told how long after NOW, in that order."""
        rows = Delivery.objects.filter(about=f"alert:{alert.pk}").order_by("created_at", "pk")
        return [(self.names[row.address], int((row.created_at - NOW) / MINUTE)) for row in rows]


@pytest.fixture
def ward():
    found = Ward()
    a_deputy(found.clinic, found.deputy)
    a_shift(found.clinic, found.duty)
    return found


@pytest.mark.slow
def test_h07_an_alert_that_nobody_answers_goes_through_every_step_once_and_ends_in_the_clinics_alarm(ward):
    alert = ward.alert(400)
    ward.watch(NOW + 5 * HOUR)
    assert ward.told(alert) == [("owner", 0), ("deputy", 15), ("on call", 30), ("desk", 60)]
    assert list(Alert.objects.sounding().filter(pk=alert.pk)) == [alert]
    steps = [note.text for note in AlertNote.objects.filter(alert=alert, verb="escalated")]
    assert [text.rpartition(". ")[2] for text in steps] == [
        "The deputy is told.", "On-call is told.", "The clinic's alarm stands until somebody answers."
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("anc", "minutes"), [(400, (15, 30, 60)), (800, (60, 120, 240)), (1400, (1440, 2880, 4320))])
def test_h07_the_times_go_by_severity(ward, anc, minutes):
    alert = ward.alert(anc)
    Alert.objects.exclude(pk=alert.pk).update(resolved_at=NOW, outcome="tested")
    for step, after in enumerate(minutes, start=1):
        sweep(now=NOW + after * MINUTE - timedelta(seconds=1))
        assert len(ward.told(alert)) == step
        sweep(now=NOW + after * MINUTE)
        assert len(ward.told(alert)) == step + 1


@pytest.mark.slow
def test_h07_a_test_that_is_overdue_has_a_day_for_each_step(ward):
    a_count(a_treatment(ward.clinic, clinician=ward.owner), 2000, at=NOW - 9 * DAY, now=NOW - 9 * DAY)
    ward.watch(NOW + 4 * DAY, every=HOUR)
    (alert,) = Alert.objects.all()
    day = 24 * 60
    assert ward.told(alert) == [("owner", 0), ("deputy", day), ("on call", 2 * day), ("desk", 3 * day)]


@pytest.mark.slow
@pytest.mark.parametrize("answered", [10, 20, 40])
@pytest.mark.parametrize("answer", ["acknowledge", "resolve"])
def test_h07_an_answer_between_two_steps_stops_the_rest(ward, answered, answer):
    alert = ward.alert()
    ward.watch(NOW + answered * MINUTE)
    before = ward.told(alert)
    if answer == "acknowledge":
        acknowledge(alert=alert, by=ward.deputy, now=NOW + answered * MINUTE)
    else:
        resolve(alert=alert, by=ward.owner, now=NOW + answered * MINUTE, outcome="acted")
    ward.watch(NOW + 110 * MINUTE, since=NOW + answered * MINUTE)
    assert ward.told(alert) == before
    assert not Alert.objects.sounding().filter(pk=alert.pk).exists()


@pytest.mark.slow
def test_h07_a_clinic_sets_its_own_times_and_a_later_step_is_never_before_an_earlier_one(ward):
    ward.clinic.policies = {"escalate_severe_minutes": 40, "on_call_severe_minutes": 20, "alarm_severe_minutes": 90}
    ward.clinic.save()
    alert = ward.alert()
    ward.watch(NOW + 2 * HOUR)
    assert ward.told(alert) == [("owner", 0), ("deputy", 40), ("on call", 45), ("desk", 90)]


@pytest.mark.slow
def test_h07_the_steps_that_were_due_while_nothing_looked_are_taken_within_minutes(ward):
    alert = ward.alert()
    ward.watch(NOW + 3 * HOUR + 5 * MINUTE, since=NOW + 3 * HOUR, every=MINUTE)
    assert ward.told(alert) == [("owner", 0), ("deputy", 180), ("on call", 181), ("desk", 182)]


@pytest.mark.slow
def test_a_step_at_which_nobody_can_be_reached_passes_on_at_once_and_the_alarm_keeps_its_time():
    ward = Ward()
    alert = ward.alert()
    ward.watch(NOW + 2 * HOUR)
    assert ward.told(alert) == [("owner", 0), ("desk", 15), ("desk", 60)]


@pytest.mark.slow
def test_without_an_owner_the_deputy_is_told_at_once_and_without_a_deputy_on_call(ward):
    assert ward.told(ward.alert(owner=False)) == [("deputy", 0)]
    ward.deputy.memberships.update(active=False)
    alert = ward.alert(owner=False)
    assert ward.told(alert) == [("on call", 0)]
    ward.watch(NOW + 59 * MINUTE)
    assert ward.told(alert) == [("on call", 0)]


@pytest.mark.slow
def test_somebody_who_is_owner_deputy_and_on_call_is_told_once_and_the_clinics_address_in_the_end():
    ward = Ward()
    a_deputy(ward.clinic, ward.owner)
    a_shift(ward.clinic, ward.owner)
    alert = ward.alert()
    ward.watch(NOW + 2 * HOUR)
    assert ward.told(alert) == [("owner", 0), ("desk", 15), ("desk", 60)]


@pytest.mark.slow
def test_a_deputy_of_ones_own_comes_before_the_clinics(ward):
    a_deputy(ward.clinic, ward.duty, staff=ward.owner)
    alert = ward.alert()
    ward.watch(NOW + 30 * MINUTE)
    assert ward.told(alert) == [("owner", 0), ("on call", 15), ("desk", 30)]


@pytest.mark.slow
def test_who_is_on_call_is_asked_when_the_step_comes_and_outside_the_shifts_the_address_is_told(ward):
    ward.clinic.shifts.update(ends_at=NOW + 30 * MINUTE)
    a_shift(ward.clinic, ward.owner, NOW + 31 * MINUTE, NOW + HOUR)
    alert = ward.alert()
    ward.watch(NOW + 30 * MINUTE)
    assert ward.told(alert)[-1] == ("desk", 30)


@pytest.mark.slow
def test_h07_acknowledged_and_not_resolved_comes_back_and_goes_through_the_steps_anew(ward):
    alert = ward.alert()
    acknowledge(alert=alert, by=ward.deputy, now=NOW + 5 * MINUTE)
    back = 5 + 120
    ward.watch(NOW + (back + 60) * MINUTE)
    assert ward.told(alert)[1:] == [
        ("owner", back), ("deputy", back + 15), ("on call", back + 30), ("desk", back + 60)
    ]  # fmt: skip
    alert.refresh_from_db()
    assert (alert.state, alert.notes.filter(verb="came back").count()) == ("open", 1)


@pytest.mark.slow
def test_worse_news_starts_the_steps_again_with_the_owner(ward):
    alert = ward.alert(1400)
    ward.watch(NOW + 3 * DAY, every=12 * HOUR)
    assert Alert.objects.sounding().filter(pk=alert.pk).exists()
    later = NOW + 3 * DAY + MINUTE
    a_count(alert.treatment, 400, at=later, now=later)
    alert.refresh_from_db()
    assert (alert.step, alert.escalate_at) == (0, later + 15 * MINUTE)
    assert ward.told(alert)[-1][0] == "owner"


@pytest.mark.slow
def test_a_hand_over_of_an_acknowledged_alert_starts_the_steps_with_the_new_owner(ward):
    alert = ward.alert()
    acknowledge(alert=alert, by=ward.owner, now=NOW)
    hand_over(alert=alert, to=ward.deputy, by=ward.owner, now=NOW + 10 * MINUTE)
    a_deputy(ward.clinic, ward.duty, staff=ward.deputy)
    ward.watch(NOW + 30 * MINUTE)
    assert ward.told(alert) == [("owner", 0), ("deputy", 10), ("on call", 25)]


def test_h08_the_alerts_of_somebody_who_is_away_go_to_the_cover_at_once_and_they_own_them(ward):
    an_absence(ward.clinic, ward.owner, ward.duty)
    alert = ward.alert()
    assert (alert.owner, ward.told(alert)) == (ward.duty, [("on call", 0)])


@pytest.mark.slow
def test_h08_the_open_alerts_of_somebody_who_goes_away_become_the_covers_within_a_sweep(ward):
    alert = acknowledge(alert=ward.alert(), by=ward.owner, now=NOW)
    tomorrow = (NOW + DAY).date()
    an_absence(ward.clinic, ward.owner, ward.duty, tomorrow, tomorrow)
    Alert.objects.update(escalate_at=NOW + 9 * DAY)
    sweep(now=NOW + HOUR)
    assert len(ward.told(alert)) == 1
    sweep(now=NOW + DAY)
    alert.refresh_from_db()
    assert (alert.owner, alert.state, ward.told(alert)[-1]) == (ward.duty, "open", ("on call", 24 * 60))
    sweep(now=NOW + DAY + MINUTE)
    assert len(ward.told(alert)) == 2


@pytest.mark.slow
def test_h08_what_somebody_else_is_on_stays_acknowledged_when_its_owner_goes_away(ward):
    alert = acknowledge(alert=ward.alert(), by=ward.deputy, now=NOW)
    an_absence(ward.clinic, ward.owner, ward.duty)
    sweep(now=NOW + MINUTE)
    sweep(now=NOW + 100 * MINUTE)
    alert.refresh_from_db()
    assert (alert.owner, alert.acknowledged_by) == (ward.duty, ward.deputy)


@pytest.mark.parametrize("cover", ["gone", "away too"])
def test_h08_a_cover_who_cannot_answer_is_passed_by(ward, cover):
    an_absence(ward.clinic, ward.owner, ward.duty)
    if cover == "gone":
        ward.duty.memberships.update(active=False)
    else:
        an_absence(ward.clinic, ward.duty, ward.owner)
    alert = ward.alert()
    assert (alert.owner, ward.told(alert)) == (ward.deputy, [("deputy", 0)])


def test_h08_nothing_is_handed_over_to_somebody_who_is_away(ward):
    alert = ward.alert()
    an_absence(ward.clinic, ward.deputy, ward.duty)
    with pytest.raises(ValueError, match="is away today; choose who covers"):
        hand_over(alert=alert, to=ward.deputy, by=ward.owner, now=NOW)
    assert hand_over(alert=alert, to=ward.deputy, by=ward.owner, now=NOW + DAY).owner == ward.deputy


@pytest.mark.slow
def test_h08_whoever_leaves_within_a_sweep_the_next_one_who_can_be_reached_is_told(ward):
    alert = ward.alert()
    for number, person in enumerate((ward.owner, ward.deputy, ward.duty), start=1):
        person.is_active = False
        person.save()
        sweep(now=NOW + number * MINUTE)
    assert ward.told(alert) == [("owner", 0), ("deputy", 1), ("on call", 2), ("desk", 3)]
    alert.refresh_from_db()
    assert (alert.owner, alert.step) == (None, 2)


@pytest.mark.slow
def test_two_sweeps_of_one_moment_tell_nobody_twice(ward):
    alert = ward.alert()
    for _ in range(3):
        ward.watch(NOW + 70 * MINUTE, every=5 * MINUTE)
    assert len(ward.told(alert)) == 4
