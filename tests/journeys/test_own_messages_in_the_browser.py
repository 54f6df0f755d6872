"""Choosing how one is told, in a real browser: a telephone by keyboard without JavaScript, and the browser itself."""

import json
import re

import pytest
from django.utils import timezone

from monitoring.actions.reaching import ways_to
from notifications.loop import deliver_due
from notifications.models import Delivery
from tests.browser import assert_accessible, notices, push_to, says
from tests.cast import a_clinic, a_person
from tests.wires.http import Gateway

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# No push service of the internet is asked: the browser's own answer is put in its place, at the outermost wire.
ANSWER = """
const keys = {{p256dh: "{p256dh}", auth: "{auth}"}};
const raw = text => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), one => one.charCodeAt(0)).buffer;
PushManager.prototype.getSubscription = async () => null;
PushManager.prototype.subscribe = async () => ({{ endpoint: "{endpoint}", getKey: name => raw(keys[name]) }});
"""
SHOWN = "async () => (await (await navigator.serviceWorker.ready).getNotifications()).map(one => one.title)"


@pytest.fixture
def gateway(settings):
    with Gateway() as server:
        settings.SMS = server.settings
        yield server


@pytest.fixture
def nurse():
    return a_person(a_clinic(), "nurse")


def choose_for_severe(page, label):
    page.get_by_role("group", name="Severe: answer now").get_by_label(label).check()
    page.get_by_role("button", name="Show what it means").click()
    says(page, "Severe alerts reach you by")
    page.get_by_role("button", name="Change it so").click()


@pytest.mark.parametrize(("javascript", "width"), [(False, 390), (True, 1280)])
def test_a_telephone_from_its_number_to_the_first_severe_alert(open_page, gateway, nurse, javascript, width):
    page = open_page(nurse, width=width, javascript=javascript)
    page.goto("/own/messages/")
    page.get_by_label("Your mobile number").fill("+1 500 555 0001")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=A code is on its way")
    deliver_due(timezone.now)
    page.get_by_label("Code").fill(gateway.messages[0]["Body"][:6])
    page.keyboard.press("Enter")
    page.wait_for_selector("text=is confirmed")
    choose_for_severe(page, "SMS")
    page.wait_for_selector("text=It holds from the next alert on")
    assert ways_to(nurse, 1) == [("email", nurse.email), ("sms", "+15005550001")]


def test_a_browser_agrees_and_is_confirmed_by_what_it_shows(open_page, push, nurse, live_server):
    page = open_page(nurse)
    page.context.grant_permissions(["notifications"], origin=live_server.url)
    page.add_init_script(ANSWER.format(**push.subscription))
    page.goto("/own/messages/")
    page.get_by_role("button", name="Use this browser").click()
    page.wait_for_selector("text=A code is on its way")
    assert page.evaluate("navigator.serviceWorker.getRegistration().then(one => new URL(one.scope).pathname)") == "/"
    deliver_due(timezone.now)
    (shown,) = push.shown()
    page.get_by_label("Code").fill(re.match(r"\d{6}", shown["title"])[0])
    page.keyboard.press("Enter")
    page.wait_for_selector("text=is confirmed")
    choose_for_severe(page, "Browser notification")
    page.wait_for_selector("text=It holds from the next alert on")
    assert [channel for channel, _ in ways_to(nurse, 1)] == ["email", "webpush"]


@pytest.mark.usefixtures("whole_browser")
def test_the_service_worker_shows_what_was_pushed(open_page, push, nurse, live_server):
    page = open_page(nurse)
    page.context.grant_permissions(["notifications"], origin=live_server.url)
    page.add_init_script(ANSWER.format(**push.subscription))
    page.goto("/own/messages/")
    wire, known = page.context.new_cdp_session(page), []
    wire.on("ServiceWorker.workerRegistrationUpdated", lambda told: known.extend(told["registrations"]))
    wire.send("ServiceWorker.enable")
    page.get_by_role("button", name="Use this browser").click()
    page.wait_for_selector("text=A code is on its way")
    deliver_due(timezone.now)
    said = json.dumps(push.shown()[0])
    push_to(page, wire, origin=live_server.url, registrationId=known[0]["registrationId"], data=said)
    (title,) = notices(page, SHOWN, 1)
    assert title.endswith("is your code")


@pytest.mark.parametrize("width", [320, 1280])
def test_the_pages_of_messages_are_accessible_and_never_wider_than_the_screen(open_page, gateway, push, nurse, width):
    clinic, now = nurse.memberships.get().clinic, timezone.now()
    row = Delivery.objects.create(
        once="k", channel="sms", address="+15005550001", subject="s", body="b", created_at=now, due_at=now,
        clinic_id=clinic.pk, repeatable=False, handing_at=now, last_error="a-very-long-word-without-any-blank-" * 4,
    )  # fmt: skip
    page = open_page(nurse, width=width)
    for address in ("/own/messages/", "/messages/", f"/messages/{row.pk}/", "/messages/?state=dead"):
        page.goto(address)
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
