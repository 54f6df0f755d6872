"""Answers that come after the page had closed: said not to be sent, carried through the code, sent by a press alone."""

import re

import pytest
from django.test import Client

from monitoring.models import Alert, Draw, SelfCheck
from patients.consenting import Person, wish, wishes_of
from tests.cast import NOW
from tests.reminding.test_own_page import (
    MINUTE,
    answers,
    came_in,
    clock,
    code_in,
    gateway,
    link_to,
    treatment,
)

__all__ = ("clock", "gateway", "treatment")
pytestmark = pytest.mark.django_db
HIDDEN = re.compile(r'<input type="hidden" name="((?:kept-|to|entry)[^"]*)" value="([^"]*)"')


def late(treatment, gateway, clock, place, said):
    """What the page says to a press 35 minutes after the code."""
    client, page = came_in(treatment, gateway)
    clock.move_to(NOW + 35 * MINUTE, tick=False)
    return client, page, client.post(page + place, said)


def with_a_code(client, page, gate, gateway):
    """Through the gate with what it carries, as a browser without scripts does."""
    carried = dict(HIDDEN.findall(gate.content.decode()))
    asked = client.post(page + "code/", carried)
    assert dict(HIDDEN.findall(asked.content.decode())) == carried
    gateway.deliver(NOW + 35 * MINUTE)
    return client.post(page + "code/", carried | {"code": code_in(gateway)}, follow=True)


@pytest.mark.slow
def test_answers_after_half_an_hour_are_said_not_to_be_sent_and_wait_behind_the_code(treatment, gateway, clock):
    sent = answers(chest_pain="on", temperature="38.7")
    client, page, gate = late(treatment, gateway, clock, "unwell/", sent)
    text = gate.content.decode()
    assert (gate.status_code, "Your answers were not sent." in text) == (401, True)
    assert text.index("Very ill right now?") < text.index("Your answers were not sent.")
    again = with_a_code(client, page, gate, gateway).content.decode()
    assert "Not sent yet" in again
    assert re.search(r'name="chest_pain"[^>]*checked', again)
    assert 'value="38.7"' in again
    assert f'action="{page}unwell/"' in again
    assert not SelfCheck.objects.exists()
    assert not Alert.objects.filter(cause="unwell").exists()
    said = client.post(page + "unwell/", sent).content.decode()
    assert "Get help now" in said
    assert SelfCheck.objects.get().answers["chest_pain"]


def test_a_wrong_code_keeps_what_was_not_sent(treatment, gateway, clock):
    client, page, gate = late(treatment, gateway, clock, "unwell/", answers(weak="on"))
    carried = dict(HIDDEN.findall(gate.content.decode()))
    wrong = client.post(page + "code/", carried | {"code": "1"})
    assert (wrong.status_code, "were not sent" in wrong.content.decode()) == (400, True)
    assert dict(HIDDEN.findall(wrong.content.decode())) == carried


def test_blood_that_was_taken_is_asked_for_again_after_the_code(treatment, gateway, clock):
    client, page, gate = late(treatment, gateway, clock, "drawn/", {})
    assert (gate.status_code, "This was not sent." in gate.content.decode()) == (401, True)
    assert "Yes, blood was taken today" in with_a_code(client, page, gate, gateway).content.decode()
    assert not Draw.objects.exists()


@pytest.mark.slow
def test_choices_are_filled_in_again_and_saved_by_a_press(treatment, gateway, clock):
    chosen = {"do": "wishes", "language": "es", "large_print": "on"}
    client, page, gate = late(treatment, gateway, clock, "choices/", chosen)
    again = with_a_code(client, page, gate, gateway).content.decode()
    assert "Not saved yet" in again
    assert re.search(r'name="large_print"[^>]*checked', again)
    assert not wishes_of(Person(treatment.patient)).large_print
    assert f'<form method="post" action="{page}choices/" novalidate>' in again


def test_a_new_number_is_filled_in_again(treatment, gateway, clock):
    typed = {"do": "new", "channel": "sms", "address": "+1 555 010 8888"}
    client, page, gate = late(treatment, gateway, clock, "choices/", typed)
    assert 'value="+1 555 010 8888"' in with_a_code(client, page, gate, gateway).content.decode()


def test_a_day_of_birth_is_not_kept_in_the_page(treatment, gateway, clock):
    typed = {"do": "confirm", "channel": "sms", "address": "+15550108888", "code": "123456", "born": "1980-05-17"}
    client, page, gate = late(treatment, gateway, clock, "choices/", typed)
    assert not re.search("1980|123456", gate.content.decode())
    assert "Not saved yet" in with_a_code(client, page, gate, gateway).content.decode()


def test_the_words_are_theirs_in_spanish_too(treatment, gateway, clock):
    wish(person=Person(treatment.patient), wishes={"language": "es"}, by=None, now=NOW)
    _, _, gate = late(treatment, gateway, clock, "unwell/", answers(weak="on"))
    assert "Sus respuestas no se han enviado." in gate.content.decode()


def test_what_is_carried_opens_no_other_page_and_nothing_without_the_code(treatment, gateway):
    token = link_to(treatment)
    for to in ("own_unwell", "people", "nonsense"):
        page = Client().post(f"/my/{token}/code/", {"to": to, "kept-weak": "on", "code": "1"})
        assert "Is it you?" in page.content.decode()
    client = Client()
    client.post(f"/my/{token}/code/")
    gateway.deliver(NOW)
    opened = client.post(f"/my/{token}/code/", {"to": "people", "code": code_in(gateway)})
    assert opened["Location"] == f"/my/{token}/"
