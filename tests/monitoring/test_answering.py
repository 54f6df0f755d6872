"""What is answered is what was read: an alert that became worse on an open page, and one that somebody answered."""

from datetime import timedelta

import pytest

from monitoring.actions import answering
from monitoring.models import Alert, AlertNote
from monitoring.sweep import sweep
from patients.models import AuditEvent
from tests.cast import DAY, NOW, a_clinic, a_count, a_patient, a_person, a_treatment, an_absence
from tests.monitoring.desk import words

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def clinic():
    return a_clinic()


@pytest.fixture
def nurse(clinic):
    return a_person(clinic, "nurse", first_name="Nora")


@pytest.fixture
def low(clinic, client, nurse, time_machine):
    """A moderate count's alert, and a nurse who is signed in."""
    time_machine.move_to(NOW, tick=False)
    client.force_login(nurse)
    treatment = a_treatment(clinic, clinician=a_person(clinic, "prescriber"))
    a_count(treatment, 700)
    return Alert.objects.get(treatment=treatment, cause="neutropenia")


def worse(alert):
    a_count(alert.treatment, 310, at=NOW + HOUR, now=NOW + HOUR)


def an_overdue_alert(clinic, name="Quill"):
    treatment = a_treatment(clinic, patient=a_patient(clinic, family_name=name))
    a_count(treatment, 2000, at=NOW - 9 * DAY, now=NOW - 9 * DAY)
    sweep(now=NOW)
    return Alert.objects.filter(cause="test_overdue").latest("pk")


@pytest.mark.parametrize("door", ["acknowledge", "resolve", "hand-over"])
@pytest.mark.parametrize("basis", ["read before", "none"])
def test_h39_no_page_answers_what_came_after_it_and_what_was_typed_is_kept(client, clinic, low, door, basis):
    to = a_person(clinic, "nurse")
    typed = {"note": "Called, she is well", "outcome": "acted", "to": to.pk}
    if basis == "read before":
        typed["basis"] = low.basis
    worse(low)
    answer = client.post(f"/alerts/{low.pk}/{door}/", typed)
    low.refresh_from_db()
    assert (answer.status_code, low.state, low.owner == to) == (409, "open", False)
    assert "Not done: the alert has changed since you opened the page" in words(answer)
    assert "310" in low.summary
    assert low.summary in answer.content.decode()
    assert "Called, she is well</textarea>" in answer.content.decode()
    assert not AuditEvent.objects.filter(verb__in=["alert_acknowledged", "alert_resolved", "alert_handed_over"])


@pytest.mark.slow
@pytest.mark.parametrize(("door", "state"), [("acknowledge", "acknowledged"), ("resolve", "resolved")])
def test_the_page_that_shows_what_the_alert_says_now_answers_it(client, low, door, state, time_machine):
    worse(low)
    time_machine.move_to(NOW + 2 * HOUR, tick=False)
    low.refresh_from_db()
    assert f'name="basis" value="{low.basis}"' in client.get(f"/alerts/{low.pk}/").content.decode()
    assert client.post(f"/alerts/{low.pk}/{door}/", {"outcome": "acted", "basis": low.basis}).status_code == 302
    low.refresh_from_db()
    assert low.state == state


def test_h39_an_incomplete_answer_from_an_old_page_does_not_renew_it_in_silence(client, low):
    old = low.basis
    worse(low)
    answer = client.post(f"/alerts/{low.pk}/resolve/", {"outcome": "", "note": "x", "basis": old})
    assert (answer.status_code, "has changed since you opened the page" in words(answer)) == (409, True)


def test_the_same_words_again_are_news_that_has_to_be_read(low):
    before = low.basis
    Alert.objects.filter(pk=low.pk).update(worsened_at=NOW + HOUR)
    low.refresh_from_db()
    with pytest.raises(answering.UnreadError):
        answering.acknowledge(alert=low, by=low.owner, now=NOW + HOUR, basis=before)


def test_what_is_typed_while_a_colleague_answers_is_kept_for_the_story(client, low):
    answering.resolve(alert=low, by=low.owner, now=NOW, outcome="acted")
    typed = {"note": "She has a fever too", "outcome": "acted", "basis": low.basis}
    answer = client.post(f"/alerts/{low.pk}/resolve/", typed)
    assert (answer.status_code, "the alert is resolved already" in words(answer)) == (409, True)
    assert "She has a fever too</textarea>" in answer.content.decode()
    assert not AlertNote.objects.filter(text="She has a fever too")


def test_a_hand_over_to_somebody_who_is_away_keeps_what_was_typed(client, clinic, low):
    to = a_person(clinic, "nurse", first_name="Ada")
    an_absence(clinic, to, a_person(clinic, "nurse"))
    typed = {"to": to.pk, "note": "A long story", "basis": low.basis}
    answer = client.post(f"/alerts/{low.pk}/hand-over/", typed)
    assert "is away today" in words(answer)
    assert "A long story</textarea>" in answer.content.decode()
    assert f'<option value="{to.pk}" selected>' in answer.content.decode()


@pytest.mark.slow
def test_h39_alerts_that_were_ticked_are_answered_together_only_as_they_were_shown(client, clinic, nurse, time_machine):
    time_machine.move_to(NOW, tick=False)
    client.force_login(nurse)
    one, other = an_overdue_alert(clinic, "Abel"), an_overdue_alert(clinic, "Bell")
    asked = {"alert": [one.ticked, other.ticked], "move": "acknowledge", "confirm": "1", "note": "Will call both"}
    Alert.objects.filter(pk=one.pk).update(summary="Overdue by a month now.", worsened_at=NOW + HOUR)
    answer = client.post("/alerts/answer/", asked)
    assert (answer.status_code, "Overdue by a month now." in words(answer)) == (409, True)
    assert "has changed since you opened the page" in words(answer)
    assert "Will call both</textarea>" in answer.content.decode()
    assert {alert.state for alert in Alert.objects.all()} == {"open"}
    one.refresh_from_db()
    asked["alert"] = [one.ticked, other.ticked]
    client.post("/alerts/answer/", asked)
    assert {alert.state for alert in Alert.objects.all()} == {"acknowledged"}


@pytest.mark.slow
def test_an_alert_that_was_answered_meanwhile_is_left_out_by_name_and_the_list_stays_where_it_was(
    client, clinic, nurse, time_machine
):
    time_machine.move_to(NOW, tick=False)
    client.force_login(nurse)
    one, other = an_overdue_alert(clinic, "Abel"), an_overdue_alert(clinic, "Bell")
    place = {"show": "all", "after": "2~2026-09-01T00:00:00+00:00~1"}
    asked = {"alert": [one.ticked, other.ticked], "move": "acknowledge"} | place
    answering.acknowledge(alert=one, by=nurse, now=NOW)
    shown = client.post("/alerts/answer/", asked)
    assert "Left out, as answered already: Abel, Alex, blood test overdue" in words(shown)
    assert "Acknowledge 1 alert" in words(shown)
    done = client.post("/alerts/answer/", asked | {"confirm": "1"}, follow=True)
    assert "1 alert is acknowledged." in words(done)
    assert done.redirect_chain[0][0].startswith("/alerts/?show=all&after=2~2026")
    again = client.post("/alerts/answer/", asked | {"confirm": "1"}, follow=True)
    assert "Left out, as answered already: Abel, Alex, blood test overdue; Bell" in words(again)


@pytest.mark.slow
def test_a_severe_alert_among_those_ticked_is_named_and_left_out_of_the_confirmation(client, clinic, low):
    overdue = an_overdue_alert(clinic, "Abel")
    asked = {"alert": [low.ticked, overdue.ticked, "x", "²:1"], "move": "acknowledge"}
    shown = words(client.post("/alerts/answer/", asked))
    assert "Left out, to be opened and answered by itself: Quill, Alex, low neutrophil count" in shown
    assert "Acknowledge 1 alert" in shown
    refused = client.post("/alerts/answer/", asked | {"confirm": "1"})
    assert (refused.status_code, "answered by itself; open it" in words(refused)) == (409, True)
    assert {alert.state for alert in Alert.objects.all()} == {"open"}
