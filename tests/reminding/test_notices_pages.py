"""The pages on which notices are asked for, confirmed and ended: the person's own, and the staff's."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client

import clozatrack
from monitoring.reminding.agreeing import agree_to_browser, end_gone
from notifications.actions import claim, send
from notifications.models import PushSubscription
from patients.consenting import Person, add_carer, latest_consents, make_link, wish
from patients.reaching import Consent, OwnLink, Reachable
from tests.cast import NOW, a_person
from tests.monitoring.desk import Desk
from tests.reminding.people import agreed, due_in
from tests.wires.http import PushService

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
SECTION = "Notices on this phone or computer"
OVER = "This link has ended"
WORKER = Path(clozatrack.__file__).parent / "static/clozatrack/push-worker.js"


@pytest.fixture
def clock(time_machine):
    time_machine.move_to(NOW, tick=False)
    return time_machine


@pytest.fixture
def second(push):
    """Another browser of the same push service."""
    with PushService() as server:
        server.vapid = push.vapid
        yield server


@pytest.fixture
def treatment(clock):
    with connection.cursor() as cursor:
        # Keys that stand out on a page.
        cursor.execute("SELECT setval(pg_get_serial_sequence('notifications_pushsubscription', 'id'), 770000)")
    return due_in(3)


def inside(person, channel="sms"):
    """A browser in which the link was opened and its code typed, and the address of their choices."""
    address = latest_consents(person)[channel].address
    token = make_link(person=person, channel=channel, address=address, purpose="page", now=NOW)
    client = Client()
    session = client.session
    session["own_pages"] = {str(OwnLink.objects.latest("pk").pk): NOW.isoformat()}
    session.save()
    return client, f"/my/{token}/choices/"


def deliver(now=NOW):
    while leased := claim(now=now, limit=50, channel="webpush"):
        for delivery in leased:
            send(delivery, now=now)


def code_shown(push):
    return re.search(r"\b(\d{6})\b", push.shown()[-1]["body"])[1]


def says_yes(client, page, push):
    return client.post(page, {"do": "browser"} | push.subscription)


def action_of(answer):
    return re.search(r'action="(/my/[^"]+)"', answer.content.decode())[1]


def typed(push, **more):
    browser = PushSubscription.objects.get(ended_at=None)
    found = {"do": "confirm", "channel": "webpush", "address": str(browser.pk), "code": code_shown(push)}
    return found | {"born": "1980-05-17"} | more


def in_their_browser(person, push):
    """Agreed and confirmed, as it is done on the page."""
    client, page = inside(person)
    says_yes(client, page, push)
    deliver()
    client.post(page, typed(push))
    return client, page


def test_the_section_is_there_only_where_web_push_is_set_up(treatment, settings, push):
    client, page = inside(Person(treatment.patient))
    shown = client.get(page).content.decode()
    assert SECTION in shown
    assert 'data-scope="/my/"' in shown
    assert push.application_key in shown
    settings.WEBPUSH = settings.WEBPUSH | {"public_key": ""}
    shown = client.get(page).content.decode()
    assert SECTION not in shown
    assert "push.js" not in shown
    says_yes(client, page, push)
    assert not PushSubscription.objects.exists()


def test_without_javascript_a_sentence_says_so_and_the_button_is_not_there(treatment, push):
    client, page = inside(Person(treatment.patient))
    shown = client.get(page).content.decode()
    assert '<p role="status">This browser cannot show notices.' in shown
    assert "<button hidden>Show notices here</button>" in shown
    assert "My reminders" in shown


@pytest.mark.slow
def test_yes_then_the_code_and_the_day_of_birth_and_notices_come(treatment, push):
    person = Person(treatment.patient)
    client, page = inside(person)
    asked = says_yes(client, page, push).content.decode()
    assert "A notice with a code comes up" in asked
    assert not Reachable.objects.filter(channel="webpush").exists()
    assert "we wait for the code" in client.get(page).content.decode()
    deliver()
    for wrong in ({"born": "1980-05-18"}, {"code": "x"}):
        answer = client.post(page, typed(push, **wrong)).content.decode()
        assert "not right" in answer
        assert "A notice with a code comes up" in answer
    done = client.post(page, typed(push), follow=True).content.decode()
    assert "write to you there from now on" in done
    assert Reachable.objects.filter(channel="webpush").exists()
    assert "in a browser that you added on Sept. 14, 2026" in done
    assert "77000" not in done


def test_a_carer_types_the_code_alone(treatment, push):
    nurse = a_person(treatment.clinic, "nurse")
    carer = add_carer(
        patient=treatment.patient, name="Kim", relation="sister", phone="+15550105555", email="", by=nurse, now=NOW
    )
    agreed(treatment, carer=carer, nurse=nurse)
    client, page = inside(Person(treatment.patient, carer))
    assert "The day you were born" not in says_yes(client, page, push).content.decode()
    deliver()
    client.post(page, typed(push))
    assert Reachable.objects.get(channel="webpush").carer_id == carer.pk


@pytest.mark.parametrize("change", [{"endpoint": "ftp://x.example/1"}, {"p256dh": ""}, {"auth": "junk"}])
def test_what_no_browser_would_tell_is_answered_with_a_sentence(treatment, push, change):
    client, page = inside(Person(treatment.patient))
    answer = client.post(page, {"do": "browser"} | push.subscription | change, follow=True).content.decode()
    assert "That did not work" in answer
    assert not PushSubscription.objects.exists()


@pytest.mark.slow
def test_no_more_notices_ends_the_browser_and_the_button_is_there_again(treatment, push, clock):
    person = Person(treatment.patient)
    client, page = in_their_browser(person, push)
    done = client.post(page, {"do": "end", "channel": "webpush"}, follow=True).content.decode()
    assert "We will not write there any more" in done
    assert "We do not write there." in done
    assert SECTION in done
    assert PushSubscription.objects.get().ended_at == NOW
    clock.move_to(NOW + MINUTE, tick=False)
    says_yes(client, page, push)
    deliver(NOW + MINUTE)
    client.post(page, typed(push))
    assert Reachable.objects.filter(channel="webpush").exists()


@pytest.mark.slow
@pytest.mark.parametrize("noted", [False, True])
def test_both_pages_say_that_a_browser_is_gone_and_what_to_do(treatment, push, client, noted):
    person = Person(treatment.patient)
    theirs, page = in_their_browser(person, push)
    PushSubscription.objects.update(ended_at=NOW + MINUTE, ended_because="the push service answered 410")
    if noted:
        end_gone(now=NOW + 2 * MINUTE)
    shown = theirs.get(page).content.decode()
    assert "Notices do not reach that browser any more. You can start again below." in shown
    assert "No more notices" not in shown
    client.force_login(a_person(treatment.clinic, "nurse"))
    staff = client.get(f"/patients/{treatment.patient_id}/reminders/").content.decode()
    assert "notices no longer arrive in that browser. Ask them to open their page" in staff
    assert ("ended because their browser takes no more notices" in staff) == noted


@pytest.mark.slow
def test_a_page_that_came_by_a_notice_goes_on_when_the_browser_is_added_anew(treatment, push, second, clock):
    person = Person(treatment.patient)
    in_their_browser(person, push)
    client, page = inside(person, "webpush")
    clock.move_to(NOW + 10 * MINUTE, tick=False)
    answer = says_yes(client, page, second)
    assert OVER in client.get(page).content.decode()
    deliver(NOW + 10 * MINUTE)
    done = client.post(action_of(answer), typed(second), follow=True).content.decode()
    assert "write to you there from now on" in done


@pytest.mark.slow
def test_h32_who_sits_at_an_open_page_gets_in_no_longer_by_adding_a_browser(treatment, push, second, clock):
    person = Person(treatment.patient)
    in_their_browser(person, push)
    client, page = inside(person, "webpush")
    clock.move_to(NOW + 29 * MINUTE, tick=False)
    page = action_of(says_yes(client, page, second))
    assert "Is it you?" not in client.get(page).content.decode()
    clock.move_to(NOW + 31 * MINUTE, tick=False)
    assert "Is it you?" in client.get(page).content.decode()
    # Its code was never typed, so it opens nothing anew: no code for the door goes there.
    assert client.post(page.replace("choices", "code")).status_code == 400


@pytest.mark.slow
def test_a_code_for_a_browser_that_they_left_meanwhile_confirms_nothing(treatment, push, second):
    person = Person(treatment.patient)
    client, page = inside(person)
    says_yes(client, page, push)
    deliver()
    late = typed(push)
    agree_to_browser(person=person, now=NOW, **second.subscription)
    assert "not right" in client.post(page, late).content.decode()
    assert not Reachable.objects.filter(channel="webpush").exists()


@pytest.mark.slow
def test_this_is_still_the_right_place_works_for_notices_too(treatment, push):
    person = Person(treatment.patient)
    in_their_browser(person, push)
    client, page = inside(person, "webpush")
    assert "A notice with a code" in client.post(page, {"do": "still"}).content.decode()
    deliver()
    assert "from now on" in client.post(page, typed(push), follow=True).content.decode()


@pytest.mark.slow
def test_it_is_all_there_in_spanish(treatment, push):
    person = Person(treatment.patient)
    wish(person=person, wishes={"language": "es", "large_print": True}, by=None, now=NOW)
    client, page = in_their_browser(person, push)
    shown = client.get(page).content.decode()
    for said in ("Avisos en este teléfono o computadora", "en un navegador que añadió el 14 de septiembre de 2026"):
        assert said in shown
    assert "notices" not in re.sub(r"<[^>]*>", "", shown).lower()


@pytest.mark.slow
def test_staff_see_a_browser_and_its_day_end_it_and_cannot_agree_for_anybody(treatment, push, client):
    person = Person(treatment.patient)
    in_their_browser(person, push)
    desk = Desk(client, a_person(treatment.clinic, "nurse"))
    client.force_login(desk.staff)
    page = client.get(f"/patients/{treatment.patient_id}/reminders/").content.decode()
    assert "in a browser added on Mon 14 Sep 2026: reminders are sent" in page
    assert "<td>a browser</td>" in page
    assert "77000" not in page
    given = {"who": "patient", "channel": "webpush"}
    refused = desk.look(treatment, "consent", how="in_person", **given).content.decode()
    assert "notices are agreed to by the person, on their own page" in refused
    asked = desk.look(treatment, "end-consent", how="telephone", **given).content.decode()
    assert "gets no notice on their phone or computer any more" in asked
    desk.do(treatment, "end-consent", how="telephone", **given)
    ended = Consent.objects.filter(channel="webpush").latest("pk")
    assert (ended.given, ended.how) == (False, "telephone")
    assert PushSubscription.objects.get().ended_at == NOW


@pytest.mark.slow
def test_staff_are_not_asked_for_a_notices_code(treatment, push, client):
    page_of_theirs, page = inside(Person(treatment.patient))
    says_yes(page_of_theirs, page, push)
    deliver()
    client.force_login(a_person(treatment.clinic, "nurse"))
    place = f"/patients/{treatment.patient_id}/reminders/"
    shown = client.get(place).content.decode()
    assert "not confirmed yet: nothing is sent there" in shown
    assert "Code that they read out" not in shown
    client.post(f"{place}confirm/", {"who": "", "channel": "webpush", "code": code_shown(push)})
    assert not Reachable.objects.filter(channel="webpush").exists()


def test_h31_the_worker_that_shows_notices_names_nothing(client):
    assert "clozatrack" not in WORKER.read_text().lower()
    assert client.get("/push-worker.js").content == WORKER.read_bytes()
