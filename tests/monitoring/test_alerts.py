"""Alerts: who owns them, who answers them, and that a batch of results is no flood."""

from datetime import timedelta

import pytest

from monitoring.actions import answering
from monitoring.actions.gathering import LONGEST_WAIT, Digest
from monitoring.actions.record_result import record_result
from monitoring.models import Alert, AlertNote
from monitoring.sweep import sweep
from notifications.models import Delivery
from patients.models import AuditEvent
from tests.cast import DAY, NOW, a_clinic, a_count, a_patient, a_person, a_report, a_treatment

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def clinic():
    return a_clinic()


@pytest.fixture
def owner(clinic):
    return a_person(clinic, "prescriber", first_name="Pia")


@pytest.fixture
def nurse(clinic):
    return a_person(clinic, "nurse", first_name="Nora")


def an_alert(clinic, owner, anc=400, **fields):
    """A low count's alert: severe at 400, moderate at 700, mild at 1200."""
    treatment = a_treatment(clinic, clinician=owner, **fields)
    a_count(treatment, anc)
    return Alert.objects.get(treatment=treatment, cause="neutropenia")


def an_overdue_alert(clinic, owner):
    a_count(a_treatment(clinic, clinician=owner), 2000, at=NOW - 9 * DAY, now=NOW - 9 * DAY)
    sweep(now=NOW)
    return Alert.objects.filter(cause="test_overdue").latest("pk")


def test_handing_over_changes_the_owner_tells_them_and_leaves_the_clock_running(clinic, owner, nurse):
    alert = an_alert(clinic, owner)
    before = alert.escalate_at
    handed = answering.hand_over(alert=alert, to=nurse, by=owner, now=NOW + MINUTE, note="I am on leave")
    assert (handed.owner, handed.escalate_at, handed.state) == (nurse, before, "open")
    assert Delivery.objects.filter(about=f"alert:{alert.pk}", address=nurse.email).count() == 1
    assert AlertNote.objects.get(verb="handed over").text == "To Nora. I am on leave"
    assert AuditEvent.objects.get(verb="alert_handed_over").detail == {"to": nurse.pk}
    assert sweep(now=before)["escalated"] >= 1


def test_whoever_takes_over_an_acknowledged_alert_has_to_acknowledge_it_again(clinic, owner, nurse):
    alert = answering.acknowledge(alert=an_alert(clinic, owner), by=owner, now=NOW)
    handed = answering.hand_over(alert=alert, to=nurse, by=owner, now=NOW + DAY)
    assert (handed.state, handed.escalate_at) == ("open", NOW + DAY + 15 * MINUTE)


@pytest.mark.parametrize("who", ["admin", "outsider", "inactive", "without an address"])
def test_h08_an_alert_is_handed_over_only_to_somebody_who_can_be_reached_and_may_see_the_patient(clinic, owner, who):
    to = {
        "admin": lambda: a_person(clinic, "clinic_admin"),
        "outsider": lambda: a_person(a_clinic("South"), "nurse"),
        "inactive": lambda: a_person(clinic, "nurse", is_active=False),
        "without an address": lambda: a_person(clinic, "nurse"),
    }[who]()
    if who == "without an address":
        to.email = ""
        to.save()
    with pytest.raises(ValueError, match="choose somebody else"):
        answering.hand_over(alert=an_alert(clinic, owner), to=to, by=owner, now=NOW)


def test_h08_after_a_hand_over_worse_news_goes_to_the_new_owner(clinic, owner, nurse):
    alert = an_alert(clinic, owner, 1200)
    answering.hand_over(alert=alert, to=nurse, by=owner, now=NOW)
    Delivery.objects.update(sent_at=NOW)
    a_count(alert.treatment, 400, at=NOW + DAY, now=NOW + DAY)
    assert set(Delivery.objects.filter(sent_at=None).values_list("address", flat=True)) == {nurse.email}


@pytest.mark.slow
@pytest.mark.parametrize("lost", ["left the clinic", "inactive", "without an address"])
def test_h08_an_alert_whose_owner_is_lost_is_on_calls_within_a_sweep(clinic, owner, lost):
    alert = answering.acknowledge(alert=an_alert(clinic, owner), by=owner, now=NOW)
    assert sweep(now=NOW + MINUTE)["orphaned"] == 0
    if lost == "left the clinic":
        owner.memberships.update(active=False)
    else:
        owner.is_active, owner.email = lost != "inactive", "" if lost == "without an address" else owner.email
        owner.save()
    assert sweep(now=NOW + 2 * MINUTE)["orphaned"] == 2
    alert.refresh_from_db()
    assert (alert.owner, alert.state) == (None, "open")
    told = Delivery.objects.filter(about=f"alert:{alert.pk}", address=clinic.on_call_email)
    assert told.count() == 1
    assert sweep(now=NOW + 3 * MINUTE)["orphaned"] == 0


@pytest.mark.slow
def test_h08_only_an_outcome_ends_an_alert_and_no_page_ends_it_by_being_left(client, clinic, owner, nurse):
    alert = an_alert(clinic, owner)
    client.force_login(nurse)
    for address in (f"/alerts/{alert.pk}/", "/alerts/", "/"):
        client.get(address)
    client.post(f"/alerts/{alert.pk}/resolve/", {"outcome": "", "note": "never mind"})
    client.post(f"/alerts/{alert.pk}/note/", {"text": "called twice"})
    client.get(f"/alerts/{alert.pk}/resolve/")
    alert.refresh_from_db()
    assert (alert.state, alert.resolved_at) == ("open", None)


def test_a_note_needs_words_and_changes_nothing_but_the_story(clinic, owner, nurse):
    alert = an_alert(clinic, owner)
    with pytest.raises(ValueError, match="empty"):
        answering.add_note(alert=alert, text="  ", by=nurse, now=NOW)
    before = Alert.objects.values().get(pk=alert.pk)
    answering.add_note(alert=alert, text="Called, no answer", by=nurse, now=NOW)
    assert AlertNote.objects.get(verb="noted").text == "Called, no answer"
    assert Alert.objects.values().get(pk=alert.pk) == before


@pytest.mark.slow
def test_the_alert_says_who_saw_it_once_each_who_acted_and_how_long_it_took(client, clinic, owner, nurse, time_machine):
    alert = an_alert(clinic, owner)
    time_machine.move_to(NOW + 12 * MINUTE, tick=False)
    for who in (nurse, nurse, owner):
        client.force_login(who)
        client.get(f"/alerts/{alert.pk}/")
    answering.acknowledge(alert=alert, by=owner, now=NOW + 12 * MINUTE)
    answering.resolve(alert=alert, by=nurse, now=NOW + 3 * 60 * MINUTE, outcome="acted")
    page = client.get(f"/alerts/{alert.pk}/").content.decode()
    assert AlertNote.objects.filter(verb="seen").count() == 2
    assert f"{nurse} ({(NOW + 12 * MINUTE):%d %b, %H:%M})".replace("0", "", 0) in page
    assert "12 minutes after it was raised" in page
    assert "3 hours after it was raised" in page


@pytest.mark.slow
def test_harmless_alerts_are_answered_together_after_showing_which_and_what_follows(client, clinic, owner, nurse):
    alerts = [an_overdue_alert(clinic, owner) for _ in range(3)]
    client.force_login(nurse)
    asked = {"alert": [alert.ticked for alert in alerts[:2]], "move": "resolve"}
    shown = client.post("/alerts/answer/", asked).content.decode()
    assert "Resolve all 2" in shown
    assert Alert.objects.filter(resolved_at=None).count() == 3
    assert "Say how they ended" in client.post("/alerts/answer/", asked | {"confirm": "1"}).content.decode()
    client.post("/alerts/answer/", asked | {"confirm": "1", "outcome": "acted"})
    assert Alert.objects.filter(resolved_at=None).get() == alerts[2]


@pytest.mark.slow
@pytest.mark.parametrize("anc", [400, 700, 1200])
@pytest.mark.parametrize("move", ["acknowledge", "resolve"])
def test_h08_a_low_count_is_never_answered_in_bulk_and_takes_the_others_down_with_it(clinic, owner, nurse, anc, move):
    alerts = [an_overdue_alert(clinic, owner), an_alert(clinic, owner, anc)]
    with pytest.raises(answering.MoveError, match="is answered by itself; open it"):
        answering.answer_many(alerts=alerts, move=move, by=nurse, now=NOW, outcome="acted")
    assert {alert.state for alert in Alert.objects.all()} == {"open"}


@pytest.mark.slow
def test_mine_everybodys_and_those_resolved_lately_are_three_lists(client, clinic, owner, nurse, time_machine):
    time_machine.move_to(NOW + DAY, tick=False)
    an_alert(clinic, owner, patient=a_patient(clinic, family_name="Owned"))
    an_alert(clinic, None, patient=a_patient(clinic, family_name="Nobodys"))
    ended = an_alert(clinic, owner, patient=a_patient(clinic, family_name="Ended"))
    answering.resolve(alert=ended, by=nurse, now=NOW, outcome="acted")
    an_alert(a_clinic("South"), None, patient=None)
    client.force_login(owner)

    def names(show):
        page = client.get("/alerts/", {"show": show}).content.decode()
        return {name for name in ("Owned", "Nobodys", "Ended", "Quill") if f">{name}, Alex<" in page}

    Alert.objects.filter(cause="repeat_owed").update(resolved_at=NOW - 20 * DAY, outcome="tested")
    assert names("mine") == names("") == {"Owned"}
    assert names("all") == {"Owned", "Nobodys"}
    assert names("resolved") == {"Ended"}


@pytest.mark.parametrize("role", ["clinic_admin", "auditor"])
def test_who_sees_no_patients_has_no_alerts_page_and_an_outsider_can_do_nothing(client, clinic, owner, role):
    alert = an_alert(clinic, owner)
    client.force_login(a_person(clinic, role))
    assert client.get("/alerts/").status_code == 404
    client.force_login(a_person(a_clinic("South"), "nurse"))
    for step in ("", "acknowledge/", "resolve/", "hand-over/", "note/"):
        assert client.post(f"/alerts/{alert.pk}/{step}").status_code == 404
    client.post("/alerts/answer/", {"alert": alert.ticked, "move": "acknowledge", "confirm": "1"})
    alert.refresh_from_db()
    assert alert.state == "open"


def backfill(clinic, owner, counts):
    """One run of an import; its digest."""
    digest = Digest(run="import:1", started=NOW)
    for anc in counts:
        treatment = a_treatment(clinic, clinician=owner)
        record_result(treatment=treatment, report=a_report(anc), by=None, now=NOW, digest=digest)
    return digest


@pytest.mark.slow
def test_h40_a_backfill_tells_each_owner_once_of_all_that_is_not_severe(
    clinic, owner, django_capture_on_commit_callbacks
):
    other = a_person(clinic, "prescriber")
    with django_capture_on_commit_callbacks(execute=True):
        digest = backfill(clinic, owner, [1200, 800, 1400, 900, 2500])
        for _ in range(2):
            treatment = a_treatment(clinic, clinician=other)
            record_result(treatment=treatment, report=a_report(1100), by=None, now=NOW, digest=digest)
    assert digest.finish(now=NOW + MINUTE) == 2
    told = {row.address: row for row in Delivery.objects.all()}
    assert set(told) == {owner.email, other.email}
    assert told[owner.email].body.startswith("4 alerts were raised at North, to be answered by you")
    assert (told[owner.email].due_at, told[owner.email].priority) == (NOW + MINUTE, 2)
    assert Alert.objects.filter(cause="neutropenia").count() == 6


@pytest.mark.slow
def test_h40_severe_counts_of_a_backfill_are_told_one_by_one(clinic, owner):
    backfill(clinic, owner, [400, 1200, 300, 200, 1300])
    severe = Alert.objects.filter(cause="neutropenia", severity=1)
    alone = Delivery.objects.filter(about__in=[f"alert:{alert.pk}" for alert in severe], due_at=NOW, priority=1)
    assert (severe.count(), alone.count(), Delivery.objects.count()) == (3, 3, 4)


def test_h40_a_backfill_that_dies_has_told_everybody(clinic, owner):
    backfill(clinic, owner, [1200, 800])
    message = Delivery.objects.get()
    assert (message.address, message.due_at) == (owner.email, NOW + LONGEST_WAIT)
    assert message.body.startswith("Alerts were raised")


def test_h40_a_correction_inside_a_backfill_is_told_with_the_rest(clinic, owner):
    treatment = a_treatment(clinic, clinician=owner)
    digest = Digest(run="import:2", started=NOW)
    for anc, status in ((1200, "final"), (2400, "corrected")):
        report = a_report(anc, accession="X1", status=status)
        record_result(treatment=treatment, report=report, by=None, now=NOW, digest=digest)
    assert Alert.objects.filter(cause="correction").exists()
    assert Delivery.objects.get().about == "digest:import:2"


@pytest.mark.slow
def test_h40_many_tests_found_overdue_at_once_are_one_message_an_owner(clinic, owner):
    for _ in range(5):
        a_count(a_treatment(clinic, clinician=owner), 2000, at=NOW - 9 * DAY, now=NOW - 9 * DAY)
    assert sweep(now=NOW)["overdue"] == 5
    message = Delivery.objects.get()
    assert (message.address, message.about[:6]) == (owner.email, "sweep:")
    assert message.body.startswith("5 alerts were raised at North")
    assert sweep(now=NOW + DAY)["escalated"] == 5
    assert Delivery.objects.exclude(pk=message.pk).get().address == clinic.on_call_email
